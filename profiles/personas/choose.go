package personas

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Candidate is a number of groups, and what speaks for and against it.
type Candidate struct {
	Personas int `json:"personas"`
	// Silhouette is the mean width, Reference the greater one of the two kinds of
	// rows without groups.
	Silhouette float64 `json:"silhouette"`
	Reference  float64 `json:"reference"`
	// Stability is the mean adjusted Rand index over bootstrap samples.
	Stability float64 `json:"stability"`
	// Smallest is the share of the smallest group in the sample.
	Smallest float64 `json:"smallest"`
	// Against says why it is not eligible; empty when it is.
	Against string `json:"against,omitempty"`

	centres points
}

const (
	// silhouetteRows bounds the rows whose distances from each other are taken,
	// bootstrapRows those of a sample that stability is measured by, and referenceRows
	// those of a table without groups, of which there are references of each kind.
	silhouetteRows = 1500
	bootstrapRows  = 2000
	referenceRows  = 750
	references     = 3
)

// candidates tries every number of groups. Each has random sources of its own, so
// that the result does not depend on which goroutine tries it.
func candidates(p points, cfg Config) []Candidate {
	box := newBox(p)
	list := make([]Candidate, cfg.MaxPersonas-cfg.MinPersonas+1)
	parallel(len(list), func(i int) { list[i] = try(p, box, cfg.MinPersonas+i, cfg) })
	return list
}

func try(p points, box box, k int, cfg Config) Candidate {
	random := rand.New(rand.NewPCG(cfg.Seed, uint64(k)))
	c := Candidate{Personas: k, centres: cluster(p, k, cfg.Restarts, random)}
	labels := label(p, c.centres)
	c.Silhouette, c.Smallest = silhouette(p, labels, k), smallest(labels, k)
	c.Reference = reference(p, box, k, cfg.Restarts, random)
	for range cfg.Bootstraps {
		at := make([]int, min(p.len(), bootstrapRows))
		for i := range at {
			at[i] = random.IntN(p.len())
		}
		// More than one start: what is measured is the data, not the luck of it.
		again := cluster(p.pick(at), k, min(2, cfg.Restarts), random)
		c.Stability += AdjustedRand(labels, label(p, again)) / float64(cfg.Bootstraps)
	}
	switch {
	case c.Smallest < cfg.MinShare:
		c.Against = fmt.Sprintf("its smallest group has %.2g of the rows", c.Smallest)
	case c.Silhouette < cfg.MinSilhouette:
		c.Against = fmt.Sprintf("silhouette %.2f is below %.2f", c.Silhouette, cfg.MinSilhouette)
	case c.Silhouette < c.Reference+cfg.MinGain:
		c.Against = fmt.Sprintf("silhouette %.2f, and rows without groups have %.2f", c.Silhouette, c.Reference)
	case c.Stability < cfg.MinStability:
		c.Against = fmt.Sprintf("stability %.2f is below %.2f", c.Stability, cfg.MinStability)
	}
	return c
}

// reference is the silhouette that groups have in rows without any: those in the box,
// and those whose columns were shuffled, each for itself, which keep how the values
// of a column lie, such as a long tail, and lose what goes together. A single column
// has nothing that goes together.
func reference(p points, box box, k, restarts int, random *rand.Rand) float64 {
	uniform, shuffled := 0.0, 0.0
	for range references {
		null := box.draw(min(p.len(), referenceRows), random)
		uniform += silhouette(null, label(null, cluster(null, k, restarts, random)), k) / references
		if p.d == 1 {
			continue
		}
		for i := range null.len() {
			for j := range p.d {
				null.at(i)[j] = p.at(random.IntN(p.len()))[j]
			}
		}
		shuffled += silhouette(null, label(null, cluster(null, k, restarts, random)), k) / references
	}
	return max(uniform, shuffled)
}

// better is by how much more groups must gain to be worth their number.
const better = .005

// best returns the eligible candidate whose silhouette is the furthest above that of
// rows without groups, or nil. The silhouette alone favours two groups, because fewer
// groups have a greater one in any rows.
func best(list []Candidate) *Candidate {
	var found *Candidate
	for i := range list {
		if c := &list[i]; c.Against == "" && (found == nil || c.Silhouette-c.Reference > found.Silhouette-found.Reference+better) {
			found = c
		}
	}
	return found
}

// silhouette of rows that lie evenly in the points, which are in no order of meaning.
func silhouette(p points, labels []int, k int) float64 {
	step := max(1, (p.len()+silhouetteRows-1)/silhouetteRows)
	var at, of []int
	for i := 0; i < p.len(); i += step {
		at, of = append(at, i), append(of, labels[i])
	}
	return Silhouette(p.pick(at).values, p.d, of, k)
}

func smallest(labels []int, k int) float64 {
	sizes := make([]int, k)
	for _, l := range labels {
		sizes[l]++
	}
	least := len(labels)
	for _, n := range sizes {
		least = min(least, n)
	}
	return float64(least) / float64(len(labels))
}

// box is what points lie in along their principal components.
type box struct {
	d         int
	axes      []float64 // by row: the coordinates of each axis
	low, high []float64
	mean      []float64
}

func newBox(p points) box {
	n, d := float64(p.len()), p.d
	b := box{d: d, axes: make([]float64, d*d), low: make([]float64, d), high: make([]float64, d), mean: make([]float64, d)}
	for i := range p.len() {
		for j, v := range p.at(i) {
			b.mean[j] += v / n
		}
	}
	covariance := mat.NewSymDense(d, nil)
	for i := range p.len() {
		point := p.at(i)
		for j := range d {
			for l := j; l < d; l++ {
				covariance.SetSym(j, l, covariance.At(j, l)+(point[j]-b.mean[j])*(point[l]-b.mean[l])/n)
			}
		}
	}
	var eigen mat.EigenSym
	var vectors mat.Dense
	if eigen.Factorize(covariance, true) {
		eigen.VectorsTo(&vectors)
	} else { // Impossible for finite numbers; the axes of the features serve as well.
		vectors.CloneFrom(mat.NewDiagDense(d, ones(d)))
	}
	for a := range d {
		b.low[a], b.high[a] = math.Inf(1), math.Inf(-1)
		for j := range d {
			b.axes[a*d+j] = vectors.At(j, a)
		}
		for i := range p.len() {
			along := 0.0
			for j, v := range p.at(i) {
				along += (v - b.mean[j]) * b.axes[a*d+j]
			}
			b.low[a], b.high[a] = min(b.low[a], along), max(b.high[a], along)
		}
	}
	return b
}

func ones(n int) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = 1
	}
	return list
}

// draw returns n points that lie anywhere in the box.
func (b box) draw(n int, random *rand.Rand) points {
	p := points{b.d, make([]float64, n*b.d)}
	for i := range n {
		point := p.at(i)
		copy(point, b.mean)
		for a := range b.d {
			along := b.low[a] + random.Float64()*(b.high[a]-b.low[a])
			for j := range point {
				point[j] += along * b.axes[a*b.d+j]
			}
		}
	}
	return p
}
