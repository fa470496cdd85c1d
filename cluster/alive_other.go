//go:build !unix

package cluster

// processLives cannot tell here, so that a dead driver is only seen by its silence.
func processLives(int) bool { return true }
