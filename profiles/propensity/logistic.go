package propensity

import (
	"math"

	"gonum.org/v1/gonum/optimize"
)

// mostCells bounds the inputs of the regression that are held at once, mostRows
// the rows that are looked at: beyond them, every k-th row is as good.
const (
	mostCells = 24_000_000
	mostRows  = 200_000
)

// every returns every k-th row, at most so many.
func every(rows []int32, most int) []int32 {
	step := 1 + (len(rows)-1)/most
	if step <= 1 {
		return rows
	}
	var out []int32
	for i := 0; i < len(rows); i += step {
		out = append(out, rows[i])
	}
	return out
}

// logistic is a fitted regression.
type logistic struct {
	encoder   *encoder
	weights   []float64
	intercept float64
	// spread is, by column, the deviation of what it adds to the log odds.
	spread []float64
}

// LogisticConfig says how the regression is fitted.
type LogisticConfig struct {
	// L2 is the penalty on the squared weights of the standardised inputs, in
	// log likelihood. Default 2.
	L2 float64
}

// fitLogistic fits by L-BFGS. Given inputs, the maximum is the only one.
func fitLogistic(t *Table, rows []int32, y []bool, cfg LogisticConfig, workers int) *logistic {
	used := every(rows, mostRows)
	m := &logistic{encoder: newEncoder(t, used)}
	width := len(m.encoder.terms)
	used = every(used, max(1000, mostCells/(width+1)))
	share := float64(len(used)) / float64(len(rows))
	x := make([]float64, len(used)*width)
	answers := make([]float64, len(used))
	read := m.encoder.bind(t)
	chunks(len(used), workers, func(_, from, to int) {
		for i := from; i < to; i++ {
			read.row(used[i], x[i*width:(i+1)*width])
			if y[used[i]] {
				answers[i] = 1
			}
		}
	})
	problem := &regression{x: x, y: answers, width: width, l2: cfg.L2 * share, workers: workers}
	theta := problem.solve()
	m.weights, m.intercept = theta[:width], theta[width]
	m.spread = m.spreads(x)
	return m
}

// regression is the penalised log likelihood, per row.
type regression struct {
	x, y    []float64
	width   int
	l2      float64
	workers int
	at      []float64
	value   float64
	grad    []float64
	parts   [][]float64
}

func (p *regression) solve() []float64 {
	theta := make([]float64, p.width+1)
	rate, n := 0.0, float64(len(p.y))
	for _, v := range p.y {
		rate += v
	}
	rate = math.Min(math.Max(rate/n, leastProbability), 1-leastProbability)
	// All weights 0 is 0 in any coordinates.
	into := curvature(p.x, p.width, rate, p.l2/n)
	theta[p.width] = math.Log(rate/(1-rate)) * into.last
	old := make([]float64, p.width+1)
	p.grad = make([]float64, p.width+1)
	p.parts = make([][]float64, (len(p.y)+chunkRows-1)/chunkRows)
	for i := range p.parts {
		p.parts[i] = make([]float64, p.width+2)
	}
	problem := optimize.Problem{
		Func: func(u []float64) float64 { into.old(u, old); p.evaluate(old); return p.value },
		Grad: func(g, u []float64) { into.old(u, old); p.evaluate(old); into.gradient(p.grad, g) },
	}
	settings := &optimize.Settings{
		GradientThreshold: 1e-5, MajorIterations: 300,
		Converger: &optimize.FunctionConverge{Absolute: 1e-8, Relative: 1e-7, Iterations: 4},
	}
	// An error of the line search is how it says that it cannot get better.
	result, _ := optimize.Minimize(problem, theta, settings, &optimize.LBFGS{Store: 12})
	if result != nil {
		theta = result.X
	}
	into.old(theta, old)
	return old
}

// evaluate fills in value and grad at theta.
func (p *regression) evaluate(theta []float64) {
	if p.at != nil && equal(p.at, theta) {
		return
	}
	p.at = append(p.at[:0], theta...)
	w, b := theta[:p.width], theta[p.width]
	chunks(len(p.y), p.workers, func(k, from, to int) {
		g := p.parts[k]
		clear(g)
		for i := from; i < to; i++ {
			row := p.x[i*p.width : (i+1)*p.width]
			z := b + dot(w, row)
			e := math.Exp(-math.Abs(z))
			d, plus := 1/(1+e), math.Log1p(e)
			if z < 0 {
				d = 1 - d
			} else {
				plus += z
			}
			d -= p.y[i]
			for j, v := range row {
				g[j] += d * v
			}
			g[p.width] += d
			g[p.width+1] += plus - p.y[i]*z
		}
	})
	n := float64(len(p.y))
	clear(p.grad)
	p.value = 0
	for _, part := range p.parts {
		for j := range p.grad {
			p.grad[j] += part[j]
		}
		p.value += part[p.width+1]
	}
	for j := range w {
		p.grad[j] += p.l2 * w[j]
		p.value += p.l2 * w[j] * w[j] / 2
	}
	for j := range p.grad {
		p.grad[j] /= n
	}
	p.value /= n
}

func dot(a, b []float64) float64 {
	sum := 0.0
	b = b[:len(a)]
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

func equal(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// logistics is 1/(1+exp(-z)).
func logistics(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// softplus is ln(1+exp(z)).
func softplus(z float64) float64 {
	if z > 0 {
		return z + math.Log1p(math.Exp(-z))
	}
	return math.Log1p(math.Exp(z))
}

// margins returns the log odds of rows.
func (m *logistic) margins(t *Table, rows []int32, workers int) []float64 {
	out := make([]float64, len(rows))
	read := m.encoder.bind(t)
	chunks(len(rows), workers, func(_, from, to int) {
		row := make([]float64, len(m.weights))
		for i := from; i < to; i++ {
			read.row(rows[i], row)
			out[i] = m.intercept + dot(m.weights, row)
		}
	})
	return out
}

// spreads computes spread from the inputs of the training.
func (m *logistic) spreads(x []float64) []float64 {
	width := len(m.weights)
	square := make([]float64, len(m.encoder.columns))
	part := make([]float64, len(square))
	for at := 0; at < len(x); at += width {
		clear(part)
		for j, v := range x[at : at+width] {
			part[m.encoder.terms[j].column] += v * m.weights[j]
		}
		for c, v := range part { // of mean 0, as every input is
			square[c] += v * v
		}
	}
	for c := range square {
		square[c] = math.Sqrt(square[c] / math.Max(1, float64(len(x)/width)))
	}
	return square
}

// importance returns by column how much it moves the log odds.
func (m *logistic) importance() map[string]float64 {
	out := map[string]float64{}
	for c, v := range m.spread {
		out[m.encoder.columns[c].name] = v
	}
	return out
}
