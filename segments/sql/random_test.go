package sql_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

var now = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// ruleTable has one trait per rule, named like it.
func ruleTable() profiles.Rules {
	rules := profiles.Rules{Default: profiles.TraitRule{Rule: profiles.Newest}, Traits: map[string]profiles.TraitRule{}}
	for _, r := range []profiles.Rule{profiles.Oldest, profiles.MostFrequent, profiles.Longest, profiles.Union, profiles.Sum, profiles.Max} {
		rules.Traits[string(r)] = profiles.TraitRule{Rule: r}
	}
	rules.Traits["source_priority"] = profiles.TraitRule{Rule: profiles.SourcePriority, Sources: []string{"crm", "shop"}}
	return rules
}

// maker makes random worlds and definitions from small alphabets, so that they
// meet often. Some texts are hostile to whoever quotes them badly.
type maker struct{ *rand.Rand }

func (m maker) one(list ...string) string { return list[m.IntN(len(list))] }

func (m maker) name() string { return m.one("View", "View", "Buy", "Buy", "it's", `back\slash`) }

func (m maker) string() string {
	return m.one("PT", "BR", "", "it's", `a\b`, "tab\there", "line\nbreak", "null", "true", "12", "olá", "'; DROP TABLE events; --", "[1]", "PTBR", `q"q`, "{p1:String}", "x\x00y")
}

func (m maker) value() any {
	switch m.IntN(10) {
	case 0:
		return m.IntN(2) == 0
	case 1:
		return []any{m.string(), float64(m.IntN(4))}
	case 2:
		return nil
	case 3, 4, 5:
		return m.numberValue()
	}
	return m.string()
}

func (m maker) numberValue() float64 {
	return []float64{-3, 0, 1, 2, 3, 12, .5, .1, 1e6, 99.99}[m.IntN(10)]
}

var traitNames = []string{"newest", "oldest", "most_frequent", "longest", "source_priority", "union", "sum", "max"}

func (m maker) moment() time.Time {
	switch m.IntN(6) {
	case 0: // Where windows begin and end.
		return now.Add(-time.Duration(m.IntN(4)) * 24 * time.Hour)
	case 1:
		return now.Add(time.Duration(m.IntN(3)-1) * time.Millisecond)
	}
	return now.Add(-time.Duration(m.IntN(6*24)) * time.Hour)
}

func (m maker) history(w *clickhousetest.World, people int) ([]clickhousetest.Event, []clickhousetest.Score) {
	var events []clickhousetest.Event
	var scores []clickhousetest.Score
	for i := range people {
		ids := []string{fmt.Sprintf("anonymous_id:a%d", i), fmt.Sprintf("user_id:u%d", i), fmt.Sprintf("email:e%d@example.com", i)}
		mine := ids[:1+m.IntN(3)]
		w.Person(mine...)
		// A founder is an identifier that was seen.
		founding := m.event(len(events), nil, people)
		founding.Identifiers = ids[:1]
		events = append(events, founding)
		for range m.IntN(10) {
			events = append(events, m.event(len(events), ids, people))
		}
		for range m.IntN(3) {
			at := now.Add(-time.Duration(len(scores)) * time.Second)
			// Some stand under an id that has been merged since.
			scored := identity.ProfileID(w.Key(mine[m.IntN(len(mine))]))
			scores = append(scores, clickhousetest.Score{Profile: scored, Name: m.one("churn", "value"), AsOf: at, ComputedAt: at, Value: m.numberValue()})
		}
	}
	return events, scores
}

func (m maker) event(n int, ids []string, people int) clickhousetest.Event {
	e := clickhousetest.Event{
		MessageID: strconv.Itoa(n), Kind: m.one("behaviour", "behaviour", "transaction"), Name: m.name(), Source: m.one("web", "shop", "crm"),
		Time: m.moment(), Properties: map[string]any{}, Traits: map[string]any{},
	}
	for _, id := range ids {
		if m.IntN(2) == 0 {
			e.Identifiers = append(e.Identifiers, id)
		}
	}
	if m.IntN(8) == 0 { // A device that several people share.
		e.Identifiers = append(e.Identifiers, fmt.Sprintf("device:d%d", m.IntN(max(1, people/4))))
	}
	for range m.IntN(3) {
		e.Properties[m.one("size", "it's", "a b")] = m.value()
		e.Properties["deep"] = map[string]any{"er": m.value()}
		e.Properties["items"] = []any{map[string]any{"sku": m.value()}, map[string]any{"sku": m.value(), "n": 1.0}, "text"}
	}
	for range m.IntN(3) {
		e.Traits[traitNames[m.IntN(len(traitNames))]] = m.value()
	}
	if e.Kind == "transaction" {
		e.Order = &clickhousetest.Order{
			Type: m.one("order", "order", "order", "refund", "subscription", "adjustment"), ID: m.one("", "o1", "o2"),
			Status: m.one("completed", "completed", "Cancelled", ""), Currency: m.one("EUR", "EUR", "USD"),
			Amount: m.one("1", "2.5", "0.1", "-0.3", "99.9999", "0"),
		}
	}
	return e
}

