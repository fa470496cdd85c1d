package testseed_test

import (
	"testing"

	"pgregory.net/rapid"

	_ "github.com/jobgen/jobgen/internal/testseed"
)

// TestRepeats checks that rapid draws the same numbers whenever it is asked.
func TestRepeats(t *testing.T) {
	draw := func() (drawn []int) {
		rapid.Check(t, func(t *rapid.T) { drawn = append(drawn, rapid.Int().Draw(t, "number")) })
		return drawn
	}
	first, second := draw(), draw()
	for i := range first {
		if first[i] != second[i] {
			t.Fatalf("number %d is %d and then %d", i, first[i], second[i])
		}
	}
}
