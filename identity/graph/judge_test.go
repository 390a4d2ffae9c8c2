package graph

import (
	"fmt"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// judge holds what the oracle says of a ledger.
type judge struct {
	w      *world
	g      *Graph
	r      oracle.Result
	why    oracle.Reasons
	ns     map[identity.Key]identity.Namespace
	first  map[identity.Key]int64
	on     map[subject]verdict
	scores map[[2]identity.Key]int64
	read   map[[2]identity.Key]bool
}

func pairOf(a, b identity.Key) [2]identity.Key { return [2]identity.Key{min(a, b), max(a, b)} }

func newJudge(w *world, g *Graph, r oracle.Result) *judge {
	j := &judge{
		w: w, g: g, r: r, why: r.Reasons(), ns: map[identity.Key]identity.Namespace{}, first: map[identity.Key]int64{},
		on: map[subject]verdict{}, scores: map[[2]identity.Key]int64{}, read: map[[2]identity.Key]bool{},
	}
	for _, n := range w.nodes {
		j.ns[n.Key] = n.Namespace
		if x := g.find(n.Key); x != 0 {
			j.first[n.Key] = g.nodes.at(x).first
		}
		for _, s := range g.Scores(n.Key) {
			j.scores[pairOf(n.Key, s.Other)] = s.Weight
			j.read[pairOf(n.Key, s.Other)] = s.Read
		}
	}
	for _, e := range w.entries {
		d := e.decision
		if d == nil {
			continue
		}
		s := subject{d.Kind, min(d.A, d.B), max(d.A, d.B)}
		if old := j.on[s]; old.id == "" || d.At > old.at || d.At == old.at && d.ID > old.id {
			j.on[s] = verdict{d.At, d.ID, d.On}
		}
	}
	return j
}

func (j *judge) stands(kind identity.DecisionKind, a, b identity.Key) bool {
	return j.on[subject{kind, min(a, b), max(a, b)}].on
}

// known reports whether there is evidence, or a score, of two living identifiers.
func (j *judge) known(a, b identity.Key) bool {
	p := pairOf(a, b)
	_, isDropped := j.why.Dropped[p]
	_, isScored := j.scores[p]
	return isDropped || j.why.Eligible[p] || isScored && !j.r.Gone[a] && !j.r.Gone[b]
}

func (j *judge) judge(a, b identity.Key, e Explanation) error {
	if e.ProfileA != j.g.Profile(a) || e.ProfileB != j.g.Profile(b) {
		return fmt.Errorf("wrong profiles")
	}
	if same := a == b || e.ProfileA == e.ProfileB && e.ProfileA != 0; same != e.Same || same == (e.Barrier != nil) {
		return fmt.Errorf("same is %v, want %v", e.Same, same)
	}
	if err := j.judgePath(a, b, e); err != nil {
		return err
	}
	back := j.g.Why(b, a)
	if e.Same {
		if len(back.Path) != len(e.Path) {
			return fmt.Errorf("the way back is of %d hops", len(back.Path))
		}
		return nil
	}
	if back.Barrier.From != e.Barrier.To || back.Barrier.To != e.Barrier.From || back.Barrier.Kind != e.Barrier.Kind {
		return fmt.Errorf("the way back names %+v", back.Barrier)
	}
	return j.judgeBarrier(a, b, *e.Barrier)
}

func (j *judge) judgePath(a, b identity.Key, e Explanation) error {
	at := a
	for _, h := range e.Path {
		if h.From != at || j.r.Profile[h.To] != j.r.Profile[h.From] {
			return fmt.Errorf("hop %+v leads astray", h)
		}
		at = h.To
		p := pairOf(h.From, h.To)
		switch h.Kind {
		case identity.HopFused:
			d := j.on[subject{identity.MustLink, p[0], p[1]}]
			if !d.on || d.id != h.Decision {
				return fmt.Errorf("hop %+v: %+v stands", h, d)
			}
		case identity.HopLinked:
			if !j.read[p] || j.scores[p] != h.Weight || j.why.Super[p[0]] == j.why.Super[p[1]] {
				return fmt.Errorf("hop %+v: weight %d, read %v", h, j.scores[p], j.read[p])
			}
		default:
			if j.why.Ties[p] != h.Kind {
				return fmt.Errorf("hop %+v: the oracle has %q", h, j.why.Ties[p])
			}
		}
	}
	switch {
	case e.Same && at != b:
		return fmt.Errorf("path ends at %x", at)
	case !e.Same && len(e.Path) > 0 && at != e.Barrier.From:
		return fmt.Errorf("path ends at %x, not at the barrier", at)
	}
	return nil
}

// judgeBarrier checks that the pair exists, is the first one where the profiles
// touch, and that the rule holds of it.
func (j *judge) judgeBarrier(a, b identity.Key, x Barrier) error {
	touching := j.touching(a, b)
	if x.From == 0 {
		if len(touching) > 0 || x.Kind != identity.BarrierUnknown || j.connected(a, b) {
			return fmt.Errorf("something is known: %v", touching)
		}
		return nil
	}
	p := pairOf(x.From, x.To)
	if !j.known(x.From, x.To) || j.r.Profile[x.From] == j.r.Profile[x.To] || x.Detail == "" {
		return fmt.Errorf("no such pair of two profiles")
	}
	if len(touching) > 0 && !slices.Contains(touching, p) {
		return fmt.Errorf("the profiles touch at %v", touching)
	}
	_, isDropped := j.why.Dropped[p]
	_, isScored := j.scores[p]
	if !isScored && isDropped && j.why.Dropped[p] != x.Kind {
		return fmt.Errorf("dropped by %s", j.why.Dropped[p])
	}
	return j.holds(p, x)
}

// touching returns the pairs of the profiles of a and b.
func (j *judge) touching(a, b identity.Key) (pairs [][2]identity.Key) {
	for x := range j.ns {
		for y := range j.ns {
			if j.r.Profile[x] == j.r.Profile[a] && j.r.Profile[y] == j.r.Profile[b] && !j.odd(x) && !j.odd(y) && j.known(x, y) {
				pairs = append(pairs, pairOf(x, y))
			}
		}
	}
	return pairs
}

// odd reports identifiers that no explanation goes through.
func (j *judge) odd(k identity.Key) bool {
	return j.r.Gone[k] || j.w.rules.Rule(j.ns[k]).Household || j.r.Profile[k] == 0
}

// connected reports whether profiles and pairs of evidence lead from a to b.
func (j *judge) connected(a, b identity.Key) bool {
	if j.odd(a) || j.odd(b) {
		return false
	}
	seen := map[identity.ProfileID]bool{j.r.Profile[a]: true}
	for grown := true; grown; {
		grown = false
		for x := range j.ns {
			for y := range j.ns {
				if seen[j.r.Profile[x]] && !seen[j.r.Profile[y]] && !j.odd(x) && !j.odd(y) && j.known(x, y) {
					seen[j.r.Profile[y]], grown = true, true
				}
			}
		}
	}
	return seen[j.r.Profile[b]]
}

// holds reports whether the rule that x names is broken by p, or would be.
func (j *judge) holds(p [2]identity.Key, x Barrier) error {
	fail := func(ok bool) error {
		if ok {
			return nil
		}
		return fmt.Errorf("%s does not hold", x.Kind)
	}
	switch x.Kind {
	case identity.BarrierBlocked:
		return fail(j.r.Blocked[p[0]] || j.r.Blocked[p[1]])
	case identity.BarrierGeneric:
		return fail(j.r.Generic[p[0]] && j.neighbours(p[0], x.Namespace) == x.Count && x.Count > x.Bound ||
			j.r.Generic[p[1]] && j.neighbours(p[1], x.Namespace) == x.Count && x.Count > x.Bound)
	case identity.BarrierCrowded:
		return fail(j.r.Crowded[p[0]][j.ns[p[1]]] && j.neighbours(p[0], j.ns[p[1]]) == x.Count ||
			j.r.Crowded[p[1]][j.ns[p[0]]] && j.neighbours(p[1], j.ns[p[0]]) == x.Count)
	case identity.BarrierRejected:
		return fail(j.stands(identity.Reject, p[0], p[1]))
	case identity.BarrierCannotLink:
		return fail(j.parted(p))
	case identity.BarrierLimit:
		return fail(j.overLimit(p, x))
	case identity.BarrierStronger:
		return fail(j.why.Eligible[p] && j.why.Ties[p] == "")
	case identity.BarrierSize:
		return j.withoutCaps(p, x)
	case identity.BarrierWeight:
		return fail(j.light(p))
	case identity.BarrierVoid, identity.BarrierRetired:
		return fail(j.why.Dropped[p] == x.Kind)
	}
	return fmt.Errorf("kind %q", x.Kind)
}

// neighbours counts as fan-out does.
func (j *judge) neighbours(k identity.Key, ns identity.Namespace) (n int) {
	for o := range j.ns {
		if o == k || j.ns[o] != ns {
			continue
		}
		switch kind, isDropped := j.why.Dropped[pairOf(k, o)]; kind {
		case "", identity.BarrierGeneric, identity.BarrierCrowded, identity.BarrierRetired:
			x, y := j.g.find(min(k, o)), j.g.find(max(k, o))
			if isDropped || j.why.Eligible[pairOf(k, o)] || x != 0 && y != 0 && j.g.rep(x) == j.g.rep(y) && j.g.findEdge(x, y) != 0 {
				n++
			}
		}
	}
	return n
}

// parted reports whether a cannot-link stands between the profiles of p.
func (j *judge) parted(p [2]identity.Key) bool {
	for s, d := range j.on {
		a, b := j.r.Profile[s.a], j.r.Profile[s.b]
		x, y := j.r.Profile[p[0]], j.r.Profile[p[1]]
		if s.kind == identity.CannotLink && d.on && (a == x && b == y || a == y && b == x) {
			return true
		}
	}
	return false
}

// overLimit reports whether the two profiles of p together break the limit.
func (j *judge) overLimit(p [2]identity.Key, x Barrier) bool {
	rule := j.w.rules.Rule(x.Namespace)
	bound, window := rule.Limit, rule.LimitWindow.Milliseconds()
	if rule.Principal {
		bound, window = 1, 0
	}
	var both []identity.Key
	for k, ns := range j.ns {
		if id := j.r.Profile[k]; ns == x.Namespace && (id == j.r.Profile[p[0]] || id == j.r.Profile[p[1]]) {
			both = append(both, k)
		}
	}
	for _, start := range both {
		n, sides := 0, map[identity.ProfileID]bool{}
		for _, k := range both {
			if window == 0 || j.first[k] >= j.first[start] && j.first[k] < j.first[start]+window {
				n++
				sides[j.r.Profile[k]] = true
			}
		}
		if n > bound && len(sides) == 2 {
			return bound == x.Bound
		}
	}
	return false
}

// withoutCaps evaluates the ledger without caps: they must not hold any more.
func (j *judge) withoutCaps(p [2]identity.Key, x Barrier) error {
	rules := *j.w.rules
	rules.UnitCap, rules.GroupCap = 1<<20, 1<<20
	w := *j.w
	w.rules = &rules
	g := w.graph()
	for _, e := range erasuresFirst(slices.Clone(w.entries)) {
		e.tell(g)
	}
	g.Flush()
	if e := g.Why(p[0], p[1]); e.Barrier != nil && e.Barrier.Kind == identity.BarrierSize {
		return fmt.Errorf("a cap holds without caps: %+v", e.Barrier)
	}
	if x.Bound != j.w.rules.UnitCap && x.Bound != j.w.rules.GroupCap {
		return fmt.Errorf("no cap is %d", x.Bound)
	}
	return nil
}

// light reports whether a scored pair, or the average of two profiles, is below
// its threshold.
func (j *judge) light(p [2]identity.Key) bool {
	if j.scores[p] < j.w.rules.ReviewThreshold {
		return true
	}
	greatest := map[[2]int]int64{}
	left, right := map[int]bool{}, map[int]bool{}
	for k := range j.ns {
		switch {
		case j.odd(k):
		case j.r.Profile[k] == j.r.Profile[p[0]]:
			left[j.why.Super[k]] = true
		case j.r.Profile[k] == j.r.Profile[p[1]]:
			right[j.why.Super[k]] = true
		}
	}
	sum := int64(0)
	for q, weight := range j.scores {
		a, b := j.why.Super[q[0]], j.why.Super[q[1]]
		at := [2]int{min(a, b), max(a, b)}
		if !j.read[q] || !(left[a] && right[b] || left[b] && right[a]) {
			continue
		}
		if old, ok := greatest[at]; !ok || weight > old {
			sum += weight - old
			greatest[at] = weight
		}
	}
	cut := j.w.rules.UnitCap < len(j.w.nodes) // Some weights may be ignored.
	return cut || sum < max(1, j.w.rules.LinkThreshold)*int64(len(left)*len(right))
}
