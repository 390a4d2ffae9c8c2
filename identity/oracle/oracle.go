package oracle

import (
	"github.com/kindred-cdp/kindred/identity"
)

// Oracle is a ledger. The order of calls does not matter, and a call repeated
// changes nothing. It is not safe for concurrent use.
type Oracle struct {
	rules *identity.Rules
	nodes map[identity.Key]identity.Node

	sightings map[sighting]struct{}
	decisions map[subject]identity.Decision
	scores    map[scored]score
	expired   map[identity.Namespace]identity.Period
	erased    map[identity.Key]int64
}

// sighting is one raw sighting: of an identifier (high is zero) or of a pair.
type sighting struct {
	low, high identity.Key
	source    string
	period    identity.Period
	span      identity.Span
}

// subject is what a decision is about: of the decisions of one subject the
// greatest (time, decision id) stands.
type subject struct {
	kind identity.DecisionKind
	a, b identity.Key
}

// New returns an empty ledger under rules, which must not change any more.
func New(rules *identity.Rules) *Oracle {
	return &Oracle{
		rules:     rules,
		nodes:     map[identity.Key]identity.Node{},
		sightings: map[sighting]struct{}{},
		decisions: map[subject]identity.Decision{},
		scores:    map[scored]score{},
		expired:   map[identity.Namespace]identity.Period{},
		erased:    map[identity.Key]int64{},
	}
}

// See adds a sighting of k identifiers.
//
// "An event with k identifiers gives all k(k-1)/2 pairs (not a star: blocking
// its centre later must leave the rest linked)."
func (o *Oracle) See(s identity.Sighting) {
	for i, a := range s.Members {
		o.SeeIdentifier(a, s.Source, s.Period, s.Span)
		for _, b := range s.Members[i+1:] {
			o.SeePair(a, b, s.Source, s.Period, s.Span)
		}
	}
}

// SeeIdentifier adds a sighting of one identifier.
func (o *Oracle) SeeIdentifier(n identity.Node, source string, p identity.Period, span identity.Span) {
	o.know(n)
	o.sightings[sighting{low: n.Key, source: source, period: p, span: clamp(span)}] = struct{}{}
}

// SeePair adds a sighting of a pair. It says nothing of its two identifiers on
// their own. A pair of an identifier with itself is nothing.
func (o *Oracle) SeePair(a, b identity.Node, source string, p identity.Period, span identity.Span) {
	o.know(a)
	o.know(b)
	if a.Key == b.Key {
		return
	}
	low, high := min(a.Key, b.Key), max(a.Key, b.Key)
	o.sightings[sighting{low: low, high: high, source: source, period: p, span: clamp(span)}] = struct{}{}
}

// know notes a node; a value once said to be blocked is blocked.
func (o *Oracle) know(n identity.Node) {
	n.Blocked = n.Blocked || o.nodes[n.Key].Blocked
	o.nodes[n.Key] = n
}

// clamp: "an event time later than its received time is set to it at intake."
func clamp(s identity.Span) identity.Span {
	s.FirstEvent = min(s.FirstEvent, s.FirstReceived)
	s.LastEvent = min(s.LastEvent, s.LastReceived)
	return s
}

// Decide adds an operator decision.
//
// "Decisions … each on or off, the greatest (time, decision id) per subject
// standing."
func (o *Oracle) Decide(d identity.Decision) {
	s := subject{kind: d.Kind, a: min(d.A, d.B), b: max(d.A, d.B)}
	if old, ok := o.decisions[s]; ok && (old.At > d.At || old.At == d.At && old.ID >= d.ID) {
		return
	}
	o.decisions[s] = d
}

// stands reports whether the standing decision of a subject is on.
func (o *Oracle) stands(kind identity.DecisionKind, a, b identity.Key) bool {
	return o.decisions[subject{kind: kind, a: min(a, b), b: max(a, b)}].On
}

// Expire adds an expiry.
//
// "Expiry (namespace, period): sightings of the namespace in earlier periods do
// not count, nor do pairs with such an end; greatest period wins."
func (o *Oracle) Expire(ns identity.Namespace, before identity.Period) {
	if old, ok := o.expired[ns]; !ok || before > old {
		o.expired[ns] = before
	}
}

// Erase adds an erasure; at is in milliseconds since 1970 UTC.
//
// "Erasure (key, erased_at): sightings of the key received at or before
// erased_at do not count, greatest wins."
func (o *Oracle) Erase(k identity.Key, at int64) {
	if old, ok := o.erased[k]; !ok || at > old {
		o.erased[k] = at
	}
}

// Evaluate computes the profiles of the whole ledger from nothing.
func (o *Oracle) Evaluate() Result {
	e := newEvaluation(o)
	e.countSightings()
	e.keepDomestic()
	e.dropRejectedAndBlocked()
	e.dropVoid()
	e.dropGenericAndCrowded()
	e.dropRetired()
	e.fuse()
	e.nameTenureOwners()
	e.follow()
	e.join()
	e.admitClaims()
	e.link()
	e.findHouseholds()
	return e.result()
}
