package mapping

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// object is a compiled free object: properties, traits or context.
type object struct {
	key    string
	line   int
	all    bool
	rest   bool
	infer  bool
	used   map[string]bool // what the rule reads elsewhere
	fields []member
}

// member is one name of an object, with a value or an object of its own.
type member struct {
	name   string
	value  *value
	nested *object
}

// object compiles "all", "rest", a list of names, or a table of values and of
// objects, in which "*" = "all" or "rest" takes the others. "rest inferred" turns texts that
// are written as numbers or booleans into such.
func (l *loader) object(t *tree, name string) *object {
	key := t.at(name)
	o := &object{key: key, line: l.line(key)}
	switch v := t.take(name).(type) {
	case nil:
		return nil
	case string:
		if !o.take(v) {
			l.fault(key, `must be "all", "rest", a list of names or a table`)
		}
	case []any:
		for i, x := range v {
			text, ok := x.(string)
			if !ok {
				l.fault(key, "must be a list of names; entry %d is %s", i, typeName(x))
				continue
			}
			o.fields = append(o.fields, member{name: text, value: &value{key: key, line: o.line, from: []*template{{whole: true, parts: []segment{{paths: []*path{{text: text, steps: []step{{kind: 'n', name: text}}}}}}}}}})
		}
	case map[string]any:
		l.members(l.tree(key, v), o, 1)
	default:
		l.fault(key, `must be "all", "rest", a list of names or a table, not %s`, typeName(v))
	}
	return o
}

// maxNesting bounds how deep objects of a declaration lie within one another.
const maxNesting = 8

// members compiles a table. A table in it with a word of values is a value, any
// other an object of its own, in which there is no "*".
func (l *loader) members(t *tree, o *object, depth int) {
	if others := t.text("*"); others != "" && (depth > 1 || !o.take(others)) {
		l.fault(t.key, `"*" must be "all" or "rest", and stand in the outermost table`)
	}
	for _, n := range slices.Sorted(maps.Keys(t.members)) {
		if n == "*" {
			continue
		}
		inner, table := t.members[n].(map[string]any)
		if !table || isValue(inner) {
			o.fields = append(o.fields, member{name: n, value: l.compileValue(t.at(n), t.members[n], asAnything)})
			continue
		}
		nested := &object{key: t.at(n), line: l.line(t.at(n))}
		if depth == maxNesting {
			l.fault(nested.key, "lies deeper than %d tables", maxNesting)
			continue
		}
		l.members(l.tree(nested.key, inner), nested, depth+1)
		o.fields = append(o.fields, member{name: n, nested: nested})
	}
}

// isValue reports whether a table says how a value is made.
func isValue(t map[string]any) bool {
	for name := range t {
		if slices.Contains(valueWords, name) {
			return true
		}
	}
	return len(t) == 0
}

func (o *object) take(word string) bool {
	word, infer := strings.CutSuffix(word, " inferred")
	o.infer = o.infer || infer
	o.all, o.rest = word == "all", word == "rest"
	return o.all || o.rest
}

// encode returns the JSON of the object in a scope; nil for an empty one.
func (o *object) encode(s *scope) (json.RawMessage, *Fault) {
	if o == nil {
		return nil, nil
	}
	out, fault := o.eval(s)
	if fault != nil || len(out) == 0 {
		return nil, fault
	}
	text, err := encode(out)
	if err != nil {
		return nil, &Fault{Rule: o.key, Line: o.line, Code: wire.CodeField, Detail: "cannot be written as JSON"}
	}
	return text, nil
}

// eval returns the members that are there.
func (o *object) eval(s *scope) (map[string]any, *Fault) {
	out := map[string]any{}
	if o.all || o.rest {
		o.copy(s, out)
	}
	for i := range o.fields {
		f := &o.fields[i]
		if f.nested != nil {
			inner, fault := f.nested.eval(s)
			if fault != nil {
				return nil, fault
			}
			if len(inner) > 0 {
				out[f.name] = inner
			}
			continue
		}
		got, fault := f.value.eval(s)
		if fault != nil {
			return nil, fault
		}
		if t, ok := got.(time.Time); ok {
			got = t.Format(time.RFC3339Nano)
		}
		if got != nil {
			out[f.name] = o.inferred(got)
		}
	}
	return out, nil
}

// values are those of the members, however deep.
func (o *object) values() (all []*value) {
	if o == nil {
		return nil
	}
	for _, f := range o.fields {
		all = append(append(all, f.value), f.nested.values()...)
	}
	return all
}

// copy takes the members of the element that stand for themselves.
func (o *object) copy(s *scope, out map[string]any) {
	switch v := s.values[len(s.values)-1].(type) {
	case map[string]any:
		for name, x := range v {
			if x != nil && (o.all || !o.used[name]) {
				out[name] = o.inferred(x)
			}
		}
	case *Row:
		for i, name := range v.Columns.Names {
			if i < len(v.Fields) && name != "" && (o.all || !o.used[name]) {
				if text := strings.TrimSpace(v.Fields[i]); text != "" && !s.env.null(text) {
					out[name] = o.inferred(text)
				}
			}
		}
	}
}

// inferred turns text that is written as a JSON number or a boolean into one,
// when the declaration asks for it. "007" stays text.
func (o *object) inferred(v any) any {
	text, ok := v.(string)
	if !o.infer || !ok || len(text) > 20 || text == "" {
		return v
	}
	switch c := text[0]; {
	case text == "true" || text == "false":
		return text == "true"
	case (c == '-' || c >= '0' && c <= '9') && json.Valid([]byte(text)):
		return json.Number(text)
	}
	return v
}

func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// uses notes the members of the element that a rule reads itself.
func (r *rule) uses(used map[string]bool) {
	note := func(p *path) {
		if !p.root && p.up == 0 && len(p.steps) > 0 && p.steps[0].kind == 'n' {
			used[p.steps[0].name] = true
		}
		// Without foreach the element is the record.
		if p.root && r.each == nil && len(p.steps) > 0 && p.steps[0].kind == 'n' {
			used[p.steps[0].name] = true
		}
	}
	values := []*value{r.name, r.id, r.typ, r.time, r.sent}
	for _, id := range r.identifiers {
		values = append(values, id.namespace, id.value)
	}
	for _, o := range []*object{r.properties, r.traits, r.context} {
		values = append(values, o.values()...)
	}
	if r.part != nil {
		for _, f := range r.part.fields {
			values = append(values, f.value)
		}
		if it := r.part.items; it != nil && it.each != nil {
			note(it.each)
		} else if it != nil {
			for _, f := range it.part.fields {
				values = append(values, f.value)
			}
		}
	}
	for _, v := range values {
		if v == nil {
			continue
		}
		for _, t := range v.from {
			for _, part := range t.parts {
				for _, p := range part.paths {
					note(p)
				}
			}
		}
	}
}
