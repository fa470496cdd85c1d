package cluster

import (
	"net/url"
	"strings"
)

// redact shows addresses without passwords and tokens.
func redact(urls []string) string {
	shown := make([]string, len(urls))
	for i, s := range urls {
		shown[i] = s
		if !strings.Contains(s, "@") {
			continue
		}
		scheme, host := cutUser(s)
		shown[i] = scheme + "xxxxx@" + host
		if u, err := url.Parse(s); err == nil && u.User != nil {
			if _, ok := u.User.Password(); ok { // the name is no secret
				shown[i] = scheme + url.User(u.User.Username()).String() + ":xxxxx@" + host
			}
		}
	}
	return strings.Join(shown, ",")
}

// withoutUsers returns addresses without names, passwords and tokens.
func withoutUsers(urls []string) string {
	bare := make([]string, len(urls))
	for i, s := range urls {
		scheme, host := cutUser(s)
		bare[i] = scheme + host
	}
	return strings.Join(bare, ",")
}

// cutUser takes an address apart, also one that cannot be parsed: its secrets are not to be shown then either.
func cutUser(s string) (scheme, host string) {
	if i := strings.Index(s, "://"); i >= 0 {
		scheme, s = s[:i+3], s[i+3:]
	}
	return scheme, s[strings.LastIndex(s, "@")+1:]
}
