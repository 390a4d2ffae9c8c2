package simulate

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/deploy/sample"
	"github.com/kindred-cdp/kindred/ingest/files"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// This file measures how hard the simulation is, with three resolvers written
// for the purpose: they share nothing with the product.

var (
	testAsOf  = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	testShift = files.Shift(time.Date(2011, 12, 9, 12, 50, 0, 0, time.UTC), testAsOf)
	testEnd   = time.Date(2011, 12, 9, 12, 50, 0, 0, time.UTC).Add(testShift)
)

// realCustomers reads the customers of the sample file.
func realCustomers(tb testing.TB) []files.Customer {
	tb.Helper()
	in := files.StringInput(sample.OnlineRetailName, sample.OnlineRetail())
	customers, err := files.OnlineRetail{}.Customers(tb.Context(), in, testAsOf, testShift)
	if err != nil {
		tb.Fatal(err)
	}
	return customers
}

func testConfig() Config {
	cfg := DefaultConfig()
	cfg.End = testEnd
	return cfg
}

func mustGenerate(tb testing.TB, cfg Config, customers []files.Customer) *World {
	tb.Helper()
	w, err := Generate(cfg, customers, "")
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// sighting is one event reduced to its canonical, unblocked identifiers.
type sighting struct {
	at  time.Time
	ids []identifier
}

// sightings reads a world back from its published bytes and adds the invoices.
func sightings(tb testing.TB, w *World, customers []files.Customer) (all []sighting) {
	tb.Helper()
	for _, c := range customers {
		for _, o := range c.Orders {
			all = append(all, sighting{o.Time, []identifier{{"user_id", c.ID}}})
		}
	}
	err := w.Records(tb.Context(), func(r files.Record) error {
		var m wire.Message
		if err := json.Unmarshal(r.Value, &m); err != nil {
			return err
		}
		s := sighting{at: m.Time}
		for _, id := range m.Identifiers {
			if c, ok := canonical(id); ok && !slices.Contains(s.ids, c) {
				s.ids = append(s.ids, c)
			}
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

var blocked = []string{
	"", "null", "undefined", "guest", "anonymous", "n/a", "none", "-1", "unknown", "test@test.com", "none@none.com",
	"noemail@noemail.com", "a@a.com",
}

func canonical(id wire.Identifier) (identifier, bool) {
	v := strings.ToLower(strings.TrimSpace(id.Value))
	if id.Namespace == "phone" {
		v = strings.NewReplacer(" ", "", "(", "", ")", "", "-", "").Replace(v)
	}
	if slices.Contains(blocked, v) || strings.Trim(v, "0-") == "" {
		return identifier{}, false
	}
	return identifier{id.Namespace, v}, true
}

var ranks = map[string]int{"user_id": 0, "loyalty": 1, "email": 2, "phone": 3, "device": 5, "anonymous_id": 7}

// pair is evidence that two identifiers met; strong has the smaller rank.
type pair struct {
	weak, strong int
	first        time.Time
}

// evidence numbers the identifiers and lists the distinct pairs, strongest and
// earliest first.
func evidence(all []sighting) (ids []identifier, pairs []pair) {
	number := make(map[identifier]int)
	at := make(map[[2]int]int)
	for _, s := range all {
		members := make([]int, 0, len(s.ids))
		for _, id := range s.ids {
			n, ok := number[id]
			if !ok {
				n = len(ids)
				number[id] = n
				ids = append(ids, id)
			}
			members = append(members, n)
		}
		for i, a := range members {
			for _, b := range members[:i] {
				strong, weak := a, b
				if d := ranks[ids[a].namespace] - ranks[ids[b].namespace]; d > 0 || d == 0 && a > b {
					strong, weak = b, a
				}
				key := [2]int{weak, strong}
				if n, ok := at[key]; !ok {
					at[key] = len(pairs)
					pairs = append(pairs, pair{weak, strong, s.at})
				} else if s.at.Before(pairs[n].first) {
					pairs[n].first = s.at
				}
			}
		}
	}
	rank := func(n int) int { return ranks[ids[n].namespace] }
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(rank(a.weak)-rank(b.weak), rank(a.strong)-rank(b.strong), a.first.Compare(b.first), a.weak-b.weak, a.strong-b.strong)
	})
	return ids, pairs
}

// clusters is a union-find over identifiers.
type clusters []int

func newClusters(n int) clusters {
	c := make(clusters, n)
	for i := range c {
		c[i] = i
	}
	return c
}

func (c clusters) of(n int) int {
	for c[n] != n {
		c[n] = c[c[n]]
		n = c[n]
	}
	return n
}

// byUserID joins each identifier to the first user id that it was seen with.
func byUserID(ids []identifier, pairs []pair) clusters {
	c := newClusters(len(ids))
	for _, p := range pairs {
		if ids[p.strong].namespace == "user_id" && ids[p.weak].namespace != "user_id" && c[p.weak] == p.weak {
			c[p.weak] = p.strong
		}
	}
	return c
}

// connected joins everything that ever met.
func connected(ids []identifier, pairs []pair) clusters {
	c := newClusters(len(ids))
	for _, p := range pairs {
		c[c.of(p.weak)] = c.of(p.strong)
	}
	return c
}

// guarded joins strongest and earliest evidence first, never two user ids, and
// leaves out values that met too many stronger ones.
func guarded(ids []identifier, pairs []pair) clusters {
	fan := make([]map[string]int, len(ids))
	for i := range fan {
		fan[i] = make(map[string]int)
	}
	for _, p := range pairs {
		fan[p.weak][ids[p.strong].namespace]++
		if ids[p.weak].namespace == ids[p.strong].namespace {
			fan[p.strong][ids[p.weak].namespace]++
		}
	}
	generic := func(n int) bool {
		limit := 10
		if ids[n].namespace == "device" {
			limit = 20
		}
		for _, v := range fan[n] {
			if v > limit {
				return true
			}
		}
		return false
	}
	c := newClusters(len(ids))
	user := make([]int, len(ids)) // of a cluster's root, plus one
	for i, id := range ids {
		if id.namespace == "user_id" {
			user[i] = i + 1
		}
	}
	for _, p := range pairs {
		a, b := c.of(p.weak), c.of(p.strong)
		if a == b || generic(p.weak) || generic(p.strong) || user[a] != 0 && user[b] != 0 {
			continue
		}
		c[a] = b
		user[b] = max(user[a], user[b])
	}
	return c
}

// score is the pairwise precision and recall over identifiers with exactly one
// true owner.
func score(ids []identifier, c clusters, truth *Truth) (precision, recall float64) {
	type cell struct {
		cluster int
		owner   string
	}
	cells, owners, found := make(map[cell]int), make(map[string]int), make(map[int]int)
	for n, id := range ids {
		if o := truth.owners[id]; len(o) == 1 {
			cells[cell{c.of(n), o[0]}]++
			owners[o[0]]++
			found[c.of(n)]++
		}
	}
	var right, predicted, true_ float64
	for _, n := range cells {
		right += float64(n*(n-1)) / 2
	}
	for _, n := range found {
		predicted += float64(n*(n-1)) / 2
	}
	for _, n := range owners {
		true_ += float64(n*(n-1)) / 2
	}
	return right / predicted, right / true_
}

func TestDifficulty(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	if raceEnabled {
		t.Skip("one goroutine, ten times slower under the race detector")
	}
	customers := realCustomers(t)
	start := time.Now()
	w := mustGenerate(t, testConfig(), customers)
	all := sightings(t, w, customers)
	t.Logf("%d customers, %d people, %d messages, %d copies, %d late, by source %v, in %v", len(customers), w.People,
		w.counts.Messages, w.counts.Copies, w.counts.Late, w.counts.Sources, time.Since(start))
	ids, pairs := evidence(all)
	byNamespace := make(map[string]int)
	for _, id := range ids {
		byNamespace[id.namespace]++
	}
	t.Logf("%d identifiers %v, %d pairs", len(ids), byNamespace, len(pairs))
	f := func(name string, c clusters, ok func(precision, recall float64) bool) {
		precision, recall := score(ids, c, w.Truth)
		t.Logf("%-22s precision %.4f recall %.4f", name, precision, recall)
		if !ok(precision, recall) {
			t.Errorf("%s is out of its bounds", name)
		}
	}
	f("user_id alone", byUserID(ids, pairs), func(_, r float64) bool { return r < .80 })
	f("connected components", connected(ids, pairs), func(p, _ float64) bool { return p < .97 })
	f("guarded", guarded(ids, pairs), func(p, r float64) bool { return p >= .999 && r >= .95 })
}
