package cluster

import "encoding/json"

// encode is for values of this package, which can be encoded.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
