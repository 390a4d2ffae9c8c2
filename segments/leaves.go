package segments

import (
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/identity"
)

// leaf reads the leaf whose telling member is head.
func (p *parser) leaf(at, head string, v jsonValue) Node {
	switch head {
	case "trait":
		o := p.object(at, v, "trait", "op", "value")
		return Trait{Name: p.name(at, o, "trait"), Test: p.test(at, o)}
	case "event":
		return p.event(at, v)
	case "sequence":
		return p.sequence(at, v)
	case "identifier":
		o := p.object(at, v, "identifier")
		return p.identifier(at, o)
	case "score":
		o := p.object(at, v, "score", "end", "op", "value")
		return p.score(at, o)
	case "consent":
		return p.consent(at, v)
	case "holdout":
		return p.holdout(at, v)
	case "segment":
		return p.inSegment(at, v)
	case "household":
		return p.household(at, v)
	case "accounts":
		return p.accounts(at, v)
	case "persona":
		return InPersona{ID: p.name(at, p.object(at, v, "persona"), "persona")}
	case "stage":
		return p.inStage(at, v)
	case "location":
		return p.location(at, v)
	case "bought":
		return p.bought(at, v)
	case "nps":
		return p.recommendation(at, v)
	case "sentiment":
		return p.mood(at, v)
	}
	return p.transactions(at, Measure(head), v)
}

// splitPath cuts a path at its dots; a backslash makes the next byte a part of
// the name, so that names with dots can be said.
func splitPath(path string) []string {
	var names []string
	var name strings.Builder
	for i := 0; i < len(path); i++ {
		switch {
		case path[i] == '\\' && i+1 < len(path):
			i++
			name.WriteByte(path[i])
		case path[i] == '.':
			names = append(names, name.String())
			name.Reset()
		default:
			name.WriteByte(path[i])
		}
	}
	return append(names, name.String())
}

// joinPath is the opposite of splitPath.
func joinPath(names []string) string {
	escaped := make([]string, len(names))
	for i, name := range names {
		escaped[i] = strings.NewReplacer(`\`, `\\`, ".", `\.`).Replace(name)
	}
	return strings.Join(escaped, ".")
}

func (p *parser) transactions(at string, measure Measure, v jsonValue) Node {
	o := p.object(at, v, string(measure), "within", "currency")
	bounds, _ := o.get(string(measure))
	t := Transactions{
		Measure: measure,
		Test:    p.comparison(join(at, string(measure)), bounds),
		Within:  p.within(at, o),
	}
	currency, ok := o.get("currency")
	switch {
	case ok && (currency.kind != isString || !isCurrency(currency.text)):
		p.add(join(at, "currency"), "must be an ISO 4217 code such as \"EUR\"")
	case !ok && measure == Revenue:
		p.add(at, "must have a currency: amounts of different currencies do not add up")
	}
	t.Currency = currency.text
	return t
}

func isCurrency(s string) bool {
	return len(s) == 3 && strings.IndexFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) < 0
}

func (p *parser) identifier(at string, o object) Node {
	v, _ := o.get("identifier")
	ns := identity.Namespace(v.text)
	if v.kind != isString || ns.Validate() != nil {
		p.add(join(at, "identifier"), "must be a namespace such as \"email\"")
	}
	return HasIdentifier{Namespace: ns}
}

func (p *parser) score(at string, o object) Node {
	s := Score{Name: p.name(at, o, "score")}
	if end, ok := o.get("end"); ok {
		if s.End = End(end.text); end.kind != isString || s.End != Lower && s.End != Upper {
			p.add(join(at, "end"), "must be lower or upper")
		}
	}
	noted := len(p.list)
	test := p.test(at, o)
	if len(p.list) > noted {
		return s
	}
	if !slices.Contains(boundOps, test.Op) || test.Values[0].Kind != Number {
		p.add(at, "must compare with a number by %s", joinOps(boundOps))
		return s
	}
	s.Test = Comparison{{Op: test.Op, Value: test.Values[0].Number}}
	return s
}

// name reads a required, non-empty, bounded string.
func (p *parser) name(at string, o object, member string) string {
	v, ok := o.get(member)
	switch {
	case !ok:
		p.add(at, "must have %q", member)
	case v.kind != isString:
		p.add(join(at, member), "must be a string, is %s", v.kind)
	case v.text == "" || len(v.text) > MaxNameBytes:
		p.add(join(at, member), "must have 1 to %d bytes", MaxNameBytes)
	}
	return v.text
}
