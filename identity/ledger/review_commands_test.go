package ledger

import (
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// accounts is a world with two accounts of one person: each has a user id, a
// customer number, an address and a record, and shares none of them.
func accounts(t *testing.T) (w *world, first, second []identity.Identifier) {
	w = newWorld(t, warehousetest.Shared(t), firstSeed)
	w.whole = true
	at := testNow.Add(-240 * time.Hour)
	account := func(name string) []identity.Identifier {
		all := []identity.Identifier{
			id(identity.UserID, name), id(identity.CustomerNo, name), id(identity.Email, name+"@shop.example"), id(identity.Record, "crm/"+name),
		}
		for _, i := range all[1:] {
			at = at.Add(time.Hour)
			w.send(evidenceOf(w.workspaces[0], "crm", at, at, all[0], i))
		}
		return all
	}
	first, second = account("a1"), account("a2")
	w.mustOwn()
	return w, first, second
}

// TestLinkWhole: a link of two records of two users makes one profile of both
// only where it says so; then it takes all along, and is undone whole.
func TestLinkWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w, first, second := accounts(t)
	before := w.published(w.workspaces[0])
	c := identity.Command{Kind: identity.Link, Identifiers: []identity.Identifier{first[3], second[3]}, Whole: true}
	if out := w.do(c); out.Code != identity.RefusedLimit {
		t.Fatalf("without override: %+v", out)
	}
	c.Override, c.Reason, c.Whole = true, "one person", false
	half := w.must(c)
	if w.profile(first[0]) == w.profile(second[0]) {
		t.Fatal("a link of two records joins two users")
	}
	w.must(identity.Command{Kind: identity.Undo, Target: half.ID})
	c.Whole = true
	out := w.must(c)
	w.mustCheck("after the link")
	for _, i := range append(first, second...) {
		if w.profile(i) != w.profile(first[0]) {
			t.Errorf("%s stays apart", i.Namespace)
		}
	}
	if out.Decisions != 3 { // records, user ids, customer numbers
		t.Errorf("outcome %+v", out)
	}
	w.must(identity.Command{Kind: identity.Undo, Target: out.ID})
	w.mustCheck("after the undo")
	same(t, "after the undo", before, w.published(w.workspaces[0]))
}

// TestSeparate: two that are declared different stay apart, whatever joins them
// afterwards, until that is taken back.
func TestSeparate(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	w.whole = true
	records(w)
	w.mustOwn()
	ids := func(a, b identity.Identifier) []identity.Identifier { return []identity.Identifier{a, b} }
	at := testNow.Add(-time.Hour)
	parted := w.must(identity.Command{ID: "s1", Kind: identity.Separate, Identifiers: ids(shopAna, crmAna), Reason: "father and son"})
	if parted.Decisions != 1 || parted.Pairs != 0 || parted.Moved != 0 {
		t.Errorf("outcome %+v", parted)
	}
	w.sendLinks(w.scored("m1", at, 1500, crmAna, shopAna))
	w.send(evidenceOf(w.workspaces[0], "crm", at, at, crmAna, shopAna))
	w.mustOwn()
	w.mustCheck("after a score and an event")
	if w.profile(crmAna) == w.profile(shopAna) {
		t.Fatal("a score or an event joins what was separated")
	}
	for name, refused := range map[identity.RefusalCode]identity.Command{
		identity.RefusedStanding:   {Kind: identity.Separate, Identifiers: ids(crmAna, shopAna)},
		identity.RefusedCannotLink: {Kind: identity.Link, Identifiers: ids(crmAna, shopAna)},
		identity.RefusedMerged:     {Kind: identity.Separate, Identifiers: ids(crmAna, ana)},
		identity.RefusedUnknown:    {Kind: identity.Separate, Identifiers: ids(crmAna, id(identity.Record, "crm/0"))},
		identity.RefusedMalformed:  {Kind: identity.Separate, Identifiers: ids(crmAna, ana)[:1]},
	} {
		decided := len(w.decisions(w.workspaces[0]))
		if out := w.do(refused); out.Code != name || out.Detail == "" || len(w.decisions(w.workspaces[0])) != decided {
			t.Errorf("%s: %+v", name, out)
		}
	}
	w.must(identity.Command{Kind: identity.Undo, Target: "s1"})
	w.mustCheck("after the undo")
	if w.profile(crmAna) != w.profile(shopAna) {
		t.Error("undone, the two stay apart")
	}
}
