package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// The properties that profiles are held to, and the tests that hold them:
//
//	 1 order independence   TestPermutationsEqual, TestStories (in reverse), oracle.TestOrderAndRepetition
//	 2 idempotence          TestPermutationsEqual (a fifth comes twice), TestRebuildEqualsOracle; crashes: identity/ledger
//	 3 oracle               TestStreamEqualsOracle, TestLinkageEqualsOracle, TestHouseholdsEqualOracle,
//	                        TestRebuildEqualsOracle, oracle.TestPlainKruskal
//	 4 blocked and generic  TestPlaceholdersJoinNoOne, TestBlockedLater, stories placeholder_blocked, role_address
//	 5 merge protection     TestUniqueIdentifiersNeverMeet, stories shared_tablet, logout_keeps_anonymous_id,
//	                        null_identify, twins, linkage_twins
//	 6 unmerge              TestUnmergeEqualsNeverMerged, oracle.TestUnmerge, story unmerge
//	                        a trial: TestTryChangesNothing
//	 7 concurrency          a Graph belongs to one goroutine; identity/ledger
//	 8 locality             TestStrangersUntouched, TestHostileStreamsAreBounded
//	 9 null safety          TestPlaceholdersJoinNoOne; of fields that are compared: the scorer
//	10 score sanity         the scorer; here that a score is symmetric: TestScoresAreSymmetric
//	11 adversaries          TestHostileStreamsAreBounded, TestScale, oracle.TestFakeClaims, oracle.TestRecycledPhone,
//	                        stories fake_logins, fake_numbers, fake_users_beside_mine, borrowed_phone, family_email,
//	                        recycled_phone, role_address, linkage_twins, household_tower; TestNamespacesDoNotMix
//	12 erasure              TestErasedEqualsNeverSeen, story erased; texts and tables: identity/ledger

// disguises are ways in which one placeholder arrives.
var disguises = map[string]func(string) string{
	"as it is":   func(s string) string { return s },
	"upper case": strings.ToUpper,
	"title case": func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
	"quoted":     func(s string) string { return `"` + s + `"` },
	"curly":      func(s string) string { return "“" + s + "”" },
	"single":     func(s string) string { return "'" + s + "'" },
	"spaces":     func(s string) string { return "  " + s + "\t" },
	"no-break":   func(s string) string { return "\u00a0" + s + "\u3000" },
	"zero width": func(s string) string { return s[:1] + "\u200b" + s[1:] + "\ufeff" },
	"joined":     func(s string) string { return s[:1] + "\u2060\u200d" + s[1:] },
	"full width": func(s string) string {
		return strings.Map(func(r rune) rune {
			if r > ' ' && r < unicode.MaxASCII {
				return r + 0xfee0
			}
			return r
		}, s)
	},
}

var placeholders = map[identity.Namespace][]string{
	identity.UserID:     {"null", "undefined", "anonymous", "guest", "n/a", "-1", "0", "none", "nan", "000-000"},
	identity.CustomerNo: {"null", "unknown", "0000"},
	identity.Email:      {"a@a.com", "test@test.com", "noreply@example.org", "null", "null@null.com"},
	identity.Phone:      {"000-00-0000", "1234567", "+351000000000", "unknown"},
	identity.Device:     {"00000000-0000-0000-0000-000000000000", "null"},
	identity.Landline:   {"0000000", "n/a"},
	identity.Address:    {"n/a", "unknown"},
}

// TestPlaceholdersJoinNoOne: strangers who send the same placeholder, each in a
// disguise of their own, stay strangers, in households too. With nothing blocked
// they do not: the check can fail.
func TestPlaceholdersJoinNoOne(t *testing.T) {
	keys := identity.NewKeyer(identity.Secret{}, "placeholders")
	for ns, values := range placeholders {
		for _, value := range values {
			strangers := func(blocked func(identity.Identifier) bool) (joined []string) {
				g := New(identity.DefaultRules())
				seat := func(ns identity.Namespace, raw string) (identity.Node, bool) {
					id, err := normalize.Identifier(ns, raw)
					return identity.Node{Key: keys.Key(id), Namespace: ns, Blocked: err == nil && blocked(id)}, err == nil
				}
				cookies := map[string]identity.Node{}
				for name, disguise := range disguises {
					cookie, _ := seat(identity.AnonymousID, "cookie of "+name)
					cookies[name] = cookie
					members := nodes{cookie}
					if n, ok := seat(ns, disguise(value)); ok {
						members = append(members, n)
					}
					g.See(seen("server", at(1), members...))
				}
				g.Flush()
				for name, c := range cookies {
					id := g.Profile(c.Key)
					household, _ := g.Household(id)
					if _, mates := g.Housemates(household); len(g.Members(id)) > 1 || len(mates) > 0 {
						joined = append(joined, name)
					}
				}
				return joined
			}
			if joined := strangers(identity.BlockedByDefault); len(joined) > 0 {
				t.Errorf("%s %q joins %q", ns, value, joined)
			}
			if id, err := normalize.Identifier(ns, value); err == nil && id.Value != "" {
				if joined := strangers(func(identity.Identifier) bool { return false }); len(joined) == 0 {
					t.Errorf("%s %q would join no one if it were not blocked: nothing is tested", ns, value)
				}
			}
		}
	}
}

