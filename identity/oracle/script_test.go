package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// The tests write ledgers as scripts, one entry a line:
//
//	see DAY SOURCE NAME…      a sighting; SOURCE app is trusted, web is not
//	link | cut | reject A B   must-link, cannot-link, reject; block A
//	no link A B …             the same decision, off
//	score A B WEIGHT [DAY] [MODEL]  a scored pair; of model m1, which counts
//	expire LETTER DAY         expiry of the namespace before the day's quarter
//	erase NAME DAY            erasure of what was received up to the day
//
// A name is a letter for the namespace and a number. DAY counts from
// 2024-01-01; EVENT@RECEIVED gives both times. A name that ends in ! carries a
// value blocked by the rules.
var letters = map[byte]identity.Namespace{
	'u': identity.UserID, 'n': identity.CustomerNo, 'l': identity.Loyalty, 'e': identity.Email,
	'p': identity.Phone, 's': identity.Social, 'd': identity.Device, 'c': identity.AnonymousID, 'h': identity.Landline,
	'a': identity.Address, 'r': identity.Record,
}

var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// node gives a name its key: the letter's code and the number, so that keys
// are readable in failures.
func node(t testing.TB, name string) identity.Node {
	t.Helper()
	name, blocked := strings.CutSuffix(name, "!")
	n, err := strconv.Atoi(name[1:])
	if err != nil || letters[name[0]] == "" {
		t.Fatalf("bad name %q", name)
	}
	return identity.Node{Key: key(name[0], n), Namespace: letters[name[0]], Blocked: blocked}
}

func key(letter byte, n int) identity.Key { return identity.Key(int(letter)*1_000_000 + n) }

func name(k identity.Key) string { return fmt.Sprintf("%c%d", byte(k/1_000_000), k%1_000_000) }

func day(t testing.TB, s string) time.Time {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("bad day %q", s)
	}
	return epoch.AddDate(0, 0, n)
}

// testRules declares the sources of the scripts.
func testRules() *identity.Rules {
	rules := identity.DefaultRules()
	rules.Untrusted = map[string]bool{"web": true}
	rules.ModelVersion = "m1"
	return rules
}

// with returns testRules with the rule of one namespace changed.
func with(ns identity.Namespace, change func(*identity.Rule)) *identity.Rules {
	rules := testRules()
	rules.Namespaces = maps.Clone(rules.Namespaces)
	rule := rules.Namespaces[ns]
	change(&rule)
	rules.Namespaces[ns] = rule
	return rules
}

// entry is one entry of a ledger, ready to be applied.
type entry func(*Oracle)

// parse reads a script. Decisions get their time from their line.
func parse(t testing.TB, script string) []entry {
	t.Helper()
	var entries []entry
	for i, line := range strings.Split(strings.TrimSpace(script), "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		switch f[0] {
		case "see":
			s := sightingOf(t, f[1], f[2], f[3:])
			entries = append(entries, func(o *Oracle) { o.See(s) })
		case "expire":
			ns, p := letters[f[1][0]], identity.PeriodOf(day(t, f[2]))
			entries = append(entries, func(o *Oracle) { o.Expire(ns, p) })
		case "score":
			entries = append(entries, scoreOf(t, f))
		case "erase":
			k, at := node(t, f[1]).Key, day(t, f[2]).UnixMilli()
			entries = append(entries, func(o *Oracle) { o.Erase(k, at) })
		default:
			d := decisionOf(t, f, int64(i))
			entries = append(entries, func(o *Oracle) { o.Decide(d) })
		}
	}
	return entries
}

func sightingOf(t testing.TB, when, source string, names []string) identity.Sighting {
	t.Helper()
	eventText, receivedText, ok := strings.Cut(when, "@")
	if !ok {
		receivedText = eventText
	}
	event, received := day(t, eventText), day(t, receivedText)
	s := identity.Sighting{Source: source, Period: identity.PeriodOf(event), Span: identity.Span{
		FirstEvent: event.UnixMilli(), LastEvent: identity.DayOf(event),
		FirstReceived: received.UnixMilli(), LastReceived: identity.DayOf(received),
	}}
	for _, n := range names {
		s.Members = append(s.Members, node(t, n))
	}
	return s
}

func scoreOf(t testing.TB, f []string) entry {
	t.Helper()
	a, b, model, at := node(t, f[1]), node(t, f[2]), "m1", int64(0)
	weight, err := strconv.ParseInt(f[3], 10, 64)
	if err != nil {
		t.Fatalf("bad weight %q", f[3])
	}
	if len(f) > 4 {
		at = day(t, f[4]).UnixMilli()
	}
	if len(f) > 5 {
		model = f[5]
	}
	return func(o *Oracle) { o.Score(a, b, model, weight, at) }
}

func decisionOf(t testing.TB, f []string, at int64) identity.Decision {
	t.Helper()
	kinds := map[string]identity.DecisionKind{
		"link": identity.MustLink, "cut": identity.CannotLink, "reject": identity.Reject, "block": identity.Block,
	}
	d := identity.Decision{On: f[0] != "no", At: at, ID: fmt.Sprint(at)}
	if !d.On {
		f = f[1:]
	}
	if d.Kind = kinds[f[0]]; d.Kind == "" {
		t.Fatalf("bad entry %q", f[0])
	}
	d.A = node(t, f[1]).Key
	if d.Kind != identity.Block {
		d.B = node(t, f[2]).Key
		d.A, d.B = min(d.A, d.B), max(d.A, d.B)
	}
	return d
}

func evaluate(rules *identity.Rules, entries []entry) Result {
	o := New(rules)
	for _, apply := range entries {
		apply(o)
	}
	return o.Evaluate()
}

// show writes profiles as "u1: c1 e1 | c2", the founder first where it is not
// alone, the others by name.
func show(r Result) string {
	members := map[identity.ProfileID][]string{}
	for k, id := range r.Profile {
		members[id] = append(members[id], name(k))
	}
	var profiles []string
	for id, names := range members {
		slices.Sort(names)
		text := strings.Join(names, " ")
		switch {
		case id == 0:
			text = "0: " + text
		case len(names) > 1 || text != name(identity.Key(id)):
			text = name(identity.Key(id)) + ": " + text
		}
		profiles = append(profiles, text)
	}
	slices.Sort(profiles)
	return strings.Join(profiles, " | ")
}

// repeat writes a line for each number from 1 to n, with % replaced by it.
func repeat(n int, line string) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		b.WriteString(strings.ReplaceAll(line, "%", strconv.Itoa(i)) + "\n")
	}
	return b.String()
}

// profileOf returns the members of a name's profile, by name.
func profileOf(r Result, of string) string {
	var names []string
	for k, id := range r.Profile {
		if id == r.Profile[keyOf(of)] {
			names = append(names, name(k))
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func keyOf(name string) identity.Key {
	n, _ := strconv.Atoi(name[1:])
	return key(name[0], n)
}
