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
