package linkage_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/synthetic"
)

// invented returns n records of a preset and whose each is.
func invented(t testing.TB, c synthetic.Config, n int, seed uint64) (*linkage.Table, []int32) {
	t.Helper()
	c.People = max(1, c.People*n/c.Records)
	c.Records, c.Seed = n, seed
	table, truth, err := synthetic.Generate(c)
	if err != nil {
		t.Fatal(err)
	}
	return table, truth
}

// indexOf is an empty index of a model that went through its JSON.
func indexOf(t testing.TB, m *linkage.Model) *linkage.Index {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var read linkage.Model
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	x, err := linkage.NewIndex(&read)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// valuesOf are the values of a record as an index takes them.
func valuesOf(t testing.TB, x *linkage.Index, table *linkage.Table, row int) []string {
	t.Helper()
	var values []string
	for _, name := range x.Columns() {
		at := slices.IndexFunc(table.Columns, func(c linkage.Column) bool { return c.Name == name })
		if at < 0 {
			t.Fatalf("the index asks for a column %q", name)
		}
		values = append(values, table.Columns[at].Value(row))
	}
	return values
}

// fill adds the records of a table in an order, and returns the pairs that were
// found.
func fill(t testing.TB, x *linkage.Index, table *linkage.Table, order []int) map[[2]int32]float64 {
	t.Helper()
	pairs := map[[2]int32]float64{}
	for n, row := range order {
		at, found, err := x.Add(valuesOf(t, x, table, row))
		if err != nil || int(at) != n {
			t.Fatalf("record %d is at %d, %v", n, at, err)
		}
		for i, s := range found {
			if i > 0 && found[i-1].Bits < s.Bits {
				t.Fatalf("found %v: not the likeliest first", found)
			}
			a, b := int32(row), int32(order[s.Row])
			pairs[[2]int32{min(a, b), max(a, b)}] = s.Bits
		}
	}
	return pairs
}

// Records that are added one by one, in any order, find exactly the pairs that
// linking all of them found, and each weighs the same to the last bit.
func TestIndexFindsWhatLinkFound(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and other tests see its goroutines")
	}
	for name, c := range map[string]struct {
		config  synthetic.Config
		records int
		budget  int
		two     bool
	}{
		"all pairs":  {config: synthetic.FebrlLike(), records: 700},
		"rules":      {config: synthetic.FebrlLike(), records: 900, budget: 20000},
		"sparse":     {config: synthetic.Sparse(), records: 1000, budget: 30000},
		"hot blocks": {config: synthetic.NamesOnly(), records: 5000, budget: 3000000},
		"crm":        {config: synthetic.CRM(), records: 900, budget: 20000},
		"two files":  {config: synthetic.Heavy50k(), records: 900, budget: 20000, two: true},
	} {
		t.Run(name, func(t *testing.T) {
			c.config.TwoFiles = c.two
			table, _ := invented(t, c.config, c.records, 5)
			r, err := linkage.Link(t.Context(), table, linkage.Options{Budget: c.budget}.Sampling(1<<15))
			if err != nil {
				t.Fatal(err)
			}
			split := 0
			for _, rule := range r.Model.Rules {
				split += len(rule.Hot)
			}
			t.Logf("%d rules, %d hot blocks, %d pairs", len(r.Model.Rules), split, len(r.Pairs))
			if name == "hot blocks" && split == 0 {
				t.Error("no block is hot: nothing was tested")
			}
			got := fill(t, indexOf(t, r.Model), table, linkage.Random(t).Perm(table.Rows))
			for _, p := range r.Pairs {
				bits, ok := got[[2]int32{p.A, p.B}]
				if !ok || bits != p.Bits {
					t.Fatalf("records %d and %d weigh %v, found %v at %v", p.A, p.B, p.Bits, ok, bits)
				}
				delete(got, [2]int32{p.A, p.B})
			}
			for p := range got {
				if table.Source == nil || table.Source[p[0]] != table.Source[p[1]] {
					t.Fatalf("records %v are found by the index only", p)
				}
			}
		})
	}
}

