package testseed_test

import (
	"slices"
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
	if first, second := draw(), draw(); !slices.Equal(first, second) {
		t.Errorf("first\n%d\nand then\n%d", first, second)
	}
}
