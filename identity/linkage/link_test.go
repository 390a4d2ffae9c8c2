package linkage_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity/evaluate"
	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/synthetic"
)

// run is a run of Link on invented records, large enough that kinds and rules
// are at work.
type run struct {
	name    string
	config  synthetic.Config
	records int
	options linkage.Options
}

func runs() []run {
	return []run{
		{"febrl, all pairs", synthetic.FebrlLike(), 600, linkage.Options{Seed: 1}},
		{"febrl, rules", synthetic.FebrlLike(), 900, linkage.Options{Seed: 2, Budget: 20000}},
		{"full, rules", synthetic.Heavy50k(), 1200, linkage.Options{Seed: 3, Budget: 30000}},
		{"sparse, all pairs", synthetic.Sparse(), 600, linkage.Options{Seed: 4}},
		{"crm, rules", synthetic.CRM(), 900, linkage.Options{Seed: 5, Budget: 30000}},
	}
}

func (r *run) link(t *testing.T, table *linkage.Table, workers int) *linkage.Result {
	t.Helper()
	o := r.options.Sampling(1 << 15)
	o.Workers = workers
	found, err := linkage.Link(t.Context(), table, o)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// bytesOf are all of a result.
func bytesOf(t *testing.T, r *linkage.Result) string {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The same seed gives the same bytes, by however many workers; another one gives
// others.
func TestSameSeedSameBytes(t *testing.T) {
	for _, c := range runs() {
		t.Run(c.name, func(t *testing.T) {
			table, _ := invented(t, c.config, c.records, 11)
			want := bytesOf(t, c.link(t, table, 1))
			for _, workers := range []int{2, 5} {
				if got := bytesOf(t, c.link(t, table, workers)); got != want {
					t.Fatalf("%d workers find something else", workers)
				}
			}
			c.options.Seed += 100
			if bytesOf(t, c.link(t, table, 2)) == want {
				t.Error("another seed samples the same")
			}
		})
	}
}

// shuffled returns a table with its records in another order: record i of it is
// record order[i] of the first.
func shuffled(table *linkage.Table, order []int) *linkage.Table {
	out := &linkage.Table{Rows: table.Rows}
	for _, c := range table.Columns {
		codes := make([]uint32, len(order))
		for i, from := range order {
			codes[i] = c.Codes[from]
		}
		out.Columns = append(out.Columns, linkage.Column{Name: c.Name, Values: c.Values, Codes: codes})
	}
	if table.Source != nil {
		for _, from := range order {
			out.Source = append(out.Source, table.Source[from])
		}
	}
	return out
}

// Records in another order are joined into the same clusters: their order draws
// another sample and nothing else, so that at most a pair at even odds may fall
// otherwise.
func TestOrderOfRecords(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestSameSeedSameBytes sees its goroutines")
	}
	for _, c := range runs() {
		t.Run(c.name, func(t *testing.T) {
			table, _ := invented(t, c.config, c.records, 12)
			c.options = c.options.Sampling(1 << 18)
			want, err := linkage.Link(t.Context(), table, c.options)
			if err != nil {
				t.Fatal(err)
			}
			order := linkage.Random(t).Perm(table.Rows)
			got, err := linkage.Link(t.Context(), shuffled(table, order), c.options)
			if err != nil {
				t.Fatal(err)
			}
			back := make([]int32, table.Rows)
			for i, first := range got.Clusters {
				back[order[i]] = int32(order[first])
			}
			same := evaluate.Compare(back, want.Clusters)
			t.Logf("%d pairs in one cluster, %d in the other order, %d in both", same.TruePairs, same.FoundPairs, same.CommonPairs)
			if same.TruePairs == 0 || same.Pairs.F1 < .985 {
				t.Errorf("another order of records gives other clusters: %+v", same)
			}
		})
	}
}

// Every weight is the sum of its parts, the same both ways and in an index, and
// its probability is that of its odds. Pairs are in order, clusters are called
// by their first record.
func TestWeights(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestSameSeedSameBytes sees its goroutines")
	}
	kinds := 0
	for _, c := range runs() {
		t.Run(c.name, func(t *testing.T) {
			table, _ := invented(t, c.config, c.records, 13)
			r := c.link(t, table, 0)
			kinds += len(r.Model.Kinds)
			x := indexOf(t, r.Model)
			order := make([]int, table.Rows)
			for i := range order {
				order[i] = i
			}
			fill(t, x, table, order)
			for i, p := range r.Pairs {
				checkPair(t, r, x, p)
				if p.A >= p.B || i > 0 && (r.Pairs[i-1].A > p.A || r.Pairs[i-1].A == p.A && r.Pairs[i-1].B >= p.B) {
					t.Fatalf("pairs %+v and %+v are in disorder", r.Pairs[i-1], p)
				}
			}
			rng := linkage.Random(t)
			for range linkage.Tries(t, 2000) { // of anybody
				a, b := int32(rng.IntN(table.Rows)), int32(rng.IntN(table.Rows))
				there, back := x.Explain(a, b), x.Explain(b, a)
				checkSum(t, there)
				if there.Bits != back.Bits {
					t.Fatalf("records %d and %d weigh %v, the other way round %v", a, b, there.Bits, back.Bits)
				}
			}
			for i, first := range r.Clusters {
				if int(first) > i || r.Clusters[first] != first {
					t.Fatalf("record %d is in a cluster called %d", i, first)
				}
			}
		})
	}
	if kinds == 0 {
		t.Error("no run has a kind: nothing was tested")
	}
}