// without tells l the entries without the pairs and scores of any of keys.
func without(l ledger, entries []entry, keys map[identity.Key]bool, lonely bool) {
	for _, e := range entries {
		switch s := e.sighting; {
		case e.score != nil && (keys[e.score.a.Key] || keys[e.score.b.Key]):
		case s == nil:
			e.tell(l)
		default:
			for i, x := range s.Members {
				if !e.pairOnly && (lonely || !keys[x.Key]) {
					l.SeeIdentifier(x, s.Source, s.Period, s.Span)
				}
				for _, y := range s.Members[i+1:] {
					if !keys[x.Key] && !keys[y.Key] {
						l.SeePair(x, y, s.Source, s.Period, s.Span)
					}
				}
			}
		}
	}
}

// TestBlockedLater: a value blocked when everything has been seen leaves the
// profiles as if it had never met anyone; unblocked, as they were before.
func TestBlockedLater(t *testing.T) {
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 8))
		w := undecided(r, 1+r.IntN(60))
		entries := erasuresFirst(slices.Clone(w.entries))
		k := w.nodes[r.IntN(len(w.nodes))]
		g, before, never := w.graph(), oracle.New(w.rules), oracle.New(w.rules)
		for _, e := range entries {
			e.tell(g)
			e.tell(before)
		}
		g.Flush()
		without(never, entries, map[identity.Key]bool{k.Key: true}, true)
		on := identity.Decision{Kind: identity.Block, A: k.Key, On: true, At: 1, ID: "block"}
		off := identity.Decision{Kind: identity.Block, A: k.Key, At: 2, ID: "unblock"}
		never.Decide(on)
		for _, step := range []struct {
			d    identity.Decision
			want *oracle.Oracle
		}{{on, never}, {off, before}} {
			g.Decide(step.d)
			g.Flush()
			if err := sameNodes(g, nil, step.want.Evaluate(), w); err != nil {
				t.Fatalf("seed %d: after %s of %s %x: %v", seed, step.d.ID, k.Namespace, k.Key, err)
			}
		}
	}
}

// TestUniqueIdentifiersNeverMeet reads profiles without asking the definition:
// two principals, or two of a namespace with limit 1, are in one only where a
// chain of must-links fused them.
func TestUniqueIdentifiersNeverMeet(t *testing.T) {
	crowds := 0
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 9))
		w := randomWorld(r, 1+r.IntN(120))
		g := w.graph()
		for _, e := range erasuresFirst(slices.Clone(w.entries)) {
			e.tell(g)
		}
		g.Flush()
		chain := chains(g, w)
		holds := map[string]identity.Node{}
		for _, n := range w.nodes {
			rule := w.rules.Rule(n.Namespace)
			if x := g.find(n.Key); x == 0 || g.nodes.at(x).flags&alive == 0 ||
				!rule.Principal && (rule.Limit != 1 || rule.LimitWindow > 0) {
				continue
			}
			at := fmt.Sprint(g.Profile(n.Key), n.Namespace)
			first, taken := holds[at]
			holds[at] = n
			if !taken {
				continue
			}
			crowds++
			if chain[first.Key] != chain[n.Key] {
				t.Fatalf("seed %d: %s %x and %x share a profile", seed, n.Namespace, first.Key, n.Key)
			}
		}
	}
	if crowds == 0 {
		t.Error("no must-link ever fused two: the exception is not tested")
	}
}

