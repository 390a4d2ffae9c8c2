package wire_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	kafkago "github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/clickhouse"
	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

// TestPlainProducers writes events as any Kafka client would, without a key and
// without headers, with a wrong key, twice, and in a workspace of their own, and
// finds every event in the table once.
func TestPlainProducers(t *testing.T) {
	brokers := enginetest.Kafka(t)
	conn := warehousetest.NewTestDatabase(t)
	ctx, cancel := context.WithCancel(t.Context())
	topic := wire.Sensor.Topic()
	if err := kafka.EnsureTopics(ctx, brokers, 1, []kafka.Topic{{Name: topic, Partitions: 3}, {Name: ingest.EvidenceTopic, Partitions: 1}}); err != nil {
		t.Fatal(err)
	}
	source := enginetest.KafkaName(t) // A broker from outside may hold other events.
	stop := runIngest(ctx, t, conn, brokers, topic)
	defer func() { cancel(); stop() }()

	// This is all that a producer needs.
	w := &kafkago.Writer{Addr: kafkago.TCP(brokers...), Topic: topic, RequiredAcks: kafkago.RequireAll, BatchTimeout: 10 * time.Millisecond}
	defer func() { _ = w.Close() }()
	event := func(id string) []byte {
		return fmt.Appendf(nil, `{"id":%q,"name":"Tag Read","source":%q,"time":"2026-01-31T12:00:00Z","identifiers":[{"namespace":"rfid","value":"E200341201B8020114F7C0AB"}],"sensor":{"technology":"rfid","device":"gate-1","reading":-61,"unit":"dBm"}}`, id, source)
	}
	var messages []kafkago.Message
	for i := range 30 {
		messages = append(messages, kafkago.Message{Value: event(fmt.Sprint("e", i))}, kafkago.Message{Value: event(fmt.Sprint("e", i))})
	}
	messages = append(messages,
		kafkago.Message{Key: []byte("any key"), Value: event("keyed")},
		kafkago.Message{Value: event("other"), Headers: []kafkago.Header{{Key: wire.HeaderWorkspace, Value: []byte("other")}, {Key: wire.HeaderVersion, Value: []byte("1")}}},
	)
	if err := w.WriteMessages(ctx, messages...); err != nil {
		t.Fatal(err)
	}
	want := map[string]uint64{"main": 31, "other": 1}
	var got map[string]uint64
	wait, done := context.WithTimeout(ctx, time.Minute)
	defer done()
	for tick := time.NewTicker(100 * time.Millisecond); !cmp.Equal(want, got); {
		select {
		case <-wait.Done():
			t.Fatalf("stored %v, want %v", got, want)
		case <-tick.C:
		}
		got = map[string]uint64{}
		rows, err := conn.Query(ctx, "SELECT workspace, count() FROM events WHERE source = $1 GROUP BY workspace", source)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var workspace string
			var n uint64
			if err := rows.Scan(&workspace, &n); err != nil {
				t.Fatal(err)
			}
			got[workspace] = n
		}
		_ = rows.Close()
		for workspace, n := range got {
			if n > want[workspace] {
				t.Fatalf("stored %v, want %v", got, want)
			}
		}
	}
}

// runIngest owns the partitions of a topic until ctx ends.
func runIngest(ctx context.Context, t *testing.T, conn driver.Conn, brokers []string, topic string) (wait func()) {
	t.Helper()
	registry, log := prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	writer := kafka.NewWriter(brokers)
	pipeline, err := ingest.New(ingest.DefaultConfig(), ingest.Deps{
		Store: clickhouse.New(conn), Publisher: writer, Clock: time.Now, Logger: log, Registry: registry,
		Decoder: ingest.NewDecoder(identity.Secret{7}, func(ns identity.Namespace, v string) (identity.Identifier, bool, error) {
			return identity.Identifier{Namespace: ns, Value: v}, true, nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.Group, cfg.Topics = brokers, enginetest.KafkaName(t), []string{topic}
	consumer, err := kafka.NewConsumer(cfg, kafka.Deps{Logger: log, Registry: registry})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- consumer.Run(ctx, func(ctx context.Context, p *kafka.Partition) error { return pipeline.Own(ctx, p) })
	}()
	return func() {
		if err := <-ended; err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		_ = writer.Close()
	}
}
