package linkage_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/synthetic"
)

// BenchmarkComparePairs compares half a million pairs of ten fields, by one
// goroutine: strangers, as they are sampled, and candidates, which share a
// surname and so more of their letters.
func BenchmarkComparePairs(b *testing.B) {
	const pairs = 500_000
	table, _ := invented(b, synthetic.Million(), 20_000, 1)
	compare, err := linkage.Compare(table)
	if err != nil {
		b.Fatal(err)
	}
	surname := table.Columns[1].Codes
	alike := make([]int, table.Rows)
	for i := range alike {
		alike[i] = i
	}
	slices.SortStableFunc(alike, func(x, y int) int { return cmp.Compare(surname[x], surname[y]) })
	rng := linkage.Random(b)
	var strangers, candidates [pairs][2]int
	for i := range pairs {
		at := i % (table.Rows - 64)
		strangers[i] = [2]int{rng.IntN(table.Rows), rng.IntN(table.Rows)}
		candidates[i] = [2]int{alike[at], alike[at+1+i/table.Rows%63]}
	}
	for _, c := range []struct {
		name string
		list [][2]int
	}{{"strangers", strangers[:]}, {"candidates", candidates[:]}} {
		b.Run(c.name, func(b *testing.B) {
			sum := uint64(0)
			for b.Loop() {
				for _, p := range c.list {
					sum += compare(p[0], p[1])
				}
			}
			if sum == 0 {
				b.Error("no pair agrees or differs in anything")
			}
			b.ReportMetric(float64(b.N)*pairs/b.Elapsed().Seconds(), "pairs/s")
		})
	}
}

// BenchmarkIndex adds five thousand records to an index that holds others, and
// finds their candidates among them.
func BenchmarkIndex(b *testing.B) {
	const added = 5_000
	for _, stored := range []int{10_000, 50_000} {
		b.Run(fmt.Sprintf("stored=%d", stored), func(b *testing.B) {
			table, _ := invented(b, synthetic.Million(), stored+added, 2)
			trained, _ := invented(b, synthetic.Million(), 10_000, 3)
			model := link(b, trained).Model
			for b.Loop() {
				b.StopTimer()
				x := indexOf(b, model)
				records := make([][]string, table.Rows)
				for row := range records {
					records[row] = valuesOf(b, x, table, row)
				}
				for _, r := range records[:stored] {
					if _, _, err := x.Add(r); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
				for _, r := range records[stored:] {
					if _, _, err := x.Add(r); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.N)*added/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkLink goes from records to clusters, learning included.
func BenchmarkLink(b *testing.B) {
	for _, records := range []int{5_000, 20_000} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			table, _ := invented(b, synthetic.Million(), records, 4)
			candidates := int64(0)
			for b.Loop() {
				candidates = link(b, table).Model.Candidates
			}
			b.ReportMetric(float64(b.N*records)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(candidates), "candidates")
		})
	}
}