// checkPair checks the weight of a pair, of a result and in an index that holds
// its records.
func checkPair(t *testing.T, r *linkage.Result, x *linkage.Index, p linkage.Pair) {
	t.Helper()
	w := r.Explain(p)
	checkSum(t, w)
	if w.Bits != p.Bits || w.Probability != p.Probability() || p.Bits < linkage.ReviewBits {
		t.Fatalf("pair %+v is explained as %+v", p, w)
	}
	for _, again := range []linkage.Waterfall{x.Explain(p.A, p.B), x.Explain(p.B, p.A)} {
		if again.Bits != w.Bits || !slices.Equal(again.Steps, w.Steps) {
			t.Fatalf("pair %+v is %+v, in an index %+v", p, w, again)
		}
	}
}

// What is learnt never makes the records less likely, is made of chances, and
// closer levels weigh more or are named.
func TestModels(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestSameSeedSameBytes sees its goroutines")
	}
	kinds := 0
	for _, c := range runs() {
		t.Run(c.name, func(t *testing.T) {
			table, _ := invented(t, c.config, c.records, 14)
			m := c.link(t, table, 0).Model
			kinds += len(m.Kinds)
			for i := 1; i < len(m.Likelihood); i++ {
				if fall := m.Likelihood[i-1] - m.Likelihood[i]; fall > 1e-9*math.Abs(m.Likelihood[i]) {
					t.Errorf("likelihood falls by %v in round %d of %v", fall, i, m.Likelihood)
				}
			}
			for i := range m.Fields {
				checkField(t, &m.Fields[i])
			}
			for i, e := range m.Thresholds {
				if e.Precision < 0 || e.Precision > 1+1e-9 || e.Recall < 0 || e.Recall > 1+1e-9 || i > 0 && (e.Pairs > m.Thresholds[i-1].Pairs || e.Recall > m.Thresholds[i-1].Recall+1e-9) {
					t.Errorf("expectation %+v", e)
				}
			}
		})
	}
	if kinds == 0 {
		t.Error("no run has a kind: nothing was tested")
	}
}

func checkField(t *testing.T, f *linkage.FieldModel) {
	t.Helper()
	m, u, before := 0.0, 0.0, math.Inf(1)
	for _, l := range f.Levels {
		m, u = m+l.M, u+l.U
		if math.Abs(l.Bits-math.Log2(l.M/l.U)) > 1e-9 {
			t.Errorf("%s %s: %+v", f.Name, l.Name, l)
		}
		if l.Name == "swapped" { // a thing of its own
			continue
		}
		if l.Bits > before+.5 && !slices.Contains(f.Reversed, l.Name) {
			t.Errorf("%s: level %q weighs %.2f, a closer one %.2f, and it is not named", f.Name, l.Name, l.Bits, before)
		}
		before = l.Bits
	}
	if math.Abs(m-1) > 1e-3 || u < .99 || u > 1.01 {
		t.Errorf("%s: the chances sum to %v and %v", f.Name, m, u)
	}
}

// With two files only records of different files are compared.
func TestTwoFiles(t *testing.T) {
	for _, budget := range []int{0, 20000} {
		c := synthetic.FebrlLike()
		c.TwoFiles = true
		table, truth := invented(t, c, 900, 15)
		r, err := linkage.Link(t.Context(), table, linkage.Options{Budget: budget}.Sampling(1<<15))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range r.Pairs {
			if table.Source[p.A] == table.Source[p.B] {
				t.Fatalf("pair %+v is of one file", p)
			}
		}
		if !r.Model.TwoSources || len(r.Pairs) == 0 {
			t.Errorf("%d pairs, of two files: %v", len(r.Pairs), r.Model.TwoSources)
		}
		if q := evaluate.Compare(r.Clusters, truth); q.Pairs.Precision < .99 {
			t.Errorf("%+v", q.Pairs)
		}
		table.Source = make([]uint8, table.Rows)
		if _, err := linkage.Link(t.Context(), table, linkage.Options{}); !errors.Is(err, linkage.ErrFewRecords) {
			t.Errorf("a second file without records: %v", err)
		}
	}
}

// Steps are told as they begin, and timed by the clock that is given.
func TestProgressAndSeconds(t *testing.T) {
	table, _ := invented(t, synthetic.FebrlLike(), 300, 17)
	at := time.Unix(0, 0)
	var told []string
	o := linkage.Options{
		Budget:   5000,
		Progress: func(step string) { told = append(told, step) },
		Clock:    func() time.Time { at = at.Add(time.Second); return at },
	}
	r, err := linkage.Link(t.Context(), table, o.Sampling(1<<12))
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for step, s := range r.Seconds {
		if sum += s; !slices.Contains(told, step) {
			t.Errorf("step %q was not told", step)
		}
	}
	if int(sum) != len(told) || told[0] != "read values" || told[len(told)-1] != "cluster" {
		t.Errorf("%v seconds of steps %v", sum, told)
	}
}
