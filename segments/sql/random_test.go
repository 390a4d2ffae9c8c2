package sql_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/segmentstest"
	"github.com/kindred-cdp/kindred/segments/sql"
)

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
		d := m.Definition()
		members := o.members(d)
		if tries == 2 || len(members) > 0 && len(members) < everybody {
			return d, members
		}
	}
}

// newPreviewer is one that has time, however busy the machine is.
func newPreviewer(t *testing.T, conn driver.Conn) *sql.Previewer {
	t.Helper()
	cfg := sql.DefaultConfig()
	cfg.Rules, cfg.MaxExecution = ruleTable(), time.Minute
	p, err := sql.New(cfg, conn, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRandomDefinitionsAgreeWithOracle compares the members that ClickHouse
// finds with those of an evaluator that was written from the definitions alone.
func TestRandomDefinitionsAgreeWithOracle(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	ctx := context.Background()
	m := seeded(t, 1)
	conn := warehousetest.NewTestDatabase(t)
	selective, drawn, deciding := 0, map[string]int{}, map[string]int{}
	count := testCount(t, 100)
	const perWorld = 100
	for n := 0; n < count; n += perWorld {
		w := clickhousetest.New(t, conn, fmt.Sprintf("w%d", n))
		o := m.history(w, 40)
		w.Flush(ctx)
		everybody := len(o.people())
		p := newPreviewer(t, conn)
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
			for _, name := range segmentstest.Operators(d) {
				drawn[name]++
				if len(want) > 0 && len(want) < everybody {
					deciding[name]++
				}
			}
			if len(want) > 0 && len(want) < everybody {
				selective++
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(drawn)) {
		t.Logf("%6d %6d %s", drawn[name], deciding[name], name)
		if drawn[name] >= 100 && deciding[name] < drawn[name]/2 {
			t.Errorf("%s is in %d definitions, of which %d select some and not all profiles", name, drawn[name], deciding[name])
		}
	}
	t.Logf("%d definitions, %d select some and not all", count, selective)
	if selective < count/2 {
		t.Errorf("only %d of %d definitions select some and not all profiles", selective, count)
	}
}

// TestRandomSequencesAgreeWithOracle asks for sequences alone, and for sequences beside
// another leaf: alone, who has no events in order is left out before steps are looked at.
// It goes on until a fifth of as many as it is to ask has told some people from others.
func TestRandomSequencesAgreeWithOracle(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	ctx := context.Background()
	m := seeded(t, 8)
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	o := m.history(w, 60)
	w.Flush(ctx)
	p := newPreviewer(t, conn)
	everybody, selective, asked, count := len(o.people()), 0, 0, testCount(t, 100)
	for ; asked < count || selective < count/5; asked++ {
		if asked == 4*count {
			t.Fatalf("only %d of %d sequences select some and not all profiles", selective, asked)
		}
		d := segments.Definition{Root: m.Sequence()}
		if m.IntN(2) == 0 {
			d.Root = segments.Any{d.Root, segments.Event{Name: "Never"}}
		}
		want := o.members(d)
		got, err := p.Preview(ctx, w.Workspace, d, 1000)
		text, _ := d.MarshalJSON()
		if err != nil {
			t.Fatalf("definition %s: %v", text, err)
		}
		if diff := cmp.Diff(want, got.Sample, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("definition %s (-oracle +sql):\n%s\n%s\n%v", text, diff, got.SQL, got.Parameters)
		}
		if len(want) > 0 && len(want) < everybody {
			selective++
		}
	}
	t.Logf("%d of %d select some and not all of %d profiles", selective, asked, everybody)
}

// TestRandomTraitsAgreeWithOracle asks for values that somebody has, by each
// survivorship rule, in a world where everybody says many things about few
// traits.
func TestRandomTraitsAgreeWithOracle(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	ctx := context.Background()
	m := seeded(t, 2)
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	o := &oracle{world: w, now: now}
	for i := range 60 {
		id := fmt.Sprintf("user_id:u%d", i)
		for range 4 + m.IntN(8) {
			e := m.event(len(o.events), nil, 60)
			e.Identifiers = []string{id}
			for _, trait := range segmentstest.TraitNames {
				if m.IntN(2) == 0 {
					e.Traits[trait] = m.statement()
				}
			}
			o.events = append(o.events, e)
		}
	}
	w.Add(o.events...)
	w.Flush(ctx)
	p := newPreviewer(t, conn)
	people := o.people()
	ids := slices.Sorted(maps.Keys(people))
	for n := range testCount(t, 100) {
		trait := segmentstest.TraitNames[n%len(segmentstest.TraitNames)]
		leaf := segments.Trait{Name: trait, Test: segments.Test{Op: segments.Exists}}
		switch v := o.trait(people[ids[m.IntN(len(ids))]], trait).(type) {
		case string:
			leaf.Test = segments.Test{Op: segments.Eq, Values: []segments.Scalar{{Kind: segments.Text, Text: v}}}
		case float64:
			leaf.Test = segments.Test{Op: segments.Eq, Values: []segments.Scalar{{Kind: segments.Number, Number: v}}}
		case []any:
			leaf.Test = segments.Test{Op: segments.Contains, Values: []segments.Scalar{{Kind: segments.Text, Text: m.One("a", "bb", "ccc")}}}
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
