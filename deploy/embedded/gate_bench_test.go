package embedded

import (
	"context"
	"errors"
	"fmt"
	"testing"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
)

// What the way through the gate costs: 800 MB of random numbers, through it and past it.
func BenchmarkGate(b *testing.B) {
	server, err := NewClickHouse(engineConfig(b.TempDir(), library(b)), nil)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- server.Run(ctx, func(string) error { close(ready); return nil }) }()
	defer func() { cancel(); <-ended }()
	select {
	case <-ready:
	case err := <-ended:
		b.Fatal(err)
	}
	for name, port := range map[string]int{"gate": server.cfg.TCPPort, "direct": server.enginePort()} {
		options, err := clickhouse.ParseDSN(server.dsn(port, "default"))
		if err != nil {
			b.Fatal(err)
		}
		b.Run("connect/"+name, func(b *testing.B) {
			for b.Loop() {
				conn, err := clickhouse.Open(options)
				if err := errors.Join(err, conn.Ping(ctx), conn.Close()); err != nil {
					b.Fatal(err)
				}
			}
		})
		conn, err := clickhouse.Open(options)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("ping/"+name, func(b *testing.B) {
			for b.Loop() {
				if err := conn.Ping(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("read/"+name, func(b *testing.B) {
			const rows = 100_000_000
			b.SetBytes(8 * rows)
			for b.Loop() {
				result, err := conn.Query(ctx, fmt.Sprintf("SELECT number FROM numbers(%d) SETTINGS max_block_size = 1000000", rows))
				if err != nil {
					b.Fatal(err)
				}
				for result.Next() { // Block by block is not offered; a row costs the same on both ways.
				}
				if err := errors.Join(result.Err(), result.Close()); err != nil {
					b.Fatal(err)
				}
			}
		})
		_ = conn.Close()
	}
}