// A record that was taken out is found no more, and changes nothing else.
func TestIndexRemove(t *testing.T) {
	table, _ := invented(t, synthetic.FebrlLike(), 400, 6)
	r, err := linkage.Link(t.Context(), table, linkage.Options{Budget: 8000}.Sampling(1<<15))
	if err != nil {
		t.Fatal(err)
	}
	rng := linkage.Random(t)
	order := rng.Perm(table.Rows)
	all := fill(t, indexOf(t, r.Model), table, order)
	x := indexOf(t, r.Model)
	fill(t, x, table, order)
	gone := map[int32]bool{}
	for range 200 {
		row := int32(rng.IntN(table.Rows))
		gone[row] = true
		x.Remove(row)
	}
	x.Remove(int32(table.Rows) + 10) // harmless
	checked := 0
	for at, row := range order {
		_, found, err := x.Add(valuesOf(t, x, table, row))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range found {
			switch {
			case s.Row >= int32(table.Rows): // the copies
			case gone[s.Row]:
				t.Fatalf("record %d was taken out and is found", s.Row)
			case s.Row != int32(at):
				a, b := int32(row), int32(order[s.Row])
				if want := all[[2]int32{min(a, b), max(a, b)}]; want != s.Bits {
					t.Fatalf("records %d and %d weigh %v, before %v", a, b, s.Bits, want)
				}
				checked++
			}
		}
	}
	if checked == 0 || x.Rows() != 2*table.Rows {
		t.Errorf("%d pairs of %d records", checked, x.Rows())
	}
}

// A block that becomes hot after the model was frozen is split as training
// would have: who agrees in the next field is still found.
func TestIndexHeats(t *testing.T) {
	table, _ := invented(t, synthetic.FebrlLike(), 900, 7)
	r, err := linkage.Link(t.Context(), table, linkage.Options{Budget: 20000}.Sampling(1<<15))
	if err != nil {
		t.Fatal(err)
	}
	x := indexOf(t, r.Model)
	rng := linkage.Random(t)
	at := slices.Index(x.Columns(), "surname")
	found, twice := 0, 0
	gone := map[int32]bool{}
	for n := range 2500 {
		values := valuesOf(t, x, table, n%table.Rows)
		values[at] = "smith"
		row, scored, err := x.Add(values)
		if err != nil {
			t.Fatal(err)
		}
		if len(scored) > 24*linkage.HotBlock {
			t.Fatalf("record %d is compared with %d", row, len(scored))
		}
		if n >= table.Rows && !gone[int32(n%table.Rows)] {
			twice++
			if slices.ContainsFunc(scored, func(s linkage.Scored) bool { return int(s.Row)%table.Rows == n%table.Rows }) {
				found++
			}
		}
		if rng.IntN(50) == 0 {
			x.Remove(row)
			gone[row] = true
		}
	}
	if found < twice {
		t.Errorf("%d of %d equal records were found", found, twice)
	}
}

// Many equal records are bounded: no addition costs more than a block, and those
// that no field tells apart are, beyond a block, nobody in particular.
func TestIndexEqualRecords(t *testing.T) {
	table, _ := invented(t, synthetic.FebrlLike(), 900, 8)
	r, err := linkage.Link(t.Context(), table, linkage.Options{Budget: 20000}.Sampling(1<<15))
	if err != nil {
		t.Fatal(err)
	}
	x := indexOf(t, r.Model)
	values := valuesOf(t, x, table, 0)
	for n := range 6 * linkage.HotBlock {
		_, scored, err := x.Add(values)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 && n < linkage.HotBlock && len(scored) == 0 || len(scored) > len(r.Model.Rules)*linkage.HotBlock {
			t.Fatalf("record %d finds %d", n, len(scored))
		}
	}
}

