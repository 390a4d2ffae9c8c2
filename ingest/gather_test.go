package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// mute is a partition that has more records than its leader ever gives: after
// the first fetch it fails, or does not answer.
type mute struct {
	fail    bool
	fetches int
}

func (*mute) Topic() string                               { return wire.Behaviour.Topic() }
func (*mute) ID() int                                     { return 0 }
func (*mute) Count() int                                  { return 1 }
func (*mute) Committed() (int64, string)                  { return 0, "" }
func (*mute) Commit(context.Context, int64, string) error { return nil }

func (m *mute) Fetch(ctx context.Context, offset int64) ([]kafka.Message, error) {
	m.fetches++
	switch {
	case m.fetches == 1:
		return []kafka.Message{{Topic: m.Topic(), Offset: offset, HighWaterMark: offset + 10, Value: []byte("no event")}}, nil
	case m.fail:
		return nil, errors.New("no leader")
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// A partition whose leader fails in the middle of its turn gives the turn back
// with what it has read: the others go on.
func TestAMuteLeaderKeepsNoTurn(t *testing.T) {
	for _, fail := range []bool{true, false} {
		t.Run(fmt.Sprint("fails ", fail), func(t *testing.T) {
			p, err := New(DefaultConfig(), Deps{
				Decoder: NewDecoder(identity.Secret{1}, nil), Clock: time.Now,
				Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			b := p.read(ctx, &mute{fail: fail}, wire.Behaviour, 5, nil)
			if b.err != nil || b.records != 1 || b.next != 6 || b.full {
				t.Errorf("read %d records up to %d, full %v: %v", b.records, b.next, b.full, b.err)
			}
			if !p.turn.TryAcquire(1) {
				t.Error("the turn is kept")
			}
		})
	}
}
