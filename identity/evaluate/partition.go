package evaluate

import (
	"fmt"
)

// Partition holds the cluster of each record, by the ids of both. The zero
// value is empty and ready to use.
type Partition struct {
	records  map[string]int32
	ids      []string
	cluster  []int32 // of each record
	clusters map[string]int32
}

// Len returns the number of records.
func (p *Partition) Len() int { return len(p.ids) }

// Has reports whether a record is in the partition.
func (p *Partition) Has(id string) bool {
	_, ok := p.records[id]
	return ok
}

// Add puts a record into a cluster. A record that is in another one already is
// an error: records have one cluster.
func (p *Partition) Add(id, cluster string) error {
	if p.records == nil {
		p.records, p.clusters = map[string]int32{}, map[string]int32{}
	}
	number, ok := p.clusters[cluster]
	if !ok {
		number = int32(len(p.clusters))
		p.clusters[cluster] = number
	}
	if row, ok := p.records[id]; ok {
		if p.cluster[row] != number {
			return fmt.Errorf("record %q is in cluster %q and in another one", id, cluster)
		}
		return nil
	}
	p.records[id] = int32(len(p.ids))
	p.ids = append(p.ids, id)
	p.cluster = append(p.cluster, number)
	return nil
}

// Unmatched are records that only one of two partitions has, and the first of
// their ids.
type Unmatched struct {
	Found, Truth       int
	FoundIDs, TruthIDs []string
}

// shownIDs is how many ids of unmatched records are named.
const shownIDs = 5

// CompareByID scores a partition against the truth, record by record as their
// ids say.
func CompareByID(found, truth *Partition) (Agreement, Unmatched) {
	var u Unmatched
	clusters := make([]int32, truth.Len())
	for row, id := range truth.ids {
		clusters[row] = Missing
		if at, ok := found.records[id]; ok {
			clusters[row] = found.cluster[at]
			continue
		}
		if u.Truth++; len(u.TruthIDs) < shownIDs {
			u.TruthIDs = append(u.TruthIDs, id)
		}
	}
	for _, id := range found.ids {
		if truth.Has(id) {
			continue
		}
		if u.Found++; len(u.FoundIDs) < shownIDs {
			u.FoundIDs = append(u.FoundIDs, id)
		}
	}
	return Compare(clusters, truth.cluster), u
}

// Links are pairs of records of one person: a truth without clusters. What they
// connect is one cluster. The zero value is empty and ready to use.
type Links struct {
	rows   map[string]int32
	ids    []string
	parent []int32
}

// Add says that two records are of one person.
func (l *Links) Add(a, b string) {
	x, y := l.root(l.row(a)), l.root(l.row(b))
	l.parent[max(x, y)] = min(x, y)
}

func (l *Links) row(id string) int32 {
	if l.rows == nil {
		l.rows = map[string]int32{}
	}
	row, ok := l.rows[id]
	if !ok {
		row = int32(len(l.ids))
		l.rows[id] = row
		l.ids = append(l.ids, id)
		l.parent = append(l.parent, row)
	}
	return row
}

func (l *Links) root(row int32) int32 {
	for l.parent[row] != row {
		l.parent[row] = l.parent[l.parent[row]]
		row = l.parent[row]
	}
	return row
}

// Partition returns the clusters that the links make, and every other record of
// all in a cluster of its own: who is in no pair is like nobody.
func (l *Links) Partition(all *Partition) *Partition {
	p := &Partition{records: map[string]int32{}, clusters: map[string]int32{}}
	for row, id := range l.ids {
		_ = p.Add(id, l.ids[l.root(int32(row))]) // Each record comes once.
	}
	for _, id := range all.ids {
		if !p.Has(id) {
			_ = p.Add(id, id)
		}
	}
	return p
}
