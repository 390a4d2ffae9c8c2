package ingest_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/clickhouse"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// twoParts is the log of partition 0 of a topic of two.
type twoParts struct{ *ending }

func (twoParts) Count() int { return 2 }

// forwarded keeps what is written to event topics.
type forwarded struct{ got []kafka.Message }

func (f *forwarded) WriteMessages(_ context.Context, msgs ...kafka.Message) error {
	for _, m := range msgs {
		if m.Topic != ingest.EvidenceTopic {
			f.got = append(f.got, m)
		}
	}
	return nil
}

// A producer without keys puts messages anywhere. Each is moved, once, to the
// partition where all its copies meet, and stored by that partition's owner.
func TestRecordsOfOtherPartitionsAreForwardedOnce(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	var records []kafka.Message
	elsewhere := 0
	for i := range 40 {
		id := fmt.Sprint("m", i)
		if wire.Partition("web", id, 2) != 0 {
			elsewhere++
		}
		records = append(records, kafka.Message{
			Topic: "kindred.behaviour", Offset: int64(i), Time: time.Unix(2e9, 0),
			Value: fmt.Appendf(nil, `{"id":%q,"name":"Viewed","source":"web","time":"2026-01-30T10:00:00Z"}`, id),
		})
	}
	own := func(records []kafka.Message) *forwarded {
		ctx, kill := context.WithCancel(t.Context())
		defer kill()
		pub := &forwarded{}
		cfg := ingest.DefaultConfig()
		cfg.Pace = 0
		p, err := ingest.New(cfg, ingest.Deps{
			Store: clickhouse.New(conn), Publisher: pub, Decoder: ingest.NewDecoder(identity.Secret{9}, normalize),
			Clock: time.Now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Registry: prometheus.NewRegistry(),
		})
		if err != nil {
			t.Fatal(err)
		}
		o := &owner{log: &log{records: records, generation: 1}, generation: 1, batch: 100, hook: func(string) error { return nil }}
		if err := p.Own(ctx, twoParts{end(o, kill)}); err != nil {
			t.Fatal(err)
		}
		return pub
	}
	stored := func() (n uint64) {
		if err := conn.QueryRow(t.Context(), "SELECT count() FROM events").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	moved := own(records).got
	if len(moved) != elsewhere || elsewhere == 0 || stored() != uint64(40-elsewhere) {
		t.Fatalf("%d forwarded and %d stored of 40, of which %d belong elsewhere", len(moved), stored(), elsewhere)
	}
	// Wherever a forwarded record turns up, it is stored and not sent on.
	for i := range moved {
		moved[i].Offset, moved[i].Time = int64(i), time.Unix(2e9, 0).Add(time.Hour)
		if len(moved[i].Key) == 0 {
			t.Error("a forwarded record has no key")
		}
	}
	if again := own(moved).got; len(again) != 0 || stored() != 40 {
		t.Errorf("%d sent on again, %d stored of 40", len(again), stored())
	}
	var received uint64
	if err := conn.QueryRow(t.Context(), "SELECT countIf(received_time = fromUnixTimestamp(2000000000)) FROM events").Scan(&received); err != nil || received != 40 {
		t.Errorf("%d of 40 were received when they first came, %v", received, err)
	}
}
