package segmentstest_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/segments/segmentstest"
)

// TestEveryOperatorIsDrawn counts the operators of 21 000 definitions: what a test of
// random definitions says of an operator that is hardly ever drawn is little.
func TestEveryOperatorIsDrawn(t *testing.T) {
	m := segmentstest.New(1, 7)
	drawn := map[string]int{}
	for range 21_000 {
		for _, name := range segmentstest.Operators(m.Definition()) {
			drawn[name]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(drawn)) {
		t.Logf("%6d %s", drawn[name], name)
		if drawn[name] < 500 {
			t.Errorf("%s is drawn %d times, want 500", name, drawn[name])
		}
	}
	if len(drawn) != 61 {
		t.Errorf("%d operators are drawn", len(drawn))
	}
}
