package lifetime

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// wall is the greatest size of the logarithm of a scaled parameter. Beyond it a
// parameter is a limit (no heterogeneity, no drop-out), and a quadratic penalty
// keeps the search where every function is finite.
const wall = 12

// errNotConverged is returned when no starting point leads to a maximum.
var errNotConverged = errors.New("the likelihood has no maximum that can be found")

// objective is a log likelihood over log parameters. It fills grad, which has
// as many elements as theta, and returns the value.
type objective func(theta, grad []float64) float64

// optimum is a maximum of an objective.
type optimum struct {
	theta []float64
	value float64
	// covariance of theta, the inverse of the negative Hessian; nil where the
	// maximum is not a strict one.
	covariance *mat.SymDense
}

// maximise climbs from every starting point with L-BFGS, keeps the highest
// summit and polishes it with Newton steps. It uses no random numbers. A prior
// with standard deviation sd > 0 pulls each log parameter towards zero; scale
// is the size of the sum (the number of customers), for the stopping rule.
func maximise(f objective, starts [][]float64, sd, scale float64) (optimum, error) {
	bounded := guard(f, sd)
	best := optimum{value: math.Inf(-1)}
	for _, start := range starts {
		theta := climb(bounded, start, scale)
		grad := make([]float64, len(theta))
		if v := bounded(theta, grad); finite(v) && v > best.value {
			best = optimum{theta: theta, value: v}
		}
	}
	if best.theta == nil {
		return best, errNotConverged
	}
	best.polish(bounded, scale)
	grad := make([]float64, len(best.theta))
	bounded(best.theta, grad)
	if !(norm(grad) <= 1e-4*math.Max(1, scale)) {
		return best, errNotConverged
	}
	best.value = f(best.theta, grad)
	return best, nil
}

// guard adds the walls and the prior to f.
func guard(f objective, sd float64) objective {
	return func(theta, grad []float64) float64 {
		value := f(theta, grad)
		for i, v := range theta {
			if over := math.Abs(v) - wall; over > 0 {
				value -= 50 * over * over
				grad[i] -= math.Copysign(100*over, v)
			}
			if sd > 0 {
				value -= v * v / (2 * sd * sd)
				grad[i] -= v / (sd * sd)
			}
		}
		return value
	}
}

// climb runs L-BFGS from start and returns where it stopped. An error of the
// line search is how it says that it can climb no further in float64; the
// caller judges the place by its gradient.
func climb(f objective, start []float64, scale float64) []float64 {
	grad := make([]float64, len(start))
	at := make([]float64, len(start))
	value := math.NaN()
	evaluate := func(theta []float64) {
		if !math.IsNaN(value) && equal(at, theta) {
			return
		}
		copy(at, theta)
		// Per customer, so that the tolerances do not depend on their number.
		value = f(theta, grad) / scale
		if !finite(value) {
			value = math.Inf(-1)
		}
	}
	problem := optimize.Problem{
		Func: func(theta []float64) float64 { evaluate(theta); return -value },
		Grad: func(g, theta []float64) {
			evaluate(theta)
			for i := range g {
				g[i] = -grad[i] / scale
			}
		},
	}
	settings := &optimize.Settings{GradientThreshold: 1e-7, MajorIterations: 400, FuncEvaluations: 2000}
	result, _ := optimize.Minimize(problem, append([]float64(nil), start...), settings, &optimize.LBFGS{})
	if result == nil || !allFinite(result.X) {
		return append([]float64(nil), start...)
	}
	return result.X
}

// polish takes Newton steps while they help, then keeps the covariance.
func (o *optimum) polish(f objective, scale float64) {
	n := len(o.theta)
	grad, next, nextGrad := make([]float64, n), make([]float64, n), make([]float64, n)
	o.value = f(o.theta, grad)
	var chol mat.Cholesky
	for range 25 {
		if !chol.Factorize(negativeHessian(f, o.theta)) {
			return
		}
		var step mat.VecDense
		if chol.SolveVecTo(&step, mat.NewVecDense(n, grad)) != nil {
			return
		}
		before := norm(grad)
		for i := range next {
			next[i] = o.theta[i] + step.AtVec(i)
		}
		// Near the summit the value no longer changes in float64: the gradient
		// is what shows progress.
		v := f(next, nextGrad)
		if !finite(v) || v < o.value-1e-9*math.Abs(o.value) || norm(nextGrad) >= before {
			break
		}
		copy(o.theta, next)
		copy(grad, nextGrad)
		o.value = v
		if norm(grad) < 1e-11*scale {
			break
		}
	}
	var inverse mat.SymDense
	if chol.Factorize(negativeHessian(f, o.theta)) && chol.InverseTo(&inverse) == nil && allFinite(inverse.RawSymmetric().Data) {
		o.covariance = &inverse
	}
}

// negativeHessian differentiates the analytic gradient, centrally.
func negativeHessian(f objective, theta []float64) *mat.SymDense {
	const h = 1e-4
	n := len(theta)
	rows := make([][]float64, n)
	at := append([]float64(nil), theta...)
	low := make([]float64, n)
	for i := range theta {
		rows[i] = make([]float64, n)
		at[i] = theta[i] + h
		f(at, rows[i])
		at[i] = theta[i] - h
		f(at, low)
		at[i] = theta[i]
		for j := range low {
			rows[i][j] = -(rows[i][j] - low[j]) / (2 * h)
		}
	}
	hessian := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			hessian.SetSym(i, j, (rows[i][j]+rows[j][i])/2)
		}
	}
	return hessian
}

func norm(v []float64) float64 {
	most := 0.0
	for _, x := range v {
		most = math.Max(most, math.Abs(x))
	}
	return most
}

func equal(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func allFinite(v []float64) bool {
	for _, x := range v {
		if !finite(x) {
			return false
		}
	}
	return true
}
