package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

var (
	ana      = id(identity.UserID, "ana")
	anaMail  = id(identity.Email, "ana@shop.example")
	anaPhone = id(identity.Phone, "+351900000001")
	anaWeb   = id(identity.AnonymousID, "ana-web")
	bob      = id(identity.UserID, "bob")
	bobMail  = id(identity.Email, "bob@shop.example")
	tablet   = id(identity.Device, "tablet")
)

// couple is a world in which a tablet holds what Ana and Bob did together, and
// Bob has an account of his own that the tablet never saw.
func couple(w *world) {
	at := testNow.Add(-240 * time.Hour)
	see := func(ids ...identity.Identifier) {
		at = at.Add(time.Hour)
		w.send(evidenceOf(w.workspaces[0], "crm", at, at, ids...))
	}
	see(ana, anaMail)
	see(ana, anaWeb)
	see(anaMail, anaPhone)
	see(ana, tablet)
	see(tablet, bobMail)
	see(ana, bobMail) // the mistake
	see(bob, id(identity.AnonymousID, "bob-web"))
}

// coupled returns such a world, with its evidence processed.
func coupled(t *testing.T) *world {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	w.whole = true
	couple(w)
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) mustCheck(what string) {
	w.t.Helper()
	if err := w.check(); err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
}

// again sends all evidence of the world once more.
func (w *world) again() {
	w.t.Helper()
	for _, name := range w.workspaces {
		w.send(w.sent[name]...)
	}
	if err := w.own(nil); err != nil {
		w.t.Fatal(err)
	}
}

// TestUnmergeSurvives: after an unmerge the two stay apart when the same events
// come again, when the ledger is loaded anew, when the topic is read from its
// start, and when new evidence speaks of the same pairs.
func TestUnmergeSurvives(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := coupled(t)
	if w.profile(bobMail) != w.profile(ana) {
		t.Fatal("the mistake did not merge the two")
	}
	out := w.must(identity.Command{Kind: identity.Unmerge, Identifiers: []identity.Identifier{bobMail}})
	// The pairs with Ana and with the tablet, and the cannot-link of the founders.
	if out.Pairs != 2 || out.Decisions != 3 || out.Moved != 1 {
		t.Errorf("outcome = %+v, want 2 pairs, 3 decisions, 1 moved", out)
	}
	apart := func(when string) {
		t.Helper()
		if w.profile(bobMail) == w.profile(ana) {
			t.Fatalf("together again %s", when)
		}
		if w.profile(tablet) != w.profile(ana) || w.profile(anaPhone) != w.profile(ana) {
			t.Fatalf("Ana's own are not hers %s", when)
		}
		w.mustCheck(when)
	}
	apart("after the unmerge")
	w.again()
	apart("after the same events came again")
	w.topic.offset = 0
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	apart("after the topic was read from its start")
	at := testNow.Add(-time.Minute)
	cookie := id(identity.AnonymousID, "new")
	w.send(evidenceOf(w.workspaces[0], "crm", at, at, cookie, bobMail), evidenceOf(w.workspaces[0], "crm", at, at, cookie, ana))
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	apart("after a new cookie met both")
}

// TestUndo: an undo leaves what was before the command, and an undo of the undo
// what was after it.
func TestUndo(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	for _, c := range []identity.Command{
		{Kind: identity.Unmerge, Identifiers: []identity.Identifier{bobMail, tablet}},
		{Kind: identity.Link, Identifiers: []identity.Identifier{bob, bobMail}},
		{Kind: identity.Link, Identifiers: []identity.Identifier{bob, ana}, Override: true, Reason: "one person"},
		{Kind: identity.BlockValue, Identifiers: []identity.Identifier{tablet, anaMail}},
	} {
		t.Run(string(c.Kind)+"/"+c.Identifiers[1].Value, func(t *testing.T) {
			w := coupled(t)
			if c.Kind == identity.Link && !c.Override {
				c.Override, c.Reason = true, "his address"
			}
			before := w.published(w.workspaces[0])
			first := w.must(c)
			w.mustCheck("after the command")
			after := w.published(w.workspaces[0])
			if first.Moved == 0 {
				t.Error("the command moved nobody")
			}
			back := w.must(identity.Command{Kind: identity.Undo, Target: first.ID})
			w.mustCheck("after the undo")
			if back.Decisions != first.Decisions || back.Moved != first.Moved {
				t.Errorf("undo = %+v, of %+v", back, first)
			}
			same(t, "after the undo", before, w.published(w.workspaces[0]))
			w.must(identity.Command{Kind: identity.Undo, Target: back.ID})
			w.mustCheck("after the undo of the undo")
			same(t, "after the undo of the undo", after, w.published(w.workspaces[0]))
		})
	}
}

