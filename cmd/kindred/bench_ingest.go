package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

func benchIngestCommand() *cobra.Command {
	var events, people uint64
	cmd := &cobra.Command{
		Use:   "ingest",
		Short: "Events a second from Kafka to committed rows, with deduplication and identity on",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := benchIngest(cmd, events, people)
			return err
		},
	}
	cmd.Flags().Uint64Var(&events, "events", 5_000_000, "events to store")
	cmd.Flags().Uint64Var(&people, "people", 500_000, "people who cause them")
	return cmd
}

// benchIngest returns the events a second.
func benchIngest(cmd *cobra.Command, events, people uint64) (rate float64, err error) {
	t := traffic{people: people, begin: now().Add(-24 * time.Hour), source: "bench"}
	err = runBench(cmd, nil, func(ctx context.Context, b *bench) error {
		start := now()
		if err := b.preproduce(ctx, t, events); err != nil {
			return err
		}
		b.out("prepared: %d events of %d people, %d bytes each, in %.1f s; the generator has stopped", events, people, len(t.native(nil, 12345)), now().Sub(start).Seconds())
		return nil
	}, func(ctx context.Context, b *bench) (err error) {
		rate, err = b.drain(ctx, events)
		return err
	})
	return rate, err
}

// drain measures how long ingest needs for what Kafka holds.
func (b *bench) drain(ctx context.Context, events uint64) (rate float64, err error) {
	start := now()
	own, engine := processor()
	err = waitFor(ctx, 100*time.Millisecond, func() (bool, error) {
		n, err := b.lag(ctx, ingestGroup, wire.Behaviour.Topic())
		return n == 0, err
	})
	if err != nil {
		return 0, err
	}
	took := now().Sub(start)
	stored, err := b.count(ctx, "SELECT count() FROM events")
	if err != nil {
		return 0, err
	}
	rate = float64(stored) / took.Seconds()
	b.out("ingest: %d events committed in %.1f s: %.0f events/s", stored, took.Seconds(), rate)
	own2, engine2 := processor()
	each := 1e6 / float64(stored)
	b.out("  processor time per event: %.1f µs in kindred with its broker, %.1f µs in the engine", (own2-own)*each, (engine2-engine)*each)
	b.steps()
	if stored != events {
		return 0, fmt.Errorf("%w: %d of %d", errShort, stored, events)
	}
	err = waitFor(ctx, 100*time.Millisecond, func() (bool, error) {
		n, err := b.lag(ctx, identityGroup, ingest.EvidenceTopic)
		return n == 0, err
	})
	if err != nil {
		return 0, err
	}
	took = now().Sub(start)
	b.out("identity: caught up %.1f s after the start: %.0f events/s with everything resolved", took.Seconds(), float64(events)/took.Seconds())
	return rate, nil
}
