package propensity

import "math"

// Inputs of one number bend at several places, and are nearly the same: L-BFGS
// takes hundreds of steps in them. In coordinates in which the curvature at the
// start is the same everywhere it takes some twenty.

// Of the curvature, a sample of the rows is enough, with some more of the
// diagonal for what the sample has not.
const (
	curvatureRows = 2000
	curvatureMore = .01
)

// precondition is the lower triangle L with L L' the curvature at a rate: inputs
// in the new coordinates are L' times those of the old ones.
type precondition struct {
	width int
	l     []float64 // row by row
	last  float64   // of the intercept
}

// curvature computes it from inputs of the given width, per row.
func curvature(x []float64, width int, rate, l2 float64) *precondition {
	p := &precondition{width: width, l: make([]float64, width*width), last: math.Sqrt(rate * (1 - rate))}
	n := len(x) / max(1, width)
	step := 1 + n/curvatureRows
	used := 0.0
	for i := 0; i < n; i += step {
		row := x[i*width : (i+1)*width]
		for j, v := range row {
			if v == 0 {
				continue
			}
			to := p.l[j*width : j*width+j+1]
			for k := range to {
				to[k] += v * row[k]
			}
		}
		used++
	}
	scale := rate * (1 - rate) / math.Max(1, used)
	for j := range width {
		for k := 0; k <= j; k++ {
			p.l[j*width+k] *= scale
		}
		p.l[j*width+j] += l2 + curvatureMore*rate*(1-rate)
	}
	p.factor()
	return p
}

// factor is Cholesky's decomposition, in place. The diagonal that was added
// keeps it positive.
func (p *precondition) factor() {
	w := p.width
	for j := range w {
		rowJ := p.l[j*w : j*w+j+1]
		for k := 0; k <= j; k++ {
			rowK := p.l[k*w : k*w+k+1]
			sum := rowJ[k]
			for i := range k {
				sum -= rowJ[i] * rowK[i]
			}
			if k == j {
				rowJ[j] = math.Sqrt(math.Max(sum, 1e-9))
			} else {
				rowJ[k] = sum / rowK[k]
			}
		}
	}
}

// old returns the weights that new coordinates stand for: L' w = u.
func (p *precondition) old(u, w []float64) {
	copy(w, u)
	w[p.width] /= p.last
	for j := p.width - 1; j >= 0; j-- {
		row := p.l[j*p.width : j*p.width+j+1]
		w[j] /= row[j]
		for k := range j {
			w[k] -= row[k] * w[j]
		}
	}
}

// gradient turns one by the weights into one by the new coordinates: L g = h.
func (p *precondition) gradient(h, g []float64) {
	copy(g, h)
	g[p.width] /= p.last
	for j := range p.width {
		row := p.l[j*p.width : j*p.width+j+1]
		sum := g[j]
		for k := range j {
			sum -= row[k] * g[k]
		}
		g[j] = sum / row[j]
	}
}
