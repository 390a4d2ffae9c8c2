package control_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/ingest/plans"
)

// TestOverKafka sends changes of one plan from many at once through a broker, with
// two processes that could own the topic: each change has an outcome, they are in
// one order, and exactly one of those that expect the same revision wins.
func TestOverKafka(t *testing.T) {
	w := newWorld(t)
	brokers := enginetest.Kafka(t)
	ctx, stop := context.WithCancel(context.Background())
	var owners errgroup.Group
	defer func() {
		stop()
		if err := owners.Wait(); err != nil {
			t.Error(err)
		}
	}()
	if err := kafka.EnsureTopics(ctx, brokers, 1, []kafka.Topic{{Name: control.Topic, Partitions: 1}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		cfg := kafka.DefaultConfig()
		cfg.Brokers, cfg.Group, cfg.Topics = brokers, fmt.Sprint(control.Group, time.Now().UnixNano()/1e12), []string{control.Topic}
		consumer, err := kafka.NewConsumer(cfg, kafka.Deps{Logger: quiet, Registry: prometheus.NewRegistry()})
		if err != nil {
			t.Fatal(err)
		}
		owner, err := control.NewOwner(control.DefaultConfig(), control.Deps{
			Conn: w.conn, Logger: quiet, Registry: prometheus.NewRegistry(), Handlers: map[string]control.Handler{plans.KindPut: plans.NewHandler(w.conn)},
		})
		if err != nil {
			t.Fatal(err)
		}
		owners.Go(func() error {
			return consumer.Run(ctx, func(ctx context.Context, p *kafka.Partition) error { return owner.Own(ctx, p) })
		})
	}
	writer := kafka.NewWriter(brokers)
	defer func() { _ = writer.Close() }()
	service := plans.NewService(w.conn, control.NewClient(writer, w.conn, time.Minute), w.reader)
	const rounds, authors = 3, 5
	var seen uint64
	for range rounds {
		won := make(chan uint64, authors)
		var all errgroup.Group
		for range authors {
			all.Go(func() error {
				revision, err := service.Put(ctx, "main", "ana", "web", seen, planOf("warn"))
				if err == nil {
					won <- revision
				} else if !errors.Is(err, plans.ErrConflict) {
					return err
				}
				return nil
			})
		}
		if err := all.Wait(); err != nil {
			t.Fatal(err)
		}
		if len(won) != 1 {
			t.Fatalf("%d of %d authors won", len(won), authors)
		}
		seen = <-won
	}
	if n := w.count("SELECT count() FROM control_outcomes"); n != rounds*authors || w.count("SELECT uniqExact(revision) FROM control_outcomes") != n {
		t.Errorf("%d outcomes of %d commands", n, rounds*authors)
	}
}