// same compares two readings; an identifier without a row is its own profile.
func same(t *testing.T, when string, want, got reading) {
	t.Helper()
	for _, r := range []reading{want, got} {
		for k, p := range r.profile {
			if p == identity.ProfileID(k) {
				delete(r.profile, k)
			}
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(reading{})); diff != "" {
		t.Errorf("%s: %s", when, diff)
	}
}

// TestUndoInAnyOrder: what is left after undos does not depend on their order,
// and an undo does not take back what a later command decided of the same.
func TestUndoInAnyOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	for _, first := range []int{0, 1} {
		w := coupled(t)
		before := w.published(w.workspaces[0])
		unmerged := w.must(identity.Command{Kind: identity.Unmerge, Identifiers: []identity.Identifier{bobMail}})
		linked := w.must(identity.Command{
			Kind: identity.Link, Identifiers: []identity.Identifier{bobMail, ana}, Override: true, Reason: "it was hers after all",
		})
		if w.profile(bobMail) != w.profile(ana) {
			t.Fatal("a link with override did not join what was parted")
		}
		ids := []string{unmerged.ID, linked.ID}
		w.must(identity.Command{Kind: identity.Undo, Target: ids[first]})
		w.mustCheck("after the first undo")
		if first == 1 {
			at := testNow.Add(-time.Minute)
			cookie := id(identity.AnonymousID, "new")
			w.send(evidenceOf(w.workspaces[0], "crm", at, at, cookie, bobMail), evidenceOf(w.workspaces[0], "crm", at, at, cookie, ana))
			if err := w.own(nil); err != nil {
				t.Fatal(err)
			}
			if w.profile(bobMail) == w.profile(ana) {
				t.Error("without the link, the unmerge does not stand")
			}
		}
		w.must(identity.Command{Kind: identity.Undo, Target: ids[1-first]})
		w.mustCheck("after both undos")
		if first == 1 { // The cookie is new.
			if w.profile(bobMail) != w.profile(ana) {
				t.Error("with both undone, the two are apart")
			}
			continue
		}
		same(t, "after both undos", before, w.published(w.workspaces[0]))
	}
}

// TestLater: of two commands of one millisecond about the same the later one
// stands, whatever their ids.
func TestLater(t *testing.T) {
	w := coupled(t)
	apart := w.profile(tablet)
	w.must(identity.Command{ID: "z", Kind: identity.BlockValue, Identifiers: []identity.Identifier{tablet}})
	if w.profile(tablet) == apart {
		t.Fatal("a blocked value still links")
	}
	w.must(identity.Command{ID: "a", Kind: identity.UnblockValue, Identifiers: []identity.Identifier{tablet}})
	if w.profile(tablet) != apart {
		t.Error("the block stands after it was taken back")
	}
	w.mustCheck("after both")
}

// TestRefusals: every refusal says what is broken and changes nothing.
func TestRefusals(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := coupled(t)
	at := testNow.Add(-time.Hour)
	home := id(identity.Landline, "+351210000000")
	w.send(evidenceOf(w.workspaces[0], "crm", at, at, ana, id(identity.Email, "guest")), evidenceOf(w.workspaces[0], "crm", at, at, ana, home))
	w.must(identity.Command{ID: "parted", Kind: identity.Unmerge, Identifiers: []identity.Identifier{bobMail}})
	w.must(identity.Command{ID: "blocked", Kind: identity.BlockValue, Identifiers: []identity.Identifier{anaPhone}})
	w.must(identity.Command{ID: "fused", Kind: identity.Link, Identifiers: []identity.Identifier{ana, anaWeb}})
	w.must(identity.Command{ID: "undone", Kind: identity.Undo, Target: "fused"})
	w.must(identity.Command{ID: "fused2", Kind: identity.Link, Identifiers: []identity.Identifier{ana, anaMail}})
	ids := func(all ...identity.Identifier) []identity.Identifier { return all }
	tests := []struct {
		name string
		c    identity.Command
		want identity.RefusalCode
	}{
		{"unknown identifier", identity.Command{Kind: identity.Unmerge, Identifiers: ids(id(identity.Email, "eve@shop.example"))}, identity.RefusedUnknown},
		{"block of an unknown one", identity.Command{Kind: identity.BlockValue, Identifiers: ids(id(identity.Email, "eve@shop.example"))}, identity.RefusedUnknown},
		{"unknown target", identity.Command{Kind: identity.Undo, Target: "nothing"}, identity.RefusedUnknown},
		{"two profiles", identity.Command{Kind: identity.Unmerge, Identifiers: ids(ana, bob)}, identity.RefusedNotMerged},
		{"all leave", identity.Command{Kind: identity.Unmerge, Identifiers: ids(bobMail)}, identity.RefusedWhole},
		{"fused already", identity.Command{Kind: identity.Link, Identifiers: ids(ana, anaMail)}, identity.RefusedMerged},
		{"two persons", identity.Command{Kind: identity.Link, Identifiers: ids(ana, bob)}, identity.RefusedLimit},
		{"parted before", identity.Command{Kind: identity.Link, Identifiers: ids(ana, bobMail)}, identity.RefusedCannotLink},
		{"blocked by a decision", identity.Command{Kind: identity.Link, Identifiers: ids(bob, anaPhone)}, identity.RefusedBlocked},
		{"blocked by the rules", identity.Command{Kind: identity.Link, Identifiers: ids(ana, id(identity.Email, "guest"))}, identity.RefusedBlocked},
		{"household", identity.Command{Kind: identity.Link, Identifiers: ids(ana, home)}, identity.RefusedMalformed},
		{"blocked twice", identity.Command{Kind: identity.BlockValue, Identifiers: ids(anaPhone)}, identity.RefusedStanding},
		{"blocked by the rules, blocked", identity.Command{Kind: identity.BlockValue, Identifiers: ids(id(identity.Email, "guest"))}, identity.RefusedStanding},
		{"blocked by the rules, unblocked", identity.Command{Kind: identity.UnblockValue, Identifiers: ids(id(identity.Email, "guest"))}, identity.RefusedStanding},
		{"not blocked", identity.Command{Kind: identity.UnblockValue, Identifiers: ids(ana)}, identity.RefusedStanding},
		{"one of two blocked", identity.Command{Kind: identity.BlockValue, Identifiers: ids(ana, anaPhone)}, identity.RefusedStanding},
		{"undone already", identity.Command{Kind: identity.Undo, Target: "fused"}, identity.RefusedStanding},
	}
	before, decisions := w.published(w.workspaces[0]), len(w.decisions(w.workspaces[0]))
	for _, test := range tests {
		out := w.do(test.c)
		if out.Code != test.want || out.Detail == "" || out.Decisions+out.Pairs+out.Moved != 0 {
			t.Errorf("%s: %+v, want %s", test.name, out, test.want)
		}
	}
	if n := len(w.decisions(w.workspaces[0])); n != decisions {
		t.Errorf("refusals made %d decisions", n-decisions)
	}
	same(t, "after refusals", before, w.published(w.workspaces[0]))
	w.mustCheck("after refusals")
}

