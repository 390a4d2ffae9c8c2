package linkage

import (
	"math"
	"slices"
)

// loud is the weight in bits beyond which a pair says nothing more to a cluster:
// one pair that agrees in everything must not outvote many that disagree, nor
// one pair with every field wrong split a cluster.
const loud = 10

// leniency is how far below even odds, in bits, the average weight of two
// clusters may lie: fully where many pairs are averaged, not at all for a single
// pair, whose weight is the odds. Records of one person that are damaged in
// different places contradict each other more than chance, so that the average
// over a whole cluster underestimates it.
const leniency = 3

// leastAverage is the least average weight at which two clusters join, above
// threshold for single records.
func leastAverage(threshold, pairs float64) float64 {
	return threshold - leniency*(1-1/pairs)
}

// agglomerate joins the members of one component by average linkage: the two
// clusters of greatest average weight first, as long as that is at least
// leastAverage. weight is asked for every pair of members, whether or not it was a
// candidate. It returns for each member the position of the first of its
// cluster.
func agglomerate(n int, weight func(i, j int) float64, threshold float64) []int {
	sum := make([]float64, n*n)
	size := make([]float64, n)
	cluster := make([]int, n)
	alive := make([]bool, n)
	for i := range n {
		size[i], cluster[i], alive[i] = 1, i, true
		for j := range i {
			w := min(max(weight(i, j), -loud), loud)
			sum[i*n+j], sum[j*n+i] = w, w
		}
	}
	for {
		bi, bj := closest(sum, size, alive, threshold)
		if bi < 0 {
			break
		}
		for k := range n {
			if alive[k] && k != bi && k != bj {
				sum[bi*n+k] += sum[bj*n+k]
				sum[k*n+bi] = sum[bi*n+k]
			}
		}
		size[bi] += size[bj]
		alive[bj] = false
		for k := range n {
			if cluster[k] == bj {
				cluster[k] = bi
			}
		}
	}
	return cluster
}

// closest returns the two clusters of greatest average weight that may join, the
// first of those that are equal; -1 for none.
func closest(sum, size []float64, alive []bool, threshold float64) (bi, bj int) {
	n, best := len(size), math.Inf(-1)
	bi, bj = -1, -1
	for i := range n {
		if !alive[i] {
			continue
		}
		for j := i + 1; j < n; j++ {
			if !alive[j] {
				continue
			}
			pairs := size[i] * size[j]
			if score := sum[i*n+j] / pairs; score > best && score >= leastAverage(threshold, pairs) {
				bi, bj, best = i, j, score
			}
		}
	}
	return bi, bj
}

// mostTogether is the number of records that are clustered as one component.
const mostTogether = 512

// cluster joins records by average linkage inside the components that edges
// connect, from threshold on. Edges weigh what w says.
func (l *linker) cluster(w *weigher, edges []edge, threshold float64) ([]int32, error) {
	cluster := newUnionFind(l.corpus.rows)
	parts := smallParts(edges, make([]int32, l.corpus.rows), nil)
	const size = 128
	err := divide(l.ctx, l.Workers, (len(parts)+size-1)/size, func(_, piece int) {
		for _, p := range parts[piece*size : min((piece+1)*size, len(parts))] {
			l.clusterPart(w, p, threshold, cluster)
		}
	})
	for i := range cluster {
		cluster[i] = cluster.find(int32(i))
	}
	return cluster, err
}

// smallParts appends the components that edges connect to list. One that is too
// large loses its weakest edges, a bit at a time, until its parts are small
// enough.
func smallParts(edges []edge, local []int32, list []component) []component {
	for _, part := range components(edges, local) {
		if len(part.rows) <= mostTogether {
			list = append(list, part)
			continue
		}
		least, most := math.Inf(1), math.Inf(-1)
		for _, e := range part.edges {
			least, most = min(least, e.weight), max(most, e.weight)
		}
		floor := math.Floor(least) + 1
		if floor > most {
			// Nothing tells its records apart: joined in runs.
			for rows := range slices.Chunk(part.rows, mostTogether) {
				list = append(list, component{rows: rows})
			}
			continue
		}
		rest := slices.DeleteFunc(part.edges, func(e edge) bool { return e.weight < floor })
		list = smallParts(rest, local, list)
	}
	return list
}

// clusterPart joins the records of one component. Every pair of them is weighed,
// candidate or not: average linkage needs no guess of a missing weight.
func (l *linker) clusterPart(w *weigher, part component, threshold float64, cluster unionFind) {
	rows := part.rows
	if len(rows) == 2 && len(part.edges) == 1 { // as most are: their weight is known
		if part.edges[0].weight >= threshold {
			cluster.union(rows[0], rows[1])
		}
		return
	}
	joined := agglomerate(len(rows), func(i, j int) float64 {
		a, b := int(rows[i]), int(rows[j])
		return w.weight(l.corpus.record(a), l.comparer.compare(a, b))
	}, threshold)
	for i, first := range joined {
		cluster.union(rows[first], rows[i])
	}
}
