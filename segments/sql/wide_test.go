package sql_test

import (
	"math"
	"slices"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// compareWide holds queries for some profiles, of as many leaves as they may have,
// against the oracle.
func compareWide(t *testing.T, conn driver.Conn, o *oracle, people map[identity.ProfileID]*person, ds []segments.Definition) {
	t.Helper()
	asked := []uint64{}
	for id := range people {
		asked = append(asked, uint64(id))
	}
	carrying, err := sql.WithAsked(t.Context(), asked, o.anchors(), o.anchors())
	if err != nil {
		t.Fatal(err)
	}
	reading, err := warehouse.ReadingNow(t.Context(), conn, o.world.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := sql.Groups(ds, sql.MaxWords)
	if err != nil {
		t.Fatal(err)
	}
	widest := 0
	for n := range len(groups) * len(extents) {
		group, extent := groups[n/len(extents)], extents[n%len(extents)]
		some := make([]segments.Definition, len(group))
		for i, place := range group {
			some[i] = ds[place]
		}
		set, err := sql.CompileSet(some, ruleTable(), o.world.Workspace, now, extent, reading)
		if err != nil {
			t.Fatal(err)
		}
		for _, bits := range set.Leaves {
			widest = max(widest, slices.Max(bits))
		}
		answers := readSet(carrying, t, conn, set, true)
		for id, p := range people {
			a, known := answers[id]
			if !known {
				a = sql.Answer{Mask: set.Nobody, Due: math.MaxInt64}
			}
			for i, d := range some {
				want := o.holds(p, d.Root)
				if a.Held.Has(i) != want {
					text, _ := d.MarshalJSON()
					t.Fatalf("profile %s: %s is %t among %d others, want %t", id, text, a.Held.Has(i), len(some)-1, want)
				}
				for n, leaf := range d.Leaves() {
					if got := set.Holds(i, a.Mask)>>n&1 == 1; known && got != o.holds(p, leaf) {
						t.Fatalf("profile %s: leaf %d of definition %d is %t", id, n, i, got)
					}
				}
				o.until(t, p, d, want, a.Due)
			}
		}
	}
	if widest < 64 {
		t.Errorf("the greatest bit is %d: no query had two words", widest)
	}
}
