package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// entry is one thing that a ledger can be told.
type entry struct {
	sighting *identity.Sighting
	pairOnly bool // the two members as a pair, without their own sightings
	decision *identity.Decision
	expire   identity.Namespace
	before   identity.Period
	erase    identity.Key
	at       int64
	score    *score
}

// score is what a model says of two records.
type score struct {
	a, b       identity.Node
	model      string
	weight, at int64
}

// ledger is anything that can be told: the graph or the oracle.
type ledger interface {
	See(identity.Sighting)
	SeeIdentifier(identity.Node, string, identity.Period, identity.Span)
	SeePair(low, high identity.Node, source string, p identity.Period, span identity.Span)
	Score(a, b identity.Node, model string, weight, at int64)
	Decide(identity.Decision)
	Expire(identity.Namespace, identity.Period)
	Erase(identity.Key, int64)
}

var (
	_ ledger = (*Graph)(nil)
	_ ledger = (*oracle.Oracle)(nil)
)

func (e entry) tell(l ledger) {
	switch {
	case e.pairOnly:
		s := e.sighting
		l.SeePair(s.Members[0], s.Members[1], s.Source, s.Period, s.Span)
	case e.sighting != nil:
		l.See(*e.sighting)
	case e.decision != nil:
		l.Decide(*e.decision)
	case e.score != nil:
		l.Score(e.score.a, e.score.b, e.score.model, e.score.weight, e.score.at)
	case e.expire != "":
		l.Expire(e.expire, e.before)
	default:
		l.Erase(e.erase, e.at)
	}
}

const day = 24 * 60 * 60 * 1000

// world is a random small ledger: few keys, tight rules, so that everything
// happens to somebody.
type world struct {
	rules   *identity.Rules
	nodes   []identity.Node
	entries []entry
	// What the graph keeps for large groups and hubs it keeps here for small
	// ones too, or for middling ones.
	heldFrom int
	fansFrom uint32
	portion  int
	workers  int
	fusing   bool
	records  []identity.Node
}

