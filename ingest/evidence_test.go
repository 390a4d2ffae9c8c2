package ingest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
)

// said is a claim spelled out.
type said struct {
	workspace, source, rule string
	anchor                  identity.AnchorID
	period                  identity.Period
}

// everything merges what the events say into one entry for each claim, whether
// it was said before or not.
func everything(events []*Event) map[said]identity.Evidence {
	out := map[said]identity.Evidence{}
	for _, e := range events {
		if e.Anchor == 0 {
			continue
		}
		rule := "event"
		if e.Type == "alias" {
			rule = "alias"
		}
		c := said{e.Workspace, e.Source, rule, e.Anchor, identity.PeriodOfMillis(e.Time)}
		ev, ok := out[c]
		if !ok {
			ev = identity.Evidence{
				Workspace: e.Workspace, Anchor: e.Anchor, Members: e.Members, Source: e.Source, Period: c.period,
				Rule: rule, Span: spanOf(e), Witness: identity.Witness{Time: e.Time, MessageID: e.ID},
			}
		}
		if e.Time < ev.Witness.Time || e.Time == ev.Witness.Time && e.ID < ev.Witness.MessageID {
			ev.Witness = identity.Witness{Time: e.Time, MessageID: e.ID}
		}
		ev.Span = ev.Span.Merge(spanOf(e))
		out[c] = ev
	}
	return out
}

// randomEvents returns events of few people in few workspaces over two quarters,
// aliases among them.
func randomEvents(r *rand.Rand, n int) []*Event {
	base := time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC).UnixMilli()
	events := make([]*Event, n)
	for i := range events {
		e := &Event{
			Workspace: fmt.Sprint("w", r.IntN(2)), Source: fmt.Sprint("s", r.IntN(2)), ID: fmt.Sprint("m", r.IntN(100)),
			Type: []string{"", "track", "identify", "alias"}[r.IntN(4)],
			Time: base + r.Int64N(20)*24*3600*1000 + r.Int64N(3),
		}
		e.Received = e.Time + r.Int64N(2)*24*3600*1000
		if k := identity.Key(r.IntN(6)); k > 0 {
			e.Anchor, e.Members = identity.AnchorID(k), []identity.Member{{Key: k}}
		}
		events[i] = e
	}
	return events
}

// TestEvidence: of each batch exactly those claims are published, each with all
// that the batch says of it, that say something beyond what was acknowledged.
func TestEvidence(t *testing.T) {
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		a := newAcknowledged(1000)
		known := map[said]identity.Span{}
		for batch := range 40 {
			events := randomEvents(r, r.IntN(30))
			want := everything(events)
			maps.DeleteFunc(want, func(c said, e identity.Evidence) bool {
				k, ok := known[c]
				return ok && k.Merge(e.Span) == k
			})
			all := a.evidence(events)
			got := map[said]identity.Evidence{}
			for _, e := range all {
				got[said{e.Workspace, e.Source, e.Rule, e.Anchor, e.Period}] = e
			}
			if diff := cmp.Diff(want, got); diff != "" || len(all) != len(got) {
				t.Fatalf("seed %d, batch %d: %d records, %s", seed, batch, len(all), diff)
			}
			if r.IntN(4) == 0 {
				continue // It was not acknowledged.
			}
			a.note(all)
			for c, e := range want {
				if k, ok := known[c]; ok {
					e.Span = e.Span.Merge(k)
				}
				known[c] = e.Span
			}
		}
	}
}

// TestAcknowledgedForgets: within a small memory, and when there are too many
// origins, evidence is published again; it is never taken for known.
func TestAcknowledgedForgets(t *testing.T) {
	const seed = 12
	r := rand.New(rand.NewPCG(seed, 0))
	a := newAcknowledged(4)
	known := map[said]identity.Span{}
	for round := range 1000 {
		if round%70 == 0 {
			for len(a.names) < maxOrigins-2 {
				a.number("crowd", fmt.Sprint(len(a.names)), "event")
			}
		}
		events := randomEvents(r, 20)
		for _, e := range events[5:] {
			e.Source += fmt.Sprint(round / 7) // Too many come in the middle of a batch.
		}
		all := a.evidence(events)
		published := map[said]bool{}
		for _, e := range all {
			published[said{e.Workspace, e.Source, e.Rule, e.Anchor, e.Period}] = true
		}
		for c, e := range everything(events) {
			if k, ok := known[c]; !published[c] && (!ok || !k.Covers(e.Span)) {
				t.Fatalf("seed %d: news was taken for known", seed)
			}
		}
		a.note(all)
		for _, e := range all {
			c := said{e.Workspace, e.Source, e.Rule, e.Anchor, e.Period}
			if k, ok := known[c]; ok {
				e.Span = e.Span.Merge(k)
			}
			known[c] = e.Span
		}
		if n := len(a.young) + len(a.old); n > 4 {
			t.Fatalf("%d claims remembered, want at most 4", n)
		}
	}
}

func TestRecords(t *testing.T) {
	all := newAcknowledged(10).evidence(randomEvents(rand.New(rand.NewPCG(13, 0)), 50))
	msgs := records(all)
	if len(msgs) != len(all) {
		t.Fatalf("%d records of %d claims", len(msgs), len(all))
	}
	var d identity.EvidenceDecoder
	for i, m := range msgs {
		e, err := d.Decode(m.Value)
		if diff := cmp.Diff(all[i], e); err != nil || diff != "" || m.Topic != EvidenceTopic || string(m.Key) != e.Workspace {
			t.Errorf("record %d for %s by %s: %v, %s", i, m.Topic, m.Key, err, diff)
		}
	}
}

// BenchmarkEvidence is the way of a batch of 5 000 events to records: of people
// who are new, and of people whose evidence was acknowledged before; an
// operation is an event.
func BenchmarkEvidence(b *testing.B) {
	keyer := identity.NewKeyer(identity.Secret{1}, "main")
	batch := func(first int) []*Event {
		events := make([]*Event, 5000)
		for i := range events {
			n := first + i
			members, _ := keyer.Members([]identity.Identifier{
				{Namespace: identity.UserID, Value: fmt.Sprint("u", n)}, {Namespace: identity.AnonymousID, Value: fmt.Sprint("a", n)},
			})
			events[i] = &Event{
				Workspace: "main", Source: "web-shop", ID: fmt.Sprintf("0b5f8f7e-2d7e-4c39-8b55-%012d", n),
				Time: 1_780_000_000_000, Received: 1_780_000_000_500, Members: members, Anchor: keyer.Anchor(members),
			}
		}
		return events
	}
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		var batches [][]*Event
		for n := 0; n < b.N; n += 5000 {
			batches = append(batches, batch(n))
		}
		a := newAcknowledged(1_000_000)
		b.ResetTimer()
		for _, events := range batches {
			all := a.evidence(events)
			records(all)
			a.note(all)
		}
	})
	b.Run("known", func(b *testing.B) {
		b.ReportAllocs()
		events := batch(0)
		a := newAcknowledged(1_000_000)
		a.note(a.evidence(events))
		b.ResetTimer()
		for n := 0; n < b.N; n += 5000 {
			if len(a.evidence(events)) > 0 {
				b.Fatal("known people are news")
			}
		}
	})
}
