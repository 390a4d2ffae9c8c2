package ledger

import (
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/rulefile"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// rename gives the definition what an alias says: of two user ids, and of the
// user id that an anonymous id may be.
func (w *world) rename(g *bruteForce, e *identity.Evidence) {
	if e.Rule != "alias" || !w.rules.Rename[e.Source] || w.rules.Untrusted[e.Source] {
		return
	}
	keyer := identity.NewKeyer(identity.Secret{1}, e.Workspace)
	for _, a := range e.Members {
		for _, b := range e.Members {
			if a.Namespace != identity.UserID || b.Namespace != identity.UserID && b.Namespace != identity.AnonymousID || a.Key == b.Key {
				continue
			}
			was := keyer.Key(id(identity.UserID, b.Value))
			g.Decide(identity.Decision{Kind: identity.MustLink, A: min(a.Key, was), B: max(a.Key, was), On: true})
		}
	}
}

// aliasOf is an alias event of two identifiers.
func aliasOf(workspace, source, message string, ids ...identity.Identifier) identity.Evidence {
	at := testNow.Add(-time.Hour)
	e := evidenceOf(workspace, source, at, at, ids...)
	e.Rule, e.Witness.MessageID = identity.RuleAlias, message
	return e
}

// aliased is a world in which the CRM has renamed Ana to Anna, and a browser
// claims that Bob is Ana. Only the first of the two may say so.
func aliasedWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	w.whole = true
	couple(w)
	at := testNow.Add(-2 * time.Hour)
	w.send(evidenceOf(w.workspaces[0], "crm", at, at, anna, id(identity.Email, "anna@shop.example")))
	w.send(aliasOf(w.workspaces[0], "crm", "m-1", anna, ana), aliasOf(w.workspaces[0], "web", "m-2", bob, ana))
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	w.mustCheck("after the aliases")
	return w
}

var anna = id(identity.UserID, "anna")

func (w *world) one(a, b identity.Identifier) bool { return w.profile(a) == w.profile(b) }

// TestRename: an alias of a trusted source fuses the two, that of another does
// not; the id of the decision is that of the message, and coming again it
// changes nothing.
func TestRename(t *testing.T) {
	w := aliasedWorld(t)
	if !w.one(anna, ana) || w.one(bob, ana) {
		t.Fatal("the rename of the CRM does not hold, or that of the browser does")
	}
	before := w.published(w.workspaces[0])
	w.again()
	same(t, "after the same events came again", before, w.published(w.workspaces[0]))
	if n := len(w.decisions(w.workspaces[0])); n != 0 {
		t.Errorf("%d decisions are stored: a rename is evidence", n)
	}
	l := w.ledger(nil)
	if err := newOwner(l, w.topic.join()).start(t.Context()); err != nil {
		t.Fatal(err)
	}
	e, err := l.Why(t.Context(), w.workspaces[0], w.member(anna), w.member(ana))
	if err != nil || len(e.Path) != 1 || e.Path[0].Decision != "m-1" || e.Path[0].Evidence[0].Rule != identity.RuleAlias {
		t.Errorf("why: %+v, %v", e, err)
	}
}

func (w *world) member(i identity.Identifier) identity.Member {
	return identity.Member{Identifier: i, Key: w.key(i)}
}

