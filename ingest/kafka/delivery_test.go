package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
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

// delivery is a topic of an own name, with members that store it.
type delivery struct {
	t       *testing.T
	brokers []string
	topic   string
	group   string
	conn    driver.Conn
	mu      sync.Mutex
	moved   int // Partitions that were taken over with a plan. Protected by mu.
}

// named is a partition under the name that its kind has in production, because
// the broker of a test may serve other tests too.
type named struct {
	*kafka.Partition
	d    *delivery
	slow func()
}

func (named) Topic() string { return wire.Behaviour.Topic() }

func (n named) Fetch(ctx context.Context, offset int64) ([]kafkago.Message, error) {
	got, err := n.Partition.Fetch(ctx, offset)
	for i := range got {
		got[i].Topic = n.Topic()
	}
	return got, err
}

// Commit waits after a plan, so that members lose partitions in mid batch.
func (n named) Commit(ctx context.Context, offset int64, metadata string) error {
	err := n.Partition.Commit(ctx, offset, metadata)
	if metadata != "" && err == nil {
		n.slow()
	}
	return err
}

// publisher sends evidence nowhere, and forwarded records to the test's topic.
type publisher struct {
	w     *kafka.Writer
	topic string
}

func (p publisher) WriteMessages(ctx context.Context, msgs ...kafkago.Message) error {
	var out []kafkago.Message
	for _, m := range msgs {
		if m.Topic != ingest.EvidenceTopic {
			m.Topic = p.topic
			out = append(out, m)
		}
	}
	return p.w.WriteMessages(ctx, out...)
}

