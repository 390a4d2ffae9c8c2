package mapping

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// rule is one compiled entry of events.
type rule struct {
	key         string
	kind        wire.Kind
	when        []condition
	each        *path // nil without foreach
	name, id    *value
	typ         *value
	time, sent  *value
	identifiers []identifier
	properties  *object
	traits      *object
	context     *object
	part        *part
}

type identifier struct{ namespace, value *value }

func (l *loader) compileRule(t *tree) *rule {
	r := &rule{key: t.key}
	r.kind = wire.Kind(t.text("kind"))
	if !slices.Contains(wire.Kinds(), r.kind) {
		l.fault(t.at("kind"), "must be one of %v", wire.Kinds())
	}
	r.when = l.conditions(t, "when")
	r.each = l.foreach(t)
	text := func(name string, as string) *value {
		if v := t.take(name); v != nil {
			return l.compileValue(t.at(name), v, as)
		}
		return nil
	}
	if r.name = text("name", asText); r.name == nil {
		l.fault(t.at("name"), "is required")
		r.name = &value{}
	}
	r.name.required = true
	if r.id = text("id", asText); r.id != nil {
		r.id.required = true
	}
	if r.typ = text("type", asText); r.typ != nil && r.kind != wire.Behaviour {
		l.fault(t.at("type"), "belongs to behaviour only")
	}
	r.time, r.sent = text("time", asTime), text("sent_time", asTime)
	for _, it := range t.list("identifiers") {
		id := identifier{namespace: l.compileValue(it.at("namespace"), it.take("namespace"), asText)}
		id.namespace.required = true
		delete(it.members, "namespace")
		id.value = l.compileValue(it.key, it.members, asText)
		r.identifiers = append(r.identifiers, id)
	}
	r.properties, r.traits, r.context = l.object(t, "properties"), l.object(t, "traits"), l.object(t, "context")
	if typ, ok := partTypes[r.kind]; ok {
		v := t.take(string(r.kind))
		if v == nil {
			l.fault(t.at(string(r.kind)), "is required: the typed part of the kind")
		} else {
			r.part = l.compilePart(l.tree(t.at(string(r.kind)), v), typ)
		}
	}
	t.done()
	used := map[string]bool{}
	r.uses(used)
	for _, o := range []*object{r.properties, r.traits, r.context} {
		if o != nil {
			o.used = used
		}
	}
	return r
}

// foreach compiles the path of a list; nil when there is none.
func (l *loader) foreach(t *tree) *path {
	text := t.text("foreach")
	if text == "" {
		return nil
	}
	p, err := parsePath(text, true)
	switch {
	case err != nil:
		l.fault(t.at("foreach"), "%s", err)
	case !slices.ContainsFunc(p.steps, func(s step) bool { return s.kind == '*' }):
		l.fault(t.at("foreach"), "must hold [], such as entry[].changes[]")
	}
	return p
}

// maxElements bounds what one record can become.
const maxElements = 10_000

// each calls f in the scope of every element, and in s itself without a path.
func (s *scope) each(p *path, f func(*scope) *Fault) *Fault {
	if p == nil {
		return f(s)
	}
	at := len(s.values) - 1 - p.up
	if p.root || at < 0 {
		at = 0
	}
	inner := scope{values: slices.Clone(s.values[:at+1]), env: s.env}
	return inner.walk(s.values[at], p.steps, f)
}

func (s *scope) walk(v any, steps []step, f func(*scope) *Fault) *Fault {
	for i := range steps {
		if steps[i].kind != '*' {
			if v = steps[i].walk(v); v == nil {
				return nil
			}
			continue
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v} // A list of one is often written without brackets.
		}
		for _, item := range list {
			inner := scope{values: append(slices.Clone(s.values), item), env: s.env}
			if fault := inner.walk(item, steps[i+1:], f); fault != nil {
				return fault
			}
		}
		return nil
	}
	if len(steps) > 0 && steps[len(steps)-1].kind != '*' {
		s.values = append(slices.Clone(s.values), v)
	}
	return f(s)
}

// message makes the message of one element.
func (r *rule) message(s *scope) (*wire.Message, *Fault) {
	m := &wire.Message{Source: s.env.Source}
	for _, x := range []struct {
		v  *value
		to *string
	}{{r.name, &m.Name}, {r.id, &m.ID}, {r.typ, &m.Type}} {
		if x.v == nil {
			continue
		}
		got, fault := x.v.eval(s)
		if fault != nil {
			return nil, fault
		}
		if got != nil {
			*x.to = got.(string)
		}
	}
	if m.ID == "" {
		m.ID = fmt.Sprintf("%s:%d", s.env.DefaultID, s.index)
	}
	if fault := r.times(s, m); fault != nil {
		return nil, fault
	}
	if fault := r.identify(s, m); fault != nil {
		return nil, fault
	}
	for _, x := range []struct {
		o  *object
		to *json.RawMessage
	}{{r.properties, &m.Properties}, {r.traits, &m.Traits}, {r.context, &m.Context}} {
		var fault *Fault
		if *x.to, fault = x.o.encode(s); fault != nil {
			return nil, fault
		}
	}
	if r.part == nil {
		return m, nil
	}
	v, fault := r.part.fill(s)
	if fault == nil {
		reflect.ValueOf(m).Elem().FieldByName(partField[r.kind]).Set(v)
	}
	return m, fault
}

// partField names the field of wire.Message that holds the part of a kind.
var partField = map[wire.Kind]string{
	wire.Transaction: "Transaction", wire.Social: "Social", wire.Location: "Location", wire.Support: "Support",
	wire.Feedback: "Feedback", wire.Sensor: "Sensor", wire.Contact: "Contact", wire.Catalogue: "Catalogue",
}

func (r *rule) times(s *scope, m *wire.Message) *Fault {
	m.Time, m.Undated = s.env.Now, true
	for _, x := range []struct {
		v  *value
		to *time.Time
	}{{r.time, &m.Time}, {r.sent, &m.SentTime}} {
		if x.v == nil {
			continue
		}
		got, fault := x.v.eval(s)
		if fault != nil {
			return fault
		}
		if got != nil {
			*x.to = got.(time.Time).Add(s.env.Shift)
			m.Undated = m.Undated && x.v != r.time
		}
	}
	return nil
}

func (r *rule) identify(s *scope, m *wire.Message) *Fault {
	for _, id := range r.identifiers {
		ns, fault := id.namespace.eval(s)
		if fault != nil {
			return fault
		}
		v, fault := id.value.eval(s)
		if fault != nil {
			return fault
		}
		if v != nil {
			m.Identifiers = append(m.Identifiers, wire.Identifier{Namespace: ns.(string), Value: v.(string)})
		}
	}
	return nil
}
