package linkage

import "slices"

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
// least rows. It overwrites local, which has room for every row.
func components(edges []edge, local []int32) []component {
	rows := localise(edges, local)
	u := newUnionFind(len(rows))
	for _, e := range edges {
		u.union(local[e.a], local[e.b])
	}
	// Of which component a row is, and how many rows and edges that has.
	of, sizes := make([]int32, len(rows)), [][2]int32{}
	for i := range rows {
		root := u.find(int32(i))
		if root == int32(i) {
			of[i] = int32(len(sizes))
			sizes = append(sizes, [2]int32{})
		}
		of[i] = of[root]
		sizes[of[i]][0]++
	}
	for _, e := range edges {
		sizes[of[local[e.a]]][1]++
	}
	list := make([]component, len(sizes))
	allRows, allEdges := make([]int32, len(rows)), make([]edge, len(edges))
	for i, n := range sizes {
		list[i] = component{allRows[:0:n[0]], allEdges[:0:n[1]]}
		allRows, allEdges = allRows[n[0]:], allEdges[n[1]:]
	}
	for i, row := range rows {
		c := &list[of[i]]
		c.rows = append(c.rows, row)
	}
	for _, e := range edges {
		c := &list[of[local[e.a]]]
		c.edges = append(c.edges, e)
	}
	return list
}

// localise returns the rows of edges, ascending, and notes in local where each of
// them stands.
func localise(edges []edge, local []int32) (rows []int32) {
	for _, e := range edges {
		local[e.a], local[e.b] = -1, -1
	}
	for _, e := range edges {
		for _, row := range [2]int32{e.a, e.b} {
			if local[row] < 0 {
				local[row] = 0
				rows = append(rows, row)
			}
		}
	}
	slices.Sort(rows)
	for i, row := range rows {
		local[row] = int32(i)
	}
	return rows
}