func (w *world) graph() *Graph {
	g := New(w.rules)
	g.heldFrom, g.fansFrom, g.portion, g.workers = w.heldFrom, w.fansFrom, w.portion, w.workers
	return g
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func randomRules(r *rand.Rand) *identity.Rules {
	up := func() int { return pick(r, 1, 2, 3, 50) }
	down := func() int { return pick(r, 1, 2, 3, 50) }
	limit := func() int { return pick(r, 0, 1, 2, 3) }
	window := func() time.Duration { return time.Duration(pick(r, 0, 0, 5, 30)) * 24 * time.Hour }
	gap := func() time.Duration { return time.Duration(pick(r, 0, 3, 10, 40)) * 24 * time.Hour }
	chance := func(p float64) bool { return r.Float64() < p }
	ns := map[identity.Namespace]identity.Rule{
		identity.UserID: {Principal: true, FanOutUp: up(), FanOutDown: down()},
		identity.CustomerNo: {
			Rank: 1, Limit: limit(), FanOutUp: up(), FanOutDown: down(),
			Shieldable: true, TrustedClaims: chance(.6),
		},
		identity.Email:  {Rank: 2, Limit: limit(), LimitWindow: window(), FanOutUp: up(), FanOutDown: down(), Shieldable: true},
		identity.Phone:  {Rank: 2 + r.IntN(2), Limit: limit(), MovingGap: gap(), FanOutUp: up(), FanOutDown: down(), Shieldable: true},
		identity.Device: {Rank: 5, FanOutUp: up(), FanOutDown: down()},
		identity.AnonymousID: {
			Rank: 7, FanOutUp: up(), FanOutDown: down(), Limit: pick(r, 0, 0, 0, 2),
			MovingGap: time.Duration(pick(r, 0, 0, 5)) * 24 * time.Hour,
		},
		identity.Record: {
			Rank: pick(r, 3, 7), FanOutUp: up(), FanOutDown: down(), Limit: pick(r, 0, 0, 0, 2),
			Shieldable: true, TrustedClaims: chance(.5),
		},
		identity.Landline: {Rank: 8, Household: true, FanOutUp: pick(r, 1, 2, 3, 12), FanOutDown: 3},
		identity.Address:  {Rank: 8, Household: true, FanOutUp: pick(r, 1, 2, 3, 12), FanOutDown: 3},
	}
	if chance(.1) { // A workspace without user ids.
		u, e := ns[identity.UserID], ns[identity.Email]
		u.Principal, e.Principal = false, true
		ns[identity.UserID], ns[identity.Email] = u, e
	}
	return &identity.Rules{
		Namespaces:      ns,
		ModelVersion:    "m1",
		ReviewThreshold: pick(r, int64(1), 3, 5),
		LinkThreshold:   pick(r, int64(-1), 1, 4, 6, 8),

		Default:   identity.Rule{Rank: 7, FanOutUp: 3, FanOutDown: 3, Shieldable: true},
		Untrusted: map[string]bool{"web": true, "app": true},
		UnitCap:   pick(r, 2, 3, 4, 6, 256),
		GroupCap:  pick(r, 3, 4, 6, 5000),
	}
}

func randomWorld(r *rand.Rand, size int) *world { return worldOf(r, size, r.IntN(10)) }

// The kinds of worlds that tests ask for by name.
const (
	mostlyScores     = 3
	mostlyHouseholds = 5
)

func worldOf(r *rand.Rand, size, kind int) *world {
	w := &world{rules: randomRules(r), heldFrom: pick(r, 1, 2, 4, 16), fansFrom: pick(r, uint32(1), 3, 64), portion: pick(r, 1, 5, portion), workers: pick(r, 1, 2, 3)}
	most := 1 + r.IntN(5+size/16)
	kinds := []identity.Namespace{
		identity.UserID, identity.CustomerNo, identity.Email, identity.Phone,
		identity.Device, identity.AnonymousID, identity.AnonymousID, identity.Landline, "other",
	}
	decisions := pick(r, 0, 0, .1, .3)
	forgetting := pick(r, 0, 0, .03, .08)
	scores := pick(r, 0, .1, .2)
	if scores > 0 {
		kinds = append(kinds, identity.Record)
	}
	switch kind {
	case 0: // Loose groups only, and units beyond C.
		kinds, most = []identity.Namespace{identity.Email, identity.Phone, identity.AnonymousID}, 6
		w.rules.UnitCap = pick(r, 2, 3, 4, 5)
	case 1: // Much is fused.
		w.fusing, decisions = true, .35
	case 2: // Walls with much that claims them, and little room.
		kinds, most = []identity.Namespace{identity.UserID, identity.Device, identity.AnonymousID, identity.AnonymousID}, 5
		w.rules.GroupCap, w.rules.UnitCap = pick(r, 4, 5, 6), 256
		a := w.rules.Namespaces[identity.AnonymousID]
		a.FanOutUp, a.FanOutDown = 50, 50
		w.rules.Namespaces[identity.AnonymousID] = a
	case mostlyScores, 4: // Mostly scored pairs, and units of linkage beyond C.
		kinds = []identity.Namespace{identity.UserID, identity.Email, identity.AnonymousID, identity.Record, identity.Record, identity.Record}
		most, scores = 5, .5
		w.rules.UnitCap = pick(r, 2, 3, 4, 6, 256)
		decisions, forgetting = pick(r, 0, .1, .3), pick(r, 0, 0, .05)
	case mostlyHouseholds: // Mostly households.
		kinds = []identity.Namespace{identity.UserID, identity.Email, identity.AnonymousID, identity.Landline, identity.Address, identity.Landline}
		most, scores = 5, 0
		w.rules.UnitCap = pick(r, 2, 4, 6, 9, 256)
	}
	for _, ns := range kinds {
		for range 1 + r.IntN(most) {
			n := identity.Node{Key: identity.Key(r.Uint64()>>1 | 1), Namespace: ns}
			n.Blocked = r.IntN(25) == 0
			w.nodes = append(w.nodes, n)
			if ns == identity.Record {
				w.records = append(w.records, n)
			}
		}
	}
	for len(w.entries) < size {
		switch p := r.Float64(); {
		case p < decisions:
			w.entries = append(w.entries, w.decision(r))
		case p < decisions+forgetting:
			w.entries = append(w.entries, w.forgetting(r))
		case p < decisions+forgetting+scores && len(w.records) > 1:
			w.entries = append(w.entries, w.scored(r))
		default:
			w.entries = append(w.entries, w.sighting(r))
		}
	}
	return w
}

func (w *world) sighting(r *rand.Rand) entry {
	k := pick(r, 1, 2, 2, 2, 3, 3, 4)
	s := &identity.Sighting{Source: pick(r, "server", "import", "web", "web", "app")}
	for _, i := range r.Perm(len(w.nodes))[:min(k, len(w.nodes))] {
		s.Members = append(s.Members, w.nodes[i])
	}
	event := int64(r.IntN(300))*day + int64(r.IntN(3))
	received := event + int64(r.IntN(40)-3)*day
	// As intake does: an event is never later than its receipt.
	event = min(event, received)
	s.Period = identity.Period(event / (90 * day))
	s.Span = identity.Span{
		FirstEvent: event, FirstReceived: received,
		LastEvent: identity.DayOfMillis(event), LastReceived: identity.DayOfMillis(received),
	}
	if r.IntN(20) == 0 {
		s.Span.FirstEvent = received + day // an unclamped one
		s.Span.LastEvent = s.Span.LastReceived + 1
	}
	return entry{sighting: s, pairOnly: len(s.Members) == 2 && r.IntN(8) == 0}
}

// scored is a scored pair. Most are of records, of few distinct weights.
func (w *world) scored(r *rand.Rand) entry {
	s := &score{model: pick(r, "m1", "m1", "m1", "m1", "m1", "m2"), weight: int64(r.IntN(11)), at: int64(r.IntN(3)) * 100 * day}
	s.a, s.b = w.records[r.IntN(len(w.records))], w.records[r.IntN(len(w.records))]
	if r.IntN(20) == 0 {
		s.b = w.nodes[r.IntN(len(w.nodes))]
	}
	return entry{score: s}
}

func (w *world) decision(r *rand.Rand) entry {
	d := &identity.Decision{
		Kind: pick(r, identity.Block, identity.Reject, identity.CannotLink, identity.CannotLink, identity.MustLink, identity.MustLink),
		A:    w.nodes[r.IntN(len(w.nodes))].Key,
		On:   r.IntN(3) > 0,
		At:   int64(r.IntN(10)),
		ID:   fmt.Sprint(len(w.entries)),
	}
	if w.fusing && r.IntN(2) == 0 {
		d.Kind = identity.MustLink
	}
	if len(w.records) > 1 && r.IntN(3) == 0 {
		w.onRecords(r, d)
		return entry{decision: d}
	}
	if d.Kind != identity.Block {
		for d.B == 0 || d.B == d.A {
			d.B = w.nodes[r.IntN(len(w.nodes))].Key
		}
		d.A, d.B = min(d.A, d.B), max(d.A, d.B)
	}
	return entry{decision: d}
}

// onRecords makes d one on records: a pair that may be scored.
func (w *world) onRecords(r *rand.Rand, d *identity.Decision) {
	i := r.IntN(len(w.records) - 1)
	d.A, d.B = w.records[i].Key, w.records[i+1+r.IntN(len(w.records)-1-i)].Key
	d.A, d.B = min(d.A, d.B), max(d.A, d.B)
	if d.Kind == identity.Block {
		d.B = 0
	}
}

func (w *world) forgetting(r *rand.Rand) entry {
	n := w.nodes[r.IntN(len(w.nodes))]
	if r.IntN(2) == 0 {
		return entry{expire: n.Namespace, before: identity.Period(r.IntN(4))}
	}
	return entry{erase: n.Key, at: int64(r.IntN(340)) * day}
}

// permuted returns the entries in another order, some of them twice. Erasures
// stay before later evidence of their key, as the owner of the rows stamps them.
func (w *world) permuted(r *rand.Rand) []entry {
	list := slices.Clone(w.entries)
	for range len(list) / 5 {
		list = append(list, list[r.IntN(len(list))])
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return erasuresFirst(list)
}

func erasuresFirst(list []entry) []entry {
	for i := range list {
		e := list[i]
		if e.erase == 0 {
			continue
		}
		to := slices.IndexFunc(list[:i], func(o entry) bool {
			return o.sighting != nil && o.sighting.Span.FirstReceived > e.at &&
				slices.ContainsFunc(o.sighting.Members, func(n identity.Node) bool { return n.Key == e.erase })
		})
		if to >= 0 {
			copy(list[to+1:i+1], list[to:i])
			list[to] = e
		}
	}
	return list
}
