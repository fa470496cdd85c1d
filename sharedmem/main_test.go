package sharedmem_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/jobgen/jobgen/sharedmem"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(playRole(role))
	}
	goleak.VerifyTestMain(m)
}

// newArena makes an arena that the test closes.
func newArena(t testing.TB, opts sharedmem.ArenaOptions) *sharedmem.Arena {
	t.Helper()
	arena, err := sharedmem.NewArena(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := arena.Close(); err != nil {
			t.Error(err)
		}
	})
	return arena
}

// must returns a, and ends the test if there is an error.
func must[T any](t testing.TB) func(a sharedmem.Array[T], err error) sharedmem.Array[T] {
	return func(a sharedmem.Array[T], err error) sharedmem.Array[T] {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
}

// panics calls f and returns the text of the error with which it panics.
func panics(t testing.TB, f func()) (text string) {
	t.Helper()
	defer func() {
		t.Helper()
		err, ok := recover().(error)
		if !ok {
			t.Error("no panic with an error")
			return
		}
		text = err.Error()
	}()
	f()
	return ""
}

// contains fails the test unless all parts are in the text.
func contains(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in: %s", p, text)
		}
	}
}

// as is errors.As for tests.
func as[E error](t testing.TB, err error) (e E) {
	t.Helper()
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v (%T), want %T", err, err, e)
	}
	return e
}
