// Package generate holds nothing but the line that writes this repository's generated code again,
// and a map of the repository:
//
//	cmd/jobgen/     the generator: reads annotated workers, writes jobgen_gen.go
//	runtime/        package jobgen: runs jobs; what users and generated code import
//	runtime/wire    the codec that generated code calls
//	runtime/jobtest the suite that each place where jobs run has to pass
//	sharedmem/      arenas and typed arrays in memory that processes share
//	cluster/        jobs on other machines, over NATS JetStream (a module of its own)
//	sharedmem/interop  tests and examples with gonum, Arrow and npyio (a module of its own)
//	examples/       programs to run and to read: quickstart, gosrc, variance, arrays, crash
//	bench/          comparisons with other libraries (a module of its own)
//	testdata/       scenarios of the generator: input, and output or errors
//	tools/          the versions of tools that CI uses (a module of its own)
//	docs/           the guide, and how the code is laid out
package generate

//go:generate go run ./cmd/jobgen ./...
