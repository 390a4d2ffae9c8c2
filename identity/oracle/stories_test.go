package oracle

import "testing"

// TestStories runs the stories of the definition, as a marketer would tell
// them, and checks profiles and founders.
func TestStories(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{
			"shared tablet, two logins", `
			see 1 app u1 d1 c1
			see 5 app u2 d1 c1
			see 6 app u2 c2`,
			"c1: c1 d1 u1 | u2: c2 u2",
		},
		{
			"logout keeps the anonymous id", `
			see 1 app u1 c1
			see 2 app c1
			see 9 app u2 c1`,
			"c1: c1 u1 | u2",
		},
		{
			"family e-mail follows its first user", `
			see 1 app u1 e1
			see 2 app u2 e1
			see 3 app e1 c1`,
			"e1: c1 e1 u1 | u2",
		},
		{
			"late event moves the cookie and its followers", `
			see 10 app u1 d1
			see 11 app d1 c1
			see 5 app u2 d1`,
			"d1: c1 d1 u2 | u1",
		},
		{
			"guest browser with two e-mails", `
			see 1 app e1 c1
			see 2 app e2 c1`,
			"c1: c1 e1 e2",
		},
		{
			"then a login with one of them", `
			see 1 app e1 c1
			see 2 app e2 c1
			see 3 app u1 e2`,
			"c1: c1 e1 e2 u1",
		},
		{
			"customer number and user id share an e-mail", `
			see 1 app n1 e1
			see 2 app u1 e1`,
			"e1: e1 n1 u1",
		},
		{
			"a second customer number stays apart", `
			see 1 app n1 e1
			see 2 app u1 e1
			see 3 app n2 e1`,
			"e1: e1 n1 u1 | n2",
		},
		{
			"a sixth e-mail within 30 days stays apart with its own cookie",
			repeat(6, "see % app u1 e%") + "see 7 app e6 c6",
			"e1: e1 e2 e3 e4 e5 u1 | e6: c6 e6",
		},
		{
			"a sixth e-mail after 30 days joins",
			repeat(5, "see % app u1 e%") + "see 40 app u1 e6",
			"e1: e1 e2 e3 e4 e5 e6 u1",
		},
		{
			"30 days after the first is outside of its window",
			repeat(5, "see % app u1 e%") + "see 31 app u1 e6",
			"e1: e1 e2 e3 e4 e5 e6 u1",
		},
		{
			"29 days after the first is inside",
			repeat(5, "see % app u1 e%") + "see 30 app u1 e6",
			"e1: e1 e2 e3 e4 e5 u1 | e6",
		},
		{
			"operator joins two user ids", `
			see 1 app u1 c1
			see 2 app u2 c2
			link u1 u2`,
			"c1: c1 c2 u1 u2",
		},
		{
			"and revokes", `
			see 1 app u1 c1
			see 2 app u2 c2
			link u1 u2
			no link u1 u2`,
			"c1: c1 u1 | c2: c2 u2",
		},
		{
			"unmerge stays apart under old and new evidence", `
			see 1 app u1 e1
			see 2 app e1 c1
			reject u1 e1
			cut u1 e1
			see 3 app u1 e1
			see 4 app u1 c1`,
			"e1 | u1: c1 u1",
		},
		{
			"a placeholder links no one, the rest of its events holds", `
			see 1 app u1 e1! c1
			see 2 app u2 e1! c2`,
			"c1: c1 u1 | c2: c2 u2 | e1",
		},
		{
			"blocked after the fact", `
			see 1 app e1 c1 d1
			see 2 app e1 c2
			block e1`,
			"c1: c1 d1 | c2 | e1",
		},
		{
			"unblocked again", `
			see 1 app e1 c1 d1
			see 2 app e1 c2
			block e1
			no block e1`,
			"c1: c1 c2 d1 e1",
		},
		{
			"a landline makes a household, not a person", `
			see 1 app u1 h1
			see 2 app u2 h1`,
			"0: h1 | u1 | u2",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := show(evaluate(testRules(), parse(t, c.script))); got != c.want {
				t.Errorf("profiles\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestFakeClaims: whoever holds a public key can neither take nor break what
// has a trusted owner, whichever came first.
func TestFakeClaims(t *testing.T) {
	for _, c := range []struct{ name, script, of, want string }{
		{
			"fake logins with my e-mail",
			"see 50 app u100 e1\n" + repeat(11, "see 1@% web u% e1"), "e1", "e1 u100",
		},
		{
			"fake loyalty numbers beside it",
			"see 50 app u100 e1\n" + repeat(11, "see % web l% e1"), "e1", "e1 u100",
		},
		{
			"fake e-mails beside it",
			"see 50 app u100 e100\n" + repeat(11, "see % web e% e100"), "e100", "e100 u100",
		},
		{
			"fake user ids beside mine",
			"see 50 app u100 c1\n" + repeat(11, "see % web u% u100"), "u100", "c1 u100",
		},
		{
			"a customer number claimed from a browser",
			"see 1 web n1 e1", "n1", "n1",
		},
		{
			"a customer number stated by the application",
			"see 1 app n1 e1", "n1", "e1 n1",
		},
		{
			"an old date from a public key wins no tie",
			"see 9 app u1 c1\nsee -9000@10 web u2 c1", "c1", "c1 u1",
		},
		{
			"an old date from a trusted source counts",
			"see 9 app u1 c1\nsee -9000@10 app u2 c1", "c1", "c1 u2",
		},
		{
			"a date in the future is the received time",
			"see 9 app u1 c1\nsee 9000@8 app u2 c1", "c1", "c1 u2",
		},
		{
			"a rejected pair shields no one",
			"see 50 app u100 e1\nsee 1 web u1 e1\nreject u100 e1", "e1", "e1 u1",
		},
		{
			"a blocked principal shields no one",
			"see 50 app u100 e1\nsee 1 web u1 e1\nblock u100", "e1", "e1 u1",
		},
		{
			"devices are not shielded",
			"see 50 app u100 d1\nsee 1 web u1 d1", "d1", "d1 u1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := evaluate(testRules(), parse(t, c.script))
			if got := profileOf(r, c.of); got != c.want {
				t.Errorf("profile of %s is %s, want %s", c.of, got, c.want)
			}
		})
	}
}

// TestRecycledPhone follows a phone number that changes hands.
func TestRecycledPhone(t *testing.T) {
	for _, c := range []struct {
		name, script, want string
		calls              map[string]string // day of a call → whose profile it is in
	}{
		{
			"a long hole ends a tenure", `
			see 0 app u1 p1
			see 300 app u1 p1
			see 600 app u2 p1`,
			"p1: p1 u2 | u1",
			map[string]string{"0": "u1", "299": "u1", "450": "u1", "599": "u1", "600": "u2", "900": "u2"},
		},
		{
			"a short one does not", `
			see 0 app u1 p1
			see 300 app u1 p1
			see 450 app u2 p1`,
			"p1: p1 u1 | u2",
			map[string]string{"0": "u1", "900": "u1"},
		},
		{
			"180 days are not longer than 180 days", `
			see 300 app u1 p1
			see 480 app u2 p1`,
			"p1: p1 u1 | u2", nil,
		},
		{
			"181 days are", `
			see 300 app u1 p1
			see 481 app u2 p1`,
			"p1: p1 u2 | u1", nil,
		},
		{
			"three tenures", `
			see 0 app u1 p1
			see 300 app u2 p1
			see 600 app u3 p1`,
			"p1: p1 u3 | u1 | u2",
			map[string]string{"1": "u1", "299": "u1", "300": "u2", "599": "u2", "600": "u3"},
		},
		{
			"the owner of a tenure is by evidence order, not by time", `
			see 0 app e1 p1
			see 1 app u1 p1
			see 600 app u2 p1`,
			"e1 | p1: p1 u2 | u1",
			map[string]string{"0": "u1"},
		},
		{
			"a weaker neighbour keeps no tenure open", `
			see 0 app u1 p1
			see 300 app d1 p1
			see 400 app u2 p1`,
			"p1: d1 p1 u2 | u1",
			map[string]string{"0": "u1"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := evaluate(testRules(), parse(t, c.script))
			if got := show(r); got != c.want {
				t.Errorf("profiles\n got %s\nwant %s", got, c.want)
			}
			for when, owner := range c.calls {
				got := r.Attribute(sightingOf(t, when, "app", []string{"p1"}).Members, day(t, when).UnixMilli())
				if want := r.Profile[keyOf(owner)]; got != want {
					t.Errorf("call on day %s is in %v, want %v (%s)", when, got, want, owner)
				}
			}
		})
	}
}
