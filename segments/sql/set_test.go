package sql_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// readSet reads the rows of a set for everybody, or of one for some.
func readSet(ctx context.Context, t *testing.T, conn driver.Conn, s sql.Set, some bool) map[identity.ProfileID]sql.Answer {
	t.Helper()
	answers := map[identity.ProfileID]sql.Answer{}
	note := func(a sql.Answer) {
		if _, twice := answers[identity.ProfileID(a.Profile)]; twice {
			t.Fatalf("profile %x has two rows", a.Profile)
		}
		answers[identity.ProfileID(a.Profile)] = a
	}
	if !some {
		readRows(ctx, t, conn, s.Query, func(rows driver.Rows) error {
			a, err := s.Scan(rows)
			note(a)
			return err
		})
		return answers
	}
	collected := s.Collect()
	readRows(ctx, t, conn, s.Query, collected.Row)
	readRows(ctx, t, conn, s.Events, collected.Event)
	for _, a := range collected.Answers() {
		note(a)
	}
	return answers
}

func readRows(ctx context.Context, t *testing.T, conn driver.Conn, q sql.Query, row func(driver.Rows) error) {
	t.Helper()
	if q.SQL == "" {
		return
	}
	rows, err := conn.Query(clickhouse.Context(ctx, clickhouse.WithParameters(q.Parameters)), q.SQL)
	if err != nil {
		t.Fatalf("%v\n%s\n%v", err, q.SQL, q.Parameters)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// extents are the two ways to evaluate for some: the server counts, or Collected.
var extents = []sql.Extent{{Some: true}, {Some: true, Events: 1_000_000}}

// anchors are everything that rows of a world stand under.
func (o *oracle) anchors() []uint64 {
	all := []uint64{0}
	for _, e := range o.events {
		keys := []identity.Identifier{}
		for _, text := range e.Identifiers {
			id, _ := identity.ParseIdentifier(text)
			keys = append(keys, id)
			all = append(all, uint64(o.world.Keyer.Key(id)))
		}
		members, _ := o.world.Keyer.Members(keys)
		all = append(all, uint64(o.world.Keyer.Anchor(members)))
	}
	for _, s := range o.scores {
		all = append(all, uint64(s.Profile))
	}
	for _, g := range o.groups {
		all = append(all, uint64(g.Profile))
	}
	return all
}

// TestSetsAgreeWithOracle evaluates many definitions together, for all profiles and
// for some, at now and at the times that it was told nothing would change before.
func TestSetsAgreeWithOracle(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	m := seeded(t, 3)
	conn := warehousetest.NewTestDatabase(t)
	const perWorld = 60
	changes := 0
	for n := 0; n < testCount(t, 60); n += perWorld {
		w := clickhousetest.New(t, conn, fmt.Sprintf("w%d", n))
		o := m.history(w, 30)
		w.Flush(t.Context())
		people := o.people()
		definitions := make([]segments.Definition, perWorld)
		for i := range definitions {
			definitions[i], _ = m.selective(o, len(people))
		}
		groups, err := sql.Groups(definitions, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range groups {
			some := make([]segments.Definition, len(group))
			for i, place := range group {
				some[i] = definitions[place]
			}
			changes += compareSet(t, conn, o, people, some)
		}
		compareWide(t, conn, o, people, definitions)
	}
	if changes == 0 {
		t.Error("time has changed nothing: due times were not tested")
	}
}

// compareSet holds one set against the oracle, and returns how often something
// changed at the time for which it was told.
func compareSet(t *testing.T, conn driver.Conn, o *oracle, people map[identity.ProfileID]*person, ds []segments.Definition) (changes int) {
	t.Helper()
	all, err := sql.CompileSet(ds, ruleTable(), o.world.Workspace, now, sql.Extent{}, warehouse.Reading{})
	if err != nil {
		t.Fatal(err)
	}
	part := map[identity.ProfileID]*person{}
	asked := []uint64{}
	for id, p := range people {
		if id%2 == 0 {
			part[id] = p
			asked = append(asked, uint64(id))
		}
	}
	reading, err := warehouse.ReadingNow(t.Context(), conn, o.world.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	carrying, err := sql.WithAsked(t.Context(), asked, o.anchors(), o.anchors())
	if err != nil {
		t.Fatal(err)
	}
	answers := readSet(t.Context(), t, conn, all, false)
	for _, extent := range extents {
		few, err := sql.CompileSet(ds, ruleTable(), o.world.Workspace, now, extent, reading)
		if err != nil {
			t.Fatal(err)
		}
		fewer := readSet(carrying, t, conn, few, true)
		for id := range people {
			a, known := answers[id]
			b, ok := fewer[id]
			if !ok && known && extent.Events > 0 { // No row says what one says of which no event counts.
				b, ok = sql.Answer{Profile: uint64(id), Due: math.MaxInt64}, true
			}
			if part[id] == nil && fewer[id] != (sql.Answer{}) || part[id] != nil && known && (!ok || b != a) {
				t.Fatalf("profile %s among some, %+v: %+v, among all %+v\n%s\n%s", id, extent, b, a, few.SQL, few.Events.SQL)
			}
		}
	}
	for id, p := range people {
		a, known := answers[id]
		if !known {
			a = sql.Answer{Mask: all.Nobody, Due: math.MaxInt64}
		}
		for i, d := range ds {
			want := o.holds(p, d.Root)
			if got := a.Held.Has(i); got != want {
				text, _ := d.MarshalJSON()
				t.Fatalf("profile %s: %s is %t, want %t", id, text, got, want)
			}
			for n, leaf := range d.Leaves() {
				if got := all.Holds(i, a.Mask)>>n&1 == 1; known && got != o.holds(p, leaf) {
					t.Fatalf("profile %s: leaf %d of definition %d is %t", id, n, i, got)
				}
			}
			changes += o.until(t, p, d, want, a.Due)
		}
	}
	return changes
}

// until fails where a definition is another before its due time, and returns 1 where
// it is another then.
func (o *oracle) until(t *testing.T, p *person, d segments.Definition, want bool, due int64) int {
	t.Helper()
	far := now.Add(10 * 24 * time.Hour)
	at := far
	if due != math.MaxInt64 {
		at = time.UnixMilli(due).UTC()
	}
	for _, then := range []time.Time{at.Add(-time.Millisecond), now.Add(at.Sub(now) / 2).Truncate(time.Millisecond)} {
		if !then.After(now) {
			continue
		}
		later := *o
		later.now = then
		if later.holds(p, d.Root) != want {
			text, _ := d.MarshalJSON()
			t.Fatalf("profile %s, due %s: %s is no longer %t at %s", p.id, at, text, want, then)
		}
	}
	later := *o
	later.now = at
	if due != math.MaxInt64 && later.holds(p, d.Root) != want {
		return 1
	}
	return 0
}

// TestGroups fits definitions into queries: each is in one, and none has more leaves
// than bits.
func TestGroups(t *testing.T) {
	leaf := func(n int) segments.Node {
		return segments.HasIdentifier{Namespace: identity.Namespace(fmt.Sprint("n", n))}
	}
	var ds []segments.Definition
	for n := range 100 {
		ds = append(ds, segments.Definition{Root: segments.All{leaf(n), leaf(n + 1), leaf(0)}})
	}
	groups, err := sql.Groups(ds, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) != 2 {
		t.Errorf("%d groups for 101 different leaves, want 2", len(groups))
	}
	if all := slices.Concat(groups...); len(all) != 100 || !slices.IsSorted(all) {
		t.Errorf("the groups are not the definitions in order: %v", all)
	}
	for _, g := range groups {
		some := ds[g[0] : g[len(g)-1]+1]
		if _, err := sql.CompileSet(some, ruleTable(), "main", now, sql.Extent{}, warehouse.Reading{}); err != nil {
			t.Error(err)
		}
	}
	if _, err := sql.CompileSet(ds, ruleTable(), "main", now, sql.Extent{}, warehouse.Reading{}); err == nil {
		t.Error("too many leaves were compiled")
	}
}
