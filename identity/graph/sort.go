package graph

import (
	"math/bits"
	"sort"

	"github.com/kindred-cdp/kindred/identity"
)

// Sorter puts rows in the order of their keys, a before b. Keys are hashes, so that
// those of a range lie evenly in it: a row goes to its place, or nearly, in one step,
// which for the rows of a reload takes a third of the time of comparing them.
type Sorter[T any] struct {
	Key   func(*T) (a, b identity.Key)
	ends  []uint32 // of buckets
	spare []T
}

// Sort returns rows, the keys a of which are from from to to, in order, and keeps
// their memory for the next ones.
func (s *Sorter[T]) Sort(rows []T, from, to identity.Key) []T {
	if len(rows) == 0 {
		return rows
	}
	shift := max(0, bits.Len64(uint64(to-from))-bits.Len(uint(len(rows)))+1)
	place := func(row *T) identity.Key {
		a, _ := s.Key(row)
		return (a - from) >> shift
	}
	s.ends = append(s.ends[:0], make([]uint32, (to-from)>>shift+2)...)
	for i := range rows {
		s.ends[place(&rows[i])+1]++
	}
	for i := range s.ends[1:] {
		s.ends[i+1] += s.ends[i]
	}
	if cap(s.spare) < len(rows) {
		s.spare = Large[T](cap(rows))
	}
	sorted := s.spare[:len(rows)]
	for i := range rows {
		at := &s.ends[place(&rows[i])] // Its start, and its end when all are there.
		sorted[*at] = rows[i]
		*at++
	}
	start := uint32(0)
	for _, end := range s.ends[:len(s.ends)-1] {
		if end > start+1 {
			s.sortBucket(sorted[start:end])
		}
		start = end
	}
	s.spare = rows
	return sorted
}

// fewRows is the number of rows up to which one is moved past the others.
const fewRows = 24

// sortBucket compares. There are two or three rows in a bucket, or all pairs of an
// identifier that has many.
func (s *Sorter[T]) sortBucket(rows []T) {
	b := bucket[T]{rows, s.Key}
	if len(rows) > fewRows {
		sort.Sort(&b)
		return
	}
	for i := 1; i < len(rows); i++ {
		for j := i; j > 0 && b.Less(j, j-1); j-- {
			b.Swap(j, j-1)
		}
	}
}

// bucket is sorted in place: rows given to a function by value would be copied to
// the heap for each comparison.
type bucket[T any] struct {
	rows []T
	key  func(*T) (a, b identity.Key)
}

func (b *bucket[T]) Len() int      { return len(b.rows) }
func (b *bucket[T]) Swap(i, j int) { b.rows[i], b.rows[j] = b.rows[j], b.rows[i] }

func (b *bucket[T]) Less(i, j int) bool {
	a, c := b.key(&b.rows[i])
	d, e := b.key(&b.rows[j])
	return a < d || a == d && c < e
}
