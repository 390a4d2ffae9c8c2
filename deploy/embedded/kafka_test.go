package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// runningBroker is a broker under test.
type runningBroker struct {
	address string
	stop    context.CancelFunc
	ended   chan error
}

// startBroker runs a broker until the test ends, and waits for it.
func startBroker(t testing.TB, cfg KafkaConfig) *runningBroker {
	t.Helper()
	broker, err := NewKafka(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b := &runningBroker{stop: cancel, ended: make(chan error, 1)}
	ready := make(chan []string, 1)
	go func() {
		b.ended <- broker.Run(ctx, func(brokers []string) error { ready <- brokers; return nil })
		close(b.ended)
	}()
	t.Cleanup(func() {
		cancel()
		for range b.ended { // The test may have read the result: closed then.
		}
	})
	select {
	case addrs := <-ready:
		b.address = addrs[0]
	case err := <-b.ended:
		t.Fatalf("broker ended: %v", err)
	}
	return b
}

// newTopic makes a topic through the protocol, as the product does.
func newTopic(t testing.TB, address, topic string, partitions int) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(address)}
	got, err := client.CreateTopics(context.Background(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}},
	})
	if err == nil {
		err = got.Errors[topic]
	}
	if err != nil {
		t.Fatalf("create topic: %v", err)
	}
}

func newWriter(address, topic string) *kafka.Writer {
	return &kafka.Writer{
		Addr: kafka.TCP(address), Topic: topic, Balancer: &kafka.Hash{}, RequiredAcks: kafka.RequireAll,
		BatchTimeout: time.Millisecond, MaxAttempts: 1,
	}
}

// commit stores an offset with metadata for a group.
func commit(address, group, topic string, partition int, offset int64, metadata string) error {
	client := &kafka.Client{Addr: kafka.TCP(address)}
	got, err := client.OffsetCommit(context.Background(), &kafka.OffsetCommitRequest{
		GroupID: group, GenerationID: -1,
		Topics: map[string][]kafka.OffsetCommit{topic: {{Partition: partition, Offset: offset, Metadata: metadata}}},
	})
	if err != nil {
		return err
	}
	return got.Topics[topic][0].Error
}

// committed reads it back.
func committed(t *testing.T, address, group, topic string, partition int) (int64, string) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(address)}
	got, err := client.OffsetFetch(context.Background(), &kafka.OffsetFetchRequest{
		GroupID: group, Topics: map[string][]int{topic: {partition}},
	})
	if err != nil {
		t.Fatal(err)
	}
	p := got.Topics[topic][0]
	return p.CommittedOffset, p.Metadata
}

// ends reads the first and the next offset of a partition.
func ends(t *testing.T, address, topic string, partition int) (first, next int64) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(address)}
	got, err := client.ListOffsets(context.Background(), &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{topic: {kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	p := got.Topics[topic][0]
	if p.Error != nil {
		t.Fatal(p.Error)
	}
	return p.FirstOffset, p.LastOffset
}

// readAll reads a partition from its first message to its present end.
func readAll(t *testing.T, address, topic string, partition int) []kafka.Message {
	t.Helper()
	first, next := ends(t, address, topic, partition)
	if first == next {
		return nil
	}
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{address}, Topic: topic, Partition: partition, MaxWait: 100 * time.Millisecond,
	})
	defer reader.Close()
	if err := reader.SetOffset(first); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var all []kafka.Message
	for {
		m, err := reader.ReadMessage(ctx)
		if err != nil {
			t.Fatalf("read %s-%d after %d messages: %v", topic, partition, len(all), err)
		}
		all = append(all, m)
		if m.Offset+1 >= next {
			return all
		}
	}
}

