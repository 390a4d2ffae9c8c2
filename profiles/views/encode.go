package views

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// encoding is the version of what codec.profile writes. Whoever changes that gives it
// a new number; rows of the old one are not read.
const encoding = 1

// errBody is the fault of a body that is not of this encoding.
var errBody = errors.New("body of a view is not readable")

// codec writes or reads, by one description of the fields for both, so that they
// cannot disagree. JSON would take five times as long to read, and changes the white
// space of the properties that it holds.
type codec struct {
	reading bool
	b       []byte
	err     error
}

// encode returns the body of a view.
func encode(p *profiles.Profile) []byte {
	c := &codec{b: make([]byte, 0, 2048)}
	c.profile(p)
	return c.b
}

// decode reads a body.
func decode(body []byte) (*profiles.Profile, error) {
	c, p := &codec{reading: true, b: body}, &profiles.Profile{}
	c.profile(p)
	if c.err == nil && len(c.b) > 0 {
		c.err = errBody
	}
	return p, c.err
}

func (c *codec) profile(p *profiles.Profile) {
	number(c, &p.ID)
	list(c, &p.Identifiers, c.identifier)
	c.int(&p.IdentifierCount)
	list(c, &p.Keys, func(k *identity.Key) { fixed(c, k) })
	list(c, &p.Former, func(k *identity.Key) { fixed(c, k) })
	optional(c, &p.Household, func(h *profiles.Household) {
		fixed(c, &h.ID)
		list(c, &h.Profiles, func(id *identity.ProfileID) { fixed(c, id) })
	})
	list(c, &p.Traits, func(t *profiles.Trait) {
		c.text(&t.Name)
		c.json(&t.Value)
		text(c, &t.Rule)
		c.text(&t.Source)
		c.time(&t.Time)
	})
	c.time(&p.Activity.FirstSeen)
	c.time(&p.Activity.LastSeen)
	byName(c, &p.Activity.Events, func(n *uint64) { number(c, n) })
	list(c, &p.Orders, c.orders)
	list(c, &p.Products, c.product)
	list(c, &p.Accounts, func(a *profiles.AccountLink) {
		c.text(&a.ID)
		c.time(&a.First)
		c.time(&a.Last)
		number(c, &a.Events)
	})
	list(c, &p.Channels, func(h *profiles.Channel) {
		c.text(&h.Channel)
		byName(c, &h.Messages, func(n *uint64) { number(c, n) })
		c.time(&h.First)
		c.time(&h.Last)
		c.time(&h.Answered)
	})
	list(c, &p.Recent, c.event)
}

func (c *codec) identifier(i *profiles.Identifier) {
	text(c, &i.Namespace)
	c.text(&i.Value)
	fixed(c, &i.Key)
	c.time(&i.FirstSeen)
	c.time(&i.LastSeen)
	list(c, &i.Sources, c.text)
}

func (c *codec) orders(o *profiles.OrderSummary) {
	c.text(&o.Currency)
	number(c, &o.Orders)
	number(c, &o.Refunds)
	c.decimal(&o.Amount)
	c.decimal(&o.Refunded)
	c.time(&o.FirstOrder)
	c.time(&o.LastOrder)
}

func (c *codec) position(p *profiles.Position) {
	c.time(&p.Time)
	c.text(&p.Key)
}

func (c *codec) product(q *profiles.Product) {
	c.position(&q.Position)
	c.text(&q.ID)
	c.text(&q.Name)
	c.text(&q.Category)
	number(c, &q.Orders)
	c.decimal(&q.Bought)
	c.decimal(&q.Returned)
	c.decimal(&q.Held)
	c.bool(&q.Subscribed)
	byName(c, &q.Spent, c.decimal)
	c.time(&q.First)
}

func (c *codec) event(e *profiles.Event) {
	c.position(&e.Position)
	c.text(&e.MessageID)
	c.text(&e.Kind)
	c.text(&e.Name)
	c.text(&e.Type)
	c.text(&e.Source)
	c.time(&e.Time)
	c.json(&e.Properties)
	c.json(&e.Detail)
	c.json(&e.Context)
	list(c, &e.Identifiers, c.text)
}

