package ledger

import (
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// sightKey names one row of the evidence: an identifier (high is 0) or a pair,
// by source, period and rule. Keys mix in the workspace already.
type sightKey struct {
	low, high identity.Key
	scope     uint64 // fingerprint of source and rule
	period    identity.Period
}

type sightSpan = identity.Span

// sightings collects the rows that a batch adds to the evidence.
type sightings struct {
	owner       *owner
	identifiers identifierBlock
	pairs       pairBlock
	batch       map[sightKey]int // row of the batch, in its own block
	redundant   int
}

// rowsOf merges the sightings of b into one row each and leaves out those that
// say nothing beyond what is stored. That is known for recent rows only: the
// rows are idempotent, so a forgotten one costs a redundant row, which merges
// away, and no more; remembering all of them would cost more than the graph.
func (o *owner) rowsOf(b *batch) *sightings {
	s := &sightings{owner: o, batch: map[sightKey]int{}}
	for _, e := range b.evidence {
		for i, m := range e.Members {
			s.seeIdentifier(e, m)
			for _, n := range e.Members[i+1:] {
				s.seePair(e, m, n)
			}
		}
	}
	o.metrics.redundant.Add(float64(s.redundant))
	return s
}

// news reports whether the row k is to be written with span: its row of this
// batch, if there is one, is widened instead.
func (s *sightings) news(k sightKey, span identity.Span, rows *spans) bool {
	known, ok := s.owner.stored.get(k)
	merged := span
	if ok {
		merged = known.Merge(span)
		if merged == known {
			s.redundant++
			return false
		}
	}
	// What the cache holds from now on is true once the batch is stored; if it
	// is not, this owner ends with its cache.
	s.owner.stored.put(k, merged)
	if row, ok := s.batch[k]; ok {
		rows.merge(row, span)
		return false
	}
	return true
}

func (s *sightings) seeIdentifier(e evidence, m identity.Member) {
	k := sightKey{low: m.Key, scope: s.owner.store.fingerprint(e.Source, ""), period: e.Period}
	b := &s.identifiers
	if !s.news(k, e.Span, &b.spans) {
		return
	}
	s.batch[k] = b.rows()
	b.workspace = append(b.workspace, e.Workspace)
	b.id = append(b.id, uint64(m.Key))
	b.source = append(b.source, e.Source)
	b.period = append(b.period, int32(e.Period))
	b.namespace = append(b.namespace, string(m.Namespace))
	b.value = append(b.value, m.Value)
	b.spans.add(e.Span)
}

func (s *sightings) seePair(e evidence, low, high identity.Member) {
	if high.Key < low.Key {
		low, high = high, low
	}
	k := sightKey{low: low.Key, high: high.Key, scope: s.owner.store.fingerprint(e.Source, e.Rule), period: e.Period}
	b := &s.pairs
	if !s.news(k, e.Span, &b.spans) {
		return
	}
	s.batch[k] = b.rows()
	b.workspace = append(b.workspace, e.Workspace)
	b.low = append(b.low, uint64(low.Key))
	b.high = append(b.high, uint64(high.Key))
	b.lowNamespace = append(b.lowNamespace, string(low.Namespace))
	b.highNamespace = append(b.highNamespace, string(high.Namespace))
	b.source = append(b.source, e.Source)
	b.period = append(b.period, int32(e.Period))
	b.rule = append(b.rule, e.Rule)
	b.spans.add(e.Span)
	b.witnessTime = append(b.witnessTime, time.UnixMilli(clampTime(e.Witness.Time)))
	b.witnessID = append(b.witnessID, e.Witness.MessageID)
}

// clampTime keeps a witness inside the range of the column: it is an example,
// and nothing is computed from it.
func clampTime(ms int64) int64 { return min(max(ms, minTime), maxTime) }

// sets returns the rows of the undecided sets of b.
func (b *batch) sets() (*anchorBlock, *memberBlock) {
	anchors, members := &anchorBlock{}, &memberBlock{}
	for _, e := range b.undecided {
		keys := make([]uint64, len(e.Members))
		for i, m := range e.Members {
			keys[i] = uint64(m.Key)
			members.workspace = append(members.workspace, e.Workspace)
			members.id = append(members.id, uint64(m.Key))
			members.anchor = append(members.anchor, uint64(e.Anchor))
		}
		anchors.workspace = append(anchors.workspace, e.Workspace)
		anchors.anchor = append(anchors.anchor, uint64(e.Anchor))
		anchors.members = append(anchors.members, keys)
	}
	return anchors, members
}