func (m maker) scalar() segments.Scalar {
	for {
		switch v := m.value().(type) {
		case string:
			return segments.Scalar{Kind: segments.Text, Text: v}
		case float64:
			return segments.Scalar{Kind: segments.Number, Number: v}
		case bool:
			return segments.Scalar{Kind: segments.Bool, Bool: v}
		}
	}
}

func (m maker) test() segments.Test {
	op := []segments.Op{segments.Eq, segments.Neq, segments.In, segments.Contains, segments.Exists, segments.Gt, segments.Gte, segments.Lt, segments.Lte}[m.IntN(9)]
	t := segments.Test{Op: op}
	switch op {
	case segments.Exists:
	case segments.In:
		for range 1 + m.IntN(4) {
			t.Values = append(t.Values, m.scalar())
		}
	default:
		s := m.scalar()
		for s.Kind == segments.Bool && op != segments.Eq && op != segments.Neq && op != segments.Contains {
			s = m.scalar()
		}
		t.Values = []segments.Scalar{s}
	}
	return t
}

func (m maker) comparison(values ...float64) segments.Comparison {
	ops := []segments.Op{segments.Eq, segments.Gt, segments.Gte, segments.Lt, segments.Lte, segments.Neq}
	c := segments.Comparison{{Op: ops[m.IntN(6)], Value: values[m.IntN(len(values))]}}
	if m.IntN(3) == 0 && c[0].Op != segments.Lt {
		c = append(c, segments.Bound{Op: segments.Lt, Value: values[m.IntN(len(values))]})
	}
	return c
}

func (m maker) within() time.Duration {
	return []time.Duration{0, 0, 24 * time.Hour, 48 * time.Hour, time.Hour, 72 * time.Hour}[m.IntN(6)]
}

func (m maker) node(depth int) segments.Node {
	kind := m.IntN(14)
	if depth == 0 {
		kind = 4 + m.IntN(10)
	}
	parts := func() []segments.Node {
		list := make([]segments.Node, 1+m.IntN(3))
		for i := range list {
			list[i] = m.node(depth - 1)
		}
		return list
	}
	switch kind {
	case 0, 1:
		return segments.All(parts())
	case 2:
		return segments.Any(parts())
	case 3:
		return segments.Not{Node: m.node(depth - 1)}
	case 4, 5, 6:
		return m.eventLeaf()
	case 12, 13:
		return m.sequence()
	case 7:
		return segments.HasIdentifier{Namespace: identity.Namespace(m.one("email", "user_id", "device", "card"))}
	case 8:
		return segments.Score{Name: m.one("churn", "value"), Test: m.comparison(0, 1, .5, 12)}
	case 9:
		t := segments.Transactions{Measure: segments.Revenue, Currency: "EUR", Within: m.within(), Test: m.comparison(0, .1, 1, 2.5, 2.2)}
		return t
	case 10:
		t := segments.Transactions{Measure: segments.Orders, Within: m.within(), Test: m.comparison(0, 1, 2)}
		if m.IntN(3) == 0 {
			t.Measure, t.Currency = segments.Refunds, "EUR"
		}
		return t
	}
	return segments.Trait{Name: traitNames[m.IntN(len(traitNames))], Test: m.test()}
}

// testCount is the number of random cases: a twentieth of KINDRED_TEST_COUNT,
// because each is two queries on a real engine, or a few.
func testCount(t *testing.T, few int) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("KINDRED_TEST_COUNT"))
	if err != nil {
		return few
	}
	return max(few, n/20)
}

// selective draws again, twice at most, where a definition selects nobody or all.
func (m maker) selective(o *oracle, everybody int) (segments.Definition, []identity.ProfileID) {
	for tries := 0; ; tries++ {
		// A fault in one leaf shows best where nothing else decides.
		d := segments.Definition{Root: m.node(3 * m.IntN(2))}
		members := o.members(d)
		if tries == 2 || len(members) > 0 && len(members) < everybody {
			return d, members
		}
	}
}

