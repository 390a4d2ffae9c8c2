package ingest

import (
	"bytes"
	"hash/maphash"
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

	product uint64 // key and facts of a mention, for the memory
	facts   facts
}

// CatalogueRows returns what the events say of the catalogue: every statement,
// and one row for all mentions of a product, with the latest of each thing said
// of it. It is a pure function of the events in their order, so that a range
// that is stored again gives the same rows. A Pipeline leaves out of them the
// mentions that it knows to be stored already.
//
// Product events are the bulk of what a shop sends, and say the same things over
// and over. So those that arrived last are read first, and of a product only
// until its name, category and price are known, four at most. Of the others no
// more is looked at than which product they show.
func CatalogueRows(events []*Event) []CatalogueRow { return newMentioned(1).rows(events) }

// rows returns what the events say of the catalogue and the memory does not
// show to be stored.
func (m *mentioned) rows(events []*Event) []CatalogueRow {
	var rows []CatalogueRow
	s := m.scratch.Get().(*mentions)
	for _, e := range slices.Backward(events) {
		switch {
		case e.Parts.Entry != nil:
			rows = append(rows, stated(e))
		case e.Order != nil:
			if e.Order.Type == "order" {
				s.ordered(e)
			}
		case e.Kind == wire.Behaviour && strings.HasPrefix(e.Name, "Product "):
			s.shown(e)
		}
	}
	rows = m.news(rows, s.list)
	s.reset()
	m.scratch.Put(s)
	return rows
}

func stated(e *Event) CatalogueRow {
	x := e.Parts.Entry
	return CatalogueRow{
		Event: e, Stated: true, Type: x.Type, ItemID: x.ItemID, Name: x.Name, Category: x.Category, Brand: x.Brand, Variant: x.Variant,
		Currency: x.Currency, Price: x.Price, Cost: x.Cost, Active: x.Active == nil || *x.Active, URL: x.URL, Image: x.Image,
		Lat: x.Lat, Lon: x.Lon, Radius: x.Radius,
	}
}

// mentions collects what one batch says of products: one mention for each, with
// what all that were read of it say.
type mentions struct {
	seed  maphash.Seed // of the memory
	list  []mention
	index map[uint64]int32 // by product; a key that another product has counts up
}

func (s *mentions) reset() {
	clear(s.list[:cap(s.list)]) // They hold events alive.
	s.list = s.list[:0]
	clear(s.index)
}

// find returns what was read of a product, or nil, and where to index it.
func (s *mentions) find(workspace string, id []byte) (known *mention, key uint64) {
	for key = productKey(s.seed, workspace, id); ; key++ {
		at, ok := s.index[key]
		if !ok {
			return nil, key
		}
		if m := &s.list[at]; m.workspace == workspace && bytes.Equal(m.id, id) {
			return m, key
		}
	}
}

// next returns room for a mention, which becomes part of s when it is added.
func (s *mentions) next() *mention {
	if len(s.list) == cap(s.list) {
		s.list = slices.Grow(s.list, 1)
	}
	m := &s.list[:len(s.list)+1][len(s.list)]
	*m = mention{}
	return m
}

// add keeps the mention that next returned.
func (s *mentions) add(m *mention) {
	known, key := s.find(m.workspace, m.id)
	if known == nil {
		m.read = 1
		s.index[key] = int32(len(s.list))
		s.list = s.list[:len(s.list)+1]
		return
	}
	read := min(known.read+1, maxReadMentions)
	if compareTimes(known.event, m.event) < 0 {
		m.fill(known)
		*known = *m
	} else {
		known.fill(m)
	}
	known.read = read
}

// The events of the Segment specification that show a product.
var productEvents = []string{"Product Viewed", "Product Added", "Product Clicked", "Product Removed"}

const productList = "Product List Viewed"

func (s *mentions) shown(e *Event) {
	switch {
	case e.Name == productList:
		s.listed(e)
	case slices.Contains(productEvents, e.Name) && !s.enough(e):
		// What names no product needs no reading. The key may stand anywhere.
		if !bytes.Contains(e.Properties, []byte(`product_id"`)) && !bytes.Contains(e.Properties, []byte(`sku"`)) {
			return
		}
		if m := s.next(); m.readFrom(e, e.Properties) {
			s.add(m)
		}
	}
}

// enough reports that nothing more needs to be read of the one product that an
// event shows. It looks at the text only; what it cannot tell is read.
func (s *mentions) enough(e *Event) bool {
	id := shownID(e.Properties)
	if len(id) == 0 {
		return false
	}
	known, _ := s.find(e.Workspace, id)
	return known != nil && known.enough()
}

// maxMentions bounds the products that are read of one list.
const maxMentions = 1000

func (s *mentions) listed(e *Event) {
	n := 0
	for m := jsonscan.ObjectOf(e.Properties); m.Next(); {
		if string(m.Key) != "products" || jsonscan.Type(m.Value) != "array" {
			continue
		}
		for list := jsonscan.ArrayOf(m.Value); list.Next() && n < maxMentions; {
			if x := s.next(); x.readFrom(e, list.Value) {
				s.add(x)
				n++
			}
		}
	}
}

func (s *mentions) ordered(e *Event) {
	for i := range e.Order.Items {
		it := &e.Order.Items[i]
		if it.ProductID == "" || it.Name == "" && it.Category == "" {
			continue
		}
		// Zero is how an order says that it does not know.
		m := s.next()
		*m = mention{
			event: e, workspace: e.Workspace, id: []byte(it.ProductID), name: []byte(it.Name), category: []byte(it.Category),
			currency: []byte(e.Order.Currency), price: max(0, it.Price), cost: max(0, it.Cost),
		}
		s.add(m)
	}
}
