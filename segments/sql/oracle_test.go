package sql_test

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments"
)

// oracle evaluates definitions over the events of a world one profile at a
// time, straight from the documented meaning and sharing no code with the
// compiler.
type oracle struct {
	world  *clickhousetest.World
	events []clickhousetest.Event
	scores []clickhousetest.Score
	groups []clickhousetest.Group
	now    time.Time

	households map[identity.ProfileID]string
}

// person is what the oracle knows of one profile.
type person struct {
	events     []clickhousetest.Event
	namespaces map[identity.Namespace]bool
	id         identity.ProfileID
}

// people attributes each event to the profile of its strongest identifier.
func (o *oracle) people() map[identity.ProfileID]*person {
	people := map[identity.ProfileID]*person{}
	at := func(id identity.ProfileID) *person {
		if people[id] == nil {
			people[id] = &person{id: id, namespaces: map[identity.Namespace]bool{}}
		}
		return people[id]
	}
	for _, e := range o.events {
		var members []identity.Member
		for _, s := range e.Identifiers {
			id, _ := identity.ParseIdentifier(s)
			key := o.world.Keyer.Key(id)
			members = append(members, identity.Member{Identifier: id, Key: key})
			p := at(o.world.Profile(key))
			p.namespaces[id.Namespace] = true
		}
		if len(members) == 0 {
			continue
		}
		ids := make([]identity.Identifier, len(members))
		for i, m := range members {
			ids[i] = m.Identifier
		}
		counted, _ := o.world.Keyer.Members(ids)
		p := at(o.world.Profile(counted[0].Key))
		p.events = append(p.events, e)
	}
	return people
}

