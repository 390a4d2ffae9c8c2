package oracle

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kindred-cdp/kindred/identity"
)

// count is the number of random ledgers per test.
func count(t *testing.T) int {
	text := os.Getenv("KINDRED_TEST_COUNT")
	if text == "" {
		return 400
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("KINDRED_TEST_COUNT: %v", err)
	}
	return n
}

// randomRules returns rules whose limits, caps and fan-outs small ledgers hit.
func randomRules(rng *rand.Rand) *identity.Rules {
	rules := with(identity.Email, func(r *identity.Rule) {
		r.Limit, r.FanOutUp = 1+rng.IntN(3), 2+rng.IntN(4)
	})
	phone := rules.Namespaces[identity.Phone]
	phone.Limit = 1 + rng.IntN(3)
	rules.Namespaces[identity.Phone] = phone
	user := rules.Namespaces[identity.UserID]
	user.FanOutDown = 3 + rng.IntN(5)
	rules.Namespaces[identity.UserID] = user
	rules.LinkThreshold = int64(100 * (1 + rng.IntN(8)))
	rules.UnitCap, rules.GroupCap = 3+rng.IntN(12), 4+rng.IntN(12)
	return rules
}

// randomScript returns a ledger over few identifiers. With decisions, it has
// operator decisions, expiry and erasure too.
func randomScript(rng *rand.Rand, decisions bool) string {
	names := func(n int) []string {
		var list []string
		for range n {
			letter := "uunleeepsddccch"[rng.IntN(15)]
			list = append(list, fmt.Sprintf("%c%d", letter, 1+rng.IntN(5)))
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	var b strings.Builder
	for range 5 + rng.IntN(40) {
		at := rng.IntN(900)
		source := "app"
		if rng.IntN(4) == 0 {
			source = "web"
		}
		fmt.Fprintf(&b, "see %d@%d %s %s\n", at, at+rng.IntN(5)-1, source, strings.Join(names(1+rng.IntN(4)), " "))
	}
	for range rng.IntN(12) {
		fmt.Fprintf(&b, "see %d app r%d %s\n", rng.IntN(900), 1+rng.IntN(8), strings.Join(names(rng.IntN(2)), " "))
		model := []string{"m1", "m1", "m1", "m2"}[rng.IntN(4)]
		fmt.Fprintf(&b, "score r%d r%d %d %d %s\n", 1+rng.IntN(8), 1+rng.IntN(8), 100+50*rng.IntN(20), rng.IntN(3), model)
	}
	if !decisions {
		return b.String()
	}
	for range rng.IntN(6) {
		verb := []string{"link", "cut", "reject", "reject", "no reject", "no cut", "block"}[rng.IntN(7)]
		pair := names(8)
		if len(pair) > 1 {
			rng.Shuffle(len(pair), func(i, j int) { pair[i], pair[j] = pair[j], pair[i] })
			fmt.Fprintf(&b, "%s %s %s\n", verb, pair[0], pair[1])
		}
	}
	if rng.IntN(3) == 0 {
		fmt.Fprintf(&b, "expire %s %d\n", names(1)[0], rng.IntN(900))
	}
	if rng.IntN(3) == 0 {
		fmt.Fprintf(&b, "erase %s %d\n", names(1)[0], rng.IntN(900))
	}
	return b.String()
}

// TestOrderAndRepetition: any permutation of the same entries, with any of them
// repeated, gives the same result.
func TestOrderAndRepetition(t *testing.T) {
	for seed := range count(t) {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		rules, script := randomRules(rng), randomScript(rng, true)
		entries := parse(t, script)
		want := evaluate(rules, entries)
		entries = append(entries, entries[:rng.IntN(len(entries))]...)
		rng.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		if diff := cmp.Diff(want, evaluate(rules, entries), cmpopts.IgnoreUnexported(Result{})); diff != "" {
			t.Fatalf("seed %d: the order of entries changed the result (-first +second)\n%s\n%s", seed, diff, script)
		}
	}
}

// TestPlainKruskal: "with the principal as only constraint it equals plain
// constrained Kruskal exactly". The steps and this loop share nothing but the
// eligible pairs and their order.
func TestPlainKruskal(t *testing.T) {
	rules := testRules()
	rules.ModelVersion = "" // It knows steps 0 to 4 only.
	for ns, rule := range rules.Namespaces {
		rule.Limit, rule.MovingGap, rule.TrustedClaims = 0, 0, false
		rule.FanOutUp, rule.FanOutDown = 1000, 1000
		rules.Namespaces[ns] = rule
	}
	for seed := range 5 * count(t) {
		script := randomScript(rand.New(rand.NewPCG(uint64(seed), 2)), false)
		o := New(rules)
		for _, apply := range parse(t, script) {
			apply(o)
		}
		r := o.Evaluate()
		for a, group := range kruskal(o) {
			for b := range r.Profile {
				if r.Profile[b] == 0 || r.Profile[a] == 0 {
					continue
				}
				if together := r.Profile[a] == r.Profile[b]; together != group[b] {
					t.Fatalf("seed %d: %s and %s share a profile: %v, by plain Kruskal: %v\n%s",
						seed, name(a), name(b), together, group[b], script)
				}
			}
		}
	}
}

// kruskal joins the ends of eligible pairs in evidence order unless two
// principals would meet.
func kruskal(o *Oracle) map[identity.Key]map[identity.Key]bool {
	e := newEvaluation(o)
	e.countSightings()
	e.dropRejectedAndBlocked()
	e.dropVoid()
	e.dropGenericAndCrowded()
	e.dropRetired()
	e.fuse()
	slices.SortFunc(e.pairs, e.order)
	group := map[identity.Key]map[identity.Key]bool{}
	for k := range o.nodes {
		group[k] = map[identity.Key]bool{k: true}
	}
	hasPrincipal := func(g map[identity.Key]bool) bool {
		for k := range g {
			if e.rule(k).Principal {
				return true
			}
		}
		return false
	}
	for _, p := range e.pairs {
		a, b := group[p.low], group[p.high]
		if a[p.high] || hasPrincipal(a) && hasPrincipal(b) {
			continue
		}
		for k := range b {
			a[k] = true
			group[k] = a
		}
	}
	return group
}

// TestUnmerge: a cut through a profile equals the same ledger without the
// rejected pairs and with the standing cannot-link.
func TestUnmerge(t *testing.T) {
	cuts := 0
	for seed := range count(t) {
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		rules, script := randomRules(rng), randomScript(rng, false)
		before := evaluate(rules, parse(t, script))
		leaving, staying := cut(rng, before)
		if len(leaving) == 0 {
			continue
		}
		cuts++
		separated := New(rules)
		unmerged := New(rules)
		for _, apply := range parse(t, script) {
			apply(separated)
			apply(unmerged)
		}
		for s := range separated.sightings {
			if leaving[s.low] && staying[s.high] || leaving[s.high] && staying[s.low] {
				delete(separated.sightings, s)
				unmerged.Decide(identity.Decision{Kind: identity.Reject, A: s.low, B: s.high, On: true, ID: "cut"})
			}
		}
		for k := range separated.scores {
			if leaving[k.low] && staying[k.high] || leaving[k.high] && staying[k.low] {
				delete(separated.scores, k)
				unmerged.Decide(identity.Decision{Kind: identity.Reject, A: k.low, B: k.high, On: true, ID: "cut"})
			}
		}
		a, b := founder(leaving), founder(staying)
		d := identity.Decision{Kind: identity.CannotLink, A: min(a, b), B: max(a, b), On: true, ID: "cut"}
		separated.Decide(d)
		unmerged.Decide(d)
		got, want := unmerged.Evaluate(), separated.Evaluate()
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Result{})); diff != "" {
			t.Fatalf("seed %d: unmerged differs from never merged (-want +got)\n%s\n%s", seed, diff, script)
		}
		if got.Profile[a] == got.Profile[b] {
			t.Fatalf("seed %d: %s and %s still share a profile\n%s", seed, name(a), name(b), script)
		}
	}
	if cuts < count(t)/2 {
		t.Errorf("only %d ledgers had a profile to cut", cuts)
	}
}

// cut splits one profile of two or more at random.
func cut(rng *rand.Rand, r Result) (leaving, staying map[identity.Key]bool) {
	var keys []identity.Key
	for k := range r.Profile {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	leaving, staying = map[identity.Key]bool{}, map[identity.Key]bool{}
	for _, k := range keys {
		id := r.Profile[k]
		if id == 0 || identity.Key(id) == k {
			continue
		}
		for _, member := range keys {
			switch {
			case r.Profile[member] != id:
			case member == k || identity.Key(id) != member && rng.IntN(2) == 0:
				leaving[member] = true
			default:
				staying[member] = true
			}
		}
		break
	}
	return leaving, staying
}

func founder(members map[identity.Key]bool) identity.Key {
	var least identity.Key
	for k := range members {
		if least == 0 || k < least {
			least = k
		}
	}
	return least
}
