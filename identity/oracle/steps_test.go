package oracle

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
)

// capped returns testRules with caps for units and groups.
func capped(unit, group int) *identity.Rules {
	rules := testRules()
	rules.UnitCap, rules.GroupCap = unit, group
	return rules
}

// TestSteps covers each step and each reading of the package comment.
func TestSteps(t *testing.T) {
	crowdable := with(identity.UserID, func(r *identity.Rule) { r.FanOutDown = 3 })
	percolating := `
		see 1 app e1 c1
		see 2 app e2 c2
		see 3 app e2 c1
		see 4 app e3 c2
		see 5 app u1 c9
		see 6 app e3 c9`
	for _, c := range []struct {
		name   string
		rules  *identity.Rules
		script string
		want   string
	}{
		{
			"expiry takes whole periods, then starts from nothing", nil, `
			see 1 app u1 c1
			see 2 app u1 c2
			see 200 app c1
			expire c 100`,
			"c1 | c2 | u1",
		},
		{
			"but not the period that it names", nil, `
			see 1 app u1 c1
			see 100 app u2 c2
			expire c 100`,
			"c1 | c2: c2 u2 | u1",
		},
		{
			"erasure takes what was received by then", nil, `
			see 1 app u1 c1
			see 60 app u2 c1
			erase c1 50`,
			"c1: c1 u2 | u1",
		},
		{
			"up to the same millisecond", nil, `
			see 1 app u1 c1
			see 60 app u2 c1
			erase c1 60`,
			"c1 | u1 | u2",
		},
		{
			"a crowded user loses its cookies, not its e-mail", crowdable,
			"see 1 app u1 e1\n" + repeat(4, "see 2 app u1 c%"),
			"c1 | c2 | c3 | c4 | e1: e1 u1",
		},
		{
			"not yet crowded", crowdable,
			"see 1 app u1 e1\n" + repeat(3, "see 2 app u1 c%"),
			"e1: c1 c2 c3 e1 u1",
		},
		{
			"eleven users make an e-mail generic", nil,
			repeat(11, "see % app u% e1"),
			"e1 | u1 | u10 | u11 | u2 | u3 | u4 | u5 | u6 | u7 | u8 | u9",
		},
		{
			"ten do not", nil,
			repeat(10, "see % app u% e1"),
			"e1: e1 u1 | u10 | u2 | u3 | u4 | u5 | u6 | u7 | u8 | u9",
		},
		{
			"a blocked neighbour is not counted", nil,
			repeat(11, "see % app u% e1") + "block u11",
			"e1: e1 u1 | u10 | u11 | u2 | u3 | u4 | u5 | u6 | u7 | u8 | u9",
		},
		{
			"nor a rejected pair", nil,
			repeat(11, "see % app u% e1") + "reject u11 e1",
			"e1: e1 u1 | u10 | u11 | u2 | u3 | u4 | u5 | u6 | u7 | u8 | u9",
		},
		{
			"a generic neighbour is", with(identity.Email, func(r *identity.Rule) { r.FanOutUp = 1 }), `
			see 1 app u1 e1
			see 1 app u2 e1
			see 2 app e1 e2
			see 3 app e2 e3
			see 4 app e2 c1`,
			"c1 | e1 | e2 | e3 | u1 | u2",
		},
		{
			"the cap of a group sets the last apart", capped(256, 3),
			repeat(3, "see % app u1 c%"),
			"c1: c1 c2 u1 | c3",
		},
		{
			"limits do not apply inside a fused node", nil, `
			see 1 app n1 e1
			see 2 app n2 e1
			see 3 app n3 e1
			link n1 n2`,
			"e1: e1 n1 n2 | n3",
		},
		{
			"a fused node has the rank of its strongest member", nil, `
			see 1 app u1
			see 2 app c1
			see 5 app e1 c1
			see 9 app e1 u2
			link u1 c1`,
			"u1: c1 e1 u1 | u2",
		},
		{
			"a must-link of a blocked identifier is void", nil, `
			see 1 app u1
			see 2 app u2
			see 3 app u3
			link u1 u2
			link u2 u3
			block u2`,
			"u1 | u2 | u3",
		},
		{
			"two walls do not meet through loose clusters", nil, `
			see 1 app u1 d1
			see 1 app u2 d2
			see 2 app e1 d1
			see 2 app e2 d2
			see 3 app e1 c9
			see 4 app e2 c9`,
			"d1: c9 d1 e1 u1 | d2: d2 e2 u2",
		},
		{
			"a refused cluster tries no one else", nil, `
			see 1 app u1 n1
			see 1 app u1 e1
			see 1 app u2 e2
			see 3 app n2 e1
			see 4 app n2 e2`,
			"e1: e1 n1 u1 | e2: e2 u2 | n2",
		},
		{
			"a cannot-link reaches across steps", nil, `
			see 1 app u1 e1
			see 2 app e1 c1
			see 3 app c1 s1
			cut u1 s1`,
			"e1: c1 e1 u1 | s1",
		},
		{
			"a cut pair is no evidence: the next one counts", nil, `
			see 1 app u1 c1
			see 2 app u2 c1
			cut u1 c1`,
			"c1: c1 u2 | u1",
		},
		{
			"what is set aside is a wall", nil,
			repeat(7, "see % app u1 e%") + "see 8 app e6 e7",
			"e1: e1 e2 e3 e4 e5 u1 | e6 | e7",
		},
		{
			"claims are admitted in evidence order", nil, `
			see 1 app n2 e1
			see 2 app u1 e1
			see 3 app n1 e1`,
			"e1: e1 n2 u1 | n1",
		},
		{
			"a joined cluster has the earlier claim",
			with(identity.Email, func(r *identity.Rule) { r.Limit, r.LimitWindow = 2, 0 }), `
			see 1 app u1 d1 d2 d3
			see 10 app e2 d2
			see 11 app e3 d3
			see 12 app e1 d1
			see 13 app e1 c9
			see 14 app e2 c9`,
			"d1: c9 d1 d2 d3 e1 e2 u1 | e3",
		},
		{
			"a unit within the bound", capped(5, 5000), percolating,
			"c1: c1 c2 c9 e1 e2 e3 u1",
		},
		{
			"a unit beyond it ignores its weakest rank, claims included", capped(4, 5000), percolating,
			"c1: c1 e1 | c2: c2 e2 | c9: c9 u1 | e3",
		},
		{
			"but keeps its stronger pairs", capped(4, 5000), percolating + `
			see 9 app e1 e2`,
			"c1: c1 c2 e1 e2 | c9: c9 u1 | e3",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := c.rules
			if rules == nil {
				rules = testRules()
			}
			if got := show(evaluate(rules, parse(t, c.script))); got != c.want {
				t.Errorf("profiles\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestClasses checks what the result says beside profiles.
func TestClasses(t *testing.T) {
	r := evaluate(testRules(), parse(t, repeat(11, "see % app u% e1 c%")+`
		see 1 app e2! c1
		see 1 app u1 h1
		see 1 app c90
		erase c90 2`))
	if diff := cmp.Diff(map[identity.Key]bool{keyOf("e1"): true}, r.Generic); diff != "" {
		t.Errorf("generic (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[identity.Key]bool{keyOf("e2"): true}, r.Blocked); diff != "" {
		t.Errorf("blocked (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[identity.Key]bool{keyOf("c90"): true}, r.Gone); diff != "" {
		t.Errorf("gone (-want +got)\n%s", diff)
	}
	// Eleven users, each with a cookie of its own.
	if r.Profiles != 11 || r.Merges != 11 {
		t.Errorf("profiles %d, merges %d, want 11 and 11", r.Profiles, r.Merges)
	}
}

func TestDeciding(t *testing.T) {
	r := evaluate(testRules(), parse(t, repeat(11, "see % app u% e1")+`
		see 1 app u1 h1
		see 1 app e2! c1 c2
		see 1 app c90
		erase c90 2`))
	for _, c := range []struct {
		members []string
		want    string
	}{
		{[]string{"c1", "u1"}, "u1"},
		{[]string{"c2", "c1"}, "c1"},
		{[]string{"e1", "c1"}, "c1"},  // e1 is generic
		{[]string{"e2", "c1"}, "c1"},  // e2 is blocked
		{[]string{"e2", "e1"}, "e1"},  // nothing better: the least of them
		{[]string{"c90", "h1"}, ""},   // gone and household never decide
		{[]string{"c90", "e1"}, "e1"}, // generic before nothing
		{[]string{"c70", "c71"}, ""},  // never seen
		{[]string{"h1", "u2"}, "u2"},  //
		{[]string{"e1", "c90", "c2"}, "c2"},
	} {
		var members []identity.Node
		for _, n := range c.members {
			members = append(members, node(t, n))
		}
		got, ok := r.Deciding(members)
		if ok != (c.want != "") || ok && name(got) != c.want {
			t.Errorf("deciding member of %v is %v (%v), want %q", c.members, got, ok, c.want)
		}
	}
}

// TestStandingDecision: of equal times the greatest decision id stands, in any
// order; a greater time stands over a greater id.
func TestStandingDecision(t *testing.T) {
	on := identity.Decision{Kind: identity.MustLink, A: keyOf("c1"), B: keyOf("c2"), On: true, At: 5, ID: "b"}
	off, later := on, on
	off.On, off.ID = false, "c"
	later.On, later.At, later.ID = true, 6, "a"
	for _, c := range []struct {
		decisions []identity.Decision
		joined    bool
	}{
		{[]identity.Decision{on}, true},
		{[]identity.Decision{on, off}, false},
		{[]identity.Decision{off, on}, false},
		{[]identity.Decision{off, later, on}, true},
		{[]identity.Decision{later, on, off}, true},
	} {
		o := New(testRules())
		for _, apply := range parse(t, "see 1 app c1\nsee 1 app c2") {
			apply(o)
		}
		for _, d := range c.decisions {
			o.Decide(d)
		}
		r := o.Evaluate()
		if joined := r.Profile[keyOf("c1")] == r.Profile[keyOf("c2")]; joined != c.joined {
			t.Errorf("joined is %v after %v, want %v", joined, c.decisions, c.joined)
		}
	}
}
