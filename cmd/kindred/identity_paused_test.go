package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity/ledger"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// gate is a database in front of which an owner stops, as a process that is
// paused does: before the insert that left counts down to, whatever its table,
// until it is opened.
type gate struct {
	driver.Conn
	left atomic.Int64
	held chan string // the table
	open chan struct{}
}

func newGate(db driver.Conn) *gate {
	g := &gate{Conn: db, held: make(chan string, 1), open: make(chan struct{})}
	g.left.Store(-1)
	return g
}

// pass returns at once, but for the insert that is to be held.
func (g *gate) pass(statement string) {
	if g.left.Load() < 0 || g.left.Add(-1) != -1 {
		return
	}
	g.held <- strings.Fields(statement)[2]
	<-g.open
}

type gatedBatch struct {
	driver.Batch
	gate      *gate
	statement string
}

func (b gatedBatch) Send() error {
	b.gate.pass(b.statement)
	return b.Batch.Send()
}

func (g *gate) PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	b, err := g.Conn.PrepareBatch(ctx, query, opts...)
	return gatedBatch{b, g, query}, err
}

func (g *gate) Exec(ctx context.Context, query string, args ...any) error {
	if strings.HasPrefix(query, "INSERT INTO identity_versions") {
		g.pass(query)
	}
	return g.Conn.Exec(ctx, query, args...)
}

// pausedSeeds are the first seed and the number of histories: 200 at the full
// count of `make verify`.
func pausedSeeds(t *testing.T) (first, n uint64) {
	number := func(name string, otherwise uint64) uint64 {
		s := os.Getenv(name)
		if s == "" {
			return otherwise
		}
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			t.Fatalf("%s is not a number", name)
		}
		return n
	}
	return number("KINDRED_TEST_SEED", 1), max(2, number("KINDRED_TEST_COUNT", 400)/100)
}

// TestPausedOwner pauses an owner between what it has decided and one of its
// inserts, lets a successor take over, go on and write, and then wakes the first
// one, which inserts what it had decided, publishes it and sends notices until the
// fence stops it. No reader sees any of it: the views, the tables under
// identity_counted, the dictionaries, the profile store and the cache of an API
// process that follows the notices answer the same to the byte; and so they do
// when the reading is folded and a third owner has taken over.
func TestPausedOwner(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds a seed")
	}
	t.Parallel()
	db := warehousetest.NewTestDatabase(t)
	held := map[string]int{}
	late := 0
	first, seeds := pausedSeeds(t)
	for seed := first; seed < first+seeds; seed++ {
		table, rows := pauseOnce(t, db, seed)
		held[table]++
		late += rows
		if t.Failed() {
			return
		}
	}
	t.Logf("owners paused before inserts into %v; they left %d rows of the reading that count nowhere", held, late)
	if late == 0 {
		t.Error("no owner wrote anything after it woke up")
	}
}

// pauseOnce runs one history and returns the table before which the owner was
// held, and how many rows it left that do not count.
func pauseOnce(t *testing.T, db driver.Conn, seed uint64) (table string, late int) {
	t.Helper()
	r := newReaders(t, db, fmt.Sprint("paused-", seed), seed)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cfg := ledger.DefaultConfig()
	cfg.BatchWait, cfg.FlushPause, cfg.BatchRecords = time.Millisecond, 0, 3+r.r.IntN(12)
	own := func(db driver.Conn) (stop func() error) {
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		p := r.topic.join()
		go func() { done <- r.ledger(db, cfg).Own(ctx, p) }()
		return func() error { cancel(); return <-done }
	}
	fatal := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("seed %d, held before %s: %v", seed, table, err)
		}
	}
	g := newGate(db)
	p := r.topic.join()
	first := make(chan error, 1)
	go func() { first <- r.ledger(g, cfg).Own(ctx, p) }()
	r.feed(15)
	fatal(r.topic.drained(ctx))
	g.left.Store(int64(r.r.IntN(12)))
	for table == "" {
		r.feed(5)
		select {
		case table = <-g.held:
		case err := <-first:
			fatal(err)
		case <-r.idle(ctx): // It ended before it came to that insert.
			select {
			case table = <-g.held:
			default:
			}
		}
	}
	second := own(db)
	r.feed(10)
	fatal(r.topic.drained(ctx))
	r.storeEvents()
	before := r.snapshot()
	close(g.open)
	if err := <-first; !errors.Is(err, errFenced) {
		fatal(fmt.Errorf("the paused owner ended with %v, want the fence", err))
	}
	same := func(when string) {
		t.Helper()
		if diff := cmp.Diff(before, r.snapshot()); diff != "" {
			t.Errorf("seed %d: an owner paused before %s was seen %s (-before +after):\n%s", seed, table, when, diff)
		}
	}
	same("after it woke up")
	late = r.uncounted()
	fatal(second())
	if seed%4 != 0 {
		return table, late
	}
	third := own(db)
	fatal(r.topic.drained(ctx))
	fatal(third())
	r.third(before, same)
	return table, late
}

// idle is closed when all is committed, or nothing can be.
func (r *readers) idle(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		_ = r.topic.drained(ctx)
	}()
	return done
}

// third compares what is seen when a third owner has loaded the ledger, rows that
// came late included, and again when the reading is folded. Where the rows lie is
// another matter then: the recent layer, the dictionaries and the versions.
func (r *readers) third(before map[string]string, same func(string)) {
	r.t.Helper()
	maps.Copy(before, r.layers())
	same("by its next successor")
	f, err := warehouse.NewFolder(warehouse.DefaultFoldConfig(), r.db, func() time.Time { return readersNow }, slog.New(slog.DiscardHandler))
	if err == nil {
		err = f.Fold(r.t.Context())
	}
	if err != nil {
		r.t.Fatal(err)
	}
	maps.Copy(before, r.layers())
	same("after a fold")
}

// uncounted returns how many rows of the reading count nowhere.
func (r *readers) uncounted() int {
	r.t.Helper()
	var n uint64
	err := r.db.QueryRow(r.t.Context(), `SELECT count() FROM (SELECT workspace, epoch, sequence FROM identifier_profile UNION ALL
			SELECT workspace, epoch, sequence FROM anchor_owner UNION ALL SELECT workspace, epoch, sequence FROM identity_changes) AS r
		LEFT JOIN identity_counted AS c ON r.workspace = c.workspace AND r.epoch = c.epoch
		WHERE r.workspace = ? AND r.sequence > c.last_sequence`, r.workspace).Scan(&n)
	if err != nil {
		r.t.Fatal(err)
	}
	return int(n)
}
