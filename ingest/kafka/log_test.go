package kafka

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
)

// own runs body as the owner of partition 0 of a topic with one partition.
func own(t *testing.T, c *Consumer, body func(ctx context.Context, p *Partition) error) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	err := c.Run(ctx, func(ctx context.Context, p *Partition) error {
		defer stop()
		return body(ctx, p)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// read fetches until n records are there.
func read(ctx context.Context, p *Partition, offset int64, n int) (values []string, next int64, err error) {
	for len(values) < n && ctx.Err() == nil {
		got, err := p.Fetch(ctx, offset)
		if err != nil {
			return values, offset, err
		}
		for _, m := range got {
			values = append(values, string(m.Value))
			offset = m.Offset + 1
		}
	}
	return values, offset, ctx.Err()
}

// A producer's transaction is read when it has been committed, never when it is
// open or was rolled back; and the markers between leave no reader standing.
func TestTransactions(t *testing.T) {
	brokers := enginetest.Kafka(t)
	name := topic(t, brokers, 1)
	producer, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.TransactionalID(name), kgo.DefaultProduceTopic(name))
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	begin := func(values ...string) {
		t.Helper()
		if err := producer.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if err := producer.ProduceSync(t.Context(), kgo.StringRecord(v)).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	end := func(how kgo.TransactionEndTry) {
		t.Helper()
		if err := producer.EndTransaction(t.Context(), how); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 3 {
		begin(fmt.Sprint("kept ", round), fmt.Sprint("kept too ", round))
		end(kgo.TryCommit)
		begin(fmt.Sprint("rolled back ", round), fmt.Sprint("rolled back too ", round))
		end(kgo.TryAbort)
	}
	begin("last")
	c := consumer(t, brokers, name)
	own(t, c, func(ctx context.Context, p *Partition) error {
		values, next, err := read(ctx, p, 0, 6)
		if err != nil {
			return err
		}
		if got := strings.Join(values, ", "); got != "kept 0, kept too 0, kept 1, kept too 1, kept 2, kept too 2" {
			t.Errorf("read %s", got)
		}
		if got, err := p.Fetch(ctx, next); err != nil || len(got) != 0 {
			t.Errorf("of an open transaction: %d records, %v", len(got), err)
		}
		if got := p.Next(next); got <= next {
			t.Errorf("after records rolled back at %d the next may stand at %d", next, got)
		}
		end(kgo.TryCommit)
		values, next, err = read(ctx, p, next, 1)
		if err != nil || len(values) != 1 || values[0] != "last" {
			t.Errorf("after the commit: %q, %v", values, err)
		}
		// The marker at the end holds no record. Asked again, the broker has
		// nothing, and waits: no busy loop.
		if _, err := p.Fetch(ctx, next); err != nil {
			return err
		}
		begun := time.Now()
		if got, err := p.Fetch(ctx, next); err != nil || len(got) != 0 || time.Since(begun) < p.maxWait/2 {
			t.Errorf("at the end: %d records, %v after %s", len(got), err, time.Since(begun))
		}
		return nil
	})
}

func put(t *testing.T, brokers []string, topic string, values ...string) {
	t.Helper()
	w := NewWriter(brokers)
	defer func() { _ = w.Close() }()
	for _, v := range values {
		if err := w.WriteMessages(t.Context(), kafka.Message{Topic: topic, Value: []byte(v)}); err != nil {
			t.Fatal(err)
		}
	}
}

// Cut removes the records before offset, as retention does.
func Cut(t *testing.T, brokers []string, topic string, offset int64) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 10_000
	part := kmsg.NewDeleteRecordsRequestTopicPartition()
	part.Offset = offset
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic, rt.Partitions = topic, []kmsg.DeleteRecordsRequestTopicPartition{part}
	req.Topics = append(req.Topics, rt)
	for _, shard := range client.RequestSharded(t.Context(), req) {
		if shard.Err != nil {
			t.Fatal(shard.Err)
		}
		for _, topic := range shard.Resp.(*kmsg.DeleteRecordsResponse).Topics {
			for _, p := range topic.Partitions {
				if p.ErrorCode != 0 {
					t.Fatal(kafka.Error(p.ErrorCode))
				}
			}
		}
	}
}

// What retention removed before it was read is reported with its place and
// count, once, and the rest is read.
func TestLostRecordsAreReported(t *testing.T) {
	for _, c := range []struct {
		name           string
		cut            int64
		rest           []string
		planTo, gapEnd int64
	}{
		{"a part", 3, []string{"d", "e"}, 5, 3},
		{"everything", 5, nil, 5, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			brokers := enginetest.Kafka(t)
			name := topic(t, brokers, 1)
			put(t, brokers, name, "a", "b", "c", "d", "e")
			var text bytes.Buffer
			m := consumer(t, brokers, name)
			m.log = slog.New(slog.NewTextHandler(&text, nil))
			own(t, m, func(ctx context.Context, p *Partition) error {
				Cut(t, brokers, name, c.cut)
				for range 3 { // as often as a caller may ask
					got, err := p.Fetch(ctx, 0)
					if err != nil {
						return err
					}
					if len(got) != len(c.rest) {
						t.Errorf("read %d records, want %d", len(got), len(c.rest))
					}
					for i := range got {
						if string(got[i].Value) != c.rest[i] || got[i].Offset != c.cut+int64(i) {
							t.Errorf("record %d: %q at %d", i, got[i].Value, got[i].Offset)
						}
					}
				}
				if got := p.Next(1); got != c.gapEnd {
					t.Errorf("next is %d, want %d", got, c.gapEnd)
				}
				return nil
			})
			if got := testutil.ToFloat64(m.lost.WithLabelValues(name, "0")); got != float64(c.cut) {
				t.Errorf("counted %v lost records, want %d", got, c.cut)
			}
			want := fmt.Sprintf("topic=%s partition=0 from=0 to=%d", name, c.cut)
			if n := strings.Count(text.String(), want); n != 1 || !strings.Contains(text.String(), "level=ERROR") {
				t.Errorf("logged %d times %q:\n%s", n, want, &text)
			}
		})
	}
}

// A log that is shorter than what was committed of it is another log: it is
// read from its start, instead of waiting until its records are passed over.
func TestShorterLogIsReadFromItsStart(t *testing.T) {
	brokers := enginetest.Kafka(t)
	name := topic(t, brokers, 1)
	put(t, brokers, name, "a", "b")
	own(t, consumer(t, brokers, name), func(ctx context.Context, p *Partition) error {
		return p.Commit(ctx, 1000, "plan 1000-1010")
	})
	var text bytes.Buffer
	c := consumer(t, brokers, name)
	c.log = slog.New(slog.NewTextHandler(&text, nil))
	own(t, c, func(ctx context.Context, p *Partition) error {
		offset, metadata := p.Committed()
		if offset != 0 || metadata != "" {
			t.Errorf("starts at %d with %q", offset, metadata)
		}
		values, _, err := read(ctx, p, offset, 2)
		if err != nil || strings.Join(values, "") != "ab" {
			t.Errorf("read %q, %v", values, err)
		}
		return nil
	})
	if !strings.Contains(text.String(), "level=ERROR") {
		t.Errorf("logged:\n%s", &text)
	}
}

// Records from the size of an ordinary request to the largest that the
// contract allows are written and read back.
func TestLargeRecords(t *testing.T) {
	brokers := enginetest.Kafka(t)
	name := topic(t, brokers, 1)
	w := NewWriter(brokers)
	defer func() { _ = w.Close() }()
	w.Compression, w.large.Compression = 0, 0 // the worst case
	sizes := []int{10, writeBytes, 20, 1 << 20, 4<<20 + 1000, 30}
	var msgs []kafka.Message
	for _, n := range sizes {
		msgs = append(msgs, kafka.Message{Topic: name, Value: bytes.Repeat([]byte("x"), n)})
	}
	if err := w.WriteMessages(t.Context(), msgs...); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.Brokers, cfg.Group, cfg.Topics, cfg.MaxBytes = brokers, name, []string{name}, 1<<16
	c, err := NewConsumer(cfg, Deps{Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	own(t, c, func(ctx context.Context, p *Partition) error {
		values, _, err := read(ctx, p, 0, len(sizes))
		var total, want int
		for i := range values {
			total += len(values[i])
			want += sizes[i]
		}
		if total != want {
			t.Errorf("read %d bytes of %d", total, want)
		}
		return err
	})
	err = w.WriteMessages(t.Context(), kafka.Message{Topic: name, Value: make([]byte, largeBytes+1)}, kafka.Message{Topic: name})
	if each, ok := err.(kafka.WriteErrors); !ok || each[0] == nil || each[1] != nil {
		t.Errorf("beside a record beyond all bounds: %v", err)
	}
}
