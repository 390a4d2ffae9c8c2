package linkage_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/synthetic"
)

// crowdOf is n records of one value each in all columns, or in the surname only,
// among invented ones.
func crowdOf(t *testing.T, config synthetic.Config, n, others int, equal bool) *linkage.Table {
	t.Helper()
	total := others
	if !equal {
		total += n
	}
	table, _ := invented(t, config, total, 18)
	for i := range table.Columns {
		c := &table.Columns[i]
		switch {
		case equal:
			code := c.Codes[0]
			for range n {
				c.Codes = append(c.Codes, code)
			}
		case c.Name == "surname":
			for row := range n {
				c.Codes[row] = c.Codes[0]
			}
		}
	}
	table.Rows = n + others
	return table
}

// Thousands of equal records, and thousands of one surname, cost what the budget
// allows: blocks are cut, which is reported, and no cluster is beyond the bound.
func TestCrowds(t *testing.T) {
	for _, c := range []struct {
		name      string
		n, others int
		equal     bool
	}{
		{"equal records", 20_000, 3000, true},
		{"one surname", min(100_000, 20*linkage.Tries(t, 500)), 3000, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := crowdOf(t, synthetic.FebrlLike(), c.n, c.others, c.equal)
			r, err := linkage.Link(t.Context(), table, linkage.Options{}.Sampling(1<<17))
			if err != nil {
				t.Fatal(err)
			}
			skipped := int64(0)
			for _, s := range r.Model.Splits {
				skipped += s.Skipped
			}
			size, most := map[int32]int{}, 0
			for _, first := range r.Clusters {
				size[first]++
				most = max(most, size[first])
			}
			t.Logf("%d candidates, %d blocks split, %d pairs skipped, largest cluster %d, rules %d", r.Model.Candidates, len(r.Model.Splits), skipped, most, len(r.Model.Rules))
			if float64(r.Model.Candidates) > 2*max(4e6, 8*float64(table.Rows)) {
				t.Errorf("%d pairs were compared", r.Model.Candidates)
			}
			if most > 512 {
				t.Errorf("%d records are one cluster", most)
			}
			if c.equal && (skipped == 0 || !slices.ContainsFunc(r.Model.Splits, func(s linkage.Split) bool { return s.Records >= c.n })) {
				t.Errorf("splits of %d equal records: %s", c.n, fmt.Sprint(r.Model.Splits))
			}
			if !c.equal && most > 20 {
				t.Errorf("%d records of one surname are one cluster", most)
			}
		})
	}
}
