package linkage

import (
	"cmp"
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

// components returns the sets of rows that edges connect, each sorted, in the
// order of their least rows; rows without an edge are in none.
func components(rows int, edges []edge) [][]int32 {
	u := newUnionFind(rows)
	touched := make(map[int32]bool, 2*len(edges))
	for _, e := range edges {
		u.union(e.a, e.b)
		touched[e.a], touched[e.b] = true, true
	}
	sets := map[int32][]int32{}
	for row := range touched {
		root := u.find(row)
		sets[root] = append(sets[root], row)
	}
	list := make([][]int32, 0, len(sets))
	for _, set := range sets {
		slices.Sort(set)
		list = append(list, set)
	}
	slices.SortFunc(list, func(a, b []int32) int { return cmp.Compare(a[0], b[0]) })
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
const leniency = 2

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
		bi, bj, best := -1, -1, math.Inf(-1)
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
