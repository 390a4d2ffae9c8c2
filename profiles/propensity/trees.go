package propensity

import "math"

// BoostingConfig says how trees are grown.
type BoostingConfig struct {
	// Trees is the greatest number of trees. Default 400; fewer where more do
	// not help on examples that were not trained on.
	Trees int
	// Leaves of a tree, at most. Default 0: 12, and more where there are many
	// examples, up to 31 from 100 000 on.
	Leaves int
	// Rate by which each tree is shrunk. Default 0.05.
	Rate float64
	// L2 penalty on the values of the leaves. Default 5.
	L2 float64
	// LeastHessian is the least sum of p(1-p) in a leaf. Default 4, which is
	// about 20 examples.
	LeastHessian float64
	// ColumnShare is the share of the columns that each tree looks at. Default
	// 0.5.
	ColumnShare float64
	// Monotone names the columns with which the probability must not fall (1)
	// or not rise (-1).
	Monotone map[string]int
}

// DefaultBoosting returns the defaults named at the fields.
func DefaultBoosting() BoostingConfig {
	return BoostingConfig{Trees: 400, Rate: .05, L2: 5, LeastHessian: 4, ColumnShare: .5}
}

// sized returns the configuration with the leaves for a number of examples.
func (c BoostingConfig) sized(rows int) BoostingConfig {
	if c.Leaves == 0 {
		switch {
		case rows >= 100_000:
			c.Leaves = 31
		case rows >= 25_000:
			c.Leaves = 20
		default:
			c.Leaves = 12
		}
	}
	return c
}

// node is a question of a tree: rows whose bin is in the set go left.
type node struct {
	column      int32
	category    bool
	missingLeft bool
	left, right int32 // nodes; below 0 the leaf -1-n
	threshold   float64
	set         [4]uint64 // of bins that go left
}

func (n *node) has(bin uint8) bool { return n.set[bin>>6]>>(bin&63)&1 != 0 }

// tree is a tree of questions with the values of its leaves. The steps are those of the
// nodes, and after them one of each leaf, which leads to itself.
type tree struct {
	nodes  []node
	values []float64
	steps  []step
	plain  bool // asks for no category
}

// step is what scoring needs of a node, small enough that a tree stays in the
// nearest cache.
type step struct {
	threshold float64
	next      [2]int32 // left, right
	column    int32
	special   uint8 // see the constants
}

const (
	missingGoesLeft = 1
	isCategory      = 2
)

// compile makes the steps.
func (t *tree) compile() {
	n := int32(len(t.nodes))
	place := func(next int32) int32 {
		if next < 0 {
			return n - 1 - next
		}
		return next
	}
	t.steps, t.plain = make([]step, len(t.nodes)+len(t.values)), true
	for i, node := range t.nodes {
		s := &t.steps[i]
		*s = step{threshold: node.threshold, next: [2]int32{place(node.left), place(node.right)}, column: node.column}
		if node.missingLeft {
			s.special = missingGoesLeft
		}
		if node.category {
			s.special, t.plain = isCategory, false
		}
	}
	for leaf := range t.values {
		at := n + int32(leaf)
		t.steps[at].next = [2]int32{at, at}
	}
}

// leaf returns the leaf of a row of values: numbers, and of categories the bin.
func (t *tree) leaf(row []float64) int {
	at, n := int32(0), int32(len(t.nodes))
	for at < n {
		s := &t.steps[at]
		if s.special != isCategory {
			at = s.follow(row)
			continue
		}
		right := 1
		if t.nodes[at].has(uint8(row[s.column])) {
			right = 0
		}
		at = s.next[right]
	}
	return int(at - n)
}

// follow returns the next step for a row of numbers, without a branch.
func (s *step) follow(row []float64) int32 {
	v := row[s.column]
	return s.next[bit(!(v <= s.threshold))&^(s.special&bit(v != v))&1]
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// four returns the leaves of four rows of a plain tree: while the processor waits for
// the next step of one it takes that of another.
func (t *tree) four(values []float64, width int) (a, b, c, d int32) {
	steps, n := t.steps, int32(len(t.nodes))
	first, second, third, fourth := values[:width], values[width:2*width], values[2*width:3*width], values[3*width:4*width]
	for min(a, b, c, d) < n {
		a, b = steps[a].follow(first), steps[b].follow(second)
		c, d = steps[c].follow(third), steps[d].follow(fourth)
	}
	return a - n, b - n, c - n, d - n
}

// add adds the values of the leaves of rows to sums.
func (t *tree) add(values []float64, width int, sums []float64) {
	i := 0
	for ; t.plain && i+4 <= len(sums); i += 4 {
		a, b, c, d := t.four(values[i*width:], width)
		sums[i] += t.values[a]
		sums[i+1] += t.values[b]
		sums[i+2] += t.values[c]
		sums[i+3] += t.values[d]
	}
	for ; i < len(sums); i++ {
		sums[i] += t.values[t.leaf(values[i*width:(i+1)*width])]
	}
}

// binnedLeaf returns the leaf of a binned row.
func (t *tree) binnedLeaf(b *binned, row int32) int {
	at := int32(0)
	if len(t.nodes) == 0 {
		return 0
	}
	for at >= 0 {
		n := &t.nodes[at]
		if n.has(b.at(row, int(n.column))) {
			at = n.left
		} else {
			at = n.right
		}
	}
	return int(-1 - at)
}

// boosting is a fitted sum of trees.
type boosting struct {
	binners []binner
	start   float64
	trees   []tree
	gains   []float64 // by column
}

// margins returns the log odds of rows.
func (m *boosting) margins(t *Table, rows []int32, workers int) []float64 {
	out := make([]float64, len(rows))
	read := make([]binReader, len(m.binners))
	for i := range m.binners {
		read[i] = m.binners[i].bind(t)
	}
	used := m.used()
	const block = 64
	parallel((len(rows)+chunkRows-1)/chunkRows, workers, func(k int) {
		width := len(read)
		values := make([]float64, block*width)
		last := min(len(rows), (k+1)*chunkRows)
		for from := k * chunkRows; from < last; from += block {
			n := min(block, last-from)
			for c := range read {
				if used[c] {
					read[c].fill(rows[from:from+n], values[c:], width)
				}
			}
			sums := out[from : from+n]
			for i := range sums {
				sums[i] = m.start
			}
			for j := range m.trees {
				m.trees[j].add(values, width, sums)
			}
		}
	})
	return out
}

// used tells the columns that any tree asks for.
func (m *boosting) used() []bool {
	used := make([]bool, len(m.binners))
	for i := range m.trees {
		for j := range m.trees[i].nodes {
			used[m.trees[i].nodes[j].column] = true
		}
	}
	return used
}

// fill writes the values of rows into every width-th place: numbers as they
// are, the bins of categories.
func (r *binReader) fill(rows []int32, out []float64, width int) {
	switch {
	case r.column == nil && r.b.kind == Numeric:
		for i := range rows {
			out[i*width] = math.NaN()
		}
	case r.column == nil || r.b.kind == Category:
		for i, row := range rows {
			out[i*width] = float64(r.bin(row))
		}
	default:
		for i, row := range rows {
			out[i*width] = r.column.Numbers[row]
		}
	}
}

// importance returns the gain in log likelihood by column.
func (m *boosting) importance() map[string]float64 {
	out := map[string]float64{}
	for i, g := range m.gains {
		if g > 0 {
			out[m.binners[i].name] = g
		}
	}
	return out
}
