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

// catalogueStore notes how many rows of the catalogue each insert brings, and
// refuses the inserts that it is told to.
type catalogueStore struct {
	rows   []int
	refuse map[int]bool // by number of the insert
}

func (s *catalogueStore) Insert(_ context.Context, _ string, b *ingest.Batch) error {
	s.rows = append(s.rows, len(b.Catalogue))
	if s.refuse[len(s.rows)] {
		return errors.New("refused")
	}
	return nil
}

func (*catalogueStore) Lookup(context.Context, string, []ingest.Hash) (map[ingest.Hash]ingest.Seen, error) {
	return nil, nil
}

func (*catalogueStore) Scan(context.Context, string, int, func(ingest.Hash)) error { return nil }

// A mention is taken for stored when its insert was acknowledged, by a process
// whose rows the store cannot have ignored.
func TestMentionsAreKnownWhenAcknowledged(t *testing.T) {
	l, s := &log{}, &catalogueStore{refuse: map[int]bool{1: true, 2: true}}
	for i := range 6 {
		l.records = append(l.records, kafka.Message{
			Topic: "kindred.behaviour", Offset: int64(i), Time: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
			Value: fmt.Appendf(nil, `{"id":"m%d","name":"Product Viewed","source":"web","time":"2026-01-30T10:00:00Z","properties":{"product_id":"a","name":"Cup"}}`, i),
		})
	}
	process := func(want []int, hook func(l *log, step string) error) {
		t.Helper()
		s.rows = nil
		cfg := ingest.DefaultConfig()
		cfg.Pace, cfg.FilterBytes, cfg.RetryMin = 0, 1<<12, time.Microsecond
		alive := func(step string) error { return hook(l, step) }
		p, err := ingest.New(cfg, ingest.Deps{
			Store: s, Publisher: published{alive, new([]identity.Evidence)}, Decoder: ingest.NewDecoder(identity.Secret{9}, normalize),
			Clock: func() time.Time { return time.Unix(0, 0) }, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, kill := context.WithCancel(t.Context())
		defer kill()
		l.generation++
		o := &owner{log: l, generation: l.generation, batch: 1, hook: alive}
		if err := p.Own(ctx, end(o, kill)); err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, s.rows); d != "" {
			t.Errorf("rows of each insert, -want +got:\n%s", d)
		}
	}
	// Two refusals, an acknowledgement, one that needs nothing, and a crash
	// after an insert.
	process([]int{1, 1, 1, 0, 0}, func(l *log, step string) error {
		if step == "before commit" && l.offset == 2 {
			return errCrash
		}
		return nil
	})
	// The successor does the third again, whose rows the store may ignore, so that
	// the fourth has them once more, and the last two have none.
	s.refuse = nil
	process([]int{1, 1, 0, 0}, func(*log, string) error { return nil })
}
