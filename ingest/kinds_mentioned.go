package ingest

import (
	"encoding/binary"
	"hash/maphash"
	"sync"
	"time"
)

// mentioned remembers, within a bound, what this process has stored of products,
// so that a mention that says nothing new is not stored again. Only mentions are
// left out, never what a catalogue event states.
//
// Each product has the hashes of the facts that its stored rows say last, and
// the time of the earliest of these rows. A mention is left out when it says no
// other fact and happened at most freshFor after that time. In doing so:
//
//   - Where the mentions of a product arrive in the order of their times, the
//     view catalogue shows the same as if all had been stored, apart from the
//     time of the latest mention, which is up to an hour older.
//   - Where they do not, or other processes store some of them, a fact may have
//     been said again after a row that contradicts it, and not be stored. So the
//     view may show a fact that is outdated, by an hour of event time at most:
//     every fact that is left out stands in a row that is at most that much
//     older. This is the price.
//   - A mention older than what is remembered is left out too, however much:
//     the view takes the latest, and the table keeps the latest of equal rows.
//
// Rows are computed once for a batch and remembered when their insert is
// acknowledged, so that attempts under one token insert the same rows, and what
// was left out of them is stored. A successor that does a planned range again
// has another memory, or none, and may have more rows under the token. The
// engine ignores them all or stores them all, and both are right. But which of
// the two it did is not known, as it is not known of an insert that ended without
// an acknowledgement: then the products are forgotten.
//
// Forgetting costs a redundant row, never a wrong state. The hashes are seeded
// for the process, so that nobody can make facts that collide: two values of a
// fact are taken for one with a chance of 2^-32, and for an hour. Safe for
// concurrent use.
type mentioned struct {
	seed    maphash.Seed
	scratch sync.Pool // of *mentions

	mu    sync.Mutex // Protects the fields below.
	limit int
	young map[uint64]remark // Two generations: when young is full it becomes
	old   map[uint64]remark // old, and the old one is forgotten.
}

// freshFor is the time for which a stored mention stands for the same said later.
const freshFor = Millis(time.Hour / time.Millisecond)

// facts are the hashes of what is said of a product: name, category, brand,
// variant, address, picture, and price with currency and cost. 0 is nothing.
type facts [7]uint32

// remark is what is stored of one product, without pointers, which the collector
// need not follow.
type remark struct {
	since Millis // of the earliest row that says one of the facts
	last  uint32 // milliseconds from since to the latest
	facts facts
}

func newMentioned(limit int) *mentioned {
	m := &mentioned{seed: maphash.MakeSeed(), limit: max(1, limit/2), young: map[uint64]remark{}}
	m.scratch.New = func() any { return &mentions{seed: m.seed, index: map[uint64]int32{}} }
	return m
}

// productKey hashes the name of a product.
func productKey(seed maphash.Seed, workspace string, id []byte) uint64 {
	return maphash.String(seed, workspace)*31 ^ maphash.Bytes(seed, id)
}

func (m *mentioned) factsOf(x *mention) (f facts) {
	for i, text := range [...][]byte{x.name, x.category, x.brand, x.variant, x.url, x.image} {
		if len(text) > 0 {
			f[i] = m.hash(text)
		}
	}
	if x.priced() {
		var b [19]byte
		binary.LittleEndian.PutUint64(b[:], uint64(x.price))
		binary.LittleEndian.PutUint64(b[8:], uint64(x.cost))
		copy(b[16:], x.currency)
		f[6] = m.hash(b[:])
	}
	return f
}

func (m *mentioned) hash(b []byte) uint32 { return max(1, uint32(maphash.Bytes(m.seed, b))) }

// news appends the rows of the mentions that are not known to be stored.
func (m *mentioned) news(rows []CatalogueRow, list []mention) []CatalogueRow {
	if len(list) == 0 {
		return rows
	}
	for i := range list {
		x := &list[i]
		x.product, x.facts = productKey(m.seed, x.workspace, x.id), m.factsOf(x)
	}
	m.mu.Lock()
	for i := range list {
		x := &list[i]
		r, ok := m.get(x.product)
		x.known = ok && r.covers(x.event.Time, &x.facts)
	}
	m.mu.Unlock()
	for i := range list {
		if x := &list[i]; !x.known {
			rows = append(rows, x.row())
		}
	}
	return rows
}

// covers reports whether what is said at a time is stored already.
func (r *remark) covers(at Millis, said *facts) bool {
	for i, f := range said {
		if f != 0 && f != r.facts[i] {
			return false
		}
	}
	return at <= r.since+freshFor
}

// note remembers stored rows.
func (m *mentioned) note(rows []CatalogueRow) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range rows {
		row := &rows[i]
		if row.Stated {
			continue
		}
		r, ok := m.get(row.product)
		if !ok || row.Event.Time > r.since+freshFor {
			r = remark{since: row.Event.Time, facts: row.facts}
		} else {
			r.note(row.Event.Time, &row.facts)
		}
		m.put(row.product, r)
	}
}

// forget drops what is remembered of the products of rows that may be stored or
// not.
func (m *mentioned) forget(rows []CatalogueRow) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range rows {
		if !rows[i].Stated {
			delete(m.young, rows[i].product)
			delete(m.old, rows[i].product)
		}
	}
}

// note adds the facts of a row of at most freshFor after r.since.
func (r *remark) note(at Millis, said *facts) {
	if at < r.since {
		return // What is remembered was said later.
	}
	later := at > r.since+Millis(r.last)
	for i, f := range said {
		switch {
		case f == 0 || f == r.facts[i]:
		case later:
			r.facts[i] = f
		default:
			r.facts[i] = 0 // Which of the two was said last is not remembered.
		}
	}
	if later {
		r.last = uint32(at - r.since)
	}
}

// get returns what is remembered of a product.
func (m *mentioned) get(product uint64) (remark, bool) {
	r, ok := m.young[product]
	if !ok {
		if r, ok = m.old[product]; ok {
			m.put(product, r)
		}
	}
	return r, ok
}

func (m *mentioned) put(product uint64, r remark) {
	if len(m.young) >= m.limit {
		if _, ok := m.young[product]; !ok {
			m.old, m.young = m.young, make(map[uint64]remark, m.limit/4)
		}
	}
	m.young[product] = r
}
