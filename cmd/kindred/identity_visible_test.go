package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/ledger"
	ingestkafka "github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// circle is an e-mail with cookies that are always one profile, and a user whom
// they join and part from, all at once.
type circle struct {
	name, userName string
	mail, user     identity.Identifier
	keys, userKeys []identity.Key
	events         [2]uint64 // of the circle, and of the user with the meeting
	unmerge        string    // the command that parted them last
	// How often they have joined or parted, as far as it was sent, published and
	// noticed: odd when they are one.
	sent, published, noticed atomic.Int64
}

const cookiesOfCircle = 9

// visible is a stream of merges and unmerges through a real broker, and its
// readers.
type visible struct {
	*readers
	circles   []*circle
	current   atomic.Pointer[circle] // that joins or parts now
	committed chan int64
	messages  int64
	writer    *ingestkafka.Writer
	begun     time.Time
	delays    []time.Duration // from the sending of evidence to the publication

	mu                         sync.Mutex
	half, stale, lost, overlap map[string]int // by reader
	reads                      map[string]int
	examples                   []string
}

// TestVisibleTogether joins and parts circles of identifiers, by evidence and by
// commands through a real broker, while the views of SQL users, the profile store
// and the cache of an API process are read all the time and the reading is folded:
// each answer has a whole circle in one profile, with all of its events, and one
// that began after the publication (for the cache, after the notice) shows it.
func TestVisibleTogether(t *testing.T) {
	if testing.Short() {
		t.Skip("some ten seconds")
	}
	v := newVisible(t)
	v.run(func() {
		for turn := range int64(visibleTurns(t)) {
			for i, c := range v.circles {
				v.turn(c, turn, i)
			}
		}
	})
	slices.Sort(v.delays)
	at := func(q float64) time.Duration {
		return v.delays[int(q*float64(len(v.delays)-1))].Round(time.Millisecond)
	}
	t.Logf("from evidence to readable: p50 %s, p99 %s of %d; reads %v, during a change %v", at(.5), at(.99), len(v.delays), v.reads, v.overlap)
	for name, n := range v.reads {
		if v.half[name]+v.stale[name]+v.lost[name] > 0 {
			t.Errorf("%s: of %d reads %d saw half of a flush, %d did not see what was published before, %d found nothing", name, n, v.half[name], v.stale[name], v.lost[name])
		}
		if v.overlap[name] == 0 {
			t.Errorf("%s: no read while anything changed", name)
		}
	}
	for _, e := range v.examples {
		t.Log(e)
	}
}

// visibleTurns is how often each circle joins or parts.
func visibleTurns(t *testing.T) int {
	s := os.Getenv("KINDRED_TEST_COUNT")
	if s == "" {
		return 3
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal("KINDRED_TEST_COUNT is not a number")
	}
	return min(max(3, n/500), 41)
}

func newVisible(t *testing.T) *visible {
	t.Helper()
	v := &visible{
		readers: newReaders(t, warehousetest.NewTestDatabase(t), "visible", 1), committed: make(chan int64, 1),
		half: map[string]int{}, stale: map[string]int{}, lost: map[string]int{}, overlap: map[string]int{}, reads: map[string]int{},
	}
	v.published = func(uint64, uint64) {
		if c := v.current.Load(); c != nil && c.published.Swap(c.sent.Load()) < c.sent.Load() && c.sent.Load() == 1 {
			v.delays = append(v.delays, time.Since(v.begun))
		}
	}
	v.noticed = func() {
		if c := v.current.Load(); c != nil {
			c.noticed.Store(c.sent.Load())
		}
	}
	for i := range 8 {
		c := &circle{
			name: fmt.Sprint("circle-", i), userName: fmt.Sprint("user-", i),
			mail: identity.Identifier{Namespace: identity.Email, Value: fmt.Sprintf("c%d@shop.example", i)},
			user: identity.Identifier{Namespace: identity.UserID, Value: fmt.Sprint("u", i)},
		}
		c.keys, c.userKeys = []identity.Key{v.keyer.Key(c.mail)}, []identity.Key{v.keyer.Key(c.user)}
		v.circles = append(v.circles, c)
	}
	return v
}

