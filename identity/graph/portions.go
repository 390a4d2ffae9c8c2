package graph

// portion is the number of identifiers that a rebuild evaluates at once: with
// their edges they fit into the nearer caches of a processor.
const portion = 4096

// evaluateInPortions is evaluate for a graph of which nearly all is marked. All
// steps but those of linkage and of households stay within what evidence and
// must-links connect, and what a flush comes to does not depend on how marks are
// cut into flushes. So whole components are evaluated one after the other: a step
// finds in the cache what the one before has read, where over the whole graph each
// of them would wait for memory again.
func (g *Graph) evaluateInPortions() {
	w := &g.work
	// The flags say what the lists hold.
	w.status, w.tenure, w.fuse, w.scan = w.status[:0], w.tenure[:0], w.fuse[:0], w.scan[:0]
	w.edges, w.readmit, w.founder = w.edges[:0], w.readmit[:0], w.founder[:0]
	c := &collector{g: g, end: int(g.nodes.end()) - 1, seen: make([]uint64, g.nodes.end()/64+1)}
	if len(w.fresh) == c.end && g.unevaluated() {
		c.starts = g.evaluatePlain()
		c.end = len(c.starts)
	}
	if g.workers > 1 && g.unevaluated() {
		g.evaluateSideBySide(c)
		return
	}
	for c.collect(g) {
		g.evaluatePortion()
	}
	g.evaluatePortion()
}

// evaluatePortion is evaluate, and clears what settle would for all.
func (g *Graph) evaluatePortion() {
	w := &g.work
	g.evaluate()
	g.noteSevered()
	for _, e := range w.edges {
		g.edges.at(e).flags &^= edgeDirty
	}
	w.edges, w.removed = w.edges[:0], false
	w.changed, w.stale, w.admitted, w.left = w.changed[:0], w.stale[:0], w.admitted[:0], w.left[:0]
}

// collector puts the marked nodes and edges of components on the work lists of a
// graph, or of one that works for it.
type collector struct {
	g      *Graph
	starts []ref    // identifiers of all components to take; nil stands for all identifiers
	end    int      // how many these are
	next   int      // of them
	near   int      // those before it were touched
	seen   []uint64 // a bit for each node
	queue  []ref
	size   int // of the components of this portion
	// The compiler must not think that nobody wants what is touched.
	touched ref
}

// collect takes the components of the next portion, and reports whether others may
// be left.
func (c *collector) collect(g *Graph) (more bool) {
	for c.g, c.size = g, 0; c.next < c.end; c.next++ {
		if c.size >= g.portion {
			return true
		}
		if c.next >= c.near {
			c.touch()
		}
		c.component(c.start(c.next))
	}
	return false
}

// start returns the i-th of the identifiers with which components are found.
func (c *collector) start(i int) ref {
	if c.starts == nil {
		return ref(i) + 1
	}
	return c.starts[i]
}

// touch reads what the components of the next identifiers begin with, for many of them
// at once: edges and identifiers lie anywhere in memory, and to walk along them is to
// wait for one after the other. What was collected is not looked at, as another worker
// may be changing it.
func (c *collector) touch() {
	g, n := c.g, 0
	var from, edges, ends [together / 4]ref
	c.near = min(c.next+len(from), c.end)
	for at := c.next; at < c.near; at++ {
		x := c.start(at)
		if c.seen[x/64]&(1<<(x%64)) != 0 {
			continue
		}
		d := g.nodes.at(x)
		if e := d.someEdge(); e != 0 {
			from[n], edges[n] = x, e
			n++
		}
	}
	for i, e := range edges[:n] {
		ends[i] = g.edges.at(e).other(from[i])
	}
	for i, y := range ends[:n] {
		edges[i] = g.nodes.at(y).someEdge()
	}
	for i, e := range edges[:n] { // Its own edge, if nothing else.
		edges[i] = g.edges.at(e).other(ends[i])
	}
	for _, y := range edges[:n] {
		c.touched ^= g.nodes.at(y).head
	}
}

// component takes all that evidence, open or not, and must-links connect with x.
func (c *collector) component(x ref) {
	c.queue = c.queue[:0]
	c.reach(x)
	for i := 0; i < len(c.queue); i++ {
		c.take(c.queue[i])
	}
	c.size += len(c.queue)
}

func (c *collector) reach(x ref) {
	if bit := uint64(1) << (x % 64); c.seen[x/64]&bit == 0 {
		c.seen[x/64] |= bit
		c.queue = append(c.queue, x)
	}
}

func (c *collector) take(x ref) {
	g, w := c.g, &c.g.work
	n := g.nodes.at(x)
	for _, l := range [...]struct {
		flag uint32
		list *[]ref
	}{
		{statusDirty, &w.status},
		{tenureDirty, &w.tenure},
		{fuseDirty, &w.fuse},
		{scanDirty, &w.scan},
		{readmitDirty, &w.readmit},
		{founderDirty, &w.founder},
	} {
		if n.flags&l.flag != 0 {
			*l.list = append(*l.list, x)
		}
	}
	for _, e := range [2]ref{n.live, n.parked} {
		for e != 0 {
			d := g.edges.at(e)
			if d.a == x && d.flags&edgeDirty != 0 {
				w.edges = append(w.edges, e)
			}
			c.reach(d.other(x))
			e = d.after(x)
		}
	}
	if n.flags&hasMust != 0 {
		for _, k := range g.must[n.key] {
			if y := g.find(k); y != 0 {
				c.reach(y)
			}
		}
	}
	if n.flags&fused != 0 {
		for _, m := range g.classes[x].members {
			c.reach(m)
		}
	}
}
