package jobgen

import "strings"

// shownAddress is an address of a backend without the name, password or token in it, for errors.
func shownAddress(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if i := strings.LastIndex(rest, "@"); ok && i >= 0 {
		return scheme + "://xxxxx@" + rest[i+1:]
	}
	return address
}
