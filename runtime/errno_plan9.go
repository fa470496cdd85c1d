package jobgen

import "errors"

var errBrokenPipe = errors.New("broken pipe")

// errnoOf reports false: the errors of this system are texts.
func errnoOf(error) (uint64, bool) { return 0, false }

func errnoError(_ uint64, text string) error { return &RemoteError{Type: "syscall.Errno", Text: text} }
