package jobgen

import "testing"

func TestShownAddress(t *testing.T) {
	for address, want := range map[string]string{
		"processes:4":                    "processes:4",
		"nats://host:4222":               "nats://host:4222",
		"nats://ada:secret@host":         "nats://xxxxx@host",
		"nats://a:s@host,nats://b:t@two": "nats://xxxxx@two",
		"tls://ada:se@cret@host:1":       "tls://xxxxx@host:1",
	} {
		if got := shownAddress(address); got != want {
			t.Errorf("%s is shown as %s, not as %s", address, got, want)
		}
	}
}
