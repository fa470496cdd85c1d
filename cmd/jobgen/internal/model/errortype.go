package model

// ErrorType is a type marked //jobgen:error.
type ErrorType struct {
	Name   string
	Pos    Pos // of the name
	Output Output

	Interface bool   // it is an interface, which has no values of its own
	Generic   bool   // it has type parameters
	Value     bool   // its values are errors
	Pointer   bool   // pointers to it are
	Other     string // the method or field Error that it has, if that is not Error() string

	Locals     []Reason // why it cannot travel; empty if it can
	Unresolved []Reason // the parts whose types are not known

	// What travels: a codec, which is nil if there is no content, and the errors that it holds, by themselves.
	Codec *Codec
	Holds []Held
	Form  uint64 // changes whenever something else travels, or in another form

	Fields []Field // of a struct that has no methods to encode itself
}

// Held is a part of an error type that is an error, or a slice of them.
type Held struct {
	Field string // empty for the value itself
	Slice bool
}

// Sound says whether there is code to generate for the type.
func (e *ErrorType) Sound() bool {
	return e.Name != "_" && !e.Interface && !e.Generic && e.Pointer && len(e.Locals) == 0 && len(e.Unresolved) == 0
}