// take returns the next n bytes to read.
func (c *codec) take(n uint64) []byte {
	if c.err != nil || n > uint64(len(c.b)) {
		c.err = errBody
		return nil
	}
	part := c.b[:n:n]
	c.b = c.b[n:]
	return part
}

// number is a number that is mostly small.
func number[T ~uint64](c *codec, n *T) {
	if !c.reading {
		c.b = binary.AppendUvarint(c.b, uint64(*n))
		return
	}
	v, size := binary.Uvarint(c.b)
	if size <= 0 {
		c.err = errBody
		return
	}
	c.b, *n = c.b[size:], T(v)
}

// fixed is a number of which all bits are used.
func fixed[T ~uint64](c *codec, n *T) {
	if !c.reading {
		c.b = binary.LittleEndian.AppendUint64(c.b, uint64(*n))
	} else if b := c.take(8); b != nil {
		*n = T(binary.LittleEndian.Uint64(b))
	}
}

func (c *codec) int(n *int) {
	v := uint64(*n)
	number(c, &v)
	*n = int(v)
}

func (c *codec) bool(is *bool) {
	v := uint64(0)
	if *is {
		v = 1
	}
	number(c, &v)
	*is = v == 1
}

// time has milliseconds, as everything in a profile.
func (c *codec) time(t *time.Time) {
	v := uint64(t.UnixMilli())
	fixed(c, &v)
	if c.reading {
		*t = time.UnixMilli(int64(v)).UTC()
	}
}

// bytes tells none from an empty text.
func (c *codec) bytes(b []byte, none bool) (_ []byte, isNone bool) {
	n := uint64(len(b)) + 1
	if none {
		n = 0
	}
	number(c, &n)
	if !c.reading {
		c.b = append(c.b, b...)
		return b, none
	}
	if n == 0 || c.err != nil {
		return nil, true
	}
	return c.take(n - 1), false
}

func (c *codec) text(s *string) { text(c, s) }

func text[T ~string](c *codec, s *T) {
	if !c.reading {
		c.bytes([]byte(*s), false)
		return
	}
	b, _ := c.bytes(nil, false)
	*s = T(b)
}

func (c *codec) json(j *json.RawMessage) {
	b, none := c.bytes(*j, *j == nil)
	if c.reading && !none {
		*j = json.RawMessage(b)
	}
}

// decimal keeps the number of places.
func (c *codec) decimal(d *decimal.Decimal) {
	var b []byte
	if !c.reading {
		b, _ = d.MarshalBinary() // Never fails.
	}
	b, _ = c.bytes(b, false)
	if c.reading && c.err == nil && d.UnmarshalBinary(b) != nil {
		c.err = errBody
	}
}

// list tells none from an empty list.
func list[T any](c *codec, all *[]T, each func(*T)) {
	n := uint64(len(*all)) + 1
	if *all == nil {
		n = 0
	}
	number(c, &n)
	if c.reading && n > 0 {
		if n-1 > uint64(len(c.b)) { // Nothing takes less than a byte.
			c.err = errBody
			return
		}
		*all = make([]T, n-1)
	}
	for i := range *all {
		if each(&(*all)[i]); c.err != nil {
			return
		}
	}
}

// optional is a list of one or none.
func optional[T any](c *codec, p **T, each func(*T)) {
	var all []T
	if *p != nil {
		all = []T{**p}
	}
	list(c, &all, each)
	if c.reading && len(all) > 0 {
		*p = &all[0]
	}
}

// byName is a map, in the order of its names.
func byName[T any](c *codec, m *map[string]T, each func(*T)) {
	type pair struct {
		name  string
		value T
	}
	var all []pair
	if *m != nil {
		all = make([]pair, 0, len(*m))
		for _, name := range slices.Sorted(maps.Keys(*m)) {
			all = append(all, pair{name, (*m)[name]})
		}
	}
	list(c, &all, func(p *pair) {
		c.text(&p.name)
		each(&p.value)
	})
	if c.reading && all != nil && c.err == nil {
		*m = make(map[string]T, len(all))
		for _, p := range all {
			(*m)[p.name] = p.value
		}
	}
}

// never is a time that does not come.
var never = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
