package linkage

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// slowAgglomerate recomputes every average from the weights of pairs.
func slowAgglomerate(n int, w [][]float64, threshold float64) []int {
	cluster := make([]int, n)
	for i := range cluster {
		cluster[i] = i
	}
	average := func(a, b int) (sum, pairs float64) {
		for i := range n {
			for j := range n {
				if cluster[i] == a && cluster[j] == b {
					sum, pairs = sum+min(max(w[i][j], -loud), loud), pairs+1
				}
			}
		}
		return sum / pairs, pairs
	}
	for {
		bi, bj, best := -1, -1, math.Inf(-1)
		for i := range n {
			for j := i + 1; j < n; j++ {
				if cluster[i] != i || cluster[j] != j {
					continue
				}
				if score, pairs := average(i, j); score > best && score >= leastAverage(threshold, pairs) {
					bi, bj, best = i, j, score
				}
			}
		}
		if bi < 0 {
			return cluster
		}
		for i := range cluster {
			if cluster[i] == bj {
				cluster[i] = bi
			}
		}
	}
}

// weightsOf draws symmetric weights in eighths, which sum without rounding.
func weightsOf(r *rand.Rand, n int) [][]float64 {
	w := make([][]float64, n)
	for i := range w {
		w[i] = make([]float64, n)
	}
	spread := pick(r, 4, 12, 40)
	for i := range n {
		for j := range i {
			w[i][j] = float64(r.IntN(8*spread)-4*spread) / 8
			w[j][i] = w[i][j]
		}
	}
	return w
}

func TestAgglomerateAgainstBruteForce(t *testing.T) {
	r := random(t)
	joined := 0
	for range tries(t, 1000) / 4 {
		n := 1 + r.IntN(9)
		w := weightsOf(r, n)
		threshold := float64(r.IntN(9) - 2)
		got := agglomerate(n, func(i, j int) float64 { return w[i][j] }, threshold)
		want := slowAgglomerate(n, w, threshold)
		if !slices.Equal(got, want) {
			t.Fatalf("%v from %v, want %v", got, w, want)
		}
		for i, first := range got {
			if first > i || got[first] != first {
				t.Fatalf("clusters are not called by their first: %v", got)
			}
			joined += min(1, i-first)
		}
	}
	if joined == 0 {
		t.Error("nothing was ever joined")
	}
}

// Many weak links in a row are no cluster: each is likely, and the two ends are
// strangers, who weigh less than leniency forgives. A chain of any length falls
// into links of two.
func TestClustersNeverChain(t *testing.T) {
	for _, c := range []struct {
		link, other float64
		most        int
	}{
		{3, -leniency - 4, 2}, {1, -leniency - 2, 2}, {8, -12, 3}, {40, -40, 3},
	} {
		const n = 300
		cluster := agglomerate(n, func(i, j int) float64 {
			if i-j == 1 || j-i == 1 {
				return c.link
			}
			return c.other
		}, LinkBits)
		size := map[int]int{}
		for _, first := range cluster {
			size[first]++
		}
		for first, records := range size {
			if records > c.most {
				t.Errorf("links of %v bits between strangers of %v: %d records from %d on are one cluster", c.link, c.other, records, first)
			}
		}
		if len(size) == n {
			t.Errorf("links of %v bits: nothing was joined", c.link)
		}
	}
}

// One pair that disagrees in all does not split those who agree, and one that
// agrees in all takes no crowd with it.
func TestOneLoudPair(t *testing.T) {
	crowd := func(i int) int { return i / 6 }
	agreeing := func(i, j int) float64 {
		if min(i, j) == 0 && max(i, j) == 11 { // the first of one, the last of the other
			return 500
		}
		if crowd(i) == crowd(j) {
			return 6
		}
		return -6
	}
	if got := agglomerate(12, agreeing, 0); !slices.Equal(got, []int{0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 0}) {
		t.Errorf("a loud pair takes more than its own records: %v", got)
	}
	disagreeing := func(i, j int) float64 {
		if i+j == 1 {
			return -500
		}
		return 6
	}
	if got := agglomerate(6, disagreeing, 0); !slices.Equal(got, make([]int, 6)) {
		t.Errorf("a loud pair splits a crowd: %v", got)
	}
}

