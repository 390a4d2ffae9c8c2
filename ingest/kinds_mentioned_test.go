package ingest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

const minute = Millis(time.Minute / time.Millisecond)

// stored runs a batch as the pipeline does and returns how many rows it has.
func (m *mentioned) stored(events ...*Event) int {
	rows := m.rows(events)
	m.note(rows)
	return len(rows)
}

// shown makes an event at a minute.
func shown(at int, name, properties string) *Event {
	e := productEvent(at, name, properties)
	e.Time = Millis(at) * minute
	return e
}

// What is stored is not stored again within the hour; what is new is at once.
func TestMentionsAreStoredOnce(t *testing.T) {
	const cup, dear = `{"product_id":"a","name":"Cup","price":2,"n":%d}`, `{"product_id":"a","name":"Cup","price":3,"n":%d}`
	m := newMentioned(100)
	f := func(at int, properties string, want int) {
		t.Helper()
		if got := m.stored(shown(at, "Product Viewed", fmt.Sprintf(properties, at))); got != want {
			t.Errorf("minute %d: %d rows, want %d", at, got, want)
		}
	}
	f(100, cup, 1)
	f(101, cup, 0)
	f(160, cup, 0)
	f(161, cup, 1) // an hour has passed
	f(162, `{"product_id":"a","price":"2.00","n":%d}`, 0)
	f(162, `{"product_id":"a","price":2,"brand":"B","n":%d}`, 1)
	f(163, cup, 0)
	f(90, cup, 0) // late, and said by a later row
	f(164, dear, 1)
	f(165, dear, 0)
	f(166, cup, 1) // and back
	f(165, dear, 1)
	f(167, dear, 1) // after a late contradiction the price is not certain
	f(168, cup, 1)
	f(168, cup, 0)
	f(50, dear, 1) // before all that is remembered, which it leaves alone
	f(169, dear, 1)
	f(169, cup, 1)  // at the same time, where the hash decides
	f(170, dear, 1) // and so neither is known to be the last
	f(170, `{"product_id":"a","name":"Cup","n":%d}`, 0)

	if rows := m.rows([]*Event{shown(171, "Product Viewed", cup)}); len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	f(171, cup, 1) // its insert was not acknowledged
	f(172, cup, 0)
	m.forget(m.rows([]*Event{shown(172, "Product Viewed", dear)}))
	f(172, cup, 1)
	f(173, cup, 0)
	other := shown(172, "Product Viewed", cup)
	other.Workspace = "other"
	if m.stored(other) != 1 {
		t.Error("another workspace's product is taken for known")
	}
	m = newMentioned(100)
	f(172, cup, 1) // a restart
}

// Events of other shapes that contradict nothing cost a row each an hour, also
// in lists and orders.
func TestMentionsOfSeveralShapes(t *testing.T) {
	m, rows := newMentioned(100), 0
	for i := range 20 {
		rows += m.stored(shown(3*i, "Product Viewed", `{"product_id":"a","name":"Cup","url":"u"}`))
		rows += m.stored(shown(3*i+1, "Product Added", `{"product_id":"a","price":2,"currency":"EUR","brand":"B"}`))
		rows += m.stored(shown(3*i+2, productList, `{"products":[{"product_id":"a","category":"C"},{"product_id":"a","name":"Cup"}]}`))
		ordered := shown(3*i+2, "Order Completed", ``)
		ordered.Order = &Order{Type: "order", Currency: "EUR", Items: []Item{{ProductID: "a", Name: "Cup", Price: 20000}}}
		rows += m.stored(ordered)
	}
	if rows != 3 {
		t.Errorf("%d rows", rows)
	}
	entry := shown(60, "Entry", "")
	entry.Parts.Entry = &Entry{Entry: wire.Entry{Type: "product", ItemID: "a", Name: "Cup"}}
	if first, again := m.stored(entry), m.stored(entry); first != 1 || again != 1 {
		t.Error("a statement is left out")
	}
}

// The memory is bounded, and keeps what is used.
func TestMentionsMemoryIsBounded(t *testing.T) {
	m := newMentioned(100)
	view := func(id int) int {
		return m.stored(shown(1, "Product Viewed", fmt.Sprintf(`{"product_id":"p%d","name":"N"}`, id)))
	}
	for i := range 1000 {
		view(i)
		if again := view(0); i > 0 && again != 0 {
			t.Fatalf("a product seen all the time is forgotten after %d others", i)
		}
		if n := len(m.young) + len(m.old); n > 100 {
			t.Fatalf("%d remembered", n)
		}
	}
	if view(1) != 1 {
		t.Error("nothing is forgotten: this test shows nothing")
	}
}

// shopEvent is a random mention of one of a few products, of what changes rarely.
func shopEvent(r *rand.Rand, hash uint64, at Millis) *Event {
	var b strings.Builder
	fmt.Fprintf(&b, `{"product_id":"p%d","n":%d`, r.IntN(5), r.IntN(100))
	for _, key := range []string{"name", "category", "brand", "variant", "url", "image_url"} {
		if r.IntN(2) == 0 {
			fmt.Fprintf(&b, `,%q:"%s%d"`, key, key, r.IntN(30)/29)
		}
	}
	if r.IntN(2) == 0 {
		fmt.Fprintf(&b, `,"price":%d,"currency":"EUR"`, 1+r.IntN(10)/9)
	}
	return &Event{Workspace: "main", Kind: wire.Behaviour, Name: productEvents[r.IntN(len(productEvents))], Time: at, Hash: Hash{hash}, Properties: []byte(b.String() + "}")}
}

