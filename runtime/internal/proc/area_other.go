//go:build !linux

package proc

import (
	"errors"
	"os"
	"sync/atomic"
)

// CanShare says whether processes can share areas.
const CanShare = false

func newShared(int) (*os.File, []byte, error) { return nil, nil, errors.ErrUnsupported }

func mapShared(*os.File) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapShared([]byte) {}

func backShared(*os.File, int, int) error { return errors.ErrUnsupported }

// number is a number of this process only.
func number([]byte, int) *atomic.Int64 { return new(atomic.Int64) }

func yield() {}
