package ledger

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

func id(namespace identity.Namespace, value string) identity.Identifier {
	return identity.Identifier{Namespace: namespace, Value: value}
}

// mailbox is a world with an e-mail that decides five sets.
func mailbox(t *testing.T, w *world) (email identity.Key) {
	t.Helper()
	at := testNow.Add(-24 * time.Hour)
	for i := range 5 {
		e := evidenceOf(w.workspaces[0], "crm", at, at, id(identity.Email, "desk@shop.example"), id(identity.AnonymousID, fmt.Sprint("a", i)))
		email = e.Members[0].Key
		w.send(e)
	}
	return email
}

// crowd makes the e-mail generic: three users share it.
func crowd(w *world) {
	at := testNow.Add(-time.Hour)
	for i := range 3 {
		w.send(evidenceOf(w.workspaces[0], "crm", at, at, id(identity.Email, "desk@shop.example"), id(identity.UserID, fmt.Sprint("u", i))))
	}
}

// TestFlip makes an e-mail generic and stops the owner before each step of the
// two flushes that follow: its sets are decided again in any case, two in a
// flush or all of them. The first four steps are those of the start.
func TestFlip(t *testing.T) {
	db := warehousetest.Shared(t)
	for _, sets := range []int{2, 100} {
		const last, least = 16, 10
		first, by := strides(t)
		for stop, ended := 4+first, false; stop <= last && !ended; stop += by {
			w := newWorld(t, db, firstSeed)
			w.cfg.FlipSets, w.whole = sets, true
			steps := flipStopped(t, w, stop)
			ended = len(steps) <= stop
			if ended && stop < least {
				t.Errorf("with %d sets a flush, the flip took only the steps %v", sets, steps)
			}
			if err := w.check(); err != nil {
				t.Fatalf("with %d sets a flush, stopped after %v: %v", sets, steps, err)
			}
			o := newOwner(w.ledger(nil), w.topic.join())
			if err := o.start(t.Context()); err != nil || o.flipping() {
				t.Fatalf("with %d sets a flush, stopped after %v: a later owner starts the flip again (%v)", sets, steps, err)
			}
		}
	}
}

// flipStopped stops the owner before a step, the first being 0, and lets another
// one end the work. It returns the steps up to there.
func flipStopped(t *testing.T, w *world, stop int) (steps []string) {
	t.Helper()
	mailbox(t, w)
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	crowd(w)
	err := w.own(func(name string) error {
		steps = append(steps, name)
		if len(steps) > stop {
			return errCrash
		}
		return nil
	})
	if err == nil {
		return steps
	}
	if !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	return steps
}

// TestFlipDuringFlip blocks the e-mail and takes the block back while its sets
// are being decided again: they are started again.
func TestFlipDuringFlip(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	email := mailbox(t, w)
	o := newOwner(w.ledger(nil), w.topic.join())
	if err := o.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	flush := func() {
		t.Helper()
		if err := o.process(t.Context(), w.topic.log[o.offset:]); err != nil {
			t.Fatal(err)
		}
	}
	flush()
	nudge := func() { // A decision alone makes no batch.
		at := testNow.Add(-time.Minute)
		w.send(evidenceOf(w.workspaces[0], "crm", at, at, id(identity.Card, "x")))
	}
	sp := o.spaces[w.workspaces[0]]
	sp.graph.Decide(identity.Decision{Kind: identity.Block, A: email, On: true, At: 1, ID: "1"})
	nudge()
	flush()
	if err := w.check(); err == nil {
		t.Fatal("blocking the e-mail decided no set again")
	}
	if !o.flipping() {
		t.Fatal("all sets were decided again in one flush")
	}
	sp.graph.Decide(identity.Decision{Kind: identity.Block, A: email, On: false, At: 2, ID: "2"})
	nudge()
	for flush(); o.flipping(); {
		flush()
	}
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
}
