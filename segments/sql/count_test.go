package sql_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// extremes are events that are counted wrong where sums have 64 bits, and days are found
// by cutting off, with leaves that tell.
func extremes() (events []clickhousetest.Event, leaves []segments.Definition) {
	add := func(who, name string, at time.Time, price float64) {
		events = append(events, clickhousetest.Event{
			MessageID: fmt.Sprintf("extreme-%d", len(events)), Name: name, Kind: "behaviour", Time: at,
			Identifiers: []string{who}, Properties: map[string]any{"price": price},
		})
	}
	for _, sign := range []float64{1, -1} {
		who := fmt.Sprintf("user_id:rich%g", sign)
		for range 3 {
			add(who, "Huge", now.Add(-time.Hour), sign*1e15)
		}
		add(who, "Huge", now.Add(-time.Hour), 2.5)
		add(who, "Huge", now.Add(-time.Hour), sign*1.1e15) // Is passed over.
	}
	add("user_id:old", "Old", time.Date(1969, 12, 31, 1, 0, 0, 0, time.UTC), 0)
	add("user_id:old", "Old", time.Date(1970, 1, 1, 1, 0, 0, 0, time.UTC), 0)
	add("user_id:fine", "Fine", now.Add(-time.Hour), .12345)
	for _, leaf := range []segments.Event{
		{Name: "Huge", Measure: measured(segments.Sum, segments.Gt, 2.9e15)},
		{Name: "Huge", Measure: measured(segments.Sum, segments.Lt, -2.9e15)},
		{Name: "Huge", Measure: measured(segments.Average, segments.Gt, 7e14)},
		{Name: "Huge", Measure: measured(segments.Max, segments.Gt, 1e15)},
		{Name: "Huge", Measure: measured(segments.Min, segments.Gte, -1e15)},
		{Name: "Old", Measure: segments.Measured{Aggregate: segments.Days, Is: segments.Comparison{{Op: segments.Eq, Value: 2}}}},
		{Name: "Fine", Measure: measured(segments.Sum, segments.Eq, .1234)},
		{Name: "Fine", Measure: measured(segments.Sum, segments.Eq, .1235)},
		{Name: "Fine", Where: []segments.Property{{Path: []string{"price"}, Test: segments.Test{Op: segments.Gt, Values: []segments.Scalar{{Kind: segments.Number, Number: 0}}}}}},
	} {
		leaves = append(leaves, segments.Definition{Root: leaf})
	}
	return events, leaves
}

func measured(a segments.Aggregate, op segments.Op, value float64) segments.Measured {
	return segments.Measured{Aggregate: a, Of: []string{"price"}, Is: segments.Comparison{{Op: op, Value: value}}}
}

// TestCountedEventsAgreeWithOracle asks for leaves of events alone, which are counted
// outside of the server, while one person is restricted.
func TestCountedEventsAgreeWithOracle(t *testing.T) {
	m := seeded(t, 9)
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	o := m.history(w, 60)
	more, definitions := extremes()
	for _, e := range more {
		w.Person(e.Identifiers...)
		o.events = append(o.events, e)
		w.Add(e)
	}
	w.Flush(t.Context())
	restricted := w.Key("anonymous_id:a7")
	if err := conn.Exec(t.Context(), "INSERT INTO restrictions (workspace, identifier_id, revision, restricted, changed_at) VALUES ('main', ?, 1, true, ?)", uint64(restricted), now); err != nil {
		t.Fatal(err)
	}
	people := o.people()
	for range testCount(t, 400) {
		d, members := segments.Definition{}, 0
		for tries := 0; tries < 4 && (members == 0 || members == len(people)); tries++ {
			e := m.Event()
			e.Pick = ""
			d.Root = e
			members = len(o.members(d))
		}
		definitions = append(definitions, d)
	}
	var asked []uint64
	for id := range people {
		asked = append(asked, uint64(id))
	}
	carrying, err := sql.WithAsked(t.Context(), asked, o.anchors(), o.anchors())
	if err != nil {
		t.Fatal(err)
	}
	reading, err := warehouse.ReadingNow(t.Context(), conn, "main")
	if err != nil {
		t.Fatal(err)
	}
	groups, err := sql.Groups(definitions, sql.MaxWords)
	if err != nil {
		t.Fatal(err)
	}
	deciding, counted := 0, 0
	for _, group := range groups {
		some := make([]segments.Definition, len(group))
		for i, place := range group {
			some[i] = definitions[place]
		}
		set, err := sql.CompileSet(some, ruleTable(), "main", now, sql.Extent{Some: true, Events: 1_000_000}, reading)
		if err != nil {
			t.Fatal(err)
		}
		if set.Events.SQL != "" {
			counted++
		}
		answers := readSet(carrying, t, conn, set, true)
		for i, d := range some {
			members := 0
			for id, p := range people {
				a, known := answers[id]
				if id == identity.ProfileID(restricted) {
					if known {
						t.Fatalf("somebody restricted is evaluated: %+v", a)
					}
					continue
				}
				if got, want := known && a.Held.Has(i), o.holds(p, d.Root); got != want {
					text, _ := d.MarshalJSON()
					t.Fatalf("profile %s: %s is %t, want %t\n%s\n%v", id, text, got, want, set.Events.SQL, set.Events.Parameters)
				} else if got {
					members++
				}
			}
			if members > 0 && members < len(people)-1 {
				deciding++
			}
		}
	}
	t.Logf("%d definitions in %d groups, %d select some and not all of %d people", len(definitions), len(groups), deciding, len(people))
	if counted != len(groups) || deciding < len(definitions)/3 {
		t.Errorf("%d of %d groups were counted, %d definitions select some and not all", counted, len(groups), deciding)
	}
}

// TestTooManyEventsAreNotCounted ends reading when there are more events than the set may
// read; its query asks for one more at most.
func TestTooManyEventsAreNotCounted(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	id := w.Person("user_id:1")
	for n := range 5 {
		w.Add(clickhousetest.Event{MessageID: fmt.Sprint(n), Name: "View", Time: now.Add(-time.Hour), Identifiers: []string{"user_id:1"}})
	}
	w.Flush(t.Context())
	for most, want := range map[int]error{4: sql.ErrManyEvents, 5: nil} {
		set, err := sql.CompileSet([]segments.Definition{parse(t, `{"event":"View","count":{"gte":5}}`)}, ruleTable(), "main", now, sql.Extent{Some: true, Events: most}, warehouse.Reading{})
		if err != nil {
			t.Fatal(err)
		}
		carrying, err := sql.WithAsked(t.Context(), []uint64{uint64(id)}, []uint64{uint64(w.Key("user_id:1"))}, []uint64{0})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := conn.Query(clickhouse.Context(carrying, clickhouse.WithParameters(set.Events.Parameters)), set.Events.SQL)
		if err != nil {
			t.Fatal(err)
		}
		collected, read := set.Collect(), 0
		for err = nil; err == nil && rows.Next(); read++ {
			err = collected.Event(rows)
		}
		_ = rows.Close()
		if !errors.Is(err, want) || read > most+1 {
			t.Errorf("%d of 5 events may be counted: %v after %d", most, err, read)
		}
		if a := collected.Answers()[uint64(id)]; want == nil && !a.Held.Has(0) {
			t.Errorf("five events are not five: %+v", a)
		}
	}
}
