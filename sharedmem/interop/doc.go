// Package interop shows that arrays of package sharedmem work in place with the libraries that numeric programs use.
//
// There is nothing to import. Its tests and examples are what it is for:
//
//   - gonum computes in the memory of an array, since Array.Slice is the slice that mat.NewDense asks for;
//   - Apache Arrow allocates in an arena, since an Arena is a memory.Allocator, and takes the memory of an array for
//     its own without a copy;
//   - npyio, another implementation of NumPy's format, reads the files of CreateNPY, and OpenNPY reads those of npyio.
//
// It is a module of its own, so that none of these libraries is in the go.mod of a program that uses jobgen.
package interop