// TestRandomDefinitionsAgreeWithOracle compares the members that ClickHouse
// finds with those of an evaluator that was written from the definitions alone.
func TestRandomDefinitionsAgreeWithOracle(t *testing.T) {
	ctx := context.Background()
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("KINDRED_TEST_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("KINDRED_TEST_SEED=%d", seed)
	m := maker{rand.New(rand.NewPCG(seed, 1))}
	conn := warehousetest.NewTestDatabase(t)
	selective := 0
	count := testCount(t, 100)
	const perWorld = 100
	for n := 0; n < count; n += perWorld {
		w := clickhousetest.New(t, conn, fmt.Sprintf("w%d", n))
		events, scores := m.history(w, 40)
		w.Add(events...)
		w.Score(scores...)
		w.Flush(ctx)
		o := &oracle{world: w, events: events, scores: scores, now: now}
		everybody := len(o.people())
		cfg := sql.DefaultConfig()
		cfg.Rules = ruleTable()
		p, err := sql.New(cfg, conn, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		for range perWorld {
			d, want := m.selective(o, everybody)
			got, err := p.Preview(ctx, w.Workspace, d, 1000)
			text, _ := d.MarshalJSON()
			if err != nil {
				t.Fatalf("definition %s: %v", text, err)
			}
			if diff := cmp.Diff(want, slices.Clone(got.Sample)); diff != "" || got.Count != uint64(len(want)) || got.Profiles != uint64(everybody) {
				t.Fatalf("definition %s: %d of %d, want %d of %d (-oracle +sql):\n%s\n%s\n%v",
					text, got.Count, got.Profiles, len(want), everybody, diff, got.SQL, got.Parameters)
			}
			if len(want) > 0 && len(want) < everybody {
				selective++
			}
		}
	}
	t.Logf("%d definitions, %d select some and not all", count, selective)
	if selective < count/2 {
		t.Errorf("only %d of %d definitions select some and not all profiles", selective, count)
	}
}

// TestRandomTraitsAgreeWithOracle asks for values that somebody has, by each
// survivorship rule, in a world where everybody says many things about few
// traits.
func TestRandomTraitsAgreeWithOracle(t *testing.T) {
	ctx := context.Background()
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("KINDRED_TEST_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("KINDRED_TEST_SEED=%d", seed)
	m := maker{rand.New(rand.NewPCG(seed, 2))}
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	o := &oracle{world: w, now: now}
	for i := range 60 {
		id := fmt.Sprintf("user_id:u%d", i)
		for range 4 + m.IntN(8) {
			e := m.event(len(o.events), nil, 60)
			e.Identifiers = []string{id}
			for _, trait := range traitNames {
				if m.IntN(2) == 0 {
					e.Traits[trait] = m.statement()
				}
			}
			o.events = append(o.events, e)
		}
	}
	w.Add(o.events...)
	w.Flush(ctx)
	cfg := sql.DefaultConfig()
	cfg.Rules = ruleTable()
	p, err := sql.New(cfg, conn, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	people := o.people()
	ids := slices.Sorted(maps.Keys(people))
	for n := range testCount(t, 100) {
		trait := traitNames[n%len(traitNames)]
		leaf := segments.Trait{Name: trait, Test: segments.Test{Op: segments.Exists}}
		switch v := o.trait(people[ids[m.IntN(len(ids))]], trait).(type) {
		case string:
			leaf.Test = segments.Test{Op: segments.Eq, Values: []segments.Scalar{{Kind: segments.Text, Text: v}}}
		case float64:
			leaf.Test = segments.Test{Op: segments.Eq, Values: []segments.Scalar{{Kind: segments.Number, Number: v}}}
		case []any:
			leaf.Test = segments.Test{Op: segments.Contains, Values: []segments.Scalar{{Kind: segments.Text, Text: m.one("a", "bb", "ccc")}}}
		}
		want := o.members(segments.Definition{Root: leaf})
		got, err := p.Preview(ctx, "main", segments.Definition{Root: leaf}, 1000)
		if err != nil {
			t.Fatalf("%+v: %v", leaf, err)
		}
		if diff := cmp.Diff(want, got.Sample); diff != "" {
			t.Fatalf("%+v (-oracle +sql):\n%s", leaf, diff)
		}
	}
}
