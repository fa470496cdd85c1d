package wire

import "slices"

// Slices, maps and pointers are read by loops in the generated code, which calls the functions of their parts by
// their names. Calls through variables would move the decoder and what is read to the heap, since nobody knows what
// the callee keeps. The functions that take functions are what older generated code calls.

// ReadSliceLen reads the length of a slice whose elements have content, and allocates as much of it as the message
// pays for. [Room] sees to the rest.
func ReadSliceLen[S ~[]E, E any](d *Decoder, p *S) int {
	n, ok := d.length("a slice", 1)
	if !ok {
		*p = nil
		return 0
	}
	*p = make(S, d.room(n, sizeOf[E]()))
	return n
}

// Room says whether there is an element i of a slice of n to read, and makes room for it. After an error there is not.
func Room[S ~[]E, E any](d *Decoder, p *S, i, n int) bool {
	return i < n && d.err == nil && (i < len(*p) || grow(p, n))
}

func grow[S ~[]E, E any](p *S, n int) bool {
	s := *p
	s = slices.Grow(s, min(n-len(s), len(s)))
	*p = s[:min(n, cap(s))]
	return true
}

// ReadSlice reads a slice; each reads an element that has content.
func ReadSlice[S ~[]E, E any](d *Decoder, p *S, each func(*Decoder, *E)) {
	n := ReadSliceLen(d, p)
	for i := 0; Room(d, p, i, n); i++ {
		each(d, &(*p)[i])
	}
}

// ReadEmpties reads a slice of values that have no content.
func ReadEmpties[S ~[]E, E any](d *Decoder, p *S) {
	*p = nil
	at := d.i
	u := d.uvarint("a slice")
	if u == 0 {
		return
	}
	if u--; u > MaxEmpties {
		d.fail(at, "%w", tooManyEmpties(u))
		return
	}
	size := sizeOf[E]()
	if d.unpaid += int(u) * min(size, maxUnpaid+1); d.unpaid > maxUnpaid || d.unpaid < 0 {
		d.fail(at, "a slice of %d elements without content would take %d bytes each", u, size)
		return
	}
	*p = make(S, u)
}

// ReadMapLen reads the number of a map's entries and makes the map. The caller reads the entries while there are [More],
// and then calls [EndMap].
func ReadMapLen[M ~map[K]V, K comparable, V any](d *Decoder, p *M) int {
	*p = nil
	at := d.i
	u := d.uvarint("a map")
	if u == 0 {
		return 0
	}
	// Keys without content are all equal, so that there is at most one.
	if u--; u > uint64(max(1, d.left())) {
		d.fail(at, "a map has %d entries, for which %d bytes are left", u, d.left())
		return 0
	}
	*p = make(M, d.room(int(u), sizeOf[K]()+sizeOf[V]()))
	return int(u)
}

// More says whether there is an entry i of a map of n to read. After an error there is not.
func More(d *Decoder, i, n int) bool { return i < n && d.err == nil }

// EndMap checks that a map has as many entries as were read.
func EndMap[M ~map[K]V, K comparable, V any](d *Decoder, p *M, n int) {
	if len(*p) < n {
		d.fail(d.i, "a map has a key twice")
	}
}

// ReadMap reads a map; key and value read the parts of an entry.
func ReadMap[M ~map[K]V, K comparable, V any](d *Decoder, p *M, key func(*Decoder, *K), value func(*Decoder, *V)) {
	n := ReadMapLen(d, p)
	if n == 0 {
		return // before k and v take memory
	}
	var k, noKey K // outside of the loop: they escape
	var v, noValue V
	for i := 0; More(d, i, n); i++ {
		k, v = noKey, noValue
		key(d, &k)
		value(d, &v)
		(*p)[k] = v
	}
	EndMap(d, p, n)
}

// ReadNew reads whether a pointer is nil. If it is not, it now points to a new value, and the caller reads that.
func ReadNew[P ~*T, T any](d *Decoder, p *P) bool {
	if !d.flag("a pointer") {
		*p = nil
		return false
	}
	*p = new(T)
	return true
}

// ReadPointer reads a pointer and what it points to; to reads that.
func ReadPointer[P ~*T, T any](d *Decoder, p *P, to func(*Decoder, *T)) {
	if ReadNew(d, p) {
		to(d, *p)
	}
}
