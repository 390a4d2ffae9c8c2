package ingest

import (
	"bytes"
	"cmp"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
)

// mention is what product events and orders say of one product: slices of what
// they hold, because most of it is found to be known and never copied.
type mention struct {
	event     *Event // the latest
	workspace string
	id        []byte

	name, category, brand, variant, currency, url, image []byte
	price, cost                                          Amount // 0 where unknown

	read    int8   // mentions read
	product uint64 // its key in the memory
	facts   facts
	known   bool // found to be stored
}

// maxMention bounds one field, in bytes.
const maxMention = 1000

// readFrom reads what a JSON object says of a product, and reports whether it
// names one and says anything of it. Values of another shape say nothing.
func (m *mention) readFrom(e *Event, object []byte) bool {
	if jsonscan.Type(object) != "object" {
		return false
	}
	var sku []byte
	if !m.readPlain(object, &sku) {
		*m, sku = mention{}, nil
		for o := jsonscan.ObjectOf(object); o.Next(); {
			m.take(o.Key, o.Value, &sku)
		}
	}
	m.event, m.workspace, m.id = e, e.Workspace, either(m.id, sku)
	says := len(m.name)+len(m.category)+len(m.brand)+len(m.variant)+len(m.url)+len(m.image) > 0 || m.price > 0
	return says && len(m.id) > 0 && len(m.id) <= maxID
}

// take takes over what a member of an object says.
func (m *mention) take(key, value []byte, sku *[]byte) {
	switch string(key) {
	case "product_id":
		m.id = productID(value)
	case "sku":
		*sku = productID(value)
	case "name":
		m.name = word(value)
	case "category":
		m.category = either(word(value), m.category)
	case "brand":
		m.brand = word(value)
	case "variant":
		m.variant = word(value)
	case "currency":
		if c := word(value); currency(string(c)) {
			m.currency = c
		}
	case "price":
		m.price = price(value)
	case "url":
		m.url = word(value)
	case "image_url":
		m.image = word(value)
	}
}

// readPlain reads the members of an object as nearly all are: found valid when
// the event was decoded, flat, without escapes and with a space at most after
// colons and commas. It gives up on others, having taken some members.
func (m *mention) readPlain(object []byte, sku *[]byte) bool {
	for i := 1; ; {
		key, n := plainText(object[i:])
		if i += n; n == 0 || i+2 >= len(object) || object[i] != ':' {
			return false
		}
		if i++; object[i] == ' ' {
			i++
		}
		value, n := plainValue(object[i:])
		if i += n; n == 0 || i >= len(object) {
			return false
		}
		m.take(key[1:len(key)-1], value, sku)
		if object[i] != ',' {
			return object[i] == '}'
		}
		if i++; i < len(object) && object[i] == ' ' {
			i++
		}
	}
}

// plainText returns the string that b begins with, in its quotes, and its length;
// nothing for one with escapes, and for other values.
func plainText(b []byte) ([]byte, int) {
	if len(b) == 0 || b[0] != '"' {
		return nil, 0
	}
	n := bytes.IndexByte(b[1:], '"') + 2
	if n < 2 || bytes.IndexByte(b[:n], '\\') >= 0 {
		return nil, 0
	}
	return b[:n], n
}

// plainValue is plainText for strings, numbers and words.
func plainValue(b []byte) ([]byte, int) {
	if len(b) == 0 || b[0] == '"' {
		return plainText(b)
	}
	for i, c := range b {
		switch c {
		case ',', '}':
			return b[:i], i
		case '{', '[', ' ', '\t', '\r', '\n':
			return nil, 0
		}
	}
	return nil, 0
}

// word returns the content of a JSON string, or nothing for other values and
// those that are too long.
func word(value []byte) []byte {
	text, ok := jsonscan.Text(value)
	if !ok || len(text) > maxMention {
		return nil
	}
	return text
}

// productID reads an id, which clients send as a string or as a number.
func productID(value []byte) []byte {
	if jsonscan.Type(value) == "number" && len(value) <= maxID {
		return value
	}
	return word(value)
}

// price reads a price, which clients send as a number or as a string: 0 where it
// is none.
func price(value []byte) Amount {
	if text, ok := jsonscan.Text(value); ok {
		value = text
	}
	a, err := ParseAmount(string(value))
	if err != nil {
		return 0
	}
	return max(0, a)
}

// shownID returns the product id of an object that was found valid, or nothing
// where it would take reading: in nested objects, with escapes. An underscore is
// the rarest byte of the key.
func shownID(object []byte) []byte {
	const before, after = `"product_`, `id":`
	for i := 0; ; {
		n := bytes.IndexByte(object[i:], '_')
		if n < 0 {
			return nil
		}
		i += n + 1
		start := i - len(before)
		if start < 1 || !bytes.HasPrefix(object[i:], []byte(after)) || string(object[start:i]) != before {
			continue
		}
		outside := object[1:start]
		if object[start-1] == '\\' || bytes.IndexByte(outside, '{') >= 0 || bytes.IndexByte(outside, '[') >= 0 {
			return nil
		}
		i += len(after)
		for i < len(object) && object[i] == ' ' {
			i++
		}
		return bare(object[i:])
	}
}

// bare returns the content of the string or the digits that b begins with.
func bare(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	if b[0] != '"' {
		n := 0
		for n < len(b) && '0' <= b[n] && b[n] <= '9' {
			n++
		}
		if n < len(b) && b[n] != ',' && b[n] != '}' {
			return nil // A fraction, an exponent, another type.
		}
		return b[:n]
	}
	end := bytes.IndexByte(b[1:], '"')
	if end < 0 || bytes.IndexByte(b[1:1+end], '\\') >= 0 {
		return nil
	}
	return b[1 : 1+end]
}

// maxReadMentions is how many mentions of one product are read in a batch.
const maxReadMentions = 4

// enough reports that no more mentions of the product need to be read.
func (m *mention) enough() bool {
	return m.read >= maxReadMentions || len(m.name) > 0 && len(m.category) > 0 && m.price > 0
}

func (m *mention) priced() bool { return m.price > 0 || m.cost > 0 }

// fill fills the blanks of m from an older mention. A price goes with its
// currency and cost.
func (m *mention) fill(older *mention) {
	m.name, m.category, m.brand = either(m.name, older.name), either(m.category, older.category), either(m.brand, older.brand)
	m.variant, m.url, m.image = either(m.variant, older.variant), either(m.url, older.url), either(m.image, older.image)
	if !m.priced() {
		m.price, m.cost, m.currency = older.price, older.cost, older.currency
	}
}

func either(text, fallback []byte) []byte {
	if len(text) == 0 {
		return fallback
	}
	return text
}

// compareTimes orders events by time, and equal times by hash.
func compareTimes(a, b *Event) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Hash[1], b.Hash[1]), cmp.Compare(a.Hash[0], b.Hash[0]))
}

// row copies the mention into a row.
func (m *mention) row() CatalogueRow {
	r := CatalogueRow{
		Event: m.event, Type: "product", ItemID: string(m.id), Name: string(m.name), Brand: string(m.brand), Variant: string(m.variant),
		Currency: string(m.currency), Active: true, URL: string(m.url), Image: string(m.image), product: m.product, facts: m.facts,
	}
	if len(m.category) > 0 {
		r.Category = []string{string(m.category)}
	}
	if price := m.price; price > 0 {
		r.Price = &price
	}
	if cost := m.cost; cost > 0 {
		r.Cost = &cost
	}
	return r
}
