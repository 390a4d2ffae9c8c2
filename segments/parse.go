package segments

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a definition. They keep the SQL of one definition small enough to
// plan at once; the cost of running it is bounded by the previewer.
const (
	MaxBytes      = 64 << 10 // of JSON text
	MaxDepth      = 16       // nested all, any and not
	MaxLeaves     = 60       // in the whole tree; each is one bit of a 64-bit mask
	MaxConditions = 20       // of one where
	MaxList       = 1000     // values of one in
	MaxNameBytes  = 200      // of the name of an event, trait, property or score
	MaxTextBytes  = 1 << 10  // of a text value
)

// Parse reads a definition from JSON. The error of a definition that breaks
// the rules is an *Invalid that points at every fault.
func Parse(text []byte) (Definition, error) {
	var f faults
	if len(text) > MaxBytes {
		f.add("", "must not be longer than %d bytes", MaxBytes)
		return Definition{}, f.err()
	}
	if !utf8.Valid(text) {
		f.add("", "must be UTF-8")
		return Definition{}, f.err()
	}
	// A leaf adds at most 8 levels: itself, steps, step, exclusion, where,
	// condition, value.
	v, err := parseJSON(text, 2*MaxDepth+9)
	if err != nil {
		f.add("", "%v", err)
		return Definition{}, f.err()
	}
	p := parser{faults: &f}
	root := p.node("", v, 1)
	if err := f.err(); err != nil {
		return Definition{}, err
	}
	return Definition{Root: root}, nil
}

// UnmarshalJSON implements json.Unmarshaler with Parse's rules and errors.
func (d *Definition) UnmarshalJSON(text []byte) error {
	parsed, err := Parse(text)
	if err == nil {
		*d = parsed
	}
	return err
}

// parser turns JSON values into nodes, noting faults and going on.
type parser struct {
	*faults
	leaves int
}

// heads are the members that say what a node is, in the order of the message.
var heads = []string{
	"all", "any", "not", "trait", "event", "sequence", "orders", "refunds", "revenue", "identifier", "score",
	"consent", "holdout", "segment", "household", "accounts", "persona", "stage",
	"location", "nps", "sentiment", "bought",
}

func (p *parser) node(at string, v jsonValue, depth int) Node {
	if v.kind != isObject {
		p.add(at, "must be an object, is %s", v.kind)
		return nil
	}
	if depth > MaxDepth {
		p.add(at, "is nested more than %d levels deep", MaxDepth)
		return nil
	}
	head := ""
	for _, m := range v.members {
		if !slices.Contains(heads, m.name) {
			continue
		}
		if head != "" && head != m.name {
			p.add(at, "must be one thing, has both %q and %q", head, m.name)
			return nil
		}
		head = m.name
	}
	switch head {
	case "":
		p.add(at, "must have one of %s", strings.Join(heads, ", "))
		return nil
	case "all":
		return All(p.parts(at, head, v, depth))
	case "any":
		return Any(p.parts(at, head, v, depth))
	case "not":
		o := p.object(at, v, "not")
		part, _ := o.get("not")
		return Not{Node: p.node(join(at, "not"), part, depth+1)}
	}
	p.leaves++
	if p.leaves == MaxLeaves+1 {
		p.add(at, "is one leaf too many: a definition may have %d", MaxLeaves)
	}
	return p.leaf(at, head, v)
}

func (p *parser) parts(at, head string, v jsonValue, depth int) []Node {
	o := p.object(at, v, head)
	list, _ := o.get(head)
	at = join(at, head)
	if list.kind != isArray {
		p.add(at, "must be an array, is %s", list.kind)
		return nil
	}
	if len(list.items) == 0 {
		p.add(at, "must not be empty")
	}
	parts := make([]Node, 0, len(list.items))
	for i, item := range list.items {
		if len(p.list) == maxFaults || p.leaves > MaxLeaves {
			break
		}
		parts = append(parts, p.node(fmt.Sprintf("%s/%d", at, i), item, depth+1))
	}
	return parts
}

// object is a JSON object whose members were checked against a list.
type object struct{ members []jsonMember }

// object notes unknown and duplicate members of v.
func (p *parser) object(at string, v jsonValue, allowed ...string) object {
	seen := map[string]bool{}
	for _, m := range v.members {
		switch {
		case !slices.Contains(allowed, m.name):
			p.add(join(at, m.name), "is not known here; known are %s", strings.Join(allowed, ", "))
		case seen[m.name]:
			p.add(join(at, m.name), "appears twice")
		}
		seen[m.name] = true
	}
	return object{members: v.members}
}

func (o object) get(name string) (jsonValue, bool) {
	for _, m := range o.members {
		if m.name == name {
			return m.value, true
		}
	}
	return jsonValue{kind: isNull}, false
}
