package ledger

import (
	"math/bits"

	"github.com/kindred-cdp/kindred/identity"
)

// sightKey names one row of the evidence: an identifier (high is 0) or a pair,
// by source, period and rule. Keys mix in the workspace already.
type sightKey struct {
	low, high identity.Key
	scope     uint64 // fingerprint of source and rule
	period    identity.Period
}

// sightSpan is what is stored under a key, and where it was written last.
type sightSpan struct {
	span  identity.Span
	flush uint32 // that wrote it, counted by its owner
	row   int32  // in the block of that flush
}

// sightings collects the rows that a batch adds to the evidence.
type sightings struct {
	owner       *owner
	identifiers identifierBlock
	pairs       pairBlock
	redundant   int
}

// rowsOf merges the sightings of b into one row each and leaves out those that
// say nothing beyond what is stored. That is known for recent rows only: the
// rows are idempotent, so a forgotten one costs a redundant row, which merges
// away, and no more; remembering all of them would cost more than the graph.
func (o *owner) rowsOf(b *batch) *sightings {
	o.flush++
	s := &sightings{owner: o}
	s.reserve(b)
	for _, e := range b.evidence {
		seen := sightKey{scope: o.store.fingerprint(e.Source, ""), period: e.Period}
		met := sightKey{scope: o.store.fingerprint(e.Source, e.Rule), period: e.Period}
		for i, m := range e.Members {
			seen.low = m.Key
			s.seeIdentifier(e, m, seen)
			for _, n := range e.Members[i+1:] {
				s.seePair(e, m, n, met)
			}
		}
	}
	o.metrics.redundant.Add(float64(s.redundant))
	return s
}

// reserve makes room for the rows of what is new: the rest, if it makes rows at
// all, makes few.
func (s *sightings) reserve(b *batch) {
	identifiers, pairs := 0, 0
	for _, e := range b.evidence {
		if e.unmet != 0 {
			identifiers += bits.OnesCount8(e.unmet)
			pairs += len(e.Members) * (len(e.Members) - 1) / 2
		}
	}
	s.identifiers.reserve(identifiers)
	s.pairs.reserve(pairs)
}

// news reports whether the row k is to be written with span, as the row next of
// its block: its row of this batch, if there is one, is widened instead.
func (s *sightings) news(k sightKey, span identity.Span, rows *spans, next int) bool {
	known, ok := s.owner.stored.get(k)
	if ok {
		merged := known.span.Merge(span)
		if merged == known.span {
			s.redundant++
			return false
		}
		known.span = merged
	} else {
		known.span = span
	}
	// What the cache holds from now on is true once the batch is stored; if it
	// is not, this owner ends with its cache.
	widen := ok && known.flush == s.owner.flush
	if widen {
		rows.merge(int(known.row), span)
	} else {
		known.flush, known.row = s.owner.flush, int32(next)
	}
	s.owner.stored.put(k, known)
	return !widen
}

func (s *sightings) seeIdentifier(e evidence, m identity.Member, k sightKey) {
	b := &s.identifiers
	if !s.news(k, e.Span, &b.spans, b.rows()) {
		return
	}
	b.workspace = append(b.workspace, e.space.name)
	b.id = append(b.id, uint64(m.Key))
	b.source = append(b.source, e.Source)
	b.period = append(b.period, int32(e.Period))
	b.namespace = append(b.namespace, string(m.Namespace))
	b.value = append(b.value, m.Value)
	b.spans.add(e.Span)
}

func (s *sightings) seePair(e evidence, low, high identity.Member, k sightKey) {
	if high.Key < low.Key {
		low, high = high, low
	}
	k.low, k.high = low.Key, high.Key
	b := &s.pairs
	if !s.news(k, e.Span, &b.spans, b.rows()) {
		return
	}
	b.workspace = append(b.workspace, e.space.name)
	b.low = append(b.low, uint64(low.Key))
	b.high = append(b.high, uint64(high.Key))
	b.lowNamespace = append(b.lowNamespace, string(low.Namespace))
	b.highNamespace = append(b.highNamespace, string(high.Namespace))
	b.source = append(b.source, e.Source)
	b.period = append(b.period, int32(e.Period))
	b.rule = append(b.rule, e.Rule)
	b.spans.add(e.Span)
	b.witnessTime = append(b.witnessTime, clampTime(e.Witness.Time))
	b.witnessID = append(b.witnessID, e.Witness.MessageID)
}

// clampTime keeps a witness inside the range of the column: it is an example,
// and nothing is computed from it.
func clampTime(ms int64) int64 { return min(max(ms, minTime), maxTime) }

// sets returns the rows of the undecided sets of b.
func (b *batch) sets() (*anchorBlock, *memberBlock) {
	n := 0
	for _, e := range b.undecided {
		n += len(e.Members)
	}
	anchors, members := &anchorBlock{}, &memberBlock{}
	anchors.reserve(len(b.undecided))
	members.reserve(n)
	for _, e := range b.undecided {
		from := len(members.id)
		for _, m := range e.Members {
			members.workspace = append(members.workspace, e.space.name)
			members.id = append(members.id, uint64(m.Key))
			members.anchor = append(members.anchor, uint64(e.Anchor))
			members.received = append(members.received, e.Span.FirstReceived)
		}
		anchors.workspace = append(anchors.workspace, e.space.name)
		anchors.anchor = append(anchors.anchor, uint64(e.Anchor))
		anchors.received = append(anchors.received, e.Span.FirstReceived)
		anchors.members = append(anchors.members, members.id[from:len(members.id):len(members.id)])
	}
	return anchors, members
}
