package propensity

import (
	"math"
	"math/rand/v2"
)

// histogram holds for every bin of every column the sum of the gradients (the
// upper 32 bits, signed) and of the second derivatives (the lower ones) of the
// log loss. Both are whole numbers of a unit that is chosen for each tree so
// that no sum can leave its half: one addition does both, and the sum does not
// depend on the order of the rows.
type histogram []int64

const blockSize = lanes * binCount

// grower grows the trees of one model.
type grower struct {
	cfg      BoostingConfig
	data     *binned
	binners  []binner
	monotone []int
	workers  int
	random   *rand.Rand
	y        []bool // by binned row

	margin    []float64
	chance    []float64 // probabilities at the margins
	packed    []int64   // gradient and second derivative by row
	rows      []int32   // by leaf
	spare     []int32
	gradUnit  float64
	hessUnit  float64
	columns   []int // that the tree may ask for
	blocks    []int // of those columns
	free      []histogram
	partial   [][2]float64
	gains     []float64
	constrain bool
}

// growing is a leaf that may still be split.
type growing struct {
	from, to  int // its rows
	hist      histogram
	sum       int64
	low, high float64 // bounds of its value
	parent    int32   // the node that leads to it, -1 for the first
	right     bool
	best      split
}

func newGrower(data *binned, binners []binner, y []bool, start float64, cfg BoostingConfig, seed uint64, workers int) *grower {
	n := data.rows
	g := &grower{
		cfg: cfg, data: data, binners: binners, y: y, workers: workers, random: rand.New(rand.NewPCG(seed, 0x7265)),
		margin: make([]float64, n), chance: make([]float64, n), packed: make([]int64, n), rows: make([]int32, n), spare: make([]int32, n),
		monotone: make([]int, len(binners)), gains: make([]float64, len(binners)), partial: make([][2]float64, (n+chunkRows-1)/chunkRows),
	}
	for i := range g.margin {
		g.margin[i] = start
	}
	for i := range binners {
		g.monotone[i] = cfg.Monotone[binners[i].name]
		g.constrain = g.constrain || g.monotone[i] != 0
	}
	return g
}

// next grows a tree, adds it to the margins, and returns it.
func (g *grower) next() tree {
	g.derive()
	g.choose()
	first := &growing{to: g.data.rows, low: math.Inf(-1), high: math.Inf(1), parent: -1}
	for i := range g.rows {
		g.rows[i] = int32(i)
	}
	first.hist = g.take()
	g.fill(first)
	for _, s := range first.hist[g.columns[0]*binCount : (g.columns[0]+1)*binCount] {
		first.sum += s
	}
	g.search(first)
	leaves, t := []*growing{first}, tree{}
	for len(leaves) < g.cfg.Leaves {
		at := -1
		for i, l := range leaves {
			if l.best.gain > 0 && (at < 0 || l.best.gain > leaves[at].best.gain) {
				at = i
			}
		}
		if at < 0 {
			break
		}
		left, right := g.split(leaves[at], &t)
		leaves[at] = left
		leaves = append(leaves, right)
	}
	t.values = make([]float64, len(leaves))
	for i, l := range leaves {
		t.values[i] = g.cfg.Rate * g.value(l.sum, l.low, l.high, g.cfg.L2)
		if l.parent >= 0 {
			if l.right {
				t.nodes[l.parent].right = int32(-1 - i)
			} else {
				t.nodes[l.parent].left = int32(-1 - i)
			}
		}
		g.give(l.hist)
	}
	parallel(len(leaves), g.workers, func(i int) {
		for _, r := range g.rows[leaves[i].from:leaves[i].to] {
			g.margin[r] += t.values[i]
		}
	})
	return t
}