// chains names, for each identifier, the chain of must-links that it is in.
func chains(g *Graph, w *world) map[identity.Key]int {
	chain := map[identity.Key]int{}
	for i, n := range w.nodes {
		chain[n.Key] = i
	}
	for s, v := range g.standing {
		if s.kind != identity.MustLink || !v.on {
			continue
		}
		from, to := chain[s.b], chain[s.a]
		for k, c := range chain {
			if c == from {
				chain[k] = to
			}
		}
	}
	return chain
}

// TestErasedEqualsNeverSeen: what is erased leaves the others as if it had never
// been seen, and nothing of it in memory but its key. Seen again it starts from
// nothing: its old pairs and scores do not come back.
func TestErasedEqualsNeverSeen(t *testing.T) {
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 10))
		w := randomWorld(r, 1+r.IntN(60))
		entries := erasuresFirst(slices.Clone(w.entries))
		g, never := w.graph(), oracle.New(w.rules)
		for _, e := range entries {
			e.tell(g)
		}
		g.Flush()
		erased := map[identity.Key]bool{}
		for range 1 + r.IntN(4) {
			i := r.IntN(len(w.nodes))
			erased[w.nodes[i].Key] = true
		}
		without(never, entries, erased, false)
		const after = 1000 * day
		for k := range erased {
			g.Erase(k, after)
			never.Erase(k, after)
		}
		g.Flush()
		if err := sameNodes(g, nil, never.Evaluate(), w); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for k := range erased {
			if x := g.find(k); x != 0 && holdsAny(g, x) {
				t.Fatalf("seed %d: something of %x is left", seed, k)
			}
		}
		again := seen("server", after+1)
		for _, n := range w.nodes {
			if erased[n.Key] {
				again.Members = append(again.Members, n)
			}
		}
		g.See(again)
		never.See(again)
		g.Flush()
		if err := sameNodes(g, nil, never.Evaluate(), w); err != nil {
			t.Fatalf("seed %d: seen again: %v", seed, err)
		}
	}
}

// holdsAny reports whether x has any pair, row or score.
func holdsAny(g *Graph, x ref) bool {
	n := g.nodes.at(x)
	home, record := g.homes[x], g.scored[x]
	return n.live != 0 || n.parked != 0 || n.rows != 0 || n.degree != 0 ||
		home != nil && (home.shown != 0 || home.hidden != 0) || record != nil && len(record.links) > 0
}

// TestScoresAreSymmetric: it does not matter which record is named first.
func TestScoresAreSymmetric(t *testing.T) {
	rules := identity.DefaultRules()
	rules.ModelVersion = "m1"
	record := func(i int) identity.Node { return identity.Node{Key: key(9, i), Namespace: identity.Record} }
	g, mirrored := New(rules), New(rules)
	for i := range 20 {
		g.See(seen("import", at(i), record(i)))
		mirrored.See(seen("import", at(i), record(i)))
		for j := range i {
			weight := int64(mix(uint64(i*100+j)) % 2000)
			g.Score(record(i), record(j), "m1", weight, 0)
			mirrored.Score(record(j), record(i), "m1", weight, 0)
		}
		g.Flush()
		mirrored.Flush()
	}
	for i := range 20 {
		if a, b := g.Profile(key(9, i)), mirrored.Profile(key(9, i)); a != b {
			t.Errorf("record %d is in %v, mirrored in %v", i, a, b)
		}
	}
}

// TestNamespacesDoNotMix: one value in two namespaces is two identifiers.
func TestNamespacesDoNotMix(t *testing.T) {
	keys := identity.NewKeyer(identity.Secret{}, "mix")
	g := New(identity.DefaultRules())
	var ids []identity.Key
	for _, ns := range []identity.Namespace{identity.CustomerNo, identity.Loyalty, identity.CRMID, identity.Card, identity.Record} {
		k := keys.Key(identity.Identifier{Namespace: ns, Value: "4711"})
		cookie := keys.Key(identity.Identifier{Namespace: identity.AnonymousID, Value: string(ns)})
		g.See(seen("server", at(1), identity.Node{Key: k, Namespace: ns}, identity.Node{Key: cookie, Namespace: identity.AnonymousID}))
		ids = append(ids, k)
	}
	g.Flush()
	for i, k := range ids {
		if n := len(g.Members(g.Profile(k))); n != 2 {
			t.Errorf("the profile of 4711 in namespace %d has %d identifiers, want 2", i, n)
		}
	}
}
