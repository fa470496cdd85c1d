package main

import (
	"reflect"
	"testing"
)

// What a codec decodes is what was encoded, or its figures would mean nothing.
func TestCodecs(t *testing.T) {
	want := makeNote(100)
	for _, c := range makeCodecs(100) {
		for range 2 { // what is used again must not show
			if err := c.decode(); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			got := c.got
			if !got.When.Equal(want.When) {
				t.Errorf("%s: the time is %v, want %v", c.name, got.When, want.When)
			}
			got.When = want.When // in whatever zone
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v, want %+v", c.name, got, want)
			}
		}
	}
}
