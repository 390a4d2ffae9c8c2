package linkage

import (
	"math"
	"slices"
)

// unionFind joins rows; the root of a set is its least row.
type unionFind []int32

func newUnionFind(n int) unionFind {
	u := make(unionFind, n)
	for i := range u {
		u[i] = int32(i)
	}
	return u
}

func (u unionFind) find(x int32) int32 {
	for u[x] != x {
		u[x] = u[u[x]]
		x = u[x]
	}
	return x
}

func (u unionFind) union(x, y int32) {
	x, y = u.find(x), u.find(y)
	if x > y {
		x, y = y, x
	}
	u[y] = x
}

// edge is a pair with its weight in bits.
type edge struct {
	a, b   int32
	weight float64
}

// component is a set of rows, ascending, and the edges that connect it.
type component struct {
	rows  []int32
	edges []edge
}

// components returns the sets of rows that edges connect, in the order of their
// least rows.
func components(edges []edge) []component {
	index := map[int32]int32{}
	var rows []int32
	for _, e := range edges {
		for _, row := range [2]int32{e.a, e.b} {
			if _, ok := index[row]; !ok {
				index[row] = 0
				rows = append(rows, row)
			}
		}
	}
	slices.Sort(rows)
	for i, row := range rows {
		index[row] = int32(i)
	}
	u := newUnionFind(len(rows))
	for _, e := range edges {
		u.union(index[e.a], index[e.b])
	}
	place := map[int32]int{}
	var list []component
	for i, row := range rows {
		root := u.find(int32(i))
		at, ok := place[root]
		if !ok {
			at = len(list)
			place[root] = at
			list = append(list, component{})
		}
		list[at].rows = append(list[at].rows, row)
	}
	for _, e := range edges {
		c := &list[place[u.find(index[e.a])]]
		c.edges = append(c.edges, e)
	}
	return list
}

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
// connect, from threshold on. A component that is too large loses its weakest
// edges, a bit at a time, until its parts are small enough.
func (l *linker) cluster(w *weigher, edges []edge, threshold float64) []int32 {
	cluster := newUnionFind(l.corpus.rows)
	l.clusterEdges(w, edges, threshold, cluster)
	for i := range cluster {
		cluster[i] = cluster.find(int32(i))
	}
	return cluster
}

func (l *linker) clusterEdges(w *weigher, edges []edge, threshold float64, cluster unionFind) {
	for _, part := range components(edges) {
		if len(part.rows) <= mostTogether {
			l.clusterPart(w, part.rows, threshold, cluster)
			continue
		}
		least, most := math.Inf(1), math.Inf(-1)
		for _, e := range part.edges {
			least, most = min(least, e.weight), max(most, e.weight)
		}
		if math.Floor(least)+1 > most {
			// Nothing tells its records apart: joined in runs.
			for from := 0; from < len(part.rows); from += mostTogether {
				l.clusterPart(w, part.rows[from:min(from+mostTogether, len(part.rows))], threshold, cluster)
			}
			continue
		}
		floor := math.Floor(least) + 1
		rest := slices.DeleteFunc(part.edges, func(e edge) bool { return e.weight < floor })
		l.clusterEdges(w, rest, threshold, cluster)
	}
}

// clusterPart joins the records of one component. Every pair of them is weighed,
// candidate or not: average linkage needs no guess of a missing weight.
func (l *linker) clusterPart(w *weigher, rows []int32, threshold float64, cluster unionFind) {
	joined := agglomerate(len(rows), func(i, j int) float64 {
		a, b := int(rows[i]), int(rows[j])
		return w.weight(l.corpus.record(a), l.comparer.compare(a, b))
	}, threshold)
	for i, first := range joined {
		cluster.union(rows[first], rows[i])
	}
}
