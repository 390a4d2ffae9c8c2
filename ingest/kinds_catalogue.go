package ingest

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// CatalogueRow is one row about an entry of the catalogue.
type CatalogueRow struct {
	Event *Event
	// Stated marks the whole state of the entry, said by a catalogue event. The
	// others are mentions in product events and orders, which say what they
	// happen to know.
	Stated                   bool
	Type, ItemID, Name       string
	Category                 []string // from the widest to the narrowest
	Brand, Variant, Currency string
	Price, Cost              *Amount
	Active                   bool
	URL, Image               string
	Lat, Lon                 *float64
	Radius                   float64
}

// Bounds on what product events may say of one entry, in bytes and elements.
const (
	maxMentions = 1000 // products of one list
	maxMention  = 1000 // bytes of one field
)

// CatalogueRows returns what the events say of the catalogue: every statement,
// and one row for all mentions of a product, with the latest of each thing said
// of it. It is a pure function of the events in their order, so that a range
// that is stored again gives the same rows.
//
// Product events are the bulk of what a shop sends, and say the same things over
// and over. So those that arrived last are read first, and of a product only
// until its name, category and price are known, four at most.
func CatalogueRows(events []*Event) []CatalogueRow {
	rows := make([]CatalogueRow, 0, 16)
	said := mentions{index: map[product]int{}}
	for _, e := range slices.Backward(events) {
		if said.enough(e) {
			continue
		}
		for _, r := range catalogueOf(e) {
			if r.Stated {
				rows = append(rows, r)
			} else {
				said.add(r)
			}
		}
	}
	return append(rows, said.rows...)
}

// product names a product in a map.
type product struct{ workspace, id string }

// mentions collects what is said of products.
type mentions struct {
	rows  []CatalogueRow
	read  []int8 // mentions read for each row
	index map[product]int
}

// maxReadMentions is how many mentions of one product are read in a batch.
const maxReadMentions = 4

// enough reports that nothing more needs to be read of the one product that an
// event shows. It looks at the text only; what it cannot tell is read.
func (m *mentions) enough(e *Event) bool {
	if len(m.rows) == 0 || e.Kind != wire.Behaviour {
		return false
	}
	const key = `"product_id":"`
	i := bytes.Index(e.Properties, []byte(key))
	if i < 0 || e.Name == productList {
		return false
	}
	id := e.Properties[i+len(key):]
	end := bytes.IndexByte(id, '"')
	if end < 0 {
		return false
	}
	at, ok := m.index[product{e.Workspace, string(id[:end])}]
	if !ok {
		return false
	}
	r := &m.rows[at]
	return m.read[at] >= maxReadMentions || r.Name != "" && len(r.Category) > 0 && r.Price != nil
}

func (m *mentions) add(r CatalogueRow) {
	key := product{r.Event.Workspace, r.ItemID}
	i, ok := m.index[key]
	if !ok {
		m.index[key] = len(m.rows)
		m.rows, m.read = append(m.rows, r), append(m.read, 1)
		return
	}
	m.read[i] = min(m.read[i]+1, maxReadMentions)
	if compareTimes(m.rows[i].Event, r.Event) < 0 {
		m.rows[i] = overlay(m.rows[i], r)
	} else {
		m.rows[i] = overlay(r, m.rows[i])
	}
}

// compareTimes orders events by time, and equal times by hash.
func compareTimes(a, b *Event) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Hash[1], b.Hash[1]), cmp.Compare(a.Hash[0], b.Hash[0]))
}

// overlay returns newer with the blanks filled from older.
func overlay(older, newer CatalogueRow) CatalogueRow {
	newer.Name, newer.Brand, newer.Variant = or(newer.Name, older.Name), or(newer.Brand, older.Brand), or(newer.Variant, older.Variant)
	newer.URL, newer.Image = or(newer.URL, older.URL), or(newer.Image, older.Image)
	if len(newer.Category) == 0 {
		newer.Category = older.Category
	}
	if newer.Price == nil && newer.Cost == nil {
		newer.Price, newer.Cost, newer.Currency = older.Price, older.Cost, older.Currency
	}
	return newer
}

// catalogueOf returns what one event says of the catalogue: almost always
// nothing, found out from kind and name alone.
func catalogueOf(e *Event) []CatalogueRow {
	switch {
	case e.Parts.Entry != nil:
		return []CatalogueRow{stated(e)}
	case e.Order != nil:
		if e.Order.Type == "order" {
			return orderedProducts(e)
		}
	case e.Kind == wire.Behaviour && strings.HasPrefix(e.Name, "Product "):
		return shownProducts(e)
	}
	return nil
}

