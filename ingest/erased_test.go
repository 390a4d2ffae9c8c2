package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest"
)

// forgetful stores events and remembers no message, as after a loss of that memory.
type forgetful struct{ stored []string }

func (s *forgetful) Insert(_ context.Context, _ string, b *ingest.Batch) error {
	for _, e := range b.Events {
		s.stored = append(s.stored, e.ID)
	}
	return nil
}

func (*forgetful) Lookup(context.Context, string, []ingest.Hash) (map[ingest.Hash]ingest.Seen, error) {
	return nil, nil
}

func (*forgetful) Scan(context.Context, string, int, func(ingest.Hash)) error { return nil }

// erasure is one of some ids, that is known from when it is asked after after events
// were stored.
type erasure struct {
	ids   map[uint64]bool
	until time.Time
	store *forgetful
	after int
	known bool
}

func (e *erasure) Refresh(context.Context) error {
	e.known = e.known || len(e.store.stored) >= e.after
	return nil
}

func (e *erasure) Until(id uint64) ingest.Millis {
	if e.known && e.ids[id] {
		return e.until.UnixMilli()
	}
	return 0
}

// TestErasedStaysOut reads a topic in which Ana acts, is erased, and acts again.
func TestErasedStaysOut(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 2, 1, 10, minute, 0, 0, time.UTC) }
	said := func(n int, minute int, ids string) kafka.Message {
		return kafka.Message{
			Topic: "kindred.behaviour", Offset: int64(n), Time: at(minute),
			Value: fmt.Appendf(nil, `{"id":"m%d","name":"Viewed","source":"web","time":%q,"identifiers":[%s]}`, n, at(minute).Format(time.RFC3339), ids),
		}
	}
	const (
		ana    = `{"namespace":"user_id","value":"ana"},{"namespace":"anonymous_id","value":"a1"}`
		cookie = `{"namespace":"anonymous_id","value":"a1"}`
		shared = `{"namespace":"device","value":"tablet"},{"namespace":"user_id","value":"bob"}`
	)
	keyer := identity.NewKeyer(identity.Secret{9}, "main")
	user := identity.Identifier{Namespace: "user_id", Value: "ana"}
	anonymous := identity.Identifier{Namespace: "anonymous_id", Value: "a1"}
	members, _ := keyer.Members([]identity.Identifier{user, anonymous})
	set := keyer.Anchor(members)
	gone := map[uint64]bool{uint64(keyer.Key(user)): true, uint64(keyer.Key(anonymous)): true, uint64(set): true}
	records := []kafka.Message{
		said(0, 0, ana), said(1, 1, cookie), said(2, 2, shared), said(3, 10, ana), said(4, 20, ana), said(5, 21, shared), said(6, 22, cookie),
	}
	for _, c := range []struct {
		name      string
		after     int // events stored before the erasure is known
		want      []string
		published []time.Time // first received of the evidence of Ana's set
	}{
		{"a replay from the start", 0, []string{"m2", "m4", "m5", "m6"}, []time.Time{at(20)}},
		{"erased on the way", 4, []string{"m0", "m1", "m2", "m3", "m4", "m5", "m6"}, []time.Time{at(0), at(20)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, s := &log{records: records, generation: 1}, &forgetful{}
			var evidence []identity.Evidence
			alive := func(string) error { return nil }
			cfg := ingest.DefaultConfig()
			cfg.Pace, cfg.FilterBytes, cfg.RetryMin = 0, 1<<12, time.Microsecond
			p, err := ingest.New(cfg, ingest.Deps{
				Store: s, Publisher: published{alive, &evidence}, Decoder: ingest.NewDecoder(identity.Secret{9}, normalize),
				Erased: &erasure{ids: gone, until: at(15), store: s, after: c.after},
				Clock:  func() time.Time { return time.Unix(0, 0) }, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			o := &owner{log: l, generation: 1, batch: 1, hook: alive}
			if err := p.Own(ctx, end(o, kill)); err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, s.stored); d != "" {
				t.Errorf("stored, -want +got:\n%s", d)
			}
			var first []time.Time
			for _, e := range evidence {
				if e.Anchor == set {
					first = append(first, time.UnixMilli(e.Span.FirstReceived).UTC())
				}
			}
			if d := cmp.Diff(c.published, first); d != "" {
				t.Errorf("evidence of the set, -want +got:\n%s", d)
			}
		})
	}
}
