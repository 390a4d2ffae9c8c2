package graph

import (
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
)

// maxWorkers bounds the processors on which one rebuild runs: others have work too.
const maxWorkers = 8

func defaultWorkers() int { return min(runtime.GOMAXPROCS(0), maxWorkers) }

// evaluateSideBySide is evaluateInPortions on several processors. No step before
// linkage and households reads or writes a node or an edge of another component,
// so each worker evaluates components of its own, on the same pages of nodes and
// edges, and keeps in maps and lists of its own what it finds. One at a time
// collects a portion: what connects it is found by walking along edges, and two
// could meet.
//
// Two things lie outside of components, and are put off until all are done: the
// rosters, and the marks of household values, which identifiers of several
// components may be seen with.
func (g *Graph) evaluateSideBySide(c *collector) {
	workers := []*Graph{g}
	for len(workers) < g.workers {
		workers = append(workers, g.worker())
	}
	g.postpones = true
	var collecting sync.Mutex
	var done sync.WaitGroup
	for _, w := range workers {
		done.Go(func() {
			for more := true; more; {
				collecting.Lock()
				more = c.collect(w)
				collecting.Unlock()
				w.evaluatePortion()
			}
		})
	}
	done.Wait()
	g.postpones = false
	for _, w := range workers[1:] {
		g.gather(w)
	}
	for _, x := range g.work.seated {
		g.seat(x)
	}
	for _, v := range g.work.atHome {
		g.markHome(v)
	}
	g.work.seated, g.work.atHome = nil, nil
}

// sideBySide calls f for each of n parts, on several processors.
func (g *Graph) sideBySide(n int, f func(part int)) {
	var next atomic.Int64
	var done sync.WaitGroup
	for range min(n, max(1, g.workers)) {
		done.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	done.Wait()
}

// unevaluated reports whether no step has found anything yet, so that what workers
// find is all there is.
func (g *Graph) unevaluated() bool {
	return len(g.crowded)+len(g.tenures)+len(g.classes)+len(g.held)+len(g.unit)+len(g.claims)+len(g.full)+len(g.beyond) == 0
}

// worker returns a graph of the same nodes and edges that has found nothing.
func (g *Graph) worker() *Graph {
	w := *g
	w.postpones, w.work, w.count = true, work{}, counts{}
	w.crowded, w.tenures, w.classes = map[ref][]uint32{}, map[ref][]Tenure{}, map[ref]*class{}
	w.held, w.full, w.beyond = map[ref]*tally{}, map[ref]*tally{}, map[ref]int32{}
	w.unit, w.claims = map[ref]*cluster{}, map[ref][]*cluster{}
	return &w
}

// gather takes over what w found.
func (g *Graph) gather(w *Graph) {
	maps.Copy(g.crowded, w.crowded)
	maps.Copy(g.tenures, w.tenures)
	maps.Copy(g.classes, w.classes)
	maps.Copy(g.held, w.held)
	maps.Copy(g.full, w.full)
	maps.Copy(g.beyond, w.beyond)
	maps.Copy(g.unit, w.unit)
	maps.Copy(g.claims, w.claims)
	to, from := &g.work, &w.work
	for _, l := range [...]struct{ to, from *[]ref }{
		{&to.relink, &from.relink},
		{&to.rescored, &from.rescored},
		{&to.restated, &from.restated},
		{&to.seated, &from.seated},
		{&to.atHome, &from.atHome},
	} {
		*l.to = append(*l.to, *l.from...)
	}
	to.journal = append(to.journal, from.journal...)
	to.flips = append(to.flips, from.flips...)
	to.retold = append(to.retold, from.retold...)
	to.severed = to.severed || from.severed
	g.count.generic += w.count.generic
	g.count.visits += w.count.visits
}
