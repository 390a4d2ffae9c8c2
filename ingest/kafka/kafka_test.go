package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

func consumer(t *testing.T, brokers []string, topics ...string) *Consumer {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Brokers, cfg.Group, cfg.Topics, cfg.MaxWait = brokers, "group-"+topics[0], topics, 50*time.Millisecond
	c, err := NewConsumer(cfg, Deps{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func topic(t *testing.T, brokers []string, partitions int) string {
	t.Helper()
	name := enginetest.KafkaName(t)
	if err := EnsureTopics(t.Context(), brokers, 1, []Topic{{Name: name, Partitions: partitions, Retention: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	return name
}

// Every compression, key, header and null arrives as it was sent, at the time
// the broker took it and not at the time its producer claims.
func TestFetchGivesAppendTimes(t *testing.T) {
	brokers := enginetest.Kafka(t)
	for _, codec := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		t.Run(fmt.Sprint(codec), func(t *testing.T) {
			name := topic(t, brokers, 1)
			w := NewWriter(brokers)
			defer func() { _ = w.Close() }()
			w.Compression = codec
			var sent []kafka.Message
			for i := range 500 {
				m := kafka.Message{Topic: name, Value: []byte(strings.Repeat("v", i)), Time: time.Unix(1, 0)}
				if i%3 == 0 {
					m.Key = fmt.Appendf(nil, "%d", i)
					m.Headers = []kafka.Header{{Key: "h", Value: fmt.Append(nil, i)}, {Key: "empty"}}
				}
				sent = append(sent, m)
			}
			before := time.Now().Add(-time.Second)
			if err := w.WriteMessages(t.Context(), sent...); err != nil {
				t.Fatal(err)
			}
			got := readAll(t, consumer(t, brokers, name), len(sent))
			for i, m := range got {
				want := sent[i]
				if string(m.Value) != string(want.Value) || string(m.Key) != string(want.Key) || len(m.Headers) != len(want.Headers) || m.Offset != int64(i) {
					t.Fatalf("record %d: got %+v", i, m)
				}
				if m.Time.Before(before) || m.Time.After(time.Now().Add(time.Second)) {
					t.Fatalf("record %d has the producer's time %v", i, m.Time)
				}
			}
		})
	}
}

func readAll(t *testing.T, c *Consumer, n int) []kafka.Message {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var got []kafka.Message
	err := c.Run(ctx, func(ctx context.Context, p *Partition) error {
		offset, _ := p.Committed()
		for len(got) < n {
			batch, err := p.Fetch(ctx, offset)
			if err != nil {
				return err
			}
			got = append(got, batch...)
			offset += int64(len(batch))
		}
		stop()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Metadata travels with the commit, and a member of an older generation cannot
// commit once the group has moved on.
func TestCommitIsFencedAndCarriesMetadata(t *testing.T) {
	brokers := enginetest.Kafka(t)
	name := topic(t, brokers, 1)
	put(t, brokers, name, strings.Split("ten records for the offsets that are committed", "")[:10]...)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var once sync.Once
	var old *Partition
	generations := 0
	err := consumer(t, brokers, name).Run(ctx, func(ctx context.Context, p *Partition) error {
		generations++
		if generations == 1 {
			old = p
			return p.Commit(ctx, 7, "plan 7-9") // its return ends the generation
		}
		if offset, metadata := p.Committed(); offset != 7 || metadata != "plan 7-9" {
			t.Errorf("committed is %d, %q", offset, metadata)
		}
		once.Do(func() {
			if err := old.Commit(ctx, 99, ""); !errors.Is(err, ErrLost) {
				t.Errorf("a commit of an older generation: %v", err)
			}
			if err := p.Commit(ctx, 8, ""); err != nil {
				t.Errorf("a commit of the present generation: %v", err)
			}
			stop()
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Who waits for a group that starts at the same time is told that it has committed
// nothing yet.
func TestOffsetsOfAGroup(t *testing.T) {
	brokers := enginetest.Kafka(t)
	name := topic(t, brokers, 1)
	put(t, brokers, name, "a", "b")
	offsets := NewOffsets(brokers)
	defer offsets.Close()
	at := intake.Place{Topic: name, Partition: 0}
	if got, err := offsets.Committed(t.Context(), "group-"+name, []intake.Place{at}); err != nil || len(got) != 0 {
		t.Fatalf("before anybody joined: %v, %v", got, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	err := consumer(t, brokers, name).Run(ctx, func(ctx context.Context, p *Partition) error {
		defer stop()
		return p.Commit(ctx, 2, "")
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := offsets.Committed(t.Context(), "group-"+name, []intake.Place{at}); err != nil || got[at] != 2 {
		t.Fatalf("after its commit: %v, %v", got, err)
	}
}

// Two members share the partitions; when one leaves, the other has them all.
func TestGroupRebalances(t *testing.T) {
	brokers := enginetest.Kafka(t)
	name := topic(t, brokers, 4)
	var mu sync.Mutex
	owned := map[string]map[int]bool{"a": {}, "b": {}}
	changed := make(chan struct{}, 1000)
	member := func(ctx context.Context, who string, c *Consumer) error {
		return c.Run(ctx, func(ctx context.Context, p *Partition) error {
			set := func(on bool) {
				mu.Lock()
				defer mu.Unlock()
				if owned[who][p.ID()] = on; !on {
					delete(owned[who], p.ID())
				}
				changed <- struct{}{}
			}
			set(true)
			defer set(false)
			<-ctx.Done()
			return nil
		})
	}
	await := func(what string, ok func() bool) {
		t.Helper()
		for {
			mu.Lock()
			done := ok()
			mu.Unlock()
			if done {
				return
			}
			select {
			case <-changed:
			case <-time.After(30 * time.Second):
				t.Fatalf("%s never happened: %v", what, owned)
			}
		}
	}
	ctxA, stopA := context.WithCancel(t.Context())
	ctxB, stopB := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = member(ctxA, "a", consumer(t, brokers, name)) })
	await("a owns all", func() bool { return len(owned["a"]) == 4 })
	wg.Go(func() { _ = member(ctxB, "b", consumer(t, brokers, name)) })
	await("both own two", func() bool { return len(owned["a"]) == 2 && len(owned["b"]) == 2 })
	stopA()
	await("b owns all", func() bool { return len(owned["b"]) == 4 })
	stopB()
	wg.Wait()
}

func TestWriterAndPartitionAgree(t *testing.T) {
	brokers := enginetest.Kafka(t)
	name := topic(t, brokers, 3)
	w := NewWriter(brokers)
	defer func() { _ = w.Close() }()
	for i := range 100 {
		id := fmt.Sprint("m", i)
		if err := w.WriteMessages(t.Context(), kafka.Message{Topic: name, Key: wire.PartitionKey("web", id), Value: []byte(id)}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var mu sync.Mutex
	seen := 0
	err := consumer(t, brokers, name).Run(ctx, func(ctx context.Context, p *Partition) error {
		offset, _ := p.Committed()
		for {
			batch, err := p.Fetch(ctx, offset)
			if err != nil || ctx.Err() != nil {
				return nil
			}
			mu.Lock()
			for _, m := range batch {
				offset++
				if want := wire.Partition("web", string(m.Value), 3); want != p.ID() {
					t.Errorf("message is in partition %d, want %d", p.ID(), want)
				}
				if seen++; seen == 100 {
					stop()
				}
			}
			mu.Unlock()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzRecords(f *testing.F) {
	f.Add(make([]byte, 100), int64(0))
	f.Fuzz(func(t *testing.T, set []byte, from int64) {
		d := decoder{topic: "t", budget: 1 << 20}
		_, _, _ = d.decode(nil, set, from, nil)
		_, _ = parseFetch(set, 11)
	})
}
