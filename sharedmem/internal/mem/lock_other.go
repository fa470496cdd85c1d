//go:build !(linux || darwin || freebsd || netbsd || dragonfly || windows)

package mem

// Lock does nothing: there is no other process to lock against.
func (r *Region) Lock(int64, bool) error { return nil }

// Unlock does nothing.
func (r *Region) Unlock(int64) error { return nil }

// Attached reports false: nobody else can.
func (r *Region) Attached() bool { return false }