// member stores what it owns until ctx ends.
func (d *delivery) member(ctx context.Context, w *kafka.Writer, slow func()) error {
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.Group, cfg.Topics, cfg.MaxWait, cfg.MaxBytes = d.brokers, d.group, []string{d.topic}, 20*time.Millisecond, 1<<16
	log := slog.New(slog.DiscardHandler)
	c, err := kafka.NewConsumer(cfg, kafka.Deps{Logger: log, Registry: prometheus.NewRegistry()})
	if err != nil {
		return err
	}
	store := ingest.DefaultConfig()
	store.BatchRecords, store.Pace, store.FilterBytes = 100, 0, 1<<14
	normalize := func(ns identity.Namespace, v string) (identity.Identifier, bool, error) {
		return identity.Identifier{Namespace: ns, Value: v}, v != "", nil
	}
	p, err := ingest.New(store, ingest.Deps{
		Store: clickhouse.New(d.conn), Publisher: publisher{w, d.topic}, Decoder: ingest.NewDecoder(identity.Secret{9}, normalize),
		Clock: time.Now, Logger: log, Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		return err
	}
	return c.Run(ctx, func(ctx context.Context, part *kafka.Partition) error {
		if _, metadata := part.Committed(); metadata != "" {
			d.mu.Lock()
			d.moved++
			d.mu.Unlock()
		}
		return p.Own(ctx, named{part, d, slow})
	})
}

func message(id int) kafkago.Message {
	name := fmt.Sprint("m", id)
	return kafkago.Message{
		Key:   wire.PartitionKey("web", name),
		Value: fmt.Appendf(nil, `{"id":%q,"name":"Viewed","source":"web","time":"2026-01-30T10:00:00Z","identifiers":[{"namespace":"anonymous_id","value":"a%d"}]}`, name, id%50),
	}
}

// Members come, go and are cut off in mid batch while producers send messages,
// some twice and some without a key: every message is stored, once.
func TestDeliveryAcrossRebalances(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	d := &delivery{t: t, brokers: enginetest.Kafka(t), topic: enginetest.KafkaName(t), conn: warehousetest.NewTestDatabase(t)}
	d.group = d.topic
	if err := kafka.EnsureTopics(t.Context(), d.brokers, 1, []kafka.Topic{{Name: d.topic, Partitions: 4}}); err != nil {
		t.Fatal(err)
	}
	w := kafka.NewWriter(d.brokers)
	defer func() { _ = w.Close() }()
	const messages, rounds = 6000, 6
	sent := make(chan error, 1)
	go func() { sent <- d.produce(w, messages) }()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	run := func(ctx context.Context) {
		pause := time.Duration(r.IntN(30)) * time.Millisecond
		wg.Go(func() {
			if err := d.member(ctx, w, func() { <-time.After(pause) }); err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("member: %v", err)
			}
		})
	}
	run(ctx)
	for range rounds {
		guest, leave := context.WithTimeout(ctx, time.Duration(500+r.IntN(1000))*time.Millisecond)
		run(guest)
		<-guest.Done()
		leave()
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	d.await(ctx, messages)
	cancel()
	wg.Wait()
	rows, distinct := d.count()
	d.mu.Lock()
	defer d.mu.Unlock()
	t.Logf("%d messages, %d rows, %d partitions taken over in mid batch", messages, rows, d.moved)
	if rows != messages || distinct != messages {
		t.Errorf("%d rows of %d messages, %d were sent", rows, distinct, messages)
	}
}

func (d *delivery) produce(w *kafka.Writer, n int) error {
	const step = 50
	for i := 0; i < n; i += step {
		var msgs []kafkago.Message
		for j := range step {
			m := message(i + j)
			m.Topic = d.topic
			msgs = append(msgs, m)
			if j%5 == 0 {
				m.Key = nil // a copy from a producer that gives no key
				msgs = append(msgs, m)
			}
		}
		if err := w.WriteMessages(d.t.Context(), msgs...); err != nil {
			return err
		}
	}
	return nil
}

// await returns when n messages are there and every record is committed.
func (d *delivery) await(ctx context.Context, n uint64) {
	d.t.Helper()
	ctx, stop := context.WithTimeout(ctx, 2*time.Minute)
	defer stop()
	for quiet := 0; quiet < 3; {
		lag, err := kafka.Lag(ctx, d.brokers, d.group, []string{d.topic})
		if _, distinct := d.count(); err == nil && lag == 0 && distinct >= n {
			quiet++ // Forwarded records may still come behind.
		} else {
			quiet = 0
		}
		select {
		case <-ctx.Done():
			d.t.Errorf("lag is %d after all time, %v", lag, err)
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (d *delivery) count() (rows, distinct uint64) {
	d.t.Helper()
	row := d.conn.QueryRow(context.Background(), "SELECT count(), uniqExact(message_id) FROM events")
	if err := row.Scan(&rows, &distinct); err != nil {
		d.t.Fatal(err)
	}
	return rows, distinct
}

// Retention may remove what an owner has planned and not stored. Its successor
// stores what is left of the range, and goes on after it.
func TestPlannedRangeThatIsGone(t *testing.T) {
	for _, c := range []struct {
		name     string
		cut      int64
		messages uint64
	}{{"a part of it", 3, 7}, {"all of it", 6, 4}, {"more", 8, 2}, {"the whole log", 10, 0}} {
		t.Run(c.name, func(t *testing.T) {
			d := &delivery{t: t, brokers: enginetest.Kafka(t), topic: enginetest.KafkaName(t), conn: warehousetest.NewTestDatabase(t)}
			d.group = d.topic
			if err := kafka.EnsureTopics(t.Context(), d.brokers, 1, []kafka.Topic{{Name: d.topic, Partitions: 1}}); err != nil {
				t.Fatal(err)
			}
			w := kafka.NewWriter(d.brokers)
			defer func() { _ = w.Close() }()
			for i := range 10 {
				m := message(i)
				m.Topic = d.topic
				if err := w.WriteMessages(t.Context(), m); err != nil {
					t.Fatal(err)
				}
			}
			client := &kafkago.Client{Addr: kafkago.TCP(d.brokers...)}
			res, err := client.OffsetCommit(t.Context(), &kafkago.OffsetCommitRequest{
				GroupID: d.group, GenerationID: -1,
				Topics: map[string][]kafkago.OffsetCommit{d.topic: {{Partition: 0, Offset: 0, Metadata: "plan 0-6"}}},
			})
			if err != nil || res.Topics[d.topic][0].Error != nil {
				t.Fatal(err, res)
			}
			kafka.Cut(t, d.brokers, d.topic, c.cut)
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := d.member(ctx, w, func() {}); err != nil {
					t.Errorf("member: %v", err)
				}
			})
			d.await(ctx, c.messages)
			cancel()
			wg.Wait()
			if rows, _ := d.count(); rows != c.messages {
				t.Errorf("%d rows, want %d", rows, c.messages)
			}
		})
	}
}
