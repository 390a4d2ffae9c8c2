package features

import (
	"context"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestLaterMergeTellsNothing plants what only the identity of today knows: a visitor
// looks at the prices, and is found out to be a customer by the order that is to be
// foretold.
func TestLaterMergeTellsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	w.ChangedAt = before(300)
	w.Add(
		clickhousetest.Event{MessageID: "1", Name: "Prices", Time: before(3), Identifiers: []string{"anonymous_id:a"}},
		clickhousetest.Event{MessageID: "2", Name: "Opened", Time: before(9), Identifiers: []string{"email:ana@example.com"}},
	)
	w.Flush(t.Context())
	ana := w.Person("email:ana@example.com", "anonymous_id:a")
	w.ChangedAt = before(-2)
	w.Add(clickhousetest.Event{
		MessageID: "3", Kind: "transaction", Name: "Order Completed", Time: before(-2), Identifiers: []string{"email:ana@example.com", "anonymous_id:a"},
		Order: &clickhousetest.Order{Type: "order", ID: "o", Status: "completed", Amount: "5", Currency: "EUR"},
	})
	w.Flush(t.Context())
	r, err := New(Deps{Conn: conn})
	if err != nil {
		t.Fatal(err)
	}
	c := Catalogue{Events: []string{"Prices"}, Currency: "EUR"}
	place := slices.Index(c.Names(), "count_90d[Prices]")
	prices := func(r *Reader, at time.Time, k Knowledge) float32 {
		return rowsOf(t, r, Request{Workspace: "main", AsOf: at, Knowledge: k, Catalogue: c})[ana][place]
	}
	if n := prices(r, moment, Received); n != 0 {
		t.Errorf("before the merge she had looked at the prices %v times", n)
	}
	if n := prices(r, before(-3), Received); n != 1 {
		t.Errorf("after the merge she had looked at the prices %v times", n)
	}
	if n := prices(r, moment, EventTime); n != 1 {
		t.Errorf("by the identity of today she had looked at the prices %v times", n)
	}
	// Identity by the evidence of then, where there is somebody to ask.
	r.deps.Then = func(_ context.Context, _ string, at time.Time) (iter.Seq2[identity.Key, identity.ProfileID], error) {
		then := map[identity.Key]identity.ProfileID{w.Key("email:ana@example.com"): ana, w.Key("anonymous_id:a"): identity.ProfileID(w.Key("anonymous_id:a"))}
		if !at.Before(before(-2)) {
			then[w.Key("anonymous_id:a")] = ana
		}
		return maps.All(then), nil
	}
	if n, later := prices(r, moment, EventTime), prices(r, before(-3), EventTime); n != 0 || later != 1 {
		t.Errorf("by the evidence of then she had looked at the prices %v times, and %v later", n, later)
	}
	did, err := r.Did(t.Context(), "main", "", Window{moment, before(-3)})
	if err != nil || !maps.Equal(did, map[identity.ProfileID]bool{ana: true}) {
		t.Errorf("who bought is %v (%v)", did, err)
	}
	if did, err = r.Did(t.Context(), "main", "", Window{moment, before(-2)}); err != nil || len(did) != 0 {
		t.Errorf("who bought before is %v (%v)", did, err)
	}
	if did, err = r.Did(t.Context(), "main", "Prices", Window{before(3), moment}); err != nil || !did[ana] {
		t.Errorf("who looked at the prices is %v (%v)", did, err)
	}
}

// TestLeftOut asks for the rows of people who were erased, or restricted.
func TestLeftOut(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	for _, id := range []string{"email:gone@example.com", "email:kept@example.com", "email:closed@example.com"} {
		w.Add(clickhousetest.Event{MessageID: id, Name: "A", Time: before(3), Identifiers: []string{id}})
	}
	w.Flush(t.Context())
	gone, kept := identity.ProfileID(w.Key("email:gone@example.com")), identity.ProfileID(w.Key("email:kept@example.com"))
	w.Erase(t.Context(), gone, before(1), "email:gone@example.com")
	w.Flush(t.Context())
	if err := conn.Exec(t.Context(), "INSERT INTO restrictions (workspace, identifier_id, revision, restricted, changed_at) VALUES ('main', ?, 1, true, ?)",
		uint64(w.Key("email:closed@example.com")), before(-1)); err != nil {
		t.Fatal(err)
	}
	r, err := New(Deps{Conn: conn})
	if err != nil {
		t.Fatal(err)
	}
	q := Request{Workspace: "main", AsOf: moment, Knowledge: Received}
	if got := slices.Collect(maps.Keys(rowsOf(t, r, q))); !slices.Equal(got, []identity.ProfileID{kept}) {
		t.Errorf("rows are of %v, want %v", got, kept)
	}
	// Who comes again is somebody new.
	w.Add(clickhousetest.Event{MessageID: "again", Name: "A", Time: before(.5), Identifiers: []string{"email:gone@example.com"}})
	w.Flush(t.Context())
	if rows := rowsOf(t, r, q); len(rows[gone]) == 0 || rows[gone][slices.Index(Catalogue{}.Names(), "events")] != 1 {
		t.Errorf("the row of who came again is %v", rows[gone])
	}
	if len(rowsOf(t, r, Request{Workspace: "other", AsOf: moment, Knowledge: Received})) != 0 {
		t.Error("another workspace has rows")
	}
}

func TestCatalogue(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	for i, name := range []string{"Target", "Target", "Target", "B", "B", "A"} {
		w.Add(clickhousetest.Event{MessageID: name + time.Duration(i).String(), Name: name, Time: before(float64(9 - i)), Identifiers: []string{"email:a@example.com"}})
	}
	w.Add(clickhousetest.Event{MessageID: "late", Name: "Late", Time: before(3), Received: before(-1), Identifiers: []string{"email:a@example.com"}})
	w.Flush(t.Context())
	r, err := New(Deps{Conn: conn})
	if err != nil {
		t.Fatal(err)
	}
	not := func(name, _ string) bool { return name == "Target" }
	c, err := r.Catalogue(t.Context(), "main", moment, Received, not)
	if err != nil || !cmp.Equal(c, Catalogue{Events: []string{"A", "B"}}) {
		t.Errorf("the catalogue is %v (%v)", c, err)
	}
	if c, err = r.Catalogue(t.Context(), "main", moment, EventTime, not); err != nil || !cmp.Equal(c.Events, []string{"A", "B", "Late"}) {
		t.Errorf("the catalogue by event time is %v (%v)", c, err)
	}
	start, err := r.Start(t.Context(), "main", Received)
	if err != nil || !start.Equal(before(9)) {
		t.Errorf("the history starts at %v (%v)", start, err)
	}
	if n, err := r.Profiles(t.Context(), "main"); err != nil || n != 1 {
		t.Errorf("%d profiles (%v)", n, err)
	}
	if names := c.Names(); len(names) != len(rowsOf(t, r, Request{Workspace: "main", AsOf: moment, Knowledge: Received, Catalogue: c})[identity.ProfileID(w.Key("email:a@example.com"))]) {
		t.Errorf("%d names are not those of a row", len(names))
	}
}