func TestBrokerKeepsMessagesAndOffsetsAcrossAStop(t *testing.T) {
	cfg := brokerConfig(t.TempDir())
	arrival := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	cfg.Now = func() time.Time { return arrival }
	first := startBroker(t, cfg)
	newTopic(t, first.address, "kept", 2)
	w := newWriter(first.address, "kept")
	stale := arrival.Add(-24 * time.Hour)
	for i := range 10 {
		if err := w.WriteMessages(context.Background(), kafka.Message{
			Key: []byte("k"), Value: []byte(strconv.Itoa(i)), Time: stale, Headers: []kafka.Header{{Key: "h", Value: []byte("v")}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := commit(first.address, "g", "kept", 1, 7, "plan 7-9"); err != nil {
		t.Fatal(err)
	}
	first.stop()
	if err := <-first.ended; err != nil {
		t.Fatalf("stopped broker: %v", err)
	}

	second := startBroker(t, cfg)
	var got []kafka.Message
	for p := range 2 {
		got = append(got, readAll(t, second.address, "kept", p)...)
	}
	if len(got) != 10 {
		t.Fatalf("%d messages; want 10", len(got))
	}
	for i, m := range got {
		if string(m.Value) != strconv.Itoa(i) || string(m.Headers[0].Value) != "v" {
			t.Errorf("message %d = %s, headers %v", i, m.Value, m.Headers)
		}
		if !m.Time.Equal(arrival) {
			t.Errorf("message %d has the time %s; want the arrival's %s", i, m.Time, arrival)
		}
	}
	if offset, metadata := committed(t, second.address, "g", "kept", 1); offset != 7 || metadata != "plan 7-9" {
		t.Errorf("committed %d %q; want 7 and the plan", offset, metadata)
	}
}

// Offsets stay whatever the broker looks for among them: it looks a hundred times.
func TestBrokerForgetsNoOffsets(t *testing.T) {
	cfg := brokerConfig(t.TempDir())
	cfg.offsetsCheck = time.Millisecond
	b := startBroker(t, cfg)
	newTopic(t, b.address, "kept", 1)
	if err := commit(b.address, "g", "kept", 0, 7, ""); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(2 * cfg.offsetsCheck)
	defer tick.Stop()
	for range 100 {
		if offset, _ := committed(t, b.address, "g", "kept", 0); offset != 7 {
			t.Fatalf("committed %d; want 7", offset)
		}
		<-tick.C
	}
}

// The broker's process is killed while four writers and a committer are busy: all that was acknowledged is there.
func TestBrokerKeepsWhatItAcknowledgedAcrossAKill(t *testing.T) {
	const partitions = 3
	dir := t.TempDir()
	parent := startHost(t, "kafka", dir)
	newTopic(t, parent.address, "kept", partitions)

	var mu sync.Mutex
	acknowledged := map[string]bool{}
	enough := make(chan struct{})
	var work sync.WaitGroup
	for writer := range 4 {
		work.Go(func() {
			w := newWriter(parent.address, "kept")
			defer w.Close()
			for i := 0; ; i++ {
				var batch []kafka.Message
				for j := range 5 {
					value := fmt.Sprintf("%d/%d/%d %s", writer, i, j, strings.Repeat("x", 400))
					batch = append(batch, kafka.Message{Key: []byte(strconv.Itoa(i + j)), Value: []byte(value)})
				}
				if err := w.WriteMessages(context.Background(), batch...); err != nil {
					return // The kill; what of this batch arrived is not acknowledged.
				}
				mu.Lock()
				for _, m := range batch {
					acknowledged[string(m.Value)] = true
				}
				if len(acknowledged) == 2000 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	var lastCommit int64
	work.Go(func() {
		for offset := int64(1); ; offset++ {
			if err := commit(parent.address, "g", "kept", 0, offset, fmt.Sprint("plan ", offset)); err != nil {
				return
			}
			mu.Lock()
			lastCommit = offset
			mu.Unlock()
		}
	})
	<-enough
	parent.kill()
	work.Wait()

	b := startBroker(t, brokerConfig(dir))
	stored := map[string]int{}
	for p := range partitions {
		for _, m := range readAll(t, b.address, "kept", p) {
			stored[string(m.Value)]++
		}
	}
	lost := 0
	for value := range acknowledged {
		if stored[value] == 0 {
			lost++
		}
	}
	t.Logf("%d acknowledged, %d stored, committed up to %d", len(acknowledged), len(stored), lastCommit)
	if lost > 0 || lastCommit == 0 {
		t.Errorf("%d acknowledged messages are lost; last commit %d", lost, lastCommit)
	}
	offset, metadata := committed(t, b.address, "g", "kept", 0)
	if offset < lastCommit || metadata != fmt.Sprint("plan ", offset) {
		t.Errorf("committed %d %q; want at least %d and its plan", offset, metadata, lastCommit)
	}
}

func TestBrokerMakesNoTopicsByItself(t *testing.T) {
	b := startBroker(t, brokerConfig(""))
	w := newWriter(b.address, "unheard-of")
	defer w.Close()
	err := w.WriteMessages(context.Background(), kafka.Message{Value: []byte("x")})
	if !errors.Is(err, kafka.UnknownTopicOrPartition) {
		t.Errorf("error = %v; want an unknown topic", err)
	}
}

// folderSize is the size of all segments below a broker's folder.
func folderSize(t *testing.T, dir string) int64 {
	t.Helper()
	logs, err := readLogs(filepath.Join(dir, "partitions"))
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, segments := range logs {
		sum += totalSize(segments)
	}
	return sum
}

func TestRetentionFreesWhatAllGroupsHaveRead(t *testing.T) {
	cfg := brokerConfig(t.TempDir())
	cfg.SegmentBytes, cfg.RetentionBytes, cfg.RetentionInterval = 16<<10, 64<<10, 20*time.Millisecond
	b := startBroker(t, cfg)
	newTopic(t, b.address, "long", 1)
	w := newWriter(b.address, "long")
	defer w.Close()
	fill := func() {
		for range 100 {
			if err := w.WriteMessages(context.Background(), kafka.Message{Value: bytes.Repeat([]byte("x"), 4<<10)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill()
	full := folderSize(t, cfg.DataDir)
	// The slow group first: while there is only a fast one, all is read.
	if err := commit(b.address, "slow", "long", 0, 40, ""); err != nil {
		t.Fatal(err)
	}
	if err := commit(b.address, "fast", "long", 0, 100, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log is shortened to the slow group", func() bool {
		first, _ := ends(t, b.address, "long", 0)
		return first > 30
	})
	if first, next := ends(t, b.address, "long", 0); first > 40 || next != 100 {
		t.Fatalf("offsets %d to %d; want nothing after 40 gone", first, next)
	}
	if err := commit(b.address, "slow", "long", 0, 100, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log is as long as it may be", func() bool { return folderSize(t, cfg.DataDir) <= cfg.RetentionBytes })
	t.Logf("%d bytes on disk shrank to %d", full, folderSize(t, cfg.DataDir))

	// What a kill at this moment leaves: the files as they are. The end of the log must not be forgotten.
	crashed := t.TempDir()
	if err := os.CopyFS(crashed, os.DirFS(cfg.DataDir)); err != nil {
		t.Fatal(err)
	}
	cfg.DataDir = crashed
	after := startBroker(t, cfg)
	if first, next := ends(t, after.address, "long", 0); next != 100 || first < 40 {
		t.Errorf("offsets %d to %d after a kill; want the end at 100", first, next)
	}
}

// A topic's own retention.ms does nothing here: it would drop messages that nobody has read (see retain).
func TestBrokerDropsNothingByItself(t *testing.T) {
	b := startBroker(t, brokerConfig(t.TempDir()))
	client := &kafka.Client{Addr: kafka.TCP(b.address)}
	got, err := client.CreateTopics(context.Background(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic: "old", NumPartitions: 1, ReplicationFactor: 1,
		ConfigEntries: []kafka.ConfigEntry{{ConfigName: "retention.ms", ConfigValue: "1"}, {ConfigName: "retention.bytes", ConfigValue: "1"}},
	}}})
	if err != nil || got.Errors["old"] != nil {
		t.Fatal(err, got.Errors["old"])
	}
	w := newWriter(b.address, "old")
	defer w.Close()
	for range 50 {
		if err := w.WriteMessages(context.Background(), kafka.Message{Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if first, next := ends(t, b.address, "old", 0); first != 0 || next != 50 {
		t.Errorf("offsets %d to %d; want all 50", first, next)
	}
}

func TestNewStart(t *testing.T) {
	segments := []segment{{0, 10}, {100, 10}, {200, 10}, {300, 5}}
	f := func(committed, keep, want int64) {
		t.Helper()
		if got := newStart(segments, committed, keep); got != want {
			t.Errorf("newStart(committed %d, keep %d) = %d; want %d", committed, keep, got, want)
		}
	}
	f(1000, 35, 0) // Short enough.
	f(1000, 34, 100)
	f(1000, 15, 200)
	f(1000, 1, 300) // The last segment stays.
	f(199, 1, 100)  // Nothing that is not committed goes.
	f(200, 1, 200)
	f(0, 1, 0)
}

// A broker that can no longer write says so and ends, instead of going on with a memory that the disk lacks.
func TestBrokerEndsWhenItCannotWrite(t *testing.T) {
	cfg := brokerConfig(t.TempDir())
	b := startBroker(t, cfg)
	newTopic(t, b.address, "kept", 1)
	if err := os.RemoveAll(filepath.Join(cfg.DataDir, "partitions")); err != nil {
		t.Fatal(err)
	}
	writeText(t, "", 0o600, cfg.DataDir, "partitions")
	w := newWriter(b.address, "kept")
	defer w.Close()
	if err := w.WriteMessages(context.Background(), kafka.Message{Value: []byte("x")}); err == nil {
		t.Error("a message that was not written is acknowledged")
	}
	if err := <-b.ended; err == nil || !strings.Contains(err.Error(), "persist batch") {
		t.Errorf("error = %v; want the failed write", err)
	}
}

func TestBrokerEndsWhenItsListenerFails(t *testing.T) {
	fault := newFault()
	l := &watchedListener{Listener: failingListener{}, fault: fault}
	if _, err := l.Accept(); err == nil {
		t.Fatal("accepted")
	}
	<-fault.raised
	if !strings.Contains(fault.err.Error(), "no more files") {
		t.Errorf("fault = %v", fault.err)
	}
}

type failingListener struct{}

func (failingListener) Accept() (net.Conn, error) { return nil, errors.New("no more files") }
func (failingListener) Close() error              { return nil }
func (failingListener) Addr() net.Addr            { return &net.TCPAddr{} }

func TestBusyBrokerPortAndFolderAreNamed(t *testing.T) {
	cfg := brokerConfig(t.TempDir())
	b := startBroker(t, cfg)
	_, port, err := net.SplitHostPort(b.address)
	if err != nil {
		t.Fatal(err)
	}
	f := func(cfg KafkaConfig, want ...string) {
		t.Helper()
		broker, err := NewKafka(cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = broker.Run(context.Background(), nil)
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("error = %v; want it to say %q", err, w)
			}
		}
	}
	busy := brokerConfig(t.TempDir())
	if busy.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	f(busy, "Kafka port "+port, "--port-offset", fmt.Sprintf("process %d", os.Getpid()))
	f(cfg, "in use by process", cfg.DataDir)
}

func TestKafkaConfigValidate(t *testing.T) {
	for name, spoil := range map[string]func(*KafkaConfig){
		"not a loopback address": func(c *KafkaConfig) { c.Host = "0.0.0.0" },
		"127.0.0.1 only":         func(c *KafkaConfig) { c.Host = "::1" },
		"out of range":           func(c *KafkaConfig) { c.Port = -1 },
		"retention":              func(c *KafkaConfig) { c.RetentionInterval = 0 },
		"lock timeout":           func(c *KafkaConfig) { c.LockTimeout = -1 },
	} {
		cfg := DefaultKafkaConfig()
		if err := cfg.Validate(); err != nil {
			t.Fatalf("the defaults: %v", err)
		}
		spoil(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error = %v; want %q", err, name)
		}
	}
}

// What an acknowledged message costs, by the size of the batches and with or without a sync to disk.
func BenchmarkBrokerWrite(b *testing.B) {
	for _, batch := range []int{1, 100, 1000} {
		for _, noSync := range []bool{false, true} {
			b.Run(fmt.Sprintf("batch=%d/sync=%v", batch, !noSync), func(b *testing.B) {
				cfg := brokerConfig(b.TempDir())
				cfg.NoSync = noSync
				broker := startBroker(b, cfg)
				newTopic(b, broker.address, "bench", 1)
				w := newWriter(broker.address, "bench")
				w.BatchSize = batch
				defer w.Close()
				messages := make([]kafka.Message, batch)
				for i := range messages {
					messages[i].Value = bytes.Repeat([]byte("x"), 500)
				}
				n := 0
				for b.Loop() {
					if err := w.WriteMessages(context.Background(), messages...); err != nil {
						b.Fatal(err)
					}
					n += batch
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
			})
		}
	}
}
