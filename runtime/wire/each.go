package wire

// AppendEach returns the function that appends many values, and where each of them ends, until there are enough bytes. One
// appends one value.
func AppendEach[T any](one func([]byte, *T) []byte) func(b []byte, values []T, ends []int, most int) ([]byte, []int) {
	return func(b []byte, values []T, ends []int, most int) ([]byte, []int) {
		for i := range values {
			b = one(b, &values[i])
			if ends = append(ends, len(b)); len(b) >= most {
				break
			}
		}
		return b, ends
	}
}

// ReadEach returns the function that reads as many values as it is given places for, and says how many it has read. One
// reads one value.
func ReadEach[T any](one func(*Decoder, *T)) func(b []byte, values []T) (n int, rest []byte, err error) {
	return func(b []byte, values []T) (n int, rest []byte, err error) {
		d := Decode(b)
		for i := range values {
			if one(&d, &values[i]); d.err != nil {
				clear(values[i : i+1])
				break
			}
			d.unpaid = 0 // which is of one value
			n++
		}
		rest, err = d.Rest()
		return n, rest, err
	}
}
