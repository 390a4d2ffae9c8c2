package graph

import "slices"

// kruskal joins the groups of a component in the evidence order. Whether a
// wall has room for what claims it is not asked here: that would couple
// strangers through it.
func (g *Graph) kruskal(c *component) {
	at := make(map[ref]*cluster, len(c.heads))
	for _, h := range c.heads {
		j := &cluster{groups: []ref{h}}
		for _, x := range g.group(h, g.rules.UnitCap) {
			j.of.add(g, x)
		}
		at[h] = j
	}
	edges := append(c.inside, c.claims...)
	slices.SortFunc(edges, compareOrdered)
	for _, o := range edges {
		d := g.edges.at(o.e)
		x, y := at[g.nodes.at(d.a).head], at[g.nodes.at(d.b).head]
		switch {
		case x == nil:
			y.reach(g.nodes.at(d.a).head, o.e)
		case y == nil:
			x.reach(g.nodes.at(d.b).head, o.e)
		case x != y && (x.wall == 0 || y.wall == 0 || x.wall == y.wall) && x.of.fits(g, &y.of):
			g.joinClusters(x, y, o.e)
			for _, h := range y.groups {
				at[h] = x
			}
		}
	}
	c.inside = edges[:0]
	u := &unit{}
	for _, h := range c.heads {
		j := at[h]
		g.unit[h] = j
		g.relink(h)
		if j.unit == nil {
			j.unit = u
			u.clusters = append(u.clusters, j)
		}
	}
	for _, j := range u.clusters {
		if j.wall != 0 {
			g.addClaim(j)
		} else {
			g.markFounder(j.groups[0])
		}
	}
}

// reach makes a cluster's first pair to a fixed group its claim.
func (c *cluster) reach(wall, e ref) {
	if c.wall == 0 {
		c.wall, c.claim = wall, e
	}
}

// joinClusters adds y to x. Of two claims on one wall the earlier stands.
func (g *Graph) joinClusters(x, y *cluster, by ref) {
	x.groups = append(x.groups, y.groups...)
	x.joins = append(append(x.joins, y.joins...), by)
	x.of.merge(&y.of)
	if y.wall != 0 && (x.wall == 0 || g.order(y.claim).compare(g.order(x.claim)) < 0) {
		x.wall, x.claim = y.wall, y.claim
	}
}
