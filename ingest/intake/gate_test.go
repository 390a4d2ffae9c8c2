package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// memoryKafka is a Producer whose broker can be slow, fail, and is counted.
type memoryKafka struct {
	partitions int
	delay      time.Duration
	mu         sync.Mutex // Protects the fields below.
	fail       func() error
	log        map[place][]string // values
	batches    int
	atOnce     map[place]int
	most       int
}

func (k *memoryKafka) Partitions(context.Context, string) (int, error) { return k.partitions, nil }

func (k *memoryKafka) Produce(ctx context.Context, topic string, partition int, records []kafka.Record) (int64, error) {
	at := place{topic, partition}
	k.mu.Lock()
	if k.atOnce == nil {
		k.atOnce, k.log = map[place]int{}, map[place][]string{}
	}
	k.atOnce[at]++
	k.most = max(k.most, k.atOnce[at])
	k.mu.Unlock()
	select {
	case <-time.After(k.delay):
	case <-ctx.Done():
	}
	var values []string
	for _, r := range records {
		b, err := io.ReadAll(r.Value)
		if err != nil {
			return 0, err
		}
		values = append(values, string(b))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.atOnce[at]--
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if k.fail != nil {
		if err := k.fail(); err != nil {
			return 0, err
		}
	}
	k.batches++
	k.log[at] = append(k.log[at], values...)
	return int64(len(k.log[at])), nil
}

func testGate(t *testing.T, cfg Config, k *memoryKafka) *Gate {
	t.Helper()
	g, err := New(cfg, Deps{Producer: k, Clock: time.Now, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func item(id string, size int) Item {
	return Item{Kind: wire.Behaviour, Source: "web", ID: id, Value: fmt.Appendf(nil, "%0*s", size, id)}
}

// start runs g and returns what ends it.
func start(t *testing.T, g *Gate) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	synctest.Wait()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Every submission is acknowledged after its own items are written, each once,
// and what comes while a batch is on its way makes one next batch.
func TestBatchesGrowWithTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &memoryKafka{partitions: 2, delay: 10 * time.Millisecond}
		g := testGate(t, DefaultConfig(), k)
		stop := start(t, g)
		var wait sync.WaitGroup
		for i := range 500 {
			wait.Go(func() {
				id := fmt.Sprint(i)
				if err := g.Submit(t.Context(), "main", []Item{item(id, 10)}); err != nil {
					t.Error(err)
				}
				at := place{"kindred.behaviour", wire.Partition("web", id, 2)}
				k.mu.Lock()
				defer k.mu.Unlock()
				n := 0
				for _, v := range k.log[at] {
					if v == fmt.Sprintf("%010s", id) {
						n++
					}
				}
				if n != 1 {
					t.Errorf("item %s is stored %d times after its acknowledgement", id, n)
				}
			})
		}
		wait.Wait()
		stop()
		if k.most != 1 {
			t.Errorf("%d batches were on their way to one partition at once", k.most)
		}
		if k.batches > 6 {
			t.Errorf("500 submissions at once made %d batches", k.batches)
		}
	})
}

// A broker that does not answer costs bounded memory: submissions are refused
// with a time to come again, and taken again when it answers.
func TestSlowKafkaRefusesInsteadOfGrowing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &memoryKafka{partitions: 1, delay: time.Hour}
		cfg := DefaultConfig()
		cfg.MaxBytes, cfg.AckTimeout = 1<<20, 5*time.Second
		g := testGate(t, cfg, k)
		stop := start(t, g)
		results := make(chan error, 100)
		for i := range 100 {
			go func() { results <- g.Submit(t.Context(), "main", []Item{item(fmt.Sprint(i), 100<<10)}) }()
		}
		synctest.Wait()
		if len(results) != 90 {
			t.Errorf("%d of 100 submissions of 100 KiB were refused at once by a gate of 1 MiB", len(results))
		}
		if g.waiting > cfg.MaxBytes {
			t.Errorf("%d bytes wait", g.waiting)
		}
		for range 100 {
			var busy Overloaded
			if err := <-results; !errors.As(err, &busy) || busy.After <= 0 {
				t.Errorf("got %v", err)
			}
		}
		stop()
		if g.waiting != 0 {
			t.Errorf("%d bytes wait after the end", g.waiting)
		}
	})
}

// Errors that pass are tried again, and nothing is acknowledged before.
func TestErrorsThatPassAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := 5
		k := &memoryKafka{partitions: 1, fail: func() error {
			if failures--; failures >= 0 {
				return kafka.NotLeaderForPartition
			}
			return nil
		}}
		g := testGate(t, DefaultConfig(), k)
		stop := start(t, g)
		if err := g.Submit(t.Context(), "main", []Item{item("a", 3), item("b", 3)}); err != nil {
			t.Error(err)
		}
		stop()
		if got := k.log[place{"kindred.behaviour", 0}]; fmt.Sprint(got) != "[00a 00b]" {
			t.Errorf("stored %v", got)
		}
	})
}

// What the broker finds too large is written in parts; one message that is too
// large alone is the caller's to hear of.
func TestTooLargeForTheBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &largest{memoryKafka: memoryKafka{partitions: 1}, limit: 50}
		g, err := New(DefaultConfig(), Deps{Producer: k, Clock: time.Now, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
		if err != nil {
			t.Fatal(err)
		}
		stop := start(t, g)
		if err := g.Submit(t.Context(), "main", []Item{item("a", 20), item("b", 20), item("c", 20), item("d", 20), item("e", 20)}); err != nil {
			t.Error(err)
		}
		if err := g.Submit(t.Context(), "main", []Item{item("x", 60)}); !errors.Is(err, kafka.MessageSizeTooLarge) {
			t.Errorf("got %v", err)
		}
		stop()
		if n := len(k.log[place{"kindred.behaviour", 0}]); n != 5 {
			t.Errorf("%d of 5 are stored", n)
		}
	})
}

// largest refuses batches over a limit, as brokers do.
type largest struct {
	memoryKafka
	limit int
}

func (l *largest) Produce(ctx context.Context, topic string, partition int, records []kafka.Record) (int64, error) {
	size := 0
	for _, r := range records {
		size += r.Value.Len()
	}
	if size > l.limit {
		return 0, kafka.MessageSizeTooLarge
	}
	return l.memoryKafka.Produce(ctx, topic, partition, records)
}

// lostKafka tells nothing: no broker answers.
type lostKafka struct{ memoryKafka }

func (*lostKafka) Partitions(context.Context, string) (int, error) {
	return 0, errors.New("connection refused")
}

// A broker that was never reached is a reason to come again, as one that is slow.
func TestUnreachableKafkaIsOverload(t *testing.T) {
	g, err := New(DefaultConfig(), Deps{Producer: &lostKafka{}, Clock: time.Now, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	var busy Overloaded
	if err := g.Submit(t.Context(), "main", []Item{item("a", 1)}); !errors.As(err, &busy) || busy.After <= 0 {
		t.Errorf("got %v", err)
	}
}

func TestClosedGateRefuses(t *testing.T) {
	g := testGate(t, DefaultConfig(), &memoryKafka{partitions: 1})
	if err := g.Submit(t.Context(), "main", []Item{item("a", 1)}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}