// TestRenameUndone: an undo by the id of the message, an unmerge and their undos
// leave what was there before, and what stands apart stays apart when another
// alias comes.
func TestRenameUndone(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	for _, c := range []identity.Command{
		{Kind: identity.Undo, Target: "m-1"},
		{Kind: identity.Unmerge, Identifiers: []identity.Identifier{anna}},
	} {
		t.Run(string(c.Kind), func(t *testing.T) {
			w := aliasedWorld(t)
			before := w.published(w.workspaces[0])
			first := w.must(c)
			if first.Decisions == 0 || w.one(anna, ana) {
				t.Fatalf("%+v, and still one profile", first)
			}
			w.mustCheck("after it was taken back")
			later := aliasOf(w.workspaces[0], "crm", "m-3", anna, ana)
			at := testNow.Add(48 * time.Hour) // of the command
			later.Period, later.Span = identity.PeriodOf(at), evidenceOf(w.workspaces[0], "crm", at, at, anna, ana).Span
			w.send(later)
			w.again()
			if w.one(anna, ana) {
				t.Error("an alias that came later is above the operator")
			}
			if c.Kind == identity.Undo {
				if out := w.do(c); out.Code != identity.RefusedStanding {
					t.Errorf("taken back twice: %+v", out)
				}
			}
			w.must(identity.Command{Kind: identity.Undo, Target: first.ID})
			w.mustCheck("after the undo")
			if !w.one(anna, ana) {
				t.Error("the undo did not bring back the rename")
			}
			if c.Kind == identity.Unmerge {
				same(t, "after the undo", before, w.published(w.workspaces[0]))
			}
		})
	}
}

// TestRenameByRules: rules that trust another source, or let another one rename,
// hold for the whole history, and so do the rules of before when they come back.
func TestRenameByRules(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := aliasedWorld(t)
	first := w.rules
	before := w.published(w.workspaces[0])
	for i, c := range []struct {
		rename, trusted []string
		crm, web        bool
	}{
		{nil, nil, false, false},
		{[]string{"web"}, nil, false, false},
		{[]string{"web"}, []string{"web"}, false, true},
		{[]string{"crm", "web"}, []string{"web"}, true, true},
		{[]string{"crm"}, nil, true, false},
	} {
		f := fileOf(testRules())
		f.Rename, f.Trusted = c.rename, c.trusted
		out := w.do(identity.Command{Kind: identity.Redeclare, Rules: string(rulefile.FormatJSON(f)), Expected: w.version()})
		if len(c.rename) == 1 && c.rename[0] == "web" && c.trusted == nil {
			if out.Code != identity.RefusedRules {
				t.Errorf("an untrusted source renames: %+v", out)
			}
			continue
		}
		if out.Code != "" {
			t.Fatalf("rules %d: %+v", i, out)
		}
		if w.one(anna, ana) != c.crm || w.one(bob, ana) != c.web {
			t.Errorf("rules %d: anna %v, bob %v", i, w.one(anna, ana), w.one(bob, ana))
		}
		w.adopt(f)
		for _, source := range []string{"web"} {
			if c.trusted == nil {
				w.rules.Untrusted = map[string]bool{source: true}
			}
		}
		w.mustCheck("after rules")
		w.rules = first
	}
	same(t, "with the rules of before", before, w.published(w.workspaces[0]))
}

// version is that of the rules in force.
func (w *world) version() int {
	w.t.Helper()
	_, rules, _, err := w.ledger(nil).inForce(w.t.Context(), w.workspaces[0])
	if err != nil {
		w.t.Fatal(err)
	}
	return rules.Version
}

// TestRenameOfAUUID: a user id that a client took for an anonymous one is
// renamed, whenever it comes, and a user id is not renamed to itself.
func TestRenameOfAUUID(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	const uuid = "00000000-0000-4000-8000-000000000001"
	w.send(aliasOf(w.workspaces[0], "crm", "m-1", anna, id(identity.AnonymousID, uuid)))
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	at := testNow.Add(-time.Minute)
	w.send(evidenceOf(w.workspaces[0], "crm", at, at, id(identity.UserID, uuid)))
	w.send(aliasOf(w.workspaces[0], "crm", "m-2", ana, id(identity.AnonymousID, "ana")))
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	w.mustCheck("after a user id that is a UUID")
	if !w.one(anna, id(identity.UserID, uuid)) {
		t.Error("it is not renamed")
	}
	if out := w.do(identity.Command{Kind: identity.Undo, Target: "m-1"}); out.Code != "" || out.Decisions != 1 {
		t.Errorf("undo: %+v", out)
	}
	w.mustCheck("after the undo")
	if w.one(anna, id(identity.UserID, uuid)) {
		t.Error("it is still renamed")
	}
}
