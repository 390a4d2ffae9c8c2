package linkage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sortByHash is a stable sort by all bits, whatever the upper ones are.
func TestSortByHash(t *testing.T) {
	r := random(t)
	for range tries(t, 400) / 4 {
		a := make([]hashed, r.IntN(400))
		for i := range a {
			a[i] = hashed{uint64(r.IntN(5))<<61 | uint64(r.IntN(3))<<31 | uint64(r.IntN(4)), int32(i)}
		}
		want := slices.Clone(a)
		slices.SortStableFunc(want, func(x, y hashed) int {
			switch {
			case x.hash < y.hash:
				return -1
			case x.hash > y.hash:
				return 1
			}
			return int(x.row - y.row)
		})
		if got := sortByHash(a, make([]hashed, len(a))); !slices.Equal(got, want) {
			t.Fatalf("%v", got)
		}
	}
}

// Rows come back from the block they were put in, and what else comes is of a
// block that shares half of its hash.
func TestPostings(t *testing.T) {
	r := random(t)
	var p postings
	want := map[uint64][]int32{}
	hash := func(block int) uint64 { return uint64(block%4000)<<32 | uint64(block) }
	for row := range int32(20_000) {
		h := hash(min(r.IntN(5000), r.IntN(20_000))) // some have many
		p.add(h, row)
		want[h] = append(want[h], row)
	}
	for block := range 5001 {
		h := hash(block)
		var one [1]int32
		got := slices.Clone(p.rows(h, &one))
		all := len(got)
		got = slices.DeleteFunc(got, func(row int32) bool { return !slices.Contains(want[h], row) })
		if !slices.Equal(got, want[h]) {
			t.Fatalf("block %d: %v, want %v", block, got, want[h])
		}
		alone := block >= 1000 && block < 4000
		if n := len(got); alone && all != n || !p.atLeast(h, n) || alone && p.atLeast(h, n+1) {
			t.Fatalf("block %d has not %d rows", block, n)
		}
	}
	if cells := len(p.cells); cells > 4*20_000 {
		t.Errorf("%d cells for 20 000 rows: what was outgrown is not used again", cells)
	}
}

