package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestReadAhead: what is read side by side is taken in order, no more is read than
// waits to be taken, and the first fault ends it.
func TestReadAhead(t *testing.T) {
	const n = 60
	errStep := errors.New("a step failed")
	for _, failing := range []int{-1, 0, 20, n - 1} {
		var read, taken atomic.Int64
		var order []int
		var steps readAhead
		for i := range n {
			steps = append(steps, func(context.Context) (func(), error) {
				if ahead := read.Add(1) - taken.Load(); ahead > readers+1 {
					t.Errorf("%d are read ahead", ahead)
				}
				if i == failing {
					return nil, errStep
				}
				return func() { order = append(order, i); taken.Add(1) }, nil
			})
		}
		err := steps.run(t.Context())
		if failing < 0 && (err != nil || len(order) != n) || failing >= 0 && (!errors.Is(err, errStep) || len(order) > failing) {
			t.Errorf("step %d fails: %v after %d steps", failing, err, len(order))
		}
		if !slices.IsSorted(order) {
			t.Errorf("taken in the order %v", order)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	stuck := readAhead{func(ctx context.Context) (func(), error) { <-ctx.Done(); return nil, ctx.Err() }}
	if err := stuck.run(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("without time: %v", err)
	}
}

// TestLowRanges: the ranges of lesser keys have about as many of them each, leave no key
// out and none twice.
func TestLowRanges(t *testing.T) {
	const perRange, n = 1000, 50_500
	all := lowRanges(n, perRange)
	r := rand.New(rand.NewPCG(firstSeed, 3))
	found := make([]int, len(all))
	for range n {
		low := min(r.Uint64()>>1, r.Uint64()>>1)
		for i, in := range all {
			if in.from <= low && low <= in.to {
				found[i]++
			}
		}
	}
	sum := 0
	for i, in := range all {
		sum += found[i]
		if i > 0 && in.from != all[i-1].to+1 || in.to < in.from || math.Abs(float64(found[i])-n/float64(len(all))) > 6*math.Sqrt(perRange) {
			t.Errorf("range %d of %d is %x to %x, and has %d keys", i, len(all), in.from, in.to, found[i])
		}
	}
	if sum != n || all[0].from != 0 || all[len(all)-1].to != 1<<63-1 {
		t.Errorf("from %x to %x there are %d keys, want %d", all[0].from, all[len(all)-1].to, sum, n)
	}
}

// TestNamesOfLaterRanges: a reload finds namespaces and sources that no row of the
// first ranges has.
func TestNamesOfLaterRanges(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	w.whole = true
	w.send(people(w.workspaces[0], 60)...)
	at := testNow.Add(-time.Hour)
	var rare identity.Evidence // alone has its source and a namespace, and lies far from the first keys
	for i := 0; len(rare.Members) == 0 || min(rare.Members[0].Key, rare.Members[1].Key) < 1<<62; i++ {
		rare = evidenceOf(w.workspaces[0], "till", at, at, id(identity.Loyalty, fmt.Sprint("card-", i)), id(identity.Email, fmt.Sprint("buyer-", i, "@till.example")))
	}
	w.send(rare)
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	l := w.ledger(nil)
	l.store.rangeRows = 4
	o := newOwner(l, w.topic.join())
	if err := o.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	g := o.spaces[w.workspaces[0]].graph
	for _, e := range w.sent[w.workspaces[0]] {
		for _, m := range e.Members {
			if !g.Known(m.Key) {
				t.Errorf("%v is not loaded", m.Identifier)
			}
		}
	}
	if a, b := g.Profile(rare.Members[0].Key), g.Profile(rare.Members[1].Key); a != b {
		t.Errorf("a pair of a rare source is not loaded: %v and %v", a, b)
	}
	if err := w.check(); err != nil {
		t.Error(err)
	}
}

// TestPairsWithoutIdentifiers: an owner that stopped when the pairs of a flush were stored
// and their identifiers were not leaves pairs that count as soon as these are seen.
func TestPairsWithoutIdentifiers(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	ws, at := w.workspaces[0], testNow.Add(-time.Hour)
	anna, mail := id(identity.UserID, "anna"), id(identity.Email, "anna@shop.example")
	w.send(people(ws, 10)...)
	w.send(evidenceOf(ws, "crm", at, at, anna, mail))
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	a, b := memberOf(ws, anna).Key, memberOf(ws, mail).Key
	if err := w.db.Exec(t.Context(), fmt.Sprintf("DELETE FROM identifiers WHERE workspace = '%s' AND identifier_id IN (%d, %d)", ws, a, b)); err != nil {
		t.Fatal(err)
	}
	o := newOwner(w.ledger(nil), w.topic.join())
	if err := o.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	g := o.spaces[ws].graph
	if a != identity.Key(g.Profile(a)) || b != identity.Key(g.Profile(b)) {
		t.Error("a pair counts whose identifiers were not seen")
	}
	w.send(evidenceOf(ws, "crm", at, at, anna), evidenceOf(ws, "crm", at, at, mail))
	if err := o.process(t.Context(), w.topic.log[o.offset:]); err != nil {
		t.Fatal(err)
	}
	if g.Profile(a) != g.Profile(b) {
		t.Errorf("the pair of %d and %d does not count when they are seen: %d and %d", a, b, g.Profile(a), g.Profile(b))
	}
	if err := w.check(); err != nil {
		t.Error(err)
	}
}
