package graph

// spot is a scored pair at the edge of what reach has found so far.
type spot struct {
	weight int32
	from   int // position of the super-node
	x      ref // the record at its near end
	at     int // position in the links of x
}

func heavier(a, b *spot) bool { return a.weight > b.weight }

// scoredPair is the weight of two super-nodes, by their positions in a unit.
type scoredPair struct {
	a, b   int
	weight int32
}

// reaching is what reach has found so far.
type reaching struct {
	supers   []*super
	by       []int32     // the weight by which each was found; of the first none
	at       map[ref]int // positions, by root
	pairs    []scoredPair
	frontier heap[spot]
	weakest  int32
	over     bool
}

// reach returns the unit of s with the weights in it. It takes the greatest
// weight at the edge of what it has found, again and again: so when it first
// takes a lesser weight than before, all within greater ones is found. Once
// more than C super-nodes are found, those within weights greater than the
// least one taken are the unit: over that one, or less, it is beyond C.
func (g *Graph) reach(s *super) ([]*super, []scoredPair) {
	r := &reaching{at: map[ref]int{}, frontier: heap[spot]{before: heavier}}
	floor, known := g.floors[s.root]
	g.meet(r, s)
	for len(r.frontier.items) > 0 && !r.over {
		p := r.frontier.pop()
		g.count.visits++
		if known && p.weight <= floor {
			return r.supers, r.pairs
		}
		l := g.scored[p.x].links[p.at]
		g.advance(r, p.from, p.x, p.at+1)
		g.cross(r, p, l)
	}
	if !r.over {
		return r.supers, r.pairs
	}
	return g.cutAt(r)
}

// meet adds s to what is found.
func (g *Graph) meet(r *reaching, s *super) {
	i := len(r.supers)
	r.supers = append(r.supers, s)
	r.at[s.root] = i
	for _, h := range s.heads {
		g.records.each(h, func(x ref) {
			g.count.visits++
			if g.legible(x) {
				g.advance(r, i, x, 0)
			}
		})
	}
	r.over = len(r.supers) > g.rules.UnitCap
}

// advance puts the first pair of x that counts, from position at on, at the
// edge.
func (g *Graph) advance(r *reaching, from int, x ref, at int) {
	links := g.scored[x].links
	for ; at < len(links) && int64(links[at].weight) >= g.rules.ReviewThreshold; at++ {
		if g.reads(links[at]) {
			r.frontier.push(spot{links[at].weight, from, x, at})
			return
		}
		g.count.visits++
	}
}

// cross looks at what the pair l from p leads to.
func (g *Graph) cross(r *reaching, p spot, l link) {
	h := g.nodes.at(l.to).head
	root := g.root(h)
	to, met := r.at[root]
	if met {
		if to != p.from {
			r.pairs = append(r.pairs, scoredPair{p.from, to, l.weight})
		}
		return
	}
	if len(r.by) == 0 || l.weight < r.weakest {
		r.weakest = l.weight
	}
	r.by = append(r.by, l.weight)
	if floor, ok := g.floors[root]; ok && floor >= r.weakest {
		r.over = true
		return
	}
	r.pairs = append(r.pairs, scoredPair{p.from, len(r.supers), l.weight})
	g.meet(r, g.superAt(h))
}

// cutAt returns the part of what is found, beyond C, that is within weights
// greater than the least one taken, and notes for all the rest that they are
// beyond C over that one.
func (g *Graph) cutAt(r *reaching) ([]*super, []scoredPair) {
	for _, s := range r.supers {
		if f, ok := g.floors[s.root]; !ok || f < r.weakest {
			g.floors[s.root] = r.weakest
		}
	}
	n := 1
	for n <= len(r.by) && r.by[n-1] > r.weakest {
		n++
	}
	var within []scoredPair
	for _, p := range r.pairs {
		if p.a < n && p.b < n && p.weight > r.weakest {
			within = append(within, p)
		}
	}
	return r.supers[:n], within
}