// run sends what the circles are made of, starts an owner and the readers, calls
// change, and ends all of it.
func (v *visible) run(change func()) {
	v.t.Helper()
	brokers, topic := enginetest.Kafka(v.t), enginetest.KafkaName(v.t)
	ctx, stop := context.WithTimeout(v.t.Context(), 9*time.Minute)
	defer stop()
	if err := ingestkafka.EnsureTopics(ctx, brokers, 1, []ingestkafka.Topic{{Name: topic, Partitions: 1}}); err != nil {
		v.t.Fatal(err)
	}
	v.writer = ingestkafka.NewWriter(brokers)
	defer func() { _ = v.writer.Close() }()
	v.send = func(m kafka.Message) {
		m.Topic = topic
		v.messages++
		if err := v.writer.WriteMessages(ctx, m); err != nil {
			v.t.Fatal(err)
		}
	}
	v.found()
	cfg := ingestkafka.DefaultConfig()
	cfg.Brokers, cfg.Group, cfg.Topics = brokers, topic, []string{topic}
	consumer, err := ingestkafka.NewConsumer(cfg, ingestkafka.Deps{Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if err != nil {
		v.t.Fatal(err)
	}
	limits := ledger.DefaultConfig()
	limits.InsertRows = 4 // A flush is several inserts into one table, too.
	l := v.ledger(v.db, limits)
	var running sync.WaitGroup
	running.Go(func() {
		err := consumer.Run(ctx, func(ctx context.Context, p *ingestkafka.Partition) error {
			return l.Own(ctx, watchedPartition{p, v.committed})
		})
		if err != nil && ctx.Err() == nil {
			v.t.Errorf("owner: %v", err)
		}
	})
	defer running.Wait()
	defer stop()
	v.settle(ctx)
	folds := warehouse.DefaultFoldConfig()
	folds.Interval, folds.Poll, folds.MaxRecent = 300*time.Millisecond, 10*time.Millisecond, 1
	folder, err := warehouse.NewFolder(folds, v.db, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		v.t.Fatal(err)
	}
	for _, loop := range []func(context.Context) error{folder.Run, v.readSQL, v.readStore, v.readCache} {
		running.Go(func() {
			if err := loop(ctx); err != nil && ctx.Err() == nil {
				v.t.Error(err)
			}
		})
	}
	change()
}

// found sends the circles and the users, apart. The meeting of each mail and user
// is stored as an event before its evidence: until then nobody has it.
func (v *visible) found() {
	v.t.Helper()
	at := readersNow.Add(-100 * time.Hour)
	for _, c := range v.circles {
		for i := range cookiesOfCircle {
			cookie := identity.Identifier{Namespace: identity.AnonymousID, Value: fmt.Sprint(c.name, "-", i)}
			c.keys = append(c.keys, v.keyer.Key(cookie))
			v.see(c.name, at, c.mail, cookie)
			v.see(c.name, at, cookie)
			c.events[0] += 2
		}
		device := identity.Identifier{Namespace: identity.Device, Value: c.userName}
		c.userKeys = append(c.userKeys, v.keyer.Key(device))
		v.see(c.userName, at.Add(-time.Hour), c.user, device)
		v.see(c.userName, at.Add(-time.Hour), c.user)
		c.events[1] = 2
	}
	v.storeEvents()
}

// watchedPartition tells how far its owner has committed.
type watchedPartition struct {
	ledger.Partition
	committed chan int64
}

func (p watchedPartition) Commit(ctx context.Context, offset int64, metadata string) error {
	err := p.Partition.Commit(ctx, offset, metadata)
	if err == nil {
		select { // Only the last one matters.
		case <-p.committed:
		default:
		}
		p.committed <- offset
	}
	return err
}

// settle waits until all that was sent is committed.
func (v *visible) settle(ctx context.Context) {
	v.t.Helper()
	for {
		select {
		case offset := <-v.committed:
			if offset >= v.messages {
				return
			}
		case <-ctx.Done():
			v.t.Fatal("the owner did not come to the end of the topic")
		}
	}
}

// turn joins the circle and its user, or parts them: the first time by evidence,
// then by commands.
func (v *visible) turn(c *circle, turn int64, i int) {
	v.t.Helper()
	v.current.Store(c)
	c.sent.Store(turn + 1)
	v.begun = time.Now()
	id := fmt.Sprint("t", turn, "-", i)
	switch {
	case turn == 0:
		v.see(c.userName, readersNow.Add(-time.Hour), c.user, c.mail)
		v.unstored = nil // Its event would be of both, and is left out.
	case turn%2 == 1:
		v.ask(identity.Command{ID: id, Workspace: v.workspace, Actor: "ops", Kind: identity.Unmerge, Identifiers: []identity.Identifier{
			c.user, {Namespace: identity.Device, Value: c.userName},
		}})
		c.unmerge = id
	default:
		v.ask(identity.Command{ID: id, Workspace: v.workspace, Actor: "ops", Kind: identity.Undo, Target: c.unmerge})
	}
	v.settle(v.t.Context())
	if c.published.Load() != turn+1 || c.noticed.Load() != turn+1 {
		v.t.Fatalf("turn %d of %s changed nothing", turn, c.name)
	}
}
