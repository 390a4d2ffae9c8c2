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

type member struct {
	name  string
	value *value
}

// object compiles "all", "rest", a list of names, or a table of values, in
// which "*" = "all" or "rest" takes the others. "rest inferred" turns texts that
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
			o.fields = append(o.fields, member{text, &value{key: key, line: o.line, from: []*template{{whole: true, parts: []segment{{paths: []*path{{text: text, steps: []step{{kind: 'n', name: text}}}}}}}}}})
		}
	case map[string]any:
		members := l.tree(key, v)
		if others := members.text("*"); others != "" && !o.take(others) {
			l.fault(key, `"*" must be "all" or "rest"`)
		}
		for _, n := range slices.Sorted(maps.Keys(v)) {
			if n != "*" {
				o.fields = append(o.fields, member{n, l.compileValue(members.at(n), v[n], asAnything)})
			}
		}
	default:
		l.fault(key, `must be "all", "rest", a list of names or a table, not %s`, typeName(v))
	}
	return o
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
	out := map[string]any{}
	if o.all || o.rest {
		o.copy(s, out)
	}
	for i := range o.fields {
		got, fault := o.fields[i].value.eval(s)
		if fault != nil {
			return nil, fault
		}
		if t, ok := got.(time.Time); ok {
			got = t.Format(time.RFC3339Nano)
		}
		if got != nil {
			out[o.fields[i].name] = o.inferred(got)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	text, err := encode(out)
	if err != nil {
		return nil, &Fault{Rule: o.key, Line: o.line, Code: wire.CodeField, Detail: "cannot be written as JSON"}
	}
	return text, nil
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
		if o != nil {
			for _, m := range o.fields {
				values = append(values, m.value)
			}
		}
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
