package graph

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
)

// A story is a txtar archive. Its sections are read in order:
//
//	records    entries, one a line, each flushed by itself:
//	           day EVENT[@RECEIVED] SOURCE IDENTIFIER…   (web is not trusted)
//	           [no] block A | reject A B | cannot-link A B | must-link A B
//	           erase IDENTIFIER DAY | expire NAMESPACE DAY
//	           score RECORD RECORD WEIGHT [DAY [MODEL]]  (the model is m1)
//	model      the model whose scores count from here on, m1 before: another
//	           version of the rules, so all records are told to another graph
//	profiles   every profile of a living identifier, one a line, its founder
//	           first, the others in alphabetical order
//	together   identifiers of one profile
//	apart      identifiers of different profiles
//	households every household, one a line: VALUE… = IDENTIFIER…, the value that
//	           names it and the founders of its profiles first
//	review     the scored pairs that wait for a decision: RECORD RECORD WEIGHT
//	events     day DAY IDENTIFIER… -> an identifier of the profile it goes to
//	why        A B -> how each hop of the path from A to B holds, where they are
//	           one profile; else the barrier: KIND [BOUND NAMESPACE] = C D, the
//	           pair that it refused
//
// An identifier that ends in ! has a value blocked by the rules. Where first
// seen is equal the one that the story names first is the older.
type story struct {
	t     *testing.T
	nodes []identity.Node
	names []string
	line  int64
	rules *identity.Rules
}

var storyEpoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *story) node(name string) identity.Node {
	name, isBlocked := strings.CutSuffix(name, "!")
	i := slices.Index(s.names, name)
	if i < 0 {
		id, err := identity.ParseIdentifier(name)
		if err != nil {
			s.t.Fatalf("%q: %v", name, err)
		}
		i = len(s.names)
		s.names = append(s.names, name)
		s.nodes = append(s.nodes, identity.Node{Key: identity.Key(1000 + i), Namespace: id.Namespace, Blocked: isBlocked})
	}
	return s.nodes[i]
}

func (s *story) named(names []string) []identity.Node {
	list := make([]identity.Node, len(names))
	for i, n := range names {
		list[i] = s.node(n)
	}
	return list
}

func (s *story) day(text string) time.Time {
	n, err := strconv.Atoi(text)
	if err != nil {
		s.t.Fatalf("bad day %q", text)
	}
	return storyEpoch.AddDate(0, 0, n)
}

// entry reads one line of records.
func (s *story) entry(line string) entry {
	s.line++
	f := strings.Fields(line)
	switch f[0] {
	case "day":
		eventText, receivedText, _ := strings.Cut(f[1], "@")
		if receivedText == "" {
			receivedText = eventText
		}
		event, received := s.day(eventText), s.day(receivedText)
		return entry{sighting: &identity.Sighting{
			Members: s.named(f[3:]), Source: f[2], Period: identity.PeriodOf(event),
			Span: identity.Span{
				FirstEvent: event.UnixMilli(), LastEvent: identity.DayOf(event),
				FirstReceived: received.UnixMilli(), LastReceived: identity.DayOf(received),
			},
		}}
	case "score":
		return entry{score: s.score(f[1:])}
	case "erase":
		return entry{erase: s.node(f[1]).Key, at: s.day(f[2]).UnixMilli()}
	case "expire":
		return entry{expire: identity.Namespace(f[1]), before: identity.PeriodOf(s.day(f[2]))}
	}
	d := &identity.Decision{On: f[0] != "no", At: s.line, ID: strconv.FormatInt(s.line, 10)}
	if !d.On {
		f = f[1:]
	}
	d.Kind = identity.DecisionKind(strings.ReplaceAll(f[0], "-", "_"))
	d.A = s.node(f[1]).Key
	if len(f) > 2 {
		d.B = s.node(f[2]).Key
		d.A, d.B = min(d.A, d.B), max(d.A, d.B)
	}
	return entry{decision: d}
}

func (s *story) score(f []string) *score {
	weight, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil {
		s.t.Fatalf("bad weight %q", f[2])
	}
	e := &score{a: s.node(f[0]), b: s.node(f[1]), weight: weight, model: "m1"}
	if len(f) > 3 {
		e.at = s.day(f[3]).UnixMilli()
	}
	if len(f) > 4 {
		e.model = f[4]
	}
	return e
}

// profiles lists the profiles of living identifiers as a story does.
func (s *story) profiles(g *Graph) []string {
	members := map[identity.ProfileID][]string{}
	for i, n := range s.nodes {
		x := g.find(n.Key)
		if x == 0 || g.nodes.at(x).flags&alive == 0 || g.ns(x).rule.Household {
			continue
		}
		name := s.names[i]
		if n.Blocked {
			name += "!"
		}
		id := g.Profile(n.Key)
		members[id] = append(members[id], name)
	}
	var list []string
	for id, names := range members {
		founder := s.names[id-1000]
		slices.SortFunc(names, func(a, b string) int {
			if isA, isB := strings.TrimSuffix(a, "!") == founder, strings.TrimSuffix(b, "!") == founder; isA != isB {
				if isA {
					return -1
				}
				return 1
			}
			return strings.Compare(a, b)
		})
		list = append(list, strings.Join(names, " "))
	}
	slices.Sort(list)
	return list
}

// attribute returns the profile of an event.
func (s *story) attribute(g *Graph, at time.Time, members []identity.Node) identity.ProfileID {
	k, ok := g.Deciding(members)
	if !ok {
		return 0
	}
	for _, t := range g.Tenures(k) {
		if at.UnixMilli() < t.Until {
			return g.Profile(t.Owner)
		}
	}
	return g.Profile(k)
}

// check compares one section with g.
func (s *story) check(g *Graph, section string, lines []string) {
	s.t.Helper()
	switch section {
	case "profiles":
		want := slices.Sorted(slices.Values(lines))
		if d := cmp.Diff(want, s.profiles(g)); d != "" {
			s.t.Errorf("profiles (-want +got):\n%s", d)
		}
	case "together", "apart":
		for _, l := range lines {
			list := s.named(strings.Fields(l))
			for _, n := range list[1:] {
				if same := g.Profile(n.Key) == g.Profile(list[0].Key); same != (section == "together") {
					s.t.Errorf("%s are not %s", l, section)
				}
			}
		}
	case "households":
		want := slices.Sorted(slices.Values(lines))
		if d := cmp.Diff(want, s.households(g)); d != "" {
			s.t.Errorf("households (-want +got):\n%s", d)
		}
	case "review":
		want := slices.Sorted(slices.Values(slices.DeleteFunc(lines, func(l string) bool { return l == "" })))
		if d := cmp.Diff(want, s.review(g)); d != "" {
			s.t.Errorf("review (-want +got):\n%s", d)
		}
	case "events":
		for _, l := range lines {
			event, owner, _ := strings.Cut(l, " -> ")
			f := strings.Fields(event)
			want := identity.ProfileID(0)
			if owner != "nobody" {
				want = g.Profile(s.node(owner).Key)
			}
			members := s.named(f[2:])
			if got := s.attribute(g, s.day(f[1]), members); got != want {
				s.t.Errorf("event %q goes to %d, want %d", l, got, want)
			}
		}
	case "why":
		s.checkWhy(g, lines)
	default:
		s.t.Fatalf("unknown section %q", section)
	}
}

func storyRules() *identity.Rules {
	rules := identity.DefaultRules()
	rules.Untrusted = map[string]bool{"web": true}
	rules.ModelVersion = "m1"
	return rules
}
