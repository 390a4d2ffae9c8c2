package ledger

import (
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

// TestEveryCommandOnce: a command of any kind that is given twice, with evidence
// and a new owner in between, is applied once; under its id nothing else is ever
// done, and the hash of what was asked tells the two apart.
func TestEveryCommandOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	ids := func(all ...identity.Identifier) []identity.Identifier { return all }
	rules := func(limit string) string { return `{"namespaces": {"phone": {"limit": ` + limit + `}}}` }
	for _, c := range []struct{ first, other identity.Command }{
		{identity.Command{Kind: identity.Unmerge, Identifiers: ids(bobMail)}, identity.Command{Kind: identity.Unmerge, Identifiers: ids(tablet)}},
		{identity.Command{Kind: identity.Link, Identifiers: ids(bob, id(identity.AnonymousID, "bob-web"))}, identity.Command{Kind: identity.Link, Identifiers: ids(ana, anaMail)}},
		{
			identity.Command{Kind: identity.Link, Identifiers: ids(bob, ana), Override: true, Reason: "one person"},
			identity.Command{Kind: identity.Link, Identifiers: ids(bob, ana), Override: true, Reason: "another reason"},
		},
		{identity.Command{Kind: identity.BlockValue, Identifiers: ids(tablet)}, identity.Command{Kind: identity.BlockValue, Identifiers: ids(anaPhone)}},
		{identity.Command{Kind: identity.UnblockValue, Identifiers: ids(anaMail)}, identity.Command{Kind: identity.BlockValue, Identifiers: ids(tablet)}},
		{identity.Command{Kind: identity.Undo, Target: "blocked"}, identity.Command{Kind: identity.Undo, Target: "other"}},
		{identity.Command{Kind: identity.Redeclare, Rules: rules("7"), Expected: 1}, identity.Command{Kind: identity.Redeclare, Rules: rules("3"), Expected: 2}},
		{identity.Command{Kind: identity.Erase, Identifiers: ids(anaWeb)}, identity.Command{Kind: identity.Erase, Identifiers: ids(bob)}},
		// Refused, once and for all.
		{identity.Command{Kind: identity.Link, Identifiers: ids(bob, ana)}, identity.Command{Kind: identity.BlockValue, Identifiers: ids(tablet)}},
	} {
		t.Run(string(c.first.Kind), func(t *testing.T) {
			w := coupled(t)
			w.must(identity.Command{ID: "blocked", Kind: identity.BlockValue, Identifiers: ids(anaMail)})
			c.first.ID, c.other.ID = "once", "once"
			keyer := identity.NewKeyer(identity.Secret{1}, w.workspaces[0])
			if c.first.Body(keyer) == c.other.Body(keyer) || c.first.Body(keyer) == 0 {
				t.Error("what is asked has no hash of its own")
			}
			outcome := w.do(c.first)
			var body uint64
			err := w.db.QueryRow(t.Context(), `SELECT any(body) FROM identity_commands WHERE workspace = ? AND command_id = 'once'`, w.workspaces[0]).Scan(&body)
			if err != nil || body != c.first.Body(keyer) {
				t.Errorf("the hash on record is %x (%v), want %x", body, err, c.first.Body(keyer))
			}
			before, decisions := w.published(w.workspaces[0]), len(w.decisions(w.workspaces[0]))
			w.again()
			for _, again := range []identity.Command{c.first, c.other} {
				if out := w.do(again); out != outcome {
					t.Errorf("outcome of %s: %+v, was %+v", again.Kind, out, outcome)
				}
			}
			same(t, "after the repetitions", before, w.published(w.workspaces[0]))
			if n := len(w.decisions(w.workspaces[0])); n != decisions {
				t.Errorf("%d decisions were made again", n-decisions)
			}
			if outcome.Code != "" && c.first.Kind != identity.Link {
				t.Errorf("refused: %+v", outcome)
			}
		})
	}
}
