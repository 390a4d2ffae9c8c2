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
// one costs a redundant message, never a wrong state. Safe for concurrent use.
type acknowledged struct {
	mu    sync.Mutex
	limit int
	young map[claim]identity.Span // Two generations: when young is full it
	old   map[claim]identity.Span // becomes old, and the old one is forgotten.
}

func newAcknowledged(limit int) *acknowledged {
	return &acknowledged{limit: max(1, limit/2), young: map[claim]identity.Span{}}
}

// covers reports whether a span that says at least as much was acknowledged.
func (a *acknowledged) covers(c claim, s identity.Span) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, ok := a.young[c]
	if !ok {
		if known, ok = a.old[c]; !ok {
			return false
		}
		a.put(c, known)
	}
	return known.Merge(s) == known
}

// note records an acknowledged span.
func (a *acknowledged) note(c claim, s identity.Span) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known, ok := a.young[c]; ok {
		s = s.Merge(known)
	} else if known, ok := a.old[c]; ok {
		s = s.Merge(known)
	}
	a.put(c, s)
}

func (a *acknowledged) put(c claim, s identity.Span) {
	if len(a.young) >= a.limit {
		if _, ok := a.young[c]; !ok {
			a.old, a.young = a.young, make(map[claim]identity.Span, a.limit)
		}
	}
	a.young[c] = s
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
