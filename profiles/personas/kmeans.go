package personas

import (
	"math"
	"math/rand/v2"
)

// points are rows of d numbers, one after the other.
type points struct {
	d      int
	values []float64
}

func (p points) len() int           { return len(p.values) / p.d }
func (p points) at(i int) []float64 { return p.values[i*p.d : (i+1)*p.d] }
func (p points) pick(at []int) points {
	out := points{p.d, make([]float64, 0, len(at)*p.d)}
	for _, i := range at {
		out.values = append(out.values, p.at(i)...)
	}
	return out
}

func squared(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += (v - b[i]) * (v - b[i])
	}
	return sum
}

// nearest returns the centre that is nearest to a point, the first of equals, and
// the square of its distance.
func nearest(point []float64, centres points) (int, float64) {
	best, least := 0, math.Inf(1)
	for c := range centres.len() {
		if s := squared(point, centres.at(c)); s < least {
			best, least = c, s
		}
	}
	return best, least
}

func label(p, centres points) []int {
	labels := make([]int, p.len())
	for i := range labels {
		labels[i], _ = nearest(p.at(i), centres)
	}
	return labels
}

// maxIterations bounds Lloyd's algorithm, which ends long before on real data.
const maxIterations = 100

// cluster runs k-means from several starts and returns the centres with the least
// sum of squares.
func cluster(p points, k, restarts int, random *rand.Rand) points {
	var best points
	least := math.Inf(1)
	for range restarts {
		centres := seeds(p, k, random)
		if sum := lloyd(p, centres); sum < least {
			best, least = centres, sum
		}
	}
	return best
}

// trials is how many points are drawn for each further centre, of which the one that
// brings all points nearest is taken.
const trials = 4

// seeds chooses the first centres by k-means++ (Arthur and Vassilvitskii 2007), in its
// greedy form: each further one is the best of some points that are drawn with a
// probability in proportion to the square of their distance.
func seeds(p points, k int, random *rand.Rand) points {
	n := p.len()
	centres := points{p.d, append(make([]float64, 0, k*p.d), p.at(random.IntN(n))...)}
	away, next, best := make([]float64, n), make([]float64, n), make([]float64, n)
	sum := 0.0
	for i := range away {
		away[i] = squared(p.at(i), centres.at(0))
		sum += away[i]
	}
	for c := 1; c < k; c++ {
		least, chosen := math.Inf(1), 0
		for range trials {
			at, total := draw(away, sum, random), 0.0
			for i := range next {
				next[i] = min(away[i], squared(p.at(i), p.at(at)))
				total += next[i]
			}
			if total < least {
				least, chosen = total, at
				best, next = next, best
			}
		}
		centres.values = append(centres.values, p.at(chosen)...)
		away, best, sum = best, away, least
	}
	return centres
}

// draw returns a place with a probability in proportion to its weight.
func draw(weights []float64, sum float64, random *rand.Rand) int {
	left := random.Float64() * sum
	for i, w := range weights {
		if left -= w; left < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// tolerance is the part of the sum of squares by which a step must improve it: behind
// that, where groups have no borders, hundreds of steps move a few points to and fro.
const tolerance = 1e-4

// lloyd moves centres until no point changes its own or little is gained, and returns
// the sum of squares. A centre without points moves to the point that is furthest from its own.
func lloyd(p, centres points) float64 {
	k, n := centres.len(), p.len()
	labels := make([]int, n)
	sums, counts := make([]float64, k*p.d), make([]float64, k)
	total := math.Inf(1)
	for iteration := range maxIterations {
		before := total
		clear(sums)
		clear(counts)
		changed, furthest, far := iteration == 0, 0, -1.0
		total = 0
		for i := range n {
			point := p.at(i)
			c, s := nearest(point, centres)
			total += s
			changed = changed || labels[i] != c
			labels[i] = c
			counts[c]++
			for j, v := range point {
				sums[c*p.d+j] += v
			}
			if s > far {
				furthest, far = i, s
			}
		}
		if !changed || iteration > 0 && before-total <= tolerance*total {
			return total
		}
		for c := range k {
			centre := centres.at(c)
			if counts[c] == 0 {
				copy(centre, p.at(furthest))
				continue
			}
			for j := range centre {
				centre[j] = sums[c*p.d+j] / counts[c]
			}
		}
	}
	return total
}
