package personas

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var features = []Feature{
	{Name: "orders", Label: "orders", High: "frequent buyers", Low: "rarely buy"},
	{Name: "visits", Label: "visits of pages", High: "much on the site", Low: "rarely on the site"},
	{Name: "support", Label: "support contacts", High: "often in support", Low: "rarely in support"},
	{Name: "mood", Label: "sentiment", High: "content", Low: "discontent", Linear: true},
	{Name: "tenure", Label: "days known", High: "known for long", Low: "known for a short time"},
}

// kinds are the middles of the planted groups.
var kinds = [][]float64{{20, 10, .2, .6, 900}, {1, 200, .2, .2, 60}, {3, 12, 8, -.6, 500}}

// planted are n people of three kinds, the second twice as frequent.
func planted(seed uint64, n int) (Table, []int) {
	random := rand.New(rand.NewPCG(seed, 1))
	t := Table{Features: features}
	var kind []int
	for i := range n {
		k := []int{0, 1, 1, 2}[random.IntN(4)]
		kind = append(kind, k)
		t.IDs = append(t.IDs, uint64(i)*2+1000)
		for j, middle := range kinds[k] {
			v := middle + .15*random.NormFloat64()
			if !features[j].Linear {
				v = middle * math.Exp(.3*random.NormFloat64())
			}
			t.Values = append(t.Values, v)
		}
	}
	return t, kind
}

func quick() Config {
	cfg := DefaultConfig()
	cfg.SampleRows, cfg.Bootstraps, cfg.MaxPersonas, cfg.Restarts = 1200, 8, 6, 3
	return cfg
}

func fit(t *testing.T, table Table, cfg Config, before *Model) (*Model, []int) {
	t.Helper()
	m, places, err := Fit(table, cfg, before)
	if err != nil {
		t.Fatal(err)
	}
	return m, places
}

func TestPlantedGroupsAreFound(t *testing.T) {
	table, kind := planted(3, 3000)
	m, places := fit(t, table, quick(), nil)
	if m.Refused != "" || len(m.Personas) != 3 {
		t.Fatalf("%d personas, refused %q, of %+v", len(m.Personas), m.Refused, m.Candidates)
	}
	if got := AdjustedRand(kind, places); got < .98 {
		t.Errorf("adjusted Rand index with what was planted is %v", got)
	}
	var names []string
	sum := 0
	for _, p := range m.Personas {
		names = append(names, p.ID+" "+p.Name)
		sum += p.Size
	}
	want := []string{
		"p1 Much on the site, known for a short time, rarely buy", "p2 Often in support, discontent, rarely on the site",
		"p3 Frequent buyers, known for long, content",
	}
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
	}
	if got := m.Personas[0].Description; !strings.HasPrefix(got, "1468 people, 48.9 % of all. On average: visits of pages 208 (all: 108); ") {
		t.Error(got)
	}
	if sum != len(table.IDs) {
		t.Errorf("sizes add up to %d", sum)
	}
	if d := cmp.Diff(places, m.Assign(table)); d != "" {
		t.Errorf("assigned again (-fit +assign):\n%s", d)
	}
	// A model is JSON, and is the same read back.
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var again Model
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(places, again.Assign(table)); d != "" {
		t.Errorf("assigned by the model read back:\n%s", d)
	}
}

// Rows that have no groups: a ring, a normal cloud, a uniform one, one of few dimensions,
// and one that is skewed.
func TestNoiseHasNoPersonas(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	random := rand.New(rand.NewPCG(11, 1))
	noise := func(d int, draw func() float64) Table {
		var table Table
		for j := range d {
			table.Features = append(table.Features, Feature{Name: string(rune('a' + j)), Linear: true})
		}
		for i := range 1500 {
			table.IDs = append(table.IDs, uint64(i))
			for range d {
				table.Values = append(table.Values, draw())
			}
		}
		return table
	}
	// Around a ring people are alike near by and unlike far off, and nowhere is a border:
	// every sample cuts it elsewhere.
	ring := noise(4, random.Float64)
	for i := range ring.IDs {
		angle := 2 * math.Pi * float64(i) / float64(len(ring.IDs))
		for j := range ring.Features {
			ring.Values[4*i+j] = math.Cos(angle+float64(j)*math.Pi/4) + .05*random.NormFloat64()
		}
	}
	for name, table := range map[string]Table{
		"ring":        ring,
		"normal 8":    noise(8, random.NormFloat64),
		"uniform 8":   noise(8, random.Float64),
		"uniform 2":   noise(2, random.Float64),
		"normal 1":    noise(1, random.NormFloat64),
		"lognormal 5": noise(5, func() float64 { return math.Exp(random.NormFloat64()) }),
	} {
		cfg := quick()
		cfg.SampleRows = len(table.IDs) // Of all, so that the ring is even.
		m, places := fit(t, table, cfg, nil)
		if !strings.HasPrefix(m.Refused, "no stable personas") || len(m.Personas) != 0 || places[0] != Nobody {
			t.Errorf("%s: %d personas, refused %q, of %+v", name, len(m.Personas), m.Refused, m.Candidates)
		}
	}
}

