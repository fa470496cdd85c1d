//go:build !unix

package cluster_test

// The tests that kill processes are for systems with signals.

func serveIfTold()  {}
func faultsIfTold() {}
func driveIfTold()  {}
