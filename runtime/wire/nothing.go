package wire

// NoConfig is the Config function of a worker without a configuration.
func NoConfig(b []byte) ([]byte, error) { return b, nil }

// AppendNone encodes an input or result without content: nothing.
func AppendNone[T any](b []byte, _ T) ([]byte, error) { return b, nil }

// ReadNone decodes an input or result without content.
func ReadNone[T any](b []byte) (none T, rest []byte, err error) { return none, b, nil }

// AppendNothing appends a part that has no content: struct{}, an array of length 0.
func AppendNothing[T any](b []byte, _ *T) []byte { return b }

// ReadNothing reads a part that has no content.
func ReadNothing[T any](*Decoder, *T) {}

// AppendPlace appends a byte for a value that travels by another way: an error that an error holds. So a slice of
// them is paid for by the message.
func AppendPlace[T any](b []byte, _ *T) []byte { return append(b, 0) }

// ReadPlace reads that byte, and leaves the value to the other way.
func ReadPlace[T any](d *Decoder, _ *T) {
	if c := d.byte("a place"); c != 0 {
		d.fail(d.i-1, "a place has the byte %d, not 0", c)
	}
}
