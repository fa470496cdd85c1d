//go:build !unix

package cluster

import "os"

// terminate cannot be asked for here.
var terminate = os.Kill
