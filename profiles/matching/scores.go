package matching

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/linkage"
)

// pair is two records by their keys, the lesser first.
type pair struct{ low, high identity.Key }

func pairOf(a, b identity.Key) pair { return pair{min(a, b), max(a, b)} }

// held is a record in the index.
type held struct {
	row     int32
	print   uint64
	id      string
	user    identity.Member
	first   int64
	receive int64
	// tied says that the ledger knows whose it is.
	tied bool
}

func (h *held) record() *record {
	return &record{id: h.id, user: h.user, first: h.first, received: h.receive}
}

// scores holds the records of a workspace, and finds the pairs among them by one
// model. Which there are is a function of the records that it holds.
type scores struct {
	model   *linkage.Model
	index   *linkage.Index
	at      []int // the field of each column of the index
	records map[identity.Key]*held
	// gone names records that say nothing any more, whose pairs are taken back.
	gone   map[identity.Key]string
	rows   []identity.Key // by row of the index
	values []string
}

func newScores(m *linkage.Model, fields []Field) (*scores, error) {
	x, err := linkage.NewIndex(m)
	if err != nil {
		return nil, err
	}
	s := &scores{model: m, index: x, records: map[identity.Key]*held{}, gone: map[identity.Key]string{}}
	for _, name := range x.Columns() {
		at := slices.IndexFunc(fields, func(f Field) bool { return f.Column == name })
		if at < 0 {
			return nil, fmt.Errorf("model %s compares %q, which is no field of this configuration: learn another model", m.Version, name)
		}
		s.at = append(s.at, at)
	}
	s.values = make([]string, len(s.at))
	return s, nil
}

// changes are pairs by what became of them: their weight in hundredths of a bit,
// or identity.Unsupported.
type changes map[pair]int64

func weightOf(bits float64) int64 {
	return int64(math.Round(max(min(bits*100, math.MaxInt32), math.MinInt32+1)))
}

// put stores what a record says now, and notes in c what changes by it. It
// reports whether anything did.
func (s *scores) put(r *record, c changes) (bool, error) {
	print := r.print()
	known := s.records[r.key]
	if known != nil {
		known.first, known.receive = r.first, r.received
		if known.print == print {
			return false, nil
		}
		s.take(r.key, c)
	}
	if r.empty() {
		if known != nil {
			s.gone[r.key] = r.id
		}
		return known != nil, nil
	}
	for i, at := range s.at {
		s.values[i] = r.values[at]
	}
	row, found, err := s.index.Add(s.values)
	if err != nil {
		return false, err
	}
	h := &held{row: row, print: print, id: r.id, user: r.user, first: r.first, receive: r.received, tied: known != nil && known.tied}
	s.records[r.key] = h
	s.rows = append(s.rows, r.key)
	s.moved(c)
	for _, f := range found {
		c[pairOf(r.key, s.rows[f.Row])] = weightOf(f.Bits)
	}
	return true, nil
}

// take takes a record out.
func (s *scores) take(key identity.Key, c changes) {
	h := s.records[key]
	if h == nil {
		return
	}
	for _, f := range s.index.Remove(h.row) {
		c[pairOf(key, s.rows[f.Row])] = identity.Unsupported
	}
	s.moved(c)
	delete(s.records, key)
}

func (s *scores) moved(c changes) {
	for _, m := range s.index.Moved() {
		p := pairOf(s.rows[m.A], s.rows[m.B])
		if c[p] = weightOf(m.Bits); m.Gone {
			c[p] = identity.Unsupported
		}
	}
}

// spent reports whether so much of the index is of records that changed that it
// should be made anew.
func (s *scores) spent() bool { return len(s.rows) > 10_000+2*len(s.records) }

// name is the id of a record, "" where it is not known.
func (s *scores) name(key identity.Key) string {
	if h := s.records[key]; h != nil {
		return h.id
	}
	return s.gone[key]
}

// links are changes as they are published, in the order of the records. A pair of
// a record that nobody knows any more is left out: the ledger counts none.
func (s *scores) links(c changes) []identity.RecordLink {
	list := make([]identity.RecordLink, 0, len(c))
	for p, weight := range c {
		link := identity.RecordLink{A: s.name(p.low), B: s.name(p.high), Weight: weight}
		if link.A == "" || link.B == "" {
			continue
		}
		if link.A > link.B {
			link.A, link.B = link.B, link.A
		}
		if weight != identity.Unsupported {
			link.Contributions = contributions(s.index.Explain(s.records[p.low].row, s.records[p.high].row))
		}
		list = append(list, link)
	}
	slices.SortFunc(list, func(a, b identity.RecordLink) int { return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B)) })
	return list
}

// untied are the records of user ids in pairs that count which the ledger cannot
// tie to their users yet.
func (s *scores) untied(c changes, review int64) []*held {
	var list []*held
	for p, weight := range c {
		if weight < review {
			continue
		}
		for _, key := range [2]identity.Key{p.low, p.high} {
			if h := s.records[key]; h != nil && h.user.Key != 0 && !h.tied {
				h.tied = true
				list = append(list, h)
			}
		}
	}
	slices.SortFunc(list, func(a, b *held) int { return cmp.Compare(a.id, b.id) })
	return list
}

// The words of contributions beside those of the model.
const (
	fieldPrior  = "before any comparison"
	fieldOthers = "others would agree so too"
	levelOthers = "housemates, neighbours, namesakes"
	levelRare   = "a rare value"
	levelCommon = "a common value"
)

// contributions are a waterfall in hundredths of a bit. What says nothing is left
// out.
func contributions(w linkage.Waterfall) []identity.Contribution {
	list := []identity.Contribution{{Field: fieldPrior, Weight: weightOf(w.Prior)}}
	add := func(field, level string, bits float64) {
		if weight := weightOf(bits); weight != 0 {
			list = append(list, identity.Contribution{Field: field, Level: level, Weight: weight})
		}
	}
	for _, s := range w.Steps {
		add(s.Field, s.Level, s.Bits)
		rarity := levelRare
		if s.Rarity < 0 {
			rarity = levelCommon
		}
		add(s.Field, rarity, s.Rarity)
	}
	add(fieldOthers, levelOthers, w.Others)
	return list
}
