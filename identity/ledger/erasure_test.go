package ledger

import (
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// erased is what erasures took of a kind, with their times.
func (w *world) erased(workspace, what string) map[uint64]int64 {
	return once(w, func(l *looked) map[[2]string]map[uint64]int64 { return l.erased }, [2]string{workspace, what},
		func() map[uint64]int64 { return w.readErased(workspace, what) })
}

func (w *world) readErased(workspace, what string) map[uint64]int64 {
	w.t.Helper()
	all := map[uint64]int64{}
	var id uint64
	var at int64
	err := w.ledger(nil).store.each(w.t.Context(), `SELECT id, toUnixTimestamp64Milli(max(erased_at)) FROM identity_erasures
		WHERE workspace = {workspace:String} AND what = {what:String} GROUP BY id`,
		named("workspace", workspace, "what", what), []any{&id, &at}, func() error {
			all[id] = at
			return nil
		})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

var (
	cookie  = id(identity.AnonymousID, "family")
	anaHome = id(identity.Landline, "+351210000001")
	street  = id(identity.Address, "1 rua do sol")
)

// family is a world of two people with a tablet and a cookie between them, and of
// somebody who claims Ana's address.
func family(t *testing.T, db driver.Conn) *world {
	w := newWorld(t, db, firstSeed)
	w.whole = true
	at := testNow.Add(-240 * time.Hour)
	see := func(source string, ids ...identity.Identifier) {
		at = at.Add(time.Hour)
		w.send(evidenceOf(w.workspaces[0], source, at, at, ids...))
	}
	see("crm", ana, anaMail)
	see("crm", ana, anaWeb)
	see("crm", anaMail, anaPhone)
	see("crm", ana, tablet)
	see("crm", ana, cookie)
	see("crm", bob, cookie)
	see("crm", bob, tablet)
	see("crm", bob, bobMail)
	see("crm", tablet)
	see("crm", ana, anaHome)
	see("crm", ana, street)
	see("crm", bob, street)
	see("crm", cookie)
	see("web", id(identity.UserID, "mallory"), anaMail)
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	return w
}

func eraseBy(i identity.Identifier) identity.Command {
	return identity.Command{Kind: identity.Erase, Identifiers: []identity.Identifier{i}}
}

// mustBeGone checks that what is Ana's alone is nobody's, and what she shared is
// Bob's.
func (w *world) mustBeGone(when string) {
	w.t.Helper()
	r := w.published(w.workspaces[0])
	for _, i := range []identity.Identifier{ana, anaMail, anaWeb, anaPhone} {
		if p := w.profile(i); p != identity.ProfileID(w.key(i)) {
			w.t.Fatalf("%s: a profile holds %s", when, i.Namespace)
		}
	}
	for _, i := range []identity.Identifier{tablet, cookie, bobMail} {
		if w.profile(i) != w.profile(bob) {
			w.t.Fatalf("%s: what Ana and Bob shared is not Bob's: %s", when, i.Namespace)
		}
	}
	keyer := identity.NewKeyer(identity.Secret{1}, w.workspaces[0])
	gone := w.erased(w.workspaces[0], erasedIdentifier)
	if gone[uint64(w.key(anaHome))] == 0 || gone[uint64(w.key(street))] != 0 {
		w.t.Fatalf("%s: of two household values the one of Ana alone must go", when)
	}
	for _, set := range [][]identity.Identifier{{ana, tablet}, {ana, cookie}, {ana, anaMail}, {anaMail, anaPhone}} {
		members, _ := keyer.Members(set)
		if k := r.owner[keyer.Anchor(members)]; k != 0 {
			w.t.Fatalf("%s: what Ana did is somebody's", when)
		}
	}
	w.mustCheck(when)
}

// TestErase: by a cookie the whole person goes, at once, and nothing that comes again
// brings her back: the same evidence, the ledger loaded anew, the topic from its start.
func TestErase(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := family(t, warehousetest.NewTestDatabase(t))
	l, _ := w.live()
	try := eraseBy(anaWeb)
	try.ID, try.Workspace, try.Actor = "try", w.workspaces[0], "ops"
	trial, err := l.TryCommand(t.Context(), try)
	if err != nil || trial.Erasure == nil || len(trial.Erasure.Erased) != 5 || len(trial.Erasure.Shared) != 2 || len(trial.Erasure.Anchors) != 5+7 {
		t.Fatalf("dry run: %+v, %v", trial.Erasure, err)
	}
	if w.profile(anaMail) == identity.ProfileID(w.key(anaMail)) && w.profile(ana) == identity.ProfileID(w.key(ana)) {
		t.Fatal("the dry run erased")
	}
	w.must(eraseBy(anaWeb))
	w.mustBeGone("after the erasure")
	rows := func() (n uint64) {
		keys := []uint64{uint64(w.key(ana)), uint64(w.key(anaMail)), uint64(w.key(anaWeb)), uint64(w.key(anaPhone))}
		if err := w.db.QueryRow(t.Context(), "SELECT count() FROM identifiers WHERE identifier_id IN (?)", keys).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	were := rows()
	w.again()
	w.mustBeGone("after the same evidence came again")
	if n := rows(); n != were {
		t.Errorf("%d rows of her identifiers became %d", were, n)
	}
	w.topic.offset = 0
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	w.mustBeGone("after the topic was read from its start")
	if out := w.do(eraseBy(ana)); out.Code != identity.RefusedUnknown {
		t.Errorf("who is gone is erased again: %+v", out)
	}
	if out := w.do(identity.Command{Kind: identity.Undo, Target: "cmd-1"}); out.Code != identity.RefusedMalformed {
		t.Errorf("an erasure was undone: %+v", out)
	}
	told := map[uint64]bool{}
	for _, n := range w.notebook.notices {
		for _, c := range n.Changes {
			if c.Kind == identity.ChangedGone {
				told[c.Subject] = true
			}
		}
	}
	if len(told) != 5 {
		t.Errorf("%d of 5 identifiers had the notice that they are gone", len(told))
	}
}

// TestEraseRefused: nobody is erased by what others were seen with too.
func TestEraseRefused(t *testing.T) {
	w := family(t, warehousetest.NewTestDatabase(t))
	for _, c := range []struct {
		by   identity.Identifier
		code identity.RefusalCode
	}{
		{tablet, identity.RefusedShared},
		{cookie, identity.RefusedShared},
		{id(identity.Email, "nobody@x.example"), identity.RefusedUnknown},
		{id(identity.Email, "guest"), identity.RefusedUnknown},
	} {
		if out := w.do(eraseBy(c.by)); out.Code != c.code {
			t.Errorf("erase by %s: %+v, want %s", c.by.Namespace, out, c.code)
		}
	}
	w.mustCheck("after refusals")
	if n := len(w.erased(w.workspaces[0], erasedIdentifier)); n != 0 {
		t.Errorf("%d identifiers were erased", n)
	}
}

// TestSignUpAfterErasure: who comes again starts from nothing, and the past stays out
// also then.
func TestSignUpAfterErasure(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := family(t, warehousetest.NewTestDatabase(t))
	w.must(eraseBy(ana))
	at := testNow.Add(time.Hour)
	w.send(evidenceOf(w.workspaces[0], "crm", at, at, ana, anaWeb), evidenceOf(w.workspaces[0], "crm", at, at, ana))
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	back := func(when string) {
		t.Helper()
		if w.profile(ana) != w.profile(anaWeb) || w.profile(anaMail) == w.profile(ana) || w.profile(tablet) != w.profile(bob) {
			t.Fatalf("%s: Ana came back with more or less than she brought", when)
		}
		keyer := identity.NewKeyer(identity.Secret{1}, w.workspaces[0])
		members, _ := keyer.Members([]identity.Identifier{ana, anaWeb})
		if k := w.published(w.workspaces[0]).owner[keyer.Anchor(members)]; k != w.key(ana) {
			t.Fatalf("%s: what she does now is not hers", when)
		}
		w.mustCheck(when)
	}
	back("after she signed up again")
	w.again()
	back("after all came again")
	var early uint64
	err := w.db.QueryRow(t.Context(), `SELECT count() FROM anchors WHERE first_received > ?`, testNow).Scan(&early)
	if err != nil || early != 1 {
		t.Errorf("%d sets have rows of after the erasure (%v), want 1", early, err)
	}
}

// TestEraseSurvivesCrashes stops the owner before each step of the command.
func TestEraseSurvivesCrashes(t *testing.T) {
	db := warehousetest.NewTestDatabase(t)
	for _, at := range []string{"start flips", "erasure", "reading", "version", "outcome", "notices"} {
		w := family(t, db)
		c := w.ask(eraseBy(anaWeb))
		begun := false
		err := w.own(func(step string) error {
			if begun = begun || step == "command"; begun && step == at {
				return errCrash
			}
			return nil
		})
		if err == nil {
			t.Fatalf("an erasure has no step %s", at)
		}
		if err := w.own(nil); err != nil {
			t.Fatal(err)
		}
		if out := w.outcome(c); out.Code != "" {
			t.Fatalf("outcome after a crash at %s: %+v", at, out)
		}
		w.mustBeGone("after a crash before " + at)
	}
}

// TestEraseSpans: what happened to a phone while it was hers is erased with her, and
// what happened to it since is his.
func TestEraseSpans(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := newWorld(t, warehousetest.NewTestDatabase(t), firstSeed)
	w.whole = true
	see := func(daysAgo int, ids ...identity.Identifier) {
		at := testNow.Add(-time.Duration(daysAgo) * 24 * time.Hour)
		w.send(evidenceOf(w.workspaces[0], "crm", at, at, ids...))
	}
	see(700, ana, anaPhone)
	see(690, anaPhone)
	see(100, bob, anaPhone)
	see(90, anaPhone, bobMail)
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	if w.profile(anaPhone) != w.profile(bob) {
		t.Fatal("the phone is not his")
	}
	w.must(eraseBy(ana))
	spans := w.erased(w.workspaces[0], erasedSpan)
	if len(spans) != 1 || spans[uint64(w.key(anaPhone))] == 0 {
		t.Errorf("erased times: %v", spans)
	}
	var within uint64
	err := w.db.QueryRow(t.Context(), `SELECT countIf(since < ? AND until > ? AND until <= ?) FROM identity_erasures WHERE what = 'span'`,
		testNow.Add(-700*24*time.Hour), testNow.Add(-690*24*time.Hour), testNow.Add(-100*24*time.Hour)).Scan(&within)
	if err != nil || within != 1 {
		t.Errorf("the time is not that of her tenure: %d, %v", within, err)
	}
	w.mustCheck("after the erasure")
}
