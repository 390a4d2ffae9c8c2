package identity

import (
	"encoding/binary"
	"errors"
	"unsafe"
)

// linksVersion is the first byte of a batch of links.
const linksVersion = 1

// term is the part of a contribution that many pairs share.
type term struct{ field, level string }

// AppendLinks appends l to b in the form of the evidence topic: the version
// byte, workspace, model and time, a table of the distinct records, a table of
// the distinct (field, level), and then the pairs by their places in both. Texts
// stand after their length, and numbers are varints. A pair with ten
// contributions takes some 40 bytes, beside 20 for each record.
func AppendLinks(b []byte, l *Links) []byte {
	records, terms := newTable[string](), newTable[term]()
	for i := range l.Pairs {
		p := &l.Pairs[i]
		records.place(p.A)
		records.place(p.B)
		for _, c := range p.Contributions {
			terms.place(term{c.Field, c.Level})
		}
	}
	b = append(b, linksVersion)
	b = appendText(b, l.Workspace)
	b = appendText(b, l.Model)
	b = binary.AppendVarint(b, l.ScoredAt)
	b = binary.AppendUvarint(b, uint64(len(records.list)))
	for _, r := range records.list {
		b = appendText(b, r)
	}
	b = binary.AppendUvarint(b, uint64(len(terms.list)))
	for _, t := range terms.list {
		b = appendText(appendText(b, t.field), t.level)
	}
	b = binary.AppendUvarint(b, uint64(len(l.Pairs)))
	for i := range l.Pairs {
		p := &l.Pairs[i]
		b = binary.AppendUvarint(b, records.place(p.A))
		b = binary.AppendUvarint(b, records.place(p.B))
		b = binary.AppendVarint(b, p.Weight)
		b = binary.AppendUvarint(b, uint64(len(p.Contributions)))
		for _, c := range p.Contributions {
			b = binary.AppendUvarint(b, terms.place(term{c.Field, c.Level}))
			b = binary.AppendVarint(b, c.Weight)
		}
	}
	return b
}

// table numbers distinct values in the order in which they first come.
type table[K comparable] struct {
	list []K
	at   map[K]uint64
}

func newTable[K comparable]() *table[K] { return &table[K]{at: map[K]uint64{}} }

func (t *table[K]) place(k K) uint64 {
	i, ok := t.at[k]
	if !ok {
		i = uint64(len(t.list))
		t.at[k] = i
		t.list = append(t.list, k)
	}
	return i
}

// Errors of batches of links. They never quote the batch.
var (
	errLinksForm  = errors.New("value is not a batch of links: of no known version")
	errLinksCut   = errors.New("value is not a batch of links: it ends early, or a number is out of range")
	errLinksTrail = errors.New("value is not a batch of links: it goes on after its end")
)

// DecodeLinks reads what AppendLinks wrote and validates it. Its texts share the
// bytes of value, which must not change any more. What a hostile value makes it
// allocate is bounded by its length, and by the bounds of a batch.
func DecodeLinks(value []byte) (Links, error) {
	if len(value) == 0 || value[0] != linksVersion {
		return Links{}, errLinksForm
	}
	r := evidenceReader{rest: unsafe.String(unsafe.SliceData(value), len(value))[1:]}
	l := Links{Workspace: r.text(), Model: r.text(), ScoredAt: r.number()}
	records := make([]string, r.count(1, 2*MaxLinks))
	for i := range records {
		records[i] = r.text()
	}
	terms := make([]term, r.count(2, MaxLinks*MaxContributions))
	for i := range terms {
		terms[i] = term{r.text(), r.text()}
	}
	l.Pairs = make([]RecordLink, r.count(4, MaxLinks))
	for i := range l.Pairs {
		if r.pair(&l.Pairs[i], records, terms); r.bad {
			break
		}
	}
	switch {
	case r.bad:
		return Links{}, errLinksCut
	case r.rest != "":
		return Links{}, errLinksTrail
	}
	return l, l.Validate()
}

// count reads a number of things, at most most. Each takes size bytes or more, so
// that there can be no more of them than the rest has room for.
func (r *evidenceReader) count(size, most int) int {
	n := r.length()
	if n > uint64(min(most, len(r.rest)/size)) {
		r.fail()
		return 0
	}
	return int(n)
}

// pair reads one scored pair.
func (r *evidenceReader) pair(p *RecordLink, records []string, terms []term) {
	p.A, p.B = at(r, records), at(r, records)
	p.Weight = int64(r.small())
	if n := r.count(2, MaxContributions); n > 0 {
		p.Contributions = make([]Contribution, n)
	}
	for i := range p.Contributions {
		t := at(r, terms)
		p.Contributions[i] = Contribution{Field: t.field, Level: t.level, Weight: int64(r.small())}
	}
}

// at reads a place in a table and returns what is there.
func at[K any](r *evidenceReader, table []K) (k K) {
	i := r.length()
	if i >= uint64(len(table)) {
		r.fail()
		return k
	}
	return table[i]
}
