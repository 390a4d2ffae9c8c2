package propensity

import (
	"cmp"
	"math"
	"slices"
)

// split is the best question that was found for a leaf.
type split struct {
	gain        float64
	column      int
	threshold   float64
	category    bool
	missingLeft bool
	set         [4]uint64
	left        int64 // the packed sum that goes left
	l2          float64
}

// unpack returns the sums of gradients and second derivatives.
func (g *grower) unpack(sum int64) (grad, hess float64) {
	return float64(sum>>32) * g.gradUnit, float64(uint32(sum)) * g.hessUnit
}

// value is that of a leaf, within its bounds.
func (g *grower) value(sum int64, low, high, l2 float64) float64 {
	grad, hess := g.unpack(sum)
	return math.Min(math.Max(-grad/(hess+l2), low), high)
}

// worth is how much a leaf lowers the loss.
func (g *grower) worth(sum int64, l *growing, l2 float64) float64 {
	grad, hess := g.unpack(sum)
	if !g.constrain {
		return grad * grad / (hess + l2)
	}
	w := math.Min(math.Max(-grad/(hess+l2), l.low), l.high)
	return -(2*grad*w + (hess+l2)*w*w)
}

// search finds the best question for a leaf.
func (g *grower) search(l *growing) {
	l.best = split{}
	if l.to-l.from < 2 {
		return
	}
	for _, c := range g.columns {
		h := (*[binCount]int64)(l.hist[c*binCount:])
		if g.binners[c].kind == Category {
			g.searchLevels(l, c, h)
		} else {
			g.searchNumber(l, c, h)
		}
	}
}

// try takes a question if it is the best so far.
func (g *grower) try(l *growing, s split, whole float64) bool {
	right := l.sum - s.left
	_, hl := g.unpack(s.left)
	_, hr := g.unpack(right)
	if hl < g.cfg.LeastHessian || hr < g.cfg.LeastHessian {
		return false
	}
	gain := g.worth(s.left, l, s.l2) + g.worth(right, l, s.l2) - whole
	if !(gain > l.best.gain && gain > 1e-9) {
		return false
	}
	if m := g.monotone[s.column]; m != 0 {
		if float64(m)*(g.value(right, l.low, l.high, s.l2)-g.value(s.left, l.low, l.high, s.l2)) < 0 {
			return false
		}
	}
	s.gain = gain
	l.best = s
	return true
}

// searchNumber tries every boundary of a number, with those that have none on
// either side, and those against all others.
func (g *grower) searchNumber(l *growing, c int, h *[binCount]int64) {
	b := &g.binners[c]
	whole, none := g.worth(l.sum, l, g.cfg.L2), h[missingBin]
	best, left := -1, false
	s := split{column: c, l2: g.cfg.L2}
	sum := int64(0)
	for bin := 1; bin < b.count-1; bin++ {
		if h[bin] == 0 && bin > 1 {
			continue // The same rows as one boundary before.
		}
		sum += h[bin]
		s.left = sum
		if g.try(l, s, whole) {
			best, left = bin, false
		}
		if none != 0 {
			s.left = sum + none
			if g.try(l, s, whole) {
				best, left = bin, true
			}
		}
	}
	if s.left = none; none != 0 && g.try(l, s, whole) {
		best, left = missingBin, true
	}
	if best < 0 {
		return
	}
	if none == 0 {
		// Those without a number go with the many.
		_, hl := g.unpack(l.best.left)
		_, hr := g.unpack(l.sum - l.best.left)
		left = hl > hr
	}
	l.best.missingLeft, l.best.threshold = left, math.Inf(-1)
	if best > missingBin {
		l.best.threshold = b.edges[best-1]
	}
	if left {
		l.best.set[0] = 1
	}
	for bin := 1; bin <= best; bin++ {
		l.best.set[bin>>6] |= 1 << (bin & 63)
	}
}

// Of categories with more levels than fewLevels the order by their own rates
// fits noise: it is smoothed, and the values of the leaves are shrunk more.
const (
	fewLevels  = 4
	levelL2    = 10
	levelPrior = 10
)

// searchLevels puts the levels of a category in the order of their gradients,
// and tries every boundary in that order.
func (g *grower) searchLevels(l *growing, c int, h *[binCount]int64) {
	b := &g.binners[c]
	type level struct {
		bin   int
		order float64
	}
	var levels []level
	for bin := range b.count {
		if h[bin] != 0 {
			grad, hess := g.unpack(h[bin])
			levels = append(levels, level{bin, grad / (hess + levelPrior)})
		}
	}
	if len(levels) < 2 {
		return
	}
	s := split{column: c, l2: g.cfg.L2, category: true}
	if len(levels) > fewLevels {
		s.l2 += levelL2
	}
	slices.SortFunc(levels, func(a, b level) int { return cmp.Or(cmp.Compare(a.order, b.order), a.bin-b.bin) })
	whole := g.worth(l.sum, l, s.l2)
	for _, v := range levels[:len(levels)-1] {
		s.left += h[v.bin]
		s.set[v.bin>>6] |= 1 << (v.bin & 63)
		g.try(l, s, whole)
	}
}

// split makes two leaves of one.
func (g *grower) split(l *growing, t *tree) (left, right *growing) {
	s := &l.best
	at := int32(len(t.nodes))
	t.nodes = append(t.nodes, node{column: int32(s.column), category: s.category, missingLeft: s.missingLeft, threshold: s.threshold, set: s.set})
	if l.parent >= 0 {
		if l.right {
			t.nodes[l.parent].right = at
		} else {
			t.nodes[l.parent].left = at
		}
	}
	g.gains[s.column] += s.gain / 2
	middle := l.from + g.partition(l.from, l.to, s)
	left = &growing{from: l.from, to: middle, sum: s.left, low: l.low, high: l.high, parent: at}
	right = &growing{from: middle, to: l.to, sum: l.sum - s.left, low: l.low, high: l.high, parent: at, right: true}
	if m := g.monotone[s.column]; m != 0 {
		bound := (g.value(left.sum, l.low, l.high, s.l2) + g.value(right.sum, l.low, l.high, s.l2)) / 2
		if m > 0 {
			left.high, right.low = bound, bound
		} else {
			left.low, right.high = bound, bound
		}
	}
	// The histogram of the larger one is what remains.
	small, large := left, right
	if right.to-right.from < left.to-left.from {
		small, large = right, left
	}
	small.hist = g.take()
	g.fill(small)
	large.hist, l.hist = l.hist, nil
	for _, b := range g.blocks {
		to, from := large.hist[b*blockSize:(b+1)*blockSize], small.hist[b*blockSize:(b+1)*blockSize]
		for i, v := range from {
			to[i] -= v
		}
	}
	g.search(left)
	g.search(right)
	return left, right
}

// partition puts the rows that go left before the others, both in their order,
// and returns how many go left.
func (g *grower) partition(from, to int, s *split) int {
	var goes [binCount]uint8
	for bin := range goes {
		goes[bin] = uint8(s.set[bin>>6] >> (bin & 63) & 1)
	}
	column := g.data.columns[s.column]
	rows, spare := g.rows[from:to], g.spare[:to-from]
	left, right := 0, 0
	// Both places are written, and one counts: which it is cannot be foreseen.
	for _, r := range rows {
		goesLeft := int(goes[column[r]])
		rows[left], spare[right] = r, r
		left += goesLeft
		right += 1 - goesLeft
	}
	copy(rows[left:], spare[:right])
	return left
}
