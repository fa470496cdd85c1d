package model

// Code names a kind of diagnostic: JG and three digits. Codes are never reused.
type Code string

const (
	Syntax         Code = "JG001"
	CannotLoad     Code = "JG002"
	UnknownVerb    Code = "JG003"
	UnknownKey     Code = "JG004"
	Misplaced      Code = "JG005"
	Spaced         Code = "JG006"
	Twice          Code = "JG007"
	AliasWorker    Code = "JG008"
	InterfaceKind  Code = "JG009"
	NoDo           Code = "JG010"
	Unresolved     Code = "JG011"
	Unwritable     Code = "JG012"
	SetupShape     Code = "JG013"
	CloseShape     Code = "JG014"
	MapJobShape    Code = "JG015"
	BadBind        Code = "JG016"
	NameTaken      Code = "JG017"
	SameName       Code = "JG018"
	LockInside     Code = "JG019"
	CannotTravel   Code = "JG020"
	BadInstance    Code = "JG021"
	NoRuntime      Code = "JG022"
	NotOurs        Code = "JG023"
	CannotWrite    Code = "JG024"
	DoesNotCompile Code = "JG025"
	NoSuchWorker   Code = "JG026"
	Shadowed       Code = "JG027"
	ArrayElement   Code = "JG028"
	NoError        Code = "JG029"
	ErrorField     Code = "JG030"
	GenericError   Code = "JG031"
)

// CodeInfo explains a code: what it is about, and what to do.
type CodeInfo struct {
	Title  string
	Remedy string // appended to the message where the diagnostic has none of its own
}

// Codes is every code that jobgen prints.
var Codes = map[Code]CodeInfo{
	Syntax:         {"a file of the package has a syntax error", "mend it and run jobgen again"},
	CannotLoad:     {"the package cannot be loaded", "check the pattern and that go list accepts it"},
	UnknownVerb:    {"a //jobgen: directive that does not exist", "the directives are //jobgen:worker, //jobgen:error and //jobgen:instantiate"},
	UnknownKey:     {"a word after a directive that does not exist", "//jobgen:worker takes remote and bind=name,name, //jobgen:error takes nothing"},
	Misplaced:      {"a directive that stands on nothing it applies to", "put it in the doc comment of a top-level type or function, with no blank line between"},
	Spaced:         {"a directive written as an ordinary comment", "remove the space after //"},
	Twice:          {"the same directive twice on one declaration", "remove one of them"},
	AliasWorker:    {"a worker or error type that is an alias", "put the directive on the type that the alias stands for, or define a new type"},
	InterfaceKind:  {"a worker that is an interface", "put the directive on a type that implements it"},
	NoDo:           {"a worker type without a method Do", "add a method Do; its receiver is the worker, its parameters are the job"},
	Unresolved:     {"a type in a worker's signature that cannot be resolved", "declare or import the type"},
	Unwritable:     {"a type in a worker's signature that generated code cannot name", "use a type that this package can name"},
	SetupShape:     {"a method Setup of a shape that jobgen does not call", "write Setup(ctx context.Context) error; ctx and error may be left out"},
	CloseShape:     {"a method Close of a shape that jobgen does not call", "write Close() error; error may be left out"},
	MapJobShape:    {"a method MapJob that does not fit Do", "MapJob takes one value besides ctx and returns Do's parameters in their order, then possibly an error"},
	BadBind:        {"bind= names something that cannot be bound", "name parameters of the function, separated by commas"},
	NameTaken:      {"the package already uses a name that the output has to declare", "rename your declaration or the worker"},
	SameName:       {"two workers need the same generated name", "rename one of the workers"},
	LockInside:     {"a lock inside a worker's value", "each concurrent worker has its own copy of the value, so the lock guards nothing: share a pointer to one, or drop it"},
	CannotTravel:   {"a worker marked remote that cannot leave its process", "change the type, or drop remote: the worker then runs in its own process only"},
	BadInstance:    {"//jobgen:instantiate of something that is no instance of a generic worker", "write //jobgen:instantiate Worker[types] with the name of a generic worker of this package"},
	NoRuntime:      {"the module cannot import jobgen's runtime", "run go get " + Runtime},
	NotOurs:        {"a file that jobgen did not write stands where it has to write", "rename that file"},
	CannotWrite:    {"the file system refuses the output", "make the directory writable and run jobgen again"},
	DoesNotCompile: {"the output would not compile, so nothing was written", "this is a fault of jobgen: please report it with the worker's declaration"},
	NoSuchWorker:   {"no worker or error type of that name", "jobgen explain without a name lists them"},
	ArrayElement:   {"a shared array whose elements hold pointers", "use elements made of numbers and bools, and of arrays and structs of them; a slice can become another dimension, a text an array of bytes"},
	NoError:        {"//jobgen:error on a type that is no error", "give it a method Error() string, or drop the directive"},
	ErrorField:     {"a part of an error type that cannot travel", "change its type (fields of type error and []error may hold any error), or give the whole MarshalBinary and UnmarshalBinary"},
	GenericError:   {"an error type with type parameters", "mark a type without them; it can embed an instance of this one"},
	Shadowed:       {"the package uses a predeclared name for something else", "rename the declaration"},
}
