package model

// Travel is what of a worker leaves the process, and how.
type Travel struct {
	// Config is the exported fields of a worker that is a struct, or a function's bound parameters.
	Config []CodecField

	// Value is the codec of a worker that is no struct: its value is the configuration. Otherwise nil.
	Value *Codec

	// State says that the worker has unexported fields, which do not travel.
	State bool

	// In and Out have the codec of each parameter that is no configuration, or of MapJob's, and of each
	// result.
	In, Out []*Codec

	// Fingerprint changes whenever something else travels, or in another form.
	Fingerprint uint64
}

// CodecKind says which part of the kernel, package wire, encodes a type.
type CodecKind int

const (
	CodecBasic   CodecKind = iota // Scalar
	CodecNothing                  // a type without content
	CodecNumbers                  // a slice of Scalar, or of arrays or structs of it
	CodecFixed                    // an array or struct of Scalar
	CodecSlice                    // Elem
	CodecEmpties                  // a slice of elements without content
	CodecArray                    // Elem
	CodecMap                      // Key, Elem
	CodecPointer                  // Elem
	CodecStruct                   // Fields
	CodecMethods                  // Append, Read: the type's own methods
	CodecPlace                    // an error that another error holds, which travels by itself
)

// Codec is how the values of one type are encoded. Identical types of an output share one.
type Codec struct {
	ID     int // the same for identical types of a package; 0 for a type that the output declares
	Kind   CodecKind
	Type   Type
	Scalar string // a predeclared type
	Elem   *Codec
	Key    *Codec
	Fields []CodecField

	Append, Read string // methods

	Spelling string // the type with full import paths, as Type writes it
	Fails    bool   // encoding can fail
}

// UsersOwn reports whether encoding or decoding calls methods of the user's, can fail, or leaves a part to another way, so that
// it has to be watched value by value.
func (c *Codec) UsersOwn() bool {
	switch c.Kind {
	case CodecMethods, CodecPlace:
		return true
	}
	for _, f := range c.Fields {
		if f.Codec.UsersOwn() {
			return true
		}
	}
	return c.Fails || c.Elem != nil && c.Elem.UsersOwn() || c.Key != nil && c.Key.UsersOwn()
}

// CodecField is a part of a struct.
type CodecField struct {
	Name  string
	Codec *Codec
}
