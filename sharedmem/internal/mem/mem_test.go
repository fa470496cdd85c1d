package mem

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestCreate(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		r, err := Create(3*PageSize, sealed)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Bytes) != 3*PageSize || r.Addr()%64 != 0 || r.Sealed() != sealed || r.Shareable() != CanShare {
			t.Errorf("%d bytes at %#x, sealed %v, shareable %v", len(r.Bytes), r.Addr(), r.Sealed(), r.Shareable())
		}
		for off := 0; off < len(r.Bytes); off += PageSize {
			if err := r.Commit(off, PageSize); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(r.Bytes, make([]byte, 3*PageSize)) {
			t.Error("it is not zero")
		}
		r.Bytes[0], r.Bytes[len(r.Bytes)-1] = 1, 2
		old := r.Addr()
		if moved := r.Move(); moved && (r.Addr() == old || r.Bytes[0] != 1 || r.Bytes[len(r.Bytes)-1] != 2) {
			t.Error("moving has not moved it, or has changed it")
		}
		if r.Attached() {
			t.Error("somebody has attached it")
		}
		r.Unmap()
		r.Unmap()
		if r.Bytes != nil || r.File != nil {
			t.Error("something is left")
		}
	}
}

func TestMapFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	text := bytes.Repeat([]byte("0123456789"), 1000)
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := MapFile(f, len(text), true)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Unmap()
	if !bytes.Equal(r.Bytes, text) || !r.ReadOnly {
		t.Error("it is not what is in the file")
	}
	if err := r.Lock(0, true); err != nil {
		t.Error(err)
	}
	if err := errors.Join(r.Unlock(0), r.Flush()); err != nil {
		t.Error(err)
	}
}
