package mapping

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// part is the compiled typed part of a message, or an item of one.
type part struct {
	typ    reflect.Type
	fields []field
	items  *items
}

// field is one field of a struct of package wire.
type field struct {
	index int
	value *value
}

// items fills the items of an order.
type items struct {
	index int
	each  *path // nil for one item
	part  *part
}

// partTypes are the typed parts by kind.
var partTypes = map[wire.Kind]reflect.Type{
	wire.Transaction: reflect.TypeFor[wire.Order](), wire.Social: reflect.TypeFor[wire.Post](), wire.Location: reflect.TypeFor[wire.Fix](),
	wire.Support: reflect.TypeFor[wire.SupportContact](), wire.Feedback: reflect.TypeFor[wire.Answer](), wire.Sensor: reflect.TypeFor[wire.Reading](),
	wire.Contact: reflect.TypeFor[wire.Outreach](), wire.Catalogue: reflect.TypeFor[wire.Entry](),
}

// conversion is what text must become to fit a Go type.
func conversion(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[json.Number]():
		return asDecimal
	case t.Kind() == reflect.Slice:
		return asList
	case t.Kind() == reflect.Float64:
		return asNumber
	case t.Kind() == reflect.Int64:
		return asInteger
	case t.Kind() == reflect.Bool:
		return asBool
	}
	return asText
}

func (l *loader) compilePart(t *tree, typ reflect.Type) *part {
	p := &part{typ: typ}
	known := map[string]int{}
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		known[name] = i
	}
	for _, name := range slices.Sorted(maps.Keys(t.members)) {
		i, ok := known[name]
		if !ok {
			l.fault(t.at(name), "is no field of %s; known are %s", strings.ToLower(typ.Name()), strings.Join(slices.Sorted(maps.Keys(known)), ", "))
			continue
		}
		v := t.take(name)
		if typ.Field(i).Type == reflect.TypeFor[[]wire.Item]() {
			p.items = l.compileItems(l.tree(t.at(name), v), i)
			continue
		}
		p.fields = append(p.fields, field{index: i, value: l.compileValue(t.at(name), v, conversion(typ.Field(i).Type))})
	}
	return p
}

func (l *loader) compileItems(t *tree, index int) *items {
	out := &items{index: index, each: l.foreach(t)}
	delete(t.members, "foreach")
	out.part = l.compilePart(t, reflect.TypeFor[wire.Item]())
	return out
}

// fill returns a new struct of the part's type.
func (p *part) fill(s *scope) (reflect.Value, *Fault) {
	v := reflect.New(p.typ)
	for i := range p.fields {
		got, fault := p.fields[i].value.eval(s)
		if fault != nil {
			return v, fault
		}
		if got != nil {
			set(v.Elem().Field(p.fields[i].index), got)
		}
	}
	if p.items == nil {
		return v, nil
	}
	list := v.Elem().Field(p.items.index)
	fault := s.each(p.items.each, func(s *scope) *Fault {
		if list.Len() > wire.MaxItems {
			return &Fault{Rule: "items", Code: wire.CodeTooLarge, Detail: fmt.Sprintf("the list has more than %d entries", wire.MaxItems)}
		}
		item, fault := p.items.part.fill(s)
		if fault == nil {
			list.Set(reflect.Append(list, item.Elem()))
		}
		return fault
	})
	return v, fault
}

// set puts a converted value into a field of its type.
func set(field reflect.Value, got any) {
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	field.Set(reflect.ValueOf(got).Convert(field.Type()))
}