// tell calls f with each thing that a row says of a product.
func tell(rows []CatalogueRow, f func(row *CatalogueRow, what, value string)) {
	for i := range rows {
		r := &rows[i]
		price := ""
		if r.Price != nil {
			price = fmt.Sprint(*r.Price, r.Currency)
		}
		for j, v := range []string{r.Name, strings.Join(r.Category, ">"), r.Brand, r.Variant, r.URL, r.Image, price} {
			if v != "" {
				f(r, fmt.Sprint(r.ItemID, j), v)
			}
		}
	}
}

// view is what the view catalogue shows of mentions: of each thing the latest.
func view(rows []CatalogueRow) map[string]string {
	slices.SortStableFunc(rows, func(a, b CatalogueRow) int { return compareTimes(a.Event, b.Event) })
	state := map[string]string{}
	tell(rows, func(_ *CatalogueRow, what, value string) { state[what] = value })
	return state
}

// Where mentions arrive in the order of their times, the view shows after each
// batch what it would if all of them were stored.
func TestMentionsInOrderLeaveTheViewAsItIs(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	var all, few []CatalogueRow
	m, at := newMentioned(8), Millis(0)
	for n := range 2000 {
		var events []*Event
		for range r.IntN(12) {
			at += 1 + r.Int64N(minute)
			events = append(events, shopEvent(r, r.Uint64(), at))
		}
		all = append(all, CatalogueRows(events)...)
		rows := m.rows(events)
		few = append(few, rows...)
		if r.IntN(10) > 0 {
			m.note(rows)
		} else { // The acknowledgement is lost.
			m.forget(rows)
		}
		if n%100 == 99 {
			if d := gocmp.Diff(view(all), view(few)); d != "" {
				t.Fatalf("after %d batches, -all +stored:\n%s", n, d)
			}
		}
	}
	t.Logf("%d rows of %d", len(few), len(all))
	if len(few) > len(all)*3/4 {
		t.Error("next to nothing is left out: this test shows nothing")
	}
}

// In whatever order mentions arrive and in whichever process, each thing said
// stands in a stored row that is at most an hour older.
func TestMentionsOutOfOrderAreAnHourOldAtMost(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	type fact struct{ what, value string }
	latest := map[fact]Millis{}
	memories := []*mentioned{newMentioned(100), newMentioned(4)}
	left := 0
	for n := range 3000 {
		events := make([]*Event, 1+r.IntN(5))
		for i := range events {
			events[i] = shopEvent(r, r.Uint64(), Millis(n)*minute/10+r.Int64N(200*minute))
		}
		slices.SortFunc(events, func(a, b *Event) int { return cmp.Compare(a.Time, b.Time) })
		m := memories[r.IntN(2)]
		rows, all := m.rows(events), CatalogueRows(events)
		left += len(all) - len(rows)
		m.note(rows)
		tell(rows, func(row *CatalogueRow, what, value string) {
			latest[fact{what, value}] = max(latest[fact{what, value}], row.Event.Time)
		})
		tell(all, func(row *CatalogueRow, what, value string) {
			if at, ok := latest[fact{what, value}]; !ok || at < row.Event.Time-freshFor {
				t.Fatalf("%s is %s at %d, which was last stored at %d", what, value, row.Event.Time, at)
			}
		})
	}
	if left < 100 {
		t.Errorf("%d left out: this test shows nothing", left)
	}
}

// The ways to read a mention agree on every valid object.
func FuzzMention(f *testing.F) {
	for _, s := range []string{
		`{"product_id":"a","name":"Cup","category":"C","price":2.5,"currency":"EUR","url":"u","image_url":"i"}`,
		`{"sort":"product_id","product_id": 12, "name":"N"}`, `{"related":{"product_id":"x"},"product_id":"y","name":"N"}`,
		`{"x\"product_id":"x","product_id":"y","name":"N"}`, `{"a":"\"product_id\":\"x\"","sku":"s","brand":"B"}`,
		`{"category":"c","category":7,"product_id":null,"sku":1.5e3}`, `{}`,
		`{"product_id":"a","name":"Cup\"}"}`, `{"sku":"s","n\u0061me":"Cup"}`, `null`, ` { "product_id" : "a" , "name":"b" } `, `{"product_id":12 }`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, object string) {
		if jsonscan.Check([]byte(object)) != nil || jsonscan.Type([]byte(object)) != "object" {
			t.Skip()
		}
		var quick, slow mention
		var sku []byte
		names := 0
		for o := jsonscan.ObjectOf([]byte(object)); o.Next(); {
			slow.take(o.Key, o.Value, &sku)
			if string(o.Key) == "product_id" {
				names++
			}
		}
		named := slow.id
		slow.id = either(slow.id, sku)
		quick.readFrom(&Event{}, []byte(object))
		if d := gocmp.Diff(fmt.Sprintf("%q %d", slow.texts(), slow.price), fmt.Sprintf("%q %d", quick.texts(), quick.price)); d != "" {
			t.Error(d)
		}
		if id := shownID([]byte(object)); names < 2 && len(id) > 0 && len(id) <= maxID && string(id) != string(named) {
			t.Errorf("%q shows %q, and not %q", object, named, id)
		}
	})
}

func (m *mention) texts() []string {
	var out []string
	for _, b := range [][]byte{m.id, m.name, m.category, m.brand, m.variant, m.currency, m.url, m.image} {
		out = append(out, string(b))
	}
	return out
}
