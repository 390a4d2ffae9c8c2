package graph

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

// TestSorter compares with sorting by comparison: keys that lie evenly, keys of which
// most are equal, ranges of one key and of all, and rows that are fewer than before.
func TestSorter(t *testing.T) {
	const seed = 5
	t.Logf("seed %d", seed)
	type row struct{ a, b identity.Key }
	r := rand.New(rand.NewPCG(seed, 5))
	s := Sorter[row]{Key: func(x *row) (a, b identity.Key) { return x.a, x.b }}
	f := func(n int, from, to, distinct identity.Key) {
		t.Helper()
		rows := make([]row, n)
		for i := range rows {
			rows[i].a = from + identity.Key(r.Uint64N(uint64(min(to-from, distinct-1))+1))
			rows[i].b = identity.Key(r.Uint64N(9))
		}
		want := slices.SortedFunc(slices.Values(rows), func(x, y row) int {
			return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
		})
		if got := s.Sort(rows, from, to); !slices.Equal(got, want) {
			t.Errorf("%d rows of %d keys from %d to %d are not in order", n, distinct, from, to)
		}
	}
	const most = 1<<63 - 1
	f(5000, 0, most, most)
	f(700, most/2, most/2+most/16, most)
	f(700, 1000, most, 3)
	f(300, most-2, most, 3)
	f(100, 7, 7, 1)
	f(1, 0, most, most)
	f(0, 0, most, most)
	f(9000, 10, 500, 400)
}
