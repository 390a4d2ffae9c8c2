package linkage_test

import (
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/synthetic"
)

// What shares no more than half of a block's hash is not found, however much it
// weighs.
func TestIndexHalfOfAHash(t *testing.T) {
	table, _ := invented(t, synthetic.Heavy50k(), 900, 6)
	r, err := linkage.Link(t.Context(), table, linkage.Options{Budget: 2000}.Sampling(1<<15))
	if err != nil {
		t.Fatal(err)
	}
	x := indexOf(t, r.Model)
	for row := range table.Rows {
		if _, _, err := x.Add(valuesOf(t, x, table, row)); err != nil {
			t.Fatal(err)
		}
	}
	tested := 0
	for row := int32(0); int(row) < table.Rows && tested < 5; row++ {
		want := x.Find(row)
		for other := range row {
			if x.Explain(row, other).Bits < linkage.ReviewBits || slices.ContainsFunc(want, func(s linkage.Scored) bool { return s.Row == other }) {
				continue
			}
			tested++
			x.Collide(row, other)
			if got := x.Find(row); !slices.Equal(got, want) {
				t.Fatalf("record %d finds %v, and %v with record %d in half of its blocks", row, want, got, other)
			}
		}
	}
	if tested == 0 {
		t.Error("rules find all pairs of weight: nothing was tested")
	}
}
