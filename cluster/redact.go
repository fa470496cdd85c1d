package cluster

import (
	"net/url"
	"strings"
)

// redact shows addresses without passwords.
func redact(urls []string) string {
	shown := make([]string, len(urls))
	for i, s := range urls {
		shown[i] = s
		if u, err := url.Parse(s); err == nil && u.User != nil {
			shown[i] = u.Redacted()
			if _, ok := u.User.Password(); !ok { // a token
				u.User = url.User("xxxxx")
				shown[i] = u.String()
			}
		}
	}
	return strings.Join(shown, ",")
}
