// Package wire is the kernel of jobgen's codecs. Generated code calls it to encode what leaves a
// process: a worker's configuration, the inputs and the results of its jobs. Programs have no use
// for it.
//
// Every function that encodes appends the value behind a pointer to a slice of bytes; every one that
// decodes takes a [Decoder] and fills in the value behind a pointer. So a function of the kernel and
// one that was generated for a type look alike, and either can be given to the functions for slices,
// maps and pointers.
//
// # The format
//
// Both sides know the types: a fingerprint that they compare first sees to it. So there are no names,
// kinds or field numbers in a message, only values, one after the other:
//
//   - bool, int8 and uint8: one byte. The byte of a bool is 0 or 1.
//   - Other signed integers: a zigzag varint. Other unsigned integers: an unsigned varint. One that does not
//     fit the type is an error, and so int and uint can be exchanged between machines of 32 and of 64 bits.
//   - Floats and complex numbers: the bits, little-endian.
//   - Strings: the length and the bytes. Short ones may share memory once they are decoded.
//   - Slices: 0 if nil, otherwise the length plus one, and the elements.
//   - Slices of numbers, of bools, of arrays of one kind of them, and of structs of one kind of float: the elements
//     as a block, each as it lies in the memory of a little-endian machine; int, uint and uintptr take eight bytes.
//   - Arrays: the elements; a block where a slice of the same elements would be one.
//   - Maps: 0 if nil, otherwise the number of entries plus one, and keys and values in turn, in no order.
//   - Pointers: 0 if nil, otherwise 1 and what they point to.
//   - Structs: the fields in the order of their declaration, without blank ones.
//   - Types that encode themselves: the length of what they made and the bytes.
//
// A block is not aligned by padding. That would only be of use to a decoder whose slices refer to the
// message's own memory, and here they never do: a buffer is used again for the next message, and a job may keep
// its input, or write to it. One copy of a block costs less than the padding's bookkeeping would be worth.
//
// Two pointers to one value become pointers to two values. A [time.Time] loses its monotonic clock
// reading. A NaN keeps its bits, also as the key of a map.
//
// # Errors
//
// A method of the user's that fails to encode ends the whole encoding with a panic, which [Catch], deferred by
// the outermost generated function, turns into that function's error. It is the one panic here that means
// anything.
//
// A [Decoder] keeps its first error; what is read after it is zero. It takes any bytes without a panic. It
// checks each length against the bytes that are left before it allocates, and lets slices and maps grow
// with what was really decoded, so that a message makes it allocate no more than a small multiple of
// its own length, as far as the types leave it a choice. There is no limit to depth, because there is no way to nest
// without end: jobgen has no codec for types that lead back to themselves.
package wire