func TestIndexRefuses(t *testing.T) {
	table, _ := invented(t, synthetic.FebrlLike(), 300, 9)
	r, err := linkage.Link(t.Context(), table, linkage.Options{}.Sampling(1<<14))
	if err != nil {
		t.Fatal(err)
	}
	x := indexOf(t, r.Model)
	if _, _, err := x.Add([]string{"ana"}); !errors.Is(err, linkage.ErrColumns) {
		t.Errorf("a record of one value: %v", err)
	}
	if x.Rows() != 0 {
		t.Errorf("%d rows", x.Rows())
	}
}

// What is missing, or says nothing, weighs nothing: every step that reads it is
// at level missing with no bits, and every other step stays.
func TestNullSafety(t *testing.T) {
	for name, config := range map[string]synthetic.Config{"febrl": synthetic.FebrlLike(), "full": synthetic.Heavy50k(), "names": synthetic.NamesOnly(), "crm": synthetic.CRM()} {
		t.Run(name, func(t *testing.T) {
			table, _ := invented(t, config, 600, 10)
			r, err := linkage.Link(t.Context(), table, linkage.Options{}.Sampling(1<<15))
			if err != nil {
				t.Fatal(err)
			}
			x := indexOf(t, r.Model)
			columns := x.Columns()
			add := func(values []string) int32 {
				row, _, err := x.Add(values)
				if err != nil {
					t.Fatal(err)
				}
				return row
			}
			rng := linkage.Random(t)
			for range max(20, linkage.Tries(t, 4000)/100) {
				p := r.Pairs[rng.IntN(len(r.Pairs))]
				a, b := valuesOf(t, x, table, int(p.A)), valuesOf(t, x, table, int(p.B))
				before := x.Explain(add(a), add(b))
				blank := rng.IntN(len(columns))
				for _, nothing := range []string{"", "N/A", "xxxx", " - "} {
					c, d := slices.Clone(a), slices.Clone(b)
					c[blank] = nothing
					if rng.IntN(2) == 0 {
						d[blank] = nothing
					}
					if rng.IntN(2) == 0 {
						c, d = d, c
					}
					checkBlank(t, r.Model, columns[blank], before, x.Explain(add(c), add(d)))
				}
			}
		})
	}
}

func checkBlank(t *testing.T, m *linkage.Model, column string, before, after linkage.Waterfall) {
	t.Helper()
	for f, step := range after.Steps {
		reads := slices.Contains(m.Fields[f].Columns, column)
		switch {
		case step.Level == "missing":
			if step.Bits != 0 || step.Rarity != 0 {
				t.Fatalf("without %q the missing %q weighs %v", column, step.Field, step)
			}
		case reads && len(m.Fields[f].Columns) == 1 && step.Level != "swapped":
			t.Fatalf("without %q, %q is at %v", column, step.Field, step)
		}
		// Names are read in each other's place, a date or a generation from what
		// is left of its columns.
		name := m.Fields[f].Type == linkage.GivenName || m.Fields[f].Type == linkage.Surname
		if was := before.Steps[f]; !reads && !name && step != was {
			t.Fatalf("without %q, %q is at %v and was at %v", column, step.Field, step, was)
		}
	}
	checkSum(t, after)
}

// checkSum checks that a waterfall sums to its weight.
func checkSum(t *testing.T, w linkage.Waterfall) {
	t.Helper()
	sum := w.Prior + w.Others
	for _, s := range w.Steps {
		sum += s.Bits + s.Rarity
		if s.Level != "exact" && s.Rarity != 0 {
			t.Fatalf("values that differ are rare: %+v", s)
		}
	}
	if math.Abs(sum-w.Bits) > 1e-9 {
		t.Fatalf("the parts sum to %v, the weight is %v", sum, w.Bits)
	}
	if math.Abs(w.Probability-1/(1+math.Exp2(-w.Bits))) > 1e-12 || w.Others > 0 {
		t.Fatalf("%v bits are a probability of %v; others take off %v", w.Bits, w.Probability, w.Others)
	}
}
