package audit_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/profiles/audit"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// BenchmarkBegin is what a change waits for its entry, one change after the other
// and 64 at a time, which share blocks.
func BenchmarkBegin(b *testing.B) {
	l, err := audit.New(audit.DefaultConfig(), warehousetest.NewTestDatabase(b), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}()
	var n atomic.Int64
	begin := func() {
		if err := l.Begin(ctx, entry(int(n.Add(1)), "change")); err != nil {
			b.Error(err)
		}
	}
	b.Run("alone", func(b *testing.B) {
		for b.Loop() {
			begin()
		}
	})
	b.Run("64 at a time", func(b *testing.B) {
		b.SetParallelism(64)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				begin()
			}
		})
	})
}