// TestMalformed: what is no command is a dead letter, and one that can be
// answered is refused as well.
func TestMalformed(t *testing.T) {
	w := coupled(t)
	for _, value := range []string{
		`{"id":"cut", "workspace":"` + w.workspaces[0],
		`{}`,
		`{"id":"typed","workspace":"` + w.workspaces[0] + `","kind":7}`,
		`{"id":"kind","workspace":"` + w.workspaces[0] + `","kind":"sing","actor":"a"}`,
		`{"id":"actor","workspace":"` + w.workspaces[0] + `","kind":"undo","target":"x"}`,
		`{"id":"reason","workspace":"` + w.workspaces[0] + `","kind":"undo","target":"x","actor":"a","override":true}`,
		`{"id":"one","workspace":"` + w.workspaces[0] + `","kind":"link","actor":"a","identifiers":[{"Namespace":"email","Value":"x"}]}`,
		`{"id":"twice","workspace":"` + w.workspaces[0] + `","kind":"block","actor":"a","identifiers":[{"Namespace":"email","Value":"x"},{"Namespace":"email","Value":"x"}]}`,
		`{"id":"space","workspace":"` + w.workspaces[0] + `","kind":"block","actor":"a","identifiers":[{"Namespace":"E mail","Value":"x"}]}`,
	} {
		w.askRaw(w.workspaces[0], []byte(value))
	}
	w.ask(identity.Command{ID: "foreign", Workspace: "elsewhere", Kind: identity.Undo, Target: "x"})
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	for _, answered := range []string{"typed", "kind", "actor", "reason", "one", "twice", "space"} {
		if out := w.outcome(answered); out.Code != identity.RefusedMalformed || out.Detail == "" {
			t.Errorf("%s: %+v", answered, out)
		}
	}
	reasons := map[Reason]int{}
	for _, r := range w.bin.rejections {
		reasons[r.Reason]++
	}
	if diff := cmp.Diff(map[Reason]int{ReasonCommand: 9, ReasonForeign: 1}, reasons); diff != "" {
		t.Error(diff)
	}
	w.mustCheck("after malformed commands")
}

// TestCommandOnce: a command that comes again does nothing, whatever it says by
// then, also where it was refused.
func TestCommandOnce(t *testing.T) {
	w := coupled(t)
	c := identity.Command{ID: "one", Kind: identity.Unmerge, Identifiers: []identity.Identifier{bobMail}}
	first := w.must(c)
	w.must(identity.Command{Kind: identity.Undo, Target: "one"})
	before := w.published(w.workspaces[0])
	c.Identifiers = []identity.Identifier{tablet}
	if again := w.do(c); again != first {
		t.Errorf("outcome of a repeated command: %+v, was %+v", again, first)
	}
	same(t, "after the repetition", before, w.published(w.workspaces[0]))
	refused := w.do(identity.Command{ID: "two", Kind: identity.Undo, Target: "three"})
	w.must(identity.Command{ID: "three", Kind: identity.BlockValue, Identifiers: []identity.Identifier{tablet}})
	if again := w.do(identity.Command{ID: "two", Kind: identity.Undo, Target: "three"}); again != refused {
		t.Errorf("outcome of a repeated command: %+v, was %+v", again, refused)
	}
	if w.profile(tablet) != identity.ProfileID(w.key(tablet)) {
		t.Error("a command that was refused was done when it came again")
	}
	w.mustCheck("after the repetitions")
}
