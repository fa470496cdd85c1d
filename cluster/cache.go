package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/jobgen/jobgen/sharedmem"
)

type sharedSegment = sharedmem.Segment

// cache keeps blobs in files of a directory that all agents of a machine share, so that each is fetched once for the
// machine, and mapped by all.
type cache struct {
	dir  string
	mu   sync.Mutex
	busy map[string]*sync.Mutex
}

const (
	cacheBytes = 8 << 30         // of files that nobody has used for a while, more are removed
	cacheAge   = 24 * time.Hour  // files that nobody has used for so long are removed
	cacheGrace = 5 * time.Minute // those that were just used stay, whatever their size
)

// openCache makes the directory, for nobody else to read. An empty name stands for one of the user's.
func openCache(dir string) (*cache, error) {
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			base = filepath.Join(os.TempDir(), fmt.Sprintf("jobgen-%d", os.Getuid()))
		}
		dir = filepath.Join(base, "jobgen", "blobs")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cluster: the directory for large inputs: %w; set %s to another one", err, envCache)
	}
	return &cache{dir: dir, busy: map[string]*sync.Mutex{}}, nil
}

// smallBlob is not worth a file.
const smallBlob = 1 << 20

// bytes returns a blob's content, which is not to be changed.
func (c *cache) bytes(ctx context.Context, b *blobs, ref *blobRef) ([]byte, error) {
	if ref.Size < smallBlob {
		return b.get(ctx, ref)
	}
	path, err := c.file(ctx, b, ref, ref.Size)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if err == nil && int64(len(content)) != ref.Size {
		err = errors.New("it has another size than it should")
	}
	if err != nil {
		return nil, fmt.Errorf("cluster: reading %s: %w", path, err)
	}
	return content, nil
}

// file returns the path of a file with a blob's content, followed by zeros up to a size. It is fetched if no agent of
// the machine has done so.
func (c *cache) file(ctx context.Context, b *blobs, ref *blobRef, size int64) (string, error) {
	name := fmt.Sprintf("%s-%d", ref.name(), size)
	path := filepath.Join(c.dir, name)
	c.mu.Lock()
	one := c.busy[name]
	if one == nil {
		one = new(sync.Mutex)
		c.busy[name] = one
	}
	c.mu.Unlock()
	one.Lock()
	defer one.Unlock()
	if c.has(path, size) {
		return path, nil
	}
	unlock, err := lockFile(ctx, path+".lock")
	if err != nil {
		return "", fmt.Errorf("cluster: locking %s: %w", path, err)
	}
	defer unlock()
	if c.has(path, size) { // another agent has fetched it meanwhile
		return path, nil
	}
	if err := fetchFile(ctx, b, ref, path, size); err != nil {
		return "", err
	}
	return path, nil
}

func (c *cache) has(path string, size int64) bool {
	info, err := os.Stat(path)
	if err != nil || info.Size() != size {
		return false
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now)
	return true
}

// fetchFile writes a blob to a file that appears when it is complete.
func fetchFile(ctx context.Context, b *blobs, ref *blobRef, path string, size int64) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".fetch-*")
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	for i := range ref.Parts {
		part, err := b.getPart(ctx, ref, i)
		if err != nil {
			return err
		}
		if _, err := f.Write(part); err != nil {
			return fmt.Errorf("cluster: keeping %d bytes: %w; set %s to a directory with room", ref.Size, err, envCache)
		}
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// tidy removes files that nobody has used for long, and the oldest if all together are too large.
func (c *cache) tidy() {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	type file struct {
		path string
		size int64
		used time.Time
	}
	var files []file
	total := int64(0)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files = append(files, file{filepath.Join(c.dir, e.Name()), info.Size(), info.ModTime()})
			total += info.Size()
		}
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.used.UnixNano(), b.used.UnixNano()) })
	for _, f := range files {
		age := time.Since(f.used)
		if age > cacheAge || total > cacheBytes && age > cacheGrace {
			if os.Remove(f.path) == nil {
				total -= f.size
			}
		}
	}
}
