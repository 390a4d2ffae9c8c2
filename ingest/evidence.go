package ingest

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
)

// EvidenceTopic carries identity.Evidence as JSON, keyed by workspace, so that
// one partition, and with it one owner, holds a workspace's whole ledger.
const EvidenceTopic = "kindred.evidence"

// claim is what evidence is about; evidence of one claim merges.
type claim struct {
	workspace string
	anchor    identity.AnchorID
	source    string
	period    identity.Period
}

// evidence merges what the events say into one entry for each claim.
func evidence(events []*Event) map[claim]*identity.Evidence {
	out := map[claim]*identity.Evidence{}
	for _, e := range events {
		if e.Anchor == 0 {
			continue
		}
		day, received := identity.DayOfMillis(e.Time), identity.DayOfMillis(e.Received)
		span := identity.Span{FirstEvent: e.Time, FirstReceived: e.Received, LastEvent: day, LastReceived: received}
		c := claim{e.Workspace, e.Anchor, e.Source, identity.PeriodOfMillis(e.Time)}
		ev, ok := out[c]
		if !ok {
			out[c] = &identity.Evidence{
				Workspace: e.Workspace, Anchor: e.Anchor, Members: e.Members, Source: e.Source, Period: c.period,
				Rule: "event", Span: span, Witness: identity.Witness{Time: e.Time, MessageID: e.ID},
			}
			continue
		}
		if e.Time < ev.Witness.Time || e.Time == ev.Witness.Time && e.ID < ev.Witness.MessageID {
			ev.Witness = identity.Witness{Time: e.Time, MessageID: e.ID}
		}
		ev.Span = ev.Span.Merge(span)
	}
	return out
}

// acknowledged remembers, within a bound, the spans that the evidence topic has
// acknowledged, so that ordinary traffic publishes next to nothing. Forgetting
// one costs a redundant message, never a wrong state, so its keys are exact.
// Safe for concurrent use.
type acknowledged struct {
	mu      sync.Mutex
	limit   int
	origins map[origin]uint32
	young   map[remembered]identity.Span // Two generations: when young is full it
	old     map[remembered]identity.Span // becomes old, and the old one is forgotten.
}

// origin is the part of a claim that few values share.
type origin struct{ workspace, source string }

// remembered is a claim without pointers, which the collector need not follow:
// about 55 bytes with its span and its share of the map.
type remembered struct {
	anchor identity.AnchorID
	origin uint32
	period identity.Period
}

// maxOrigins bounds the origins; beyond it everything is forgotten.
const maxOrigins = 50_000

func newAcknowledged(limit int) *acknowledged {
	return &acknowledged{limit: max(1, limit/2), origins: map[origin]uint32{}, young: map[remembered]identity.Span{}}
}

func (a *acknowledged) key(c claim) remembered {
	o := origin{c.workspace, c.source}
	n, ok := a.origins[o]
	if !ok {
		if len(a.origins) >= maxOrigins {
			a.origins, a.young, a.old = map[origin]uint32{}, map[remembered]identity.Span{}, nil
		}
		n = uint32(len(a.origins))
		a.origins[o] = n
	}
	return remembered{c.anchor, n, c.period}
}

// covers reports whether a span that says at least as much was acknowledged.
func (a *acknowledged) covers(c claim, s identity.Span) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := a.key(c)
	known, ok := a.young[key]
	if !ok {
		if known, ok = a.old[key]; !ok {
			return false
		}
		a.put(key, known)
	}
	return known.Merge(s) == known
}

// note records an acknowledged span.
func (a *acknowledged) note(c claim, s identity.Span) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := a.key(c)
	if known, ok := a.young[key]; ok {
		s = s.Merge(known)
	} else if known, ok := a.old[key]; ok {
		s = s.Merge(known)
	}
	a.put(key, s)
}

func (a *acknowledged) put(key remembered, s identity.Span) {
	if len(a.young) >= a.limit {
		if _, ok := a.young[key]; !ok {
			a.old, a.young = a.young, make(map[remembered]identity.Span, a.limit/4)
		}
	}
	a.young[key] = s
}

// news drops the evidence that was acknowledged before and encodes the rest.
func (p *Pipeline) news(all map[claim]*identity.Evidence) ([]kafka.Message, error) {
	var out []kafka.Message
	for c, ev := range all {
		if p.acked.covers(c, ev.Span) {
			delete(all, c)
			continue
		}
		value, err := json.Marshal(ev)
		if err != nil {
			return nil, fmt.Errorf("encode evidence: %w", err)
		}
		out = append(out, kafka.Message{Topic: EvidenceTopic, Key: []byte(c.workspace), Value: value})
	}
	return out, nil
}
