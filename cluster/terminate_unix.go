//go:build unix

package cluster

import "syscall"

const terminate = syscall.SIGTERM