// reached are the sets of a relation, by way of anybody.
func reached(reach [][]bool) (sets [][]int32) {
	n := len(reach)
	for k := range n {
		for i := range n {
			for j := range n {
				reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
			}
		}
	}
	for i := range n {
		if slices.Index(reach[i], true) != i {
			continue
		}
		var rows []int32
		for j := range n {
			if reach[i][j] {
				rows = append(rows, int32(j))
			}
		}
		sets = append(sets, rows)
	}
	return sets
}

func TestComponents(t *testing.T) {
	r := random(t)
	for range tries(t, 1000) / 4 {
		n := 1 + r.IntN(30)
		var edges []edge
		reach := make([][]bool, n)
		for i := range reach {
			reach[i] = make([]bool, n)
		}
		for range r.IntN(n) {
			a, b := int32(r.IntN(n)), int32(r.IntN(n))
			if a != b {
				edges = append(edges, edge{min(a, b), max(a, b), 1})
				reach[a][b], reach[b][a] = true, true
				reach[a][a], reach[b][b] = true, true
			}
		}
		want := reached(reach)
		var got [][]int32
		held := 0
		for _, c := range components(slices.Clone(edges), make([]int32, n)) {
			got, held = append(got, c.rows), held+len(c.edges)
		}
		if diff := cmp.Diff(want, got); diff != "" || held != len(edges) {
			t.Fatalf("%v: %d edges, %s", edges, held, diff)
		}
	}
}

// crowd is a linker over n records of one field, and a weigher that weighs
// their agreement equal and their disagreement other.
func crowd(t *testing.T, n int, value func(i int) string, equal, other float64) (*linker, *weigher) {
	t.Helper()
	lines := []string{"given_name|sex"}
	for i := range n {
		lines = append(lines, value(i)+"|"+pick(rand.New(rand.NewPCG(uint64(i), 1)), "m", "f"))
	}
	c, err := prepare(tableOf(lines...), map[string]Type{"given_name": Category, "sex": Category})
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{}
	for _, f := range c.fields {
		fm := FieldModel{Name: f.name, Type: Category, Levels: make([]LevelModel, 2)}
		if f.name == "given_name" {
			fm.Levels[0].Bits, fm.Levels[1].Bits = equal, other
		}
		m.Fields = append(m.Fields, fm)
	}
	return &linker{ctx: t.Context(), Options: Options{Workers: 2}, corpus: c, comparer: newComparer(c)}, m.weigher(c)
}

// A component that is too large is taken apart by its weakest edges, and what
// nothing tells apart in runs: it ends, and no cluster is beyond the bound.
func TestLargeComponentsEnd(t *testing.T) {
	const n = 3 * mostTogether
	for name, c := range map[string]struct {
		value  func(i int) string
		weight func(a, b int) float64
		want   int // clusters
	}{
		"all alike":  {func(int) string { return "ana" }, func(int, int) float64 { return 9 }, 3},
		"two crowds": {func(i int) string { return []string{"ana", "rui"}[i%2] }, func(a, b int) float64 { return float64(9 - 8*((a+b)%2)) }, 4},
		"many pairs": {func(i int) string { return fmt.Sprint("p", i/2) }, func(a, b int) float64 { return map[bool]float64{true: 20, false: float64(a%7) / 2}[a/2 == b/2] }, n / 2},
	} {
		t.Run(name, func(t *testing.T) {
			l, w := crowd(t, n, c.value, 9, -9)
			var edges []edge
			for i := range n - 1 {
				for _, j := range []int{i + 1, i + 2} {
					if j < n {
						edges = append(edges, edge{int32(i), int32(j), c.weight(i, j)})
					}
				}
			}
			cluster, err := l.cluster(w, edges, LinkBits)
			if err != nil {
				t.Fatal(err)
			}
			size := map[int32]int{}
			for i, first := range cluster {
				if size[first]++; first > int32(i) || cluster[first] != first {
					t.Fatalf("record %d is in the cluster of %d", i, first)
				}
			}
			for first, records := range size {
				if records > mostTogether {
					t.Errorf("%d records are in the cluster of %d", records, first)
				}
			}
			if len(size) != c.want {
				t.Errorf("%d clusters, want %d", len(size), c.want)
			}
		})
	}
}