func stated(e *Event) CatalogueRow {
	x := e.Parts.Entry
	return CatalogueRow{
		Event: e, Stated: true, Type: x.Type, ItemID: x.ItemID, Name: x.Name, Category: x.Category, Brand: x.Brand, Variant: x.Variant,
		Currency: x.Currency, Price: x.Price, Cost: x.Cost, Active: x.Active == nil || *x.Active, URL: x.URL, Image: x.Image,
		Lat: x.Lat, Lon: x.Lon, Radius: x.Radius,
	}
}

func orderedProducts(e *Event) []CatalogueRow {
	rows := make([]CatalogueRow, 0, len(e.Order.Items))
	for i := range e.Order.Items {
		it := &e.Order.Items[i]
		if it.ProductID == "" || it.Name == "" && it.Category == "" {
			continue
		}
		r := CatalogueRow{Event: e, Type: "product", ItemID: it.ProductID, Name: it.Name, Currency: e.Order.Currency, Active: true}
		if it.Category != "" {
			r.Category = []string{it.Category}
		}
		// Zero is how an order says that it does not know.
		if it.Price > 0 {
			r.Price = &it.Price
		}
		if it.Cost > 0 {
			r.Cost = &it.Cost
		}
		rows = append(rows, r)
	}
	return rows
}

// The events of the Segment specification that show a product.
var productEvents = []string{"Product Viewed", "Product Added", "Product Clicked", "Product Removed"}

const productList = "Product List Viewed"

func shownProducts(e *Event) []CatalogueRow {
	switch {
	case slices.Contains(productEvents, e.Name):
		// What names no product needs no reading. The key may stand anywhere.
		if !bytes.Contains(e.Properties, []byte(`product_id"`)) && !bytes.Contains(e.Properties, []byte(`sku"`)) {
			return nil
		}
		if r, ok := mention(e, e.Properties); ok {
			return []CatalogueRow{r}
		}
	case e.Name == productList:
		return listedProducts(e)
	}
	return nil
}

func listedProducts(e *Event) []CatalogueRow {
	var rows []CatalogueRow
	m := jsonscan.ObjectOf(e.Properties)
	for m.Next() {
		if string(m.Key) != "products" || jsonscan.Type(m.Value) != "array" {
			continue
		}
		for list := jsonscan.ArrayOf(m.Value); list.Next() && len(rows) < maxMentions; {
			if r, ok := mention(e, list.Value); ok {
				rows = append(rows, r)
			}
		}
	}
	return rows
}

// mention reads what a JSON object says of a product, and reports whether it
// names one and says anything of it. Values of another shape say nothing.
func mention(e *Event, object []byte) (CatalogueRow, bool) {
	if jsonscan.Type(object) != "object" {
		return CatalogueRow{}, false
	}
	r := CatalogueRow{Event: e, Type: "product", Active: true}
	var sku string
	for m := jsonscan.ObjectOf(object); m.Next(); {
		switch string(m.Key) {
		case "product_id":
			r.ItemID = productID(m.Value)
		case "sku":
			sku = productID(m.Value)
		case "name":
			r.Name = word(m.Value)
		case "category":
			if c := word(m.Value); c != "" {
				r.Category = []string{c}
			}
		case "brand":
			r.Brand = word(m.Value)
		case "variant":
			r.Variant = word(m.Value)
		case "currency":
			if c := word(m.Value); currency(c) {
				r.Currency = c
			}
		case "price":
			r.Price = price(m.Value)
		case "url":
			r.URL = word(m.Value)
		case "image_url":
			r.Image = word(m.Value)
		}
	}
	r.ItemID = or(r.ItemID, sku)
	says := r.Name != "" || len(r.Category) > 0 || r.Brand != "" || r.Variant != "" || r.Price != nil || r.URL != "" || r.Image != ""
	return r, says && r.ItemID != "" && len(r.ItemID) <= maxID
}

// word returns the content of a JSON string, or nothing for other values and
// those that are too long.
func word(value []byte) string {
	text, ok := jsonscan.Text(value)
	if !ok || len(text) > maxMention {
		return ""
	}
	return string(text)
}

// productID reads an id, which clients send as a string or as a number.
func productID(value []byte) string {
	if jsonscan.Type(value) == "number" && len(value) <= maxID {
		return string(value)
	}
	return word(value)
}

func price(value []byte) *Amount {
	if text, ok := jsonscan.Text(value); ok {
		value = text
	}
	a, err := ParseAmount(string(value))
	if err != nil || a <= 0 {
		return nil
	}
	return &a
}