// The order of the rows changes not a byte.
func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	table, _ := planted(5, 2000)
	first, places := fit(t, table, quick(), nil)
	shuffled := Table{Features: table.Features}
	order := rand.New(rand.NewPCG(1, 2)).Perm(len(table.IDs))
	for _, i := range order {
		shuffled.IDs = append(shuffled.IDs, table.IDs[i])
		shuffled.Values = append(shuffled.Values, table.row(i)...)
	}
	second, again := fit(t, shuffled, quick(), nil)
	want, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(second)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("models differ:\n%s", d)
	}
	for n, i := range order {
		if again[n] != places[i] {
			t.Fatalf("row %d is in %d, was in %d", i, again[n], places[i])
		}
	}
}

// People who come, and other seeds, leave personas their ids and names; a kind that
// vanishes and returns has its own again.
func TestPersonasKeepTheirIDs(t *testing.T) {
	table, _ := planted(6, 2000)
	before, places := fit(t, table, quick(), nil)
	idOf := func(m *Model, places []int, i int) string { return m.Personas[places[i]].ID }
	same := func(m *Model, now []int) {
		t.Helper()
		for i := range places {
			if old, id := idOf(before, places, i), idOf(m, now, i); old != id {
				t.Fatalf("row %d is in %s, was in %s", i, id, old)
			}
		}
	}
	more, kind := planted(6, 2600) // The same seed: the same people, and more.
	cfg := quick()
	cfg.Seed = 99
	after, now := fit(t, more, cfg, before)
	same(after, now)
	for _, p := range after.Personas {
		for _, q := range before.Personas {
			if p.ID == q.ID && p.Name != q.Name {
				t.Errorf("%s is called %q, was %q", p.ID, p.Name, q.Name)
			}
		}
	}
	if after.Issued != 3 {
		t.Errorf("%d ids were issued", after.Issued)
	}

	var without Table
	without.Features = more.Features
	for i, k := range kind {
		if k != 2 {
			without.IDs, without.Values = append(without.IDs, more.IDs[i]), append(without.Values, more.row(i)...)
		}
	}
	less, _ := fit(t, without, quick(), after)
	if len(less.Personas) != 2 || len(less.Retired) != 1 || less.Issued != 3 {
		t.Fatalf("%d personas, %d retired, %d issued, %s", len(less.Personas), len(less.Retired), less.Issued, less.Refused)
	}
	back, now := fit(t, more, quick(), less)
	same(back, now)
	// Also over a time without any.
	none, _ := fit(t, Table{Features: features, IDs: []uint64{1}, Values: kinds[0]}, quick(), back)
	if !strings.HasPrefix(none.Refused, "not enough data: 1 usable") || len(none.Retired) == 0 {
		t.Errorf("%+v", none)
	}
	again, now := fit(t, more, quick(), none)
	same(again, now)
}

func TestHostileTables(t *testing.T) {
	refused := func(table Table) {
		t.Helper()
		if _, _, err := Fit(table, quick(), nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d features, %d rows: %v", len(table.Features), len(table.IDs), err)
		}
	}
	refused(Table{})
	refused(Table{Features: features, IDs: []uint64{1, 2}, Values: []float64{1}})
	refused(Table{Features: features[:1], IDs: []uint64{1, 1}, Values: []float64{1, 2}})
	refused(Table{Features: []Feature{{Name: "a"}, {Name: "a"}}})
	if _, _, err := Fit(Table{Features: features}, Config{}, nil); err == nil {
		t.Error("an empty configuration is taken")
	}

	table, _ := planted(8, 2000)
	broken := []float64{math.NaN(), math.Inf(1), -1, 1e300, math.NaN()}
	for i, v := range broken {
		table.Values[i*len(features)] = v
	}
	for j := range features {
		table.Values[4*len(features)+j] = math.NaN()
	}
	table.Features = append([]Feature{{Name: "same", High: "all the same"}}, features...)
	values := table.Values
	table.Values = nil
	for i := range table.IDs {
		table.Values = append(append(table.Values, 7), values[i*len(features):(i+1)*len(features)]...)
	}
	m, places := fit(t, table, quick(), nil)
	want := map[Reason]int{Infinite: 2, Negative: 1}
	if d := cmp.Diff(want, m.Excluded); d != "" || m.Rows != 1997 || m.Unknown["orders"] != 2 || !cmp.Equal(m.Dropped, []string{"same"}) {
		t.Errorf("excluded (-want +got):\n%s%d rows, unknown %v, dropped %v", d, m.Rows, m.Unknown, m.Dropped)
	}
	if places[1] != Nobody || places[2] != Nobody || places[0] == Nobody || len(m.Personas) != 3 {
		t.Errorf("places %v, %d personas", places[:5], len(m.Personas))
	}
	same := Table{Features: features[:1], IDs: make([]uint64, 500), Values: make([]float64, 500)}
	for i := range same.IDs {
		same.IDs[i] = uint64(i)
	}
	if m, _ := fit(t, same, quick(), nil); !strings.Contains(m.Refused, "the same for everybody") {
		t.Errorf("constant: %+v", m)
	}
}

func BenchmarkMillion(b *testing.B) {
	table, _ := planted(9, 1_000_000)
	wide := Table{IDs: table.IDs}
	for j := range 15 {
		f := features[j%len(features)]
		f.Name += string(rune('a' + j))
		wide.Features = append(wide.Features, f)
	}
	for i := range table.IDs {
		for range 3 {
			wide.Values = append(wide.Values, table.row(i)...)
		}
	}
	for b.Loop() {
		if m, _, err := Fit(wide, DefaultConfig(), nil); err != nil || m.Refused != "" {
			b.Fatal(m.Refused, err)
		}
	}
}