// people is a corpus of n random records, of which many share values.
func people(t *testing.T, r *rand.Rand, n int, sources bool) *corpus {
	t.Helper()
	lines := []string{"given_name|surname|birth_date|city|phone"}
	for range n {
		line := ""
		for i, typ := range []Type{GivenName, Surname, Date, City, Phone} {
			if i > 0 {
				line += "|"
			}
			line += draw(r, typ)
		}
		lines = append(lines, line)
	}
	table := tableOf(lines...)
	if sources {
		for range n {
			table.Source = append(table.Source, uint8(r.IntN(2)))
		}
	}
	c, err := prepare(table, map[string]Type{"given_name": GivenName, "surname": Surname, "birth_date": Date, "city": City, "phone": Phone})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func keysOf(t *testing.T, c *corpus) []key {
	t.Helper()
	keys := c.keys()
	if err := c.growKeys(t.Context(), keys, 2); err != nil {
		t.Fatal(err)
	}
	return keys
}

func rulesOf(t *testing.T, c *corpus, keys []key) []rule {
	t.Helper()
	list, err := c.enumerate(t.Context(), keys, 1e9, 2)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// comparedBy lists the pairs of blocks and compares them.
func comparedBy(t *testing.T, b *blocks, workers int) [][]candidate {
	t.Helper()
	found, err := b.pairs(t.Context(), workers)
	if err == nil {
		err = newComparer(b.corpus).compareAll(t.Context(), found, workers)
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// pairsOf counts the compared pairs, each of which must come once.
func pairsOf(t *testing.T, found [][]candidate) map[[2]int32]pattern {
	t.Helper()
	pairs := map[[2]int32]pattern{}
	for _, part := range found {
		for _, c := range part {
			if _, again := pairs[[2]int32{c.a, c.b}]; again || c.a >= c.b {
				t.Fatalf("pair %d, %d comes twice, or in disorder", c.a, c.b)
			}
			pairs[[2]int32{c.a, c.b}] = c.pattern
		}
	}
	return pairs
}

// Compared are exactly the pairs that have a block in common, each once, by any
// number of workers in the same order; never two of one source.
func TestEveryPairOnce(t *testing.T) {
	r := random(t)
	for n := range max(3, tries(t, 400)/200) {
		c := people(t, r, 900, n%2 == 1)
		keys := keysOf(t, c)
		list := rulesOf(t, c, keys)
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		rules := list[:4]
		b, err := c.place(context.Background(), keys, rules, 2)
		if err != nil {
			t.Fatal(err)
		}
		found := comparedBy(t, b, 1)
		got := pairsOf(t, found)
		cut := slices.ContainsFunc(b.splits, func(s Split) bool { return s.Skipped > 0 })
		for x := range c.rows {
			for y := x + 1; y < c.rows; y++ {
				together := false
				for r := range rules {
					h := b.hash(r, c.record(x))
					together = together || h != 0 && h == b.hash(r, c.record(y))
				}
				apart := c.source != nil && c.source[x] == c.source[y]
				_, compared := got[[2]int32{int32(x), int32(y)}]
				if compared && (!together || apart) || !compared && together && !apart && !cut {
					t.Fatalf("records %d and %d: compared %v, in one block %v, of one source %v", x, y, compared, together, apart)
				}
			}
		}
		many := comparedBy(t, b, 5)
		if diff := cmp.Diff(found, many, cmp.AllowUnexported(candidate{})); diff != "" {
			t.Fatal(diff)
		}
	}
}

// Of a rule's blocks, what is not compared is reported, to the pair.
func TestSplitsCount(t *testing.T) {
	r := random(t)
	split := 0
	for range 2 {
		c := people(t, r, 800, false)
		keys := keysOf(t, c)
		for k := range keys {
			rules := []rule{{keys: []int{k}, name: keys[k].name}}
			b, err := c.place(context.Background(), keys, rules, 1)
			if err != nil {
				t.Fatal(err)
			}
			found := comparedBy(t, b, 1)
			sizes, all := map[uint64]int64{}, int64(0)
			for row := range c.rows {
				if h := blockHash(keys, &rules[0], c.record(row)); h != 0 {
					all += sizes[h]
					sizes[h]++
				}
			}
			skipped := int64(0)
			for _, s := range b.splits {
				skipped += s.Skipped
				if s.Records <= hotBlock || s.Rule != rules[0].name || len(s.By) == 0 {
					t.Errorf("split %+v", s)
				}
				split++
			}
			if n := int64(len(pairsOf(t, found))); n+skipped != all {
				t.Fatalf("%s: %d pairs compared and %d skipped of %d", rules[0].name, n, skipped, all)
			}
		}
	}
	if split == 0 {
		t.Error("no block was hot: nothing was tested")
	}
}

// A block that no field tells apart is cut into runs.
func TestEqualRecordsAreCut(t *testing.T) {
	lines := []string{"given_name|surname"}
	for range 1000 {
		lines = append(lines, "ana|costa")
	}
	lines = append(lines, "rui|silva", "eva|silva")
	c, err := prepare(tableOf(lines...), map[string]Type{"given_name": GivenName, "surname": Surname})
	if err != nil {
		t.Fatal(err)
	}
	keys := keysOf(t, c)
	b, err := c.place(context.Background(), keys, []rule{{keys: []int{0}, name: "given"}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	found := comparedBy(t, b, 1)
	want := []Split{{Rule: "given", Records: 1000, By: []string{"surname"}, Skipped: 1000*999/2 - 3*300*299/2 - 100*99/2}}
	if diff := cmp.Diff(want, b.splits); diff != "" {
		t.Error(diff)
	}
	if n := len(pairsOf(t, found)); n != 3*300*299/2+100*99/2 {
		t.Errorf("%d pairs", n)
	}
}

// A cancelled run ends.
func TestPlaceCancelled(t *testing.T) {
	c := people(t, random(t), 100, false)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	keys := keysOf(t, c)
	if _, err := c.place(ctx, keys, rulesOf(t, c, keys), 2); err == nil {
		t.Error("records were placed")
	}
}

// Costs are pairs: exact where all records are in the sample and no block is
// hot.
func TestCostIsPairs(t *testing.T) {
	c := people(t, random(t), 250, false)
	keys := keysOf(t, c)
	for _, r := range rulesOf(t, c, keys) {
		b, err := c.place(context.Background(), keys, []rule{r}, 1)
		if err != nil {
			t.Fatal(err)
		}
		found := comparedBy(t, b, 1)
		if n := len(pairsOf(t, found)); float64(n) != r.cost {
			t.Errorf("%s: %d pairs, cost %v", r.name, n, r.cost)
		}
	}
}

// A rule that is dropped because another one contains it finds nothing that
// the other does not.
func TestContainedRulesFindNothingMore(t *testing.T) {
	r := random(t)
	c := people(t, r, 400, false)
	keys := keysOf(t, c)
	list := rulesOf(t, c, keys)
	contained := 0
	for i := range list {
		for j := range list {
			if i == j || !list[i].contains(&list[j], keys) {
				continue
			}
			contained++
			for range 20 {
				if err := finds(c, keys, &list[i], &list[j], r); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if contained == 0 {
		t.Error("no rule contains another: nothing was tested")
	}
}

// finds looks for a record whose equals the inner rule finds and the outer one
// does not.
func finds(c *corpus, keys []key, outer, inner *rule, r *rand.Rand) error {
	for range 20 {
		x := c.record(r.IntN(c.rows))
		if blockHash(keys, inner, x) != 0 && blockHash(keys, outer, x) == 0 {
			return fmt.Errorf("%q finds equals of a record that %q does not, which is said to contain it", inner.name, outer.name)
		}
	}
	return nil
}
