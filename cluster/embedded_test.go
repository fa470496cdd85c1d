package cluster

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// What the server has stored goes with it if nobody has said where, and stays in a directory of the caller's.
func TestStoreDir(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	own := t.TempDir()
	for _, dir := range []string{"", own} {
		c, err := Embedded(context.Background(), EmbeddedOptions{Workers: -1, StoreDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(own, "jetstream")); err != nil {
		t.Errorf("the store of the caller: %v", err)
	}
}
