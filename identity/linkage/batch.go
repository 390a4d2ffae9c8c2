package linkage

import (
	"context"
	"runtime"
)

// together is the number of pairs that are compared side by side.
const together = 256

// batch compares many pairs at a time: by their gists first, then by the values
// of those that gists leave open, field by field. What is read from far-away
// memory is read ahead for all of them, so that no pair waits for the one before
// it. The patterns are those of comparer. A batch is used by one goroutine.
type batch struct {
	*comparer
	// open are the pairs of which the level of a field is open.
	open [maxFields][]uint16
}

func newBatch(c *comparer) *batch { return &batch{comparer: c} }

// compareAll fills in the patterns of all candidates.
func (c *comparer) compareAll(ctx context.Context, candidates [][]candidate, workers int) error {
	batches := make([]*batch, workers)
	for w := range batches {
		batches[w] = newBatch(c)
	}
	return divide(ctx, workers, len(candidates), func(worker, part int) { batches[worker].compare(candidates[part]) })
}

// compare fills in the patterns of pairs.
func (s *batch) compare(list []candidate) {
	for len(list) > 0 {
		n := min(len(list), together)
		s.some(list[:n])
		list = list[n:]
	}
}

func (s *batch) some(list []candidate) {
	s.readAhead(list)
	for i := range list {
		list[i].pattern = s.byGists(uint16(i), int(list[i].a), int(list[i].b))
	}
	for f := range s.scales {
		s.byValues(f, list)
		s.open[f] = s.open[f][:0]
	}
	if s.corpus.given < 0 {
		return
	}
	for i := range list {
		if c := &list[i]; s.maySwap(c) {
			ra, rb := s.corpus.record(int(c.a)), s.corpus.record(int(c.b))
			c.pattern = s.swap(c.pattern, ra, rb)
		}
	}
}

// readAhead reads a word of every line of the records.
func (s *batch) readAhead(list []candidate) {
	c, sum := s.corpus, uint64(0)
	k, w := len(c.fields), c.layout.words
	for i := range list {
		for _, row := range [2]int{int(list[i].a), int(list[i].b)} {
			sum += uint64(c.codes[row*k]) + uint64(c.codes[row*k+k-1])
			for at := row * w; at < row*w+w; at += 8 {
				sum += c.gists[at]
			}
		}
	}
	runtime.KeepAlive(sum) // else all of it is left out
}

// byGists compares the fields of the i-th pair as far as their gists tell.
func (s *batch) byGists(i uint16, a, b int) pattern {
	ra, rb := s.corpus.record(a), s.corpus.record(b)
	ga, gb := s.corpus.gist(a), s.corpus.gist(b)
	of, at := s.corpus.layout.of, s.corpus.layout.at
	var p pattern
	for f, x := range ra {
		y := rb[f]
		if x == 0 || y == 0 {
			continue
		}
		if x == y {
			p |= pattern(exact) << (4 * f)
			continue
		}
		level := unsure
		if of[f].level != nil {
			level = of[f].level(ga[at[f]:], gb[at[f]:])
		}
		if level == unsure {
			s.open[f] = append(s.open[f], i)
			continue
		}
		p |= pattern(level) << (4 * f)
	}
	return p
}

// byValues compares the values of a field that are open.
func (s *batch) byValues(f int, list []candidate) {
	c, d := s.corpus, s.corpus.fields[f].dict
	k, sum := len(c.fields), uint64(0)
	for _, i := range s.open[f] {
		x, y := &d.values[c.codes[int(list[i].a)*k+f]], &d.values[c.codes[int(list[i].b)*k+f]]
		sum += uint64(d.text[x.start]) + uint64(d.text[y.start])
	}
	runtime.KeepAlive(sum)
	for _, i := range s.open[f] {
		x, y := c.codes[int(list[i].a)*k+f], c.codes[int(list[i].b)*k+f]
		list[i].pattern |= pattern(s.level(f, x, y)) << (4 * f)
	}
}

// maySwap reports whether the names of a pair do not agree, and may in each
// other's place.
func (s *batch) maySwap(p *candidate) bool {
	g, sn := s.corpus.given, s.corpus.surname
	if s.agrees(g, p.pattern.level(g)) || s.agrees(sn, p.pattern.level(sn)) {
		return false
	}
	there, knownThere := s.mayCross(p.a, p.b)
	back, knownBack := s.mayCross(p.b, p.a)
	if knownThere && knownBack {
		return there && back
	}
	return there || back
}

// mayCross reports whether the given name of one record may be the surname of
// another, and whether both have one.
func (s *batch) mayCross(a, b int32) (may, known bool) {
	c := s.corpus
	g, sn, at := c.given, c.surname, c.layout.at
	x, y := c.record(int(a))[g], c.record(int(b))[sn]
	if x == 0 || y == 0 {
		return false, false
	}
	return x == y || oneNameByGist(c.gist(int(a))[at[g]], c.gist(int(b))[at[sn]]), true
}

// one is 1 for true.
func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