// members returns the ids of the profiles for which d holds, in order.
func (o *oracle) members(d segments.Definition) []identity.ProfileID {
	var ids []identity.ProfileID
	for id, p := range o.people() {
		if o.holds(p, d.Root) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (o *oracle) holds(p *person, n segments.Node) bool {
	switch n := n.(type) {
	case segments.All:
		return !slices.ContainsFunc(n, func(part segments.Node) bool { return !o.holds(p, part) })
	case segments.Any:
		return slices.ContainsFunc(n, func(part segments.Node) bool { return o.holds(p, part) })
	case segments.Not:
		return !o.holds(p, n.Node)
	case segments.HasIdentifier:
		return p.namespaces[n.Namespace]
	case segments.Event:
		return o.event(p, n)
	case segments.Sequence:
		return o.sequence(p, n)
	case segments.Transactions:
		return o.transactions(p, n)
	case segments.Bought:
		return o.bought(p, n)
	case segments.Trait:
		return passes(o.trait(p, n.Name), n.Test)
	case segments.Score:
		return o.score(p, n)
	}
	return o.person(p, n)
}

func (o *oracle) inWindow(t time.Time, within time.Duration) bool {
	return within == 0 || t.After(o.now.Add(-within)) && !t.After(o.now)
}

// dig returns the JSON value at a path, nil where there is none.
func dig(properties map[string]any, path []string) any {
	var v any = properties
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// later orders events by time, then by message hash.
func (o *oracle) later(a, b clickhousetest.Event) bool {
	if !a.Time.Equal(b.Time) {
		return a.Time.After(b.Time)
	}
	hash := func(e clickhousetest.Event) *big.Int {
		lo, hi := o.world.Keyer.Message(e.Kind, e.Source, e.MessageID)
		n := new(big.Int).SetUint64(hi)
		return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(lo))
	}
	return hash(a).Cmp(hash(b)) > 0
}

func (o *oracle) score(p *person, leaf segments.Score) bool {
	var newest *clickhousetest.Score
	for i, s := range o.scores {
		if o.world.Profile(identity.Key(s.Profile)) == p.id && s.Name == leaf.Name && (newest == nil || s.ComputedAt.After(newest.ComputedAt)) {
			newest = &o.scores[i]
		}
	}
	if newest == nil {
		return false
	}
	return leaf.Test.Holds(map[segments.End]float64{"": newest.Value, segments.Lower: newest.Lower, segments.Upper: newest.Upper}[leaf.End])
}

// trait applies the survivorship rule that the test's table gives by the name
// of the trait: the name of the rule itself.
func (o *oracle) trait(p *person, name string) any {
	if strings.HasPrefix(name, "computed_") {
		return o.computed(p, name)
	}
	statements := slices.Clone(p.events)
	statements = slices.DeleteFunc(statements, func(e clickhousetest.Event) bool { _, ok := e.Traits[name]; return !ok })
	slices.SortFunc(statements, func(a, b clickhousetest.Event) int {
		if o.later(a, b) {
			return 1
		}
		return -1
	})
	for i := len(statements) - 1; i >= 0; i-- {
		if statements[i].Traits[name] == nil {
			statements = statements[i+1:]
			break
		}
	}
	if len(statements) == 0 {
		return nil
	}
	value := func(i int) any { return statements[i].Traits[name] }
	pick := func(weight func(i int) (int, bool)) any {
		var best any
		top, found := 0, false
		for i := range statements {
			if w, ok := weight(i); ok && (!found || w >= top) {
				best, top, found = value(i), w, true
			}
		}
		return best
	}
	switch name {
	case "oldest":
		return value(0)
	case "most_frequent":
		return pick(func(i int) (int, bool) {
			n := 0
			for j := range statements {
				if text(value(j)) == text(value(i)) {
					n++
				}
			}
			return n, true
		})
	case "longest":
		return pick(func(i int) (int, bool) { s, ok := value(i).(string); return len([]rune(s)), ok })
	case "source_priority":
		return pick(func(i int) (int, bool) { return map[string]int{"crm": 2, "shop": 1}[statements[i].Source], true })
	case "union":
		return unionOf(statements, name)
	case "sum", "max":
		return numberOf(statements, name)
	}
	return value(len(statements) - 1)
}

func unionOf(statements []clickhousetest.Event, name string) any {
	var out []any
	for _, e := range statements {
		elements, ok := e.Traits[name].([]any)
		if !ok {
			elements = []any{e.Traits[name]}
		}
		for _, x := range elements {
			if !slices.ContainsFunc(out, func(y any) bool { return text(y) == text(x) }) {
				out = append(out, x)
			}
		}
	}
	return out
}

func numberOf(statements []clickhousetest.Event, name string) any {
	var numbers []float64
	for _, e := range statements {
		if x, ok := e.Traits[name].(float64); ok {
			numbers = append(numbers, x)
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	if name == "max" {
		return slices.Max(numbers)
	}
	var sum float64
	for _, x := range numbers {
		sum += x
	}
	return sum
}

func text(v any) string { b, _ := json.Marshal(v); return string(b) }

// passes applies a test to a JSON value; nil is no value.
func passes(v any, t segments.Test) bool {
	switch t.Op {
	case segments.Exists:
		return v != nil
	case segments.Neq:
		return v != nil && !same(v, t.Values[0])
	case segments.Eq, segments.In:
		return slices.ContainsFunc(t.Values, func(s segments.Scalar) bool { return same(v, s) })
	case segments.Contains:
		if list, ok := v.([]any); ok {
			return slices.ContainsFunc(list, func(x any) bool { return same(x, t.Values[0]) })
		}
		s, ok := v.(string)
		return ok && t.Values[0].Kind == segments.Text && strings.Contains(s, t.Values[0].Text)
	}
	order := 0
	want := t.Values[0]
	switch x := v.(type) {
	case float64:
		if want.Kind != segments.Number {
			return false
		}
		order = compare(x, want.Number)
	case string:
		if want.Kind != segments.Text {
			return false
		}
		order = strings.Compare(x, want.Text)
	default:
		return false
	}
	switch t.Op {
	case segments.Gt:
		return order > 0
	case segments.Gte:
		return order >= 0
	case segments.Lt:
		return order < 0
	}
	return order <= 0
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func same(v any, s segments.Scalar) bool {
	switch x := v.(type) {
	case string:
		return s.Kind == segments.Text && x == s.Text
	case float64:
		return s.Kind == segments.Number && x == s.Number
	case bool:
		return s.Kind == segments.Bool && x == s.Bool
	}
	return false
}
