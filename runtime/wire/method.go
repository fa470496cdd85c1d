package wire

import (
	"encoding/binary"
	"fmt"
)

// AppendWith appends what a method of the value appends: AppendBinary, AppendText, MarshalMsg. An error
// ends the encoding, in the way that [Catch] expects.
func AppendWith(b []byte, method func([]byte) ([]byte, error)) []byte {
	at := len(b)
	b, err := method(append(b, 0)) // the place of the length, if it takes one byte
	if err != nil {
		panic(failure{err})
	}
	n := len(b) - at - 1
	if n < 0 {
		panic(failure{fmt.Errorf("a method that appends to %d bytes has returned %d", at+1, len(b))})
	}
	if n < 0x80 {
		b[at] = byte(n)
		return b
	}
	var length [binary.MaxVarintLen64]byte
	k := binary.PutUvarint(length[:], uint64(n))
	b = append(b, length[1:k]...)
	copy(b[at+k:], b[at+1:at+1+n])
	copy(b[at:], length[:k])
	return b
}

// AppendFrom appends what a method of the value returns: MarshalBinary, MarshalVT, GobEncode, MarshalText. An
// error ends the encoding, in the way that [Catch] expects.
func AppendFrom(b []byte, method func() ([]byte, error)) []byte {
	made, err := method()
	if err != nil {
		panic(failure{err})
	}
	return append(appendUvarint(b, uint64(len(made))), made...)
}

// ReadRaw returns the bytes that a method of the value shall read, or nil after an error. The method must not keep
// them, as UnmarshalBinary and its like demand; what it returns goes to [Check].
func ReadRaw(d *Decoder) []byte {
	return d.block("a value that decodes itself")
}

// Check takes what a method has said about bytes that [ReadRaw] returned.
func Check(d *Decoder, raw []byte, err error) {
	if err != nil {
		d.fail(d.i-len(raw), "%w", err)
	}
}

// ReadWith gives the bytes that were appended to a method of the value: UnmarshalBinary, UnmarshalVT, GobDecode,
// UnmarshalText. The method must not keep them, as those interfaces demand.
func ReadWith(d *Decoder, method func([]byte) error) {
	if raw := ReadRaw(d); raw != nil {
		Check(d, raw, method(raw))
	}
}

// ReadRestWith is [ReadWith] for a method that returns what it has not read: UnmarshalMsg.
func ReadRestWith(d *Decoder, method func([]byte) ([]byte, error)) {
	ReadWith(d, func(raw []byte) error {
		rest, err := method(raw)
		if err == nil && len(rest) > 0 {
			return fmt.Errorf("a value that decodes itself has left %d of its %d bytes", len(rest), len(raw))
		}
		return err
	})
}

// failure is the panic that ends an encoding.
type failure struct{ error }

func tooManyEmpties[N int | uint64](n N) failure {
	return failure{fmt.Errorf("a slice has %d elements without content; up to %d can travel", n, MaxEmpties)}
}

// Catch, deferred, turns the failure of an encoding into an error. Any other panic goes on.
func Catch(err *error) {
	switch v := recover().(type) {
	case nil:
	case failure:
		*err = v.error
	default:
		panic(v)
	}
}