// derive computes the derivatives of the log loss and packs them.
func (g *grower) derive() {
	n := g.data.rows
	chunks(n, g.workers, func(k, from, to int) {
		var grad, hess float64
		for i := from; i < to; i++ {
			p := logistics(g.margin[i])
			g.chance[i] = p
			if g.y[i] {
				grad += 1 - p
			} else {
				grad += p
			}
			hess += p * (1 - p)
		}
		g.partial[k] = [2]float64{grad, hess}
	})
	var grad, hess float64
	for _, p := range g.partial {
		grad, hess = grad+p[0], hess+p[1]
	}
	g.gradUnit, g.hessUnit = math.Max(grad, 1e-12)/(1<<30), math.Max(hess, 1e-12)/(1<<31)
	chunks(n, g.workers, func(_, from, to int) {
		perGrad, perHess := 1/g.gradUnit, 1/g.hessUnit
		for i := from; i < to; i++ {
			p := g.chance[i]
			d := p
			if g.y[i] {
				d--
			}
			g.packed[i] = int64(math.RoundToEven(d*perGrad))<<32 + int64(p*(1-p)*perHess)
		}
	})
}

// choose draws the columns that the tree may ask for.
func (g *grower) choose() {
	total := len(g.binners)
	n := max(1, int(math.Round(g.cfg.ColumnShare*float64(total))))
	if n < total {
		n = min(total, max(n, 3))
	}
	drawn := make([]bool, total)
	for _, c := range g.random.Perm(total)[:n] {
		drawn[c] = true
	}
	g.columns, g.blocks = g.columns[:0], g.blocks[:0]
	for c, ok := range drawn {
		if !ok {
			continue
		}
		g.columns = append(g.columns, c)
		if b := c / lanes; len(g.blocks) == 0 || g.blocks[len(g.blocks)-1] != b {
			g.blocks = append(g.blocks, b)
		}
	}
}

func (g *grower) take() histogram {
	if n := len(g.free); n > 0 {
		h := g.free[n-1]
		g.free = g.free[:n-1]
		return h
	}
	return make(histogram, g.data.stride*blockSize)
}

func (g *grower) give(h histogram) {
	if h != nil {
		g.free = append(g.free, h)
	}
}

const (
	// smallWork is the number of rows below which one goroutine is faster.
	smallWork = 8192
	// tileRows are added to one block of columns after the other while they and
	// the block's histogram are in the nearest cache.
	tileRows = 512
)

// fill computes the histogram of a leaf from its rows. Several goroutines take a
// part of the rows each: the sums are of whole numbers, and do not depend on it.
func (g *grower) fill(l *growing) {
	rows := g.rows[l.from:l.to]
	parts := []histogram{l.hist}
	if len(rows) >= smallWork {
		for len(parts) < g.workers {
			parts = append(parts, g.take())
		}
	}
	parallel(len(parts), len(parts), func(i int) {
		g.addRows(parts[i], rows[i*len(rows)/len(parts):(i+1)*len(rows)/len(parts)])
	})
	for _, p := range parts[1:] {
		for _, b := range g.blocks {
			to, from := l.hist[b*blockSize:(b+1)*blockSize], p[b*blockSize:(b+1)*blockSize]
			for i, v := range from {
				to[i] += v
			}
		}
		g.give(p)
	}
}

// addRows makes the histogram of rows.
func (g *grower) addRows(hist histogram, rows []int32) {
	for _, b := range g.blocks {
		clear(hist[b*blockSize : (b+1)*blockSize])
	}
	words, stride := g.data.words, g.data.stride
	var packed [tileRows]int64
	for len(rows) > 0 {
		tile := rows[:min(len(rows), tileRows)]
		rows = rows[len(tile):]
		for i, r := range tile {
			packed[i] = g.packed[r]
		}
		for _, b := range g.blocks {
			h := (*[blockSize]int64)(hist[b*blockSize:])
			for i, r := range tile {
				add(h, words[int(r)*stride+b], packed[i])
			}
		}
	}
}

// add adds one row: w has its bins in eight columns.
func add(h *[blockSize]int64, w uint64, v int64) {
	h[w&255] += v
	h[256+w>>8&255] += v
	h[512+w>>16&255] += v
	h[768+w>>24&255] += v
	h[1024+w>>32&255] += v
	h[1280+w>>40&255] += v
	h[1536+w>>48&255] += v
	h[1792+w>>56] += v
}
