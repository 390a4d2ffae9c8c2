package intake_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	segkafka "github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

// floods diverts one source.
type floods struct{}

func (floods) Divert(_, source string, _ int) bool { return source == "flood" }

var errDone = errors.New("everything is there")

// What is diverted comes to its topic and partition in the end, each message
// once and as it was, and the other sources never leave theirs.
func TestOverflowIsDrained(t *testing.T) {
	brokers := enginetest.Kafka(t)
	topic := wire.Behaviour.Topic()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := kafka.EnsureTopics(ctx, brokers, 1, []kafka.Topic{{Name: topic, Partitions: 3}, {Name: intake.OverflowTopic, Partitions: 2}})
	if err != nil {
		t.Fatal(err)
	}
	producer := kafka.NewProducer(brokers, segkafka.Lz4)
	defer func() { _ = producer.Close() }()
	log := slog.New(slog.DiscardHandler)
	gate, err := intake.New(intake.DefaultConfig(), intake.Deps{Producer: producer, Route: floods{}, Clock: time.Now, Logger: log, Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	shares, err := intake.NewShares(intake.DefaultSharesConfig(), nil, time.Now, log, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	defer wait.Wait()
	defer cancel()
	wait.Go(func() { _ = gate.Run(ctx) })
	const each = 2000
	for _, source := range []string{"flood", "shop"} {
		for from := 0; from < each; from += 500 {
			var items []intake.Item
			for i := from; i < from+500; i++ {
				id := fmt.Sprintf("%s-%d", source, i)
				items = append(items, intake.Item{Kind: wire.Behaviour, Source: source, ID: id, Value: []byte(id)})
			}
			for errors.Is(gate.Submit(ctx, "w", items), intake.ErrClosed) { // Run has not begun yet.
				if ctx.Err() != nil {
					t.Fatal(ctx.Err())
				}
			}
		}
	}
	drain := intake.NewDrain(producer, shares, time.Now, log)
	wait.Go(func() {
		c := consumer(t, brokers, "drain", intake.OverflowTopic)
		_ = c.Run(ctx, func(ctx context.Context, p *kafka.Partition) error { return drain.Own(ctx, p) })
	})
	seen := map[string]int{}
	var mu sync.Mutex
	err = consumer(t, brokers, "reader", topic).Run(ctx, func(ctx context.Context, p *kafka.Partition) error {
		offset, _ := p.Committed()
		for ctx.Err() == nil {
			records, err := p.Fetch(ctx, offset)
			if err != nil {
				return err
			}
			for _, m := range records {
				offset = m.Offset + 1
				id := string(m.Value)
				source, _, _ := strings.Cut(id, "-")
				if want := wire.Partition(source, id, 3); p.ID() != want {
					t.Errorf("%s is in partition %d, not %d", id, p.ID(), want)
				}
				if len(m.Headers) != 1 || m.Headers[0].Key != wire.HeaderWorkspace || string(m.Headers[0].Value) != "w" {
					t.Errorf("%s has headers %v", id, m.Headers)
				}
				mu.Lock()
				seen[id]++
				done := len(seen) == 2*each
				mu.Unlock()
				if done {
					return errDone
				}
			}
		}
		return nil
	})
	if !errors.Is(err, errDone) {
		t.Fatalf("%d of %d messages came: %v", len(seen), 2*each, err)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
}

func consumer(t *testing.T, brokers []string, group, topic string) *kafka.Consumer {
	t.Helper()
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.Group, cfg.Topics, cfg.MaxWait = brokers, "overflow-"+group, []string{topic}, 50*time.Millisecond
	c, err := kafka.NewConsumer(cfg, kafka.Deps{Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
