package ledger

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
)

func messages(n int) []kafka.Message {
	m := make([]kafka.Message, n)
	for i := range m {
		m[i].Offset = int64(i)
	}
	return m
}

// gathering is a gatherer in a bubble with a clock of its own.
type gathering struct {
	*gatherer
	t     *testing.T
	begun time.Time
}

func newGathering(t *testing.T) *gathering {
	cfg := DefaultConfig()
	cfg.BatchRecords, cfg.BatchWait, cfg.FlushPause = 5, 100*time.Millisecond, 500*time.Millisecond
	return &gathering{newGatherer(cfg), t, time.Now()}
}

// expect checks how many records the next batch has, and when it comes.
func (g *gathering) expect(records int, at time.Duration) {
	g.t.Helper()
	m, err := g.next(g.t.Context(), true)
	if err != nil {
		g.t.Fatal(err)
	}
	if after := time.Since(g.begun); len(m) != records || after != at {
		g.t.Errorf("a batch of %d records after %v, want %d after %v", len(m), after, records, at)
	}
}

// feed hands over records at some time from now.
func (g *gathering) feed(in time.Duration, records int) {
	time.AfterFunc(in, func() { g.fetched <- messages(records) })
}

// TestGatherCommand: a command ends the wait of its batch.
func TestGatherCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGathering(t)
		command := messages(1)
		command[0].Headers = []kafka.Header{{Key: identity.HeaderCommand, Value: []byte("1")}}
		g.feed(0, 1)
		time.AfterFunc(20*time.Millisecond, func() { g.fetched <- command })
		g.expect(2, 20*time.Millisecond)
		time.AfterFunc(10*time.Millisecond, func() { g.fetched <- command })
		g.expect(1, 30*time.Millisecond)
	})
}

// TestGatherFull cuts what was fetched into batches; full ones wait for nothing.
func TestGatherFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGathering(t)
		if m, err := g.next(t.Context(), false); err != nil || len(m) != 0 {
			t.Errorf("without waiting: a batch of nothing has %d records, %v", len(m), err)
		}
		g.feed(0, 12)
		g.expect(5, 0)
		g.expect(5, 0)
		g.feed(50*time.Millisecond, 3) // Fills the third batch before its time is up.
		g.expect(5, 50*time.Millisecond)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.next(ctx, true); !errors.Is(err, context.Canceled) {
			t.Errorf("a batch after the end: %v", err)
		}
	})
}

// TestGatherPause: evidence after a silence waits for BatchWait only, and steady
// evidence makes a flush every FlushPause.
func TestGatherPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGathering(t)
		g.cfg.BatchRecords = 100
		for i := range 15 { // At 20, 60, … 580 ms.
			g.feed(time.Duration(i)*40*time.Millisecond+20*time.Millisecond, 1)
		}
		g.expect(3, 120*time.Millisecond)
		g.expect(12, 620*time.Millisecond)
		g.feed(4*time.Second, 2)
		g.expect(2, 4720*time.Millisecond)
	})
}

// TestGatherEnd: a batch that waits is handed over when the owner is told to stop.
func TestGatherEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGathering(t)
		g.feed(0, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		if m, err := g.next(ctx, true); err != nil || len(m) != 1 || time.Since(g.begun) != 30*time.Millisecond {
			t.Errorf("told to stop: %d records after %v, %v", len(m), time.Since(g.begun), err)
		}
	})
}
