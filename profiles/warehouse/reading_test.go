package warehouse_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

const set = uint64(1) << 63

var epochZero = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// ledger writes flushes as the identity role does.
type ledger struct {
	t         testing.TB
	conn      driver.Conn
	workspace string
	v         warehouse.Version
}

func newLedger(t testing.TB, conn driver.Conn, workspace string, epoch uint64) *ledger {
	t.Helper()
	if _, err := warehouse.StartEpoch(t.Context(), conn, workspace, epoch, epochZero); err != nil {
		t.Fatal(err)
	}
	return &ledger{t: t, conn: conn, workspace: workspace, v: warehouse.Version{Epoch: epoch}}
}

func (l *ledger) exec(query string, args ...any) {
	l.t.Helper()
	if err := l.conn.Exec(context.Background(), query, args...); err != nil {
		l.t.Fatal(err)
	}
}

func (l *ledger) owner(anchor, owner uint64) {
	l.t.Helper()
	l.v.Sequence++
	l.exec("INSERT INTO anchor_owner (workspace, anchor_id, epoch, sequence, owner_id) VALUES (?, ?, ?, ?, ?)", l.workspace, anchor, l.v.Epoch, l.v.Sequence, owner)
}

func (l *ledger) profile(identifier, profile uint64) {
	l.t.Helper()
	l.v.Sequence++
	l.exec("INSERT INTO identifier_profile (workspace, identifier_id, epoch, sequence, profile_id) VALUES (?, ?, ?, ?, ?)", l.workspace, identifier, l.v.Epoch, l.v.Sequence, profile)
}

func (l *ledger) publish() {
	l.t.Helper()
	if err := warehouse.PublishReading(context.Background(), l.conn, l.workspace, l.v, epochZero); err != nil {
		l.t.Fatal(err)
	}
}

func fold(t testing.TB, conn driver.Conn) {
	t.Helper()
	f, err := warehouse.NewFolder(warehouse.DefaultFoldConfig(), conn, func() time.Time { return epochZero }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// resolve reads the profile of each anchor.
// resolve returns the profiles of anchors of the workspace main. A query that finds the
// version by itself and one that is bound to it must say the same.
func resolve(t testing.TB, conn driver.Conn, anchors ...uint64) []uint64 {
	t.Helper()
	got := resolveBy(t, conn, warehouse.Reading{}, "main", anchors...)
	if diff := cmp.Diff(got, resolveBy(t, conn, readingNow(t, conn, "main"), "main", anchors...)); diff != "" {
		t.Errorf("bound to the version (-by itself +bound):\n%s", diff)
	}
	return got
}

func readingNow(t testing.TB, conn driver.Conn, workspace string) warehouse.Reading {
	t.Helper()
	r, err := warehouse.ReadingNow(t.Context(), conn, workspace)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func resolveBy(t testing.TB, conn driver.Conn, r warehouse.Reading, workspace string, anchors ...uint64) []uint64 {
	t.Helper()
	var got []uint64
	query := "SELECT groupArray(p) FROM (SELECT " + r.AnchorProfile("a") + " AS p FROM (SELECT arrayJoin({anchors:Array(UInt64)}) AS a))"
	args := r.Args(clickhouse.Named("anchors", anchors), clickhouse.Named("workspace", workspace))
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

func wantProfiles(t *testing.T, what string, got []uint64, want ...uint64) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestReadingResolvesInTwoHops(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	l := newLedger(t, conn, "main", 1)
	l.owner(set|1, 10)
	l.profile(10, 7)
	l.owner(99, 0) // a household value
	l.publish()
	anchors := []uint64{0, 5, 10, set | 1, set | 2, 99}
	wantProfiles(t, "from the recent layer", resolve(t, conn, anchors...), 0, 5, 7, 7, 0, 0)
	fold(t, conn)
	var left uint64
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM reading_recent").Scan(&left); err != nil || left != 0 {
		t.Errorf("recent layer holds %d rows after a fold (%v), want 0", left, err)
	}
	wantProfiles(t, "from the base", resolve(t, conn, anchors...), 0, 5, 7, 7, 0, 0)
	l.profile(10, 10)
	l.publish()
	wantProfiles(t, "recent over base", resolve(t, conn, anchors...), 0, 5, 10, 10, 0, 0)
}

func TestReadingShowsWholeFlushes(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	l := newLedger(t, conn, "main", 1)
	l.owner(set|1, 10)
	l.profile(10, 7)
	wantProfiles(t, "before publication", resolve(t, conn, set|1, 10), 0, 10)
	l.publish()
	wantProfiles(t, "after publication", resolve(t, conn, set|1, 10), 7, 7)
	l.owner(set|1, 11)
	l.profile(11, 8)
	wantProfiles(t, "before the second publication", resolve(t, conn, set|1, 11), 7, 11)
	fold(t, conn)
	wantProfiles(t, "before the second publication, folded", resolve(t, conn, set|1, 11), 7, 11)
	l.publish()
	wantProfiles(t, "after the second publication", resolve(t, conn, set|1, 11), 8, 8)
}

// A query that runs while flushes are published and folded sees the version
// that stood when it started, in every row. Many recent changes make it
// read its version long before it opens the base, which is when a fold that
// did not wait for it would slip in.
func TestReadingIsOneVersionPerQuery(t *testing.T) {
	conn, cfg := warehousetest.NewTestDatabaseConfig(t)
	l := newLedger(t, conn, "main", 1)
	l.owner(set|1, 10)
	l.profile(10, 1)
	l.publish()
	fold(t, conn)
	l.v.Sequence++
	l.exec("INSERT INTO reading_recent (workspace, hop, id, epoch, sequence, value) SELECT 'main', 2, 1000 + number, 1, ?, 1 FROM numbers(200_000)", l.v.Sequence)
	l.publish()

	reader, err := warehouse.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	id := "reader-of-" + cfg.Database()
	type result struct {
		seen []uint64
		err  error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		query := "SELECT groupUniqArray(p) FROM (SELECT " + warehouse.AnchorProfile("bitOr(bitShiftLeft(toUInt64(1), 63), 1 + 0 * number)") +
			" AS p, sleepEachRow(0.05) FROM numbers(20) SETTINGS max_block_size = 1, max_threads = 1)"
		r.err = reader.QueryRow(queryID(id), query).Scan(&r.seen)
		done <- r
	}()
	waitRead(t, conn, id, 200_000) // its version, which is what it starts with
	for profile := uint64(2); profile < 5; profile++ {
		l.profile(10, profile)
		l.publish()
	}
	fold(t, conn)
	wantProfiles(t, "a query after the fold", resolve(t, conn, set|1), 4)
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	wantProfiles(t, "the query that started before", r.seen, 1)
}

func TestReadingCutsAReplacedOwner(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	old := newLedger(t, conn, "main", 1)
	old.profile(10, 1)
	old.publish()
	old.profile(10, 2) // not published when its successor starts
	next := newLedger(t, conn, "main", 2)
	old.profile(10, 3)
	old.publish() // a paused owner wakes up
	wantProfiles(t, "rows past the cut", resolve(t, conn, 10), 1)
	fold(t, conn)
	wantProfiles(t, "rows past the cut, folded", resolve(t, conn, 10), 1)
	next.profile(10, 4)
	next.publish()
	old.profile(10, 5)
	old.publish()
	wantProfiles(t, "rows of the successor", resolve(t, conn, 10), 4)
	newLedger(t, conn, "main", 5)
	fold(t, conn)
	wantProfiles(t, "after an owner that changed nothing", resolve(t, conn, 10), 4)
}

// An owner may publish and be folded in the moment between its successor's
// look at the published version and the successor's first row.
func TestStartEpochMendsAFoldPastTheCut(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	old := newLedger(t, conn, "main", 1)
	old.profile(10, 1)
	old.publish()
	old.profile(10, 2)
	old.publish()
	fold(t, conn)
	// What a successor writes that saw only the first publication.
	old.exec("INSERT INTO identity_epochs (workspace, epoch, started_at, previous_epoch, last_sequence_seen) VALUES ('main', 2, ?, 1, 1)", epochZero)
	if err := warehouse.MendBase(t.Context(), conn, "main", warehouse.Version{Epoch: 1, Sequence: 1}); err != nil {
		t.Fatal(err)
	}
	wantProfiles(t, "rows past the cut that were folded", resolve(t, conn, 10), 1)
}

func TestReadingKeepsWorkspacesApart(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	a, b := newLedger(t, conn, "a", 3), newLedger(t, conn, "b", 1)
	a.profile(10, 1)
	a.publish()
	b.profile(20, 2)
	b.publish()
	b.profile(20, 3)
	wantProfiles(t, "each at its own version", resolveBoth(t, conn), 1, 2)
	fold(t, conn)
	wantProfiles(t, "each at its own version, folded", resolveBoth(t, conn), 1, 2)
	b.publish()
	wantProfiles(t, "each at its own version again", resolveBoth(t, conn), 1, 3)
}

// resolveBoth asks for 10 of workspace a and 20 of b, in one query and in one of each.
func resolveBoth(t *testing.T, conn driver.Conn) []uint64 {
	t.Helper()
	got := resolveBy(t, conn, warehouse.Reading{}, "a", 10, 20)
	bound := append(resolveBy(t, conn, readingNow(t, conn, "a"), "a", 10), resolveBy(t, conn, readingNow(t, conn, "b"), "b", 20)...)
	wantProfiles(t, "bound to the version", bound, got...)
	return got
}

// Random flushes, successors, late rows of replaced owners and folds, against
// a model in memory.
func TestReadingAgainstModel(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn := warehousetest.NewTestDatabase(t)
	steps := 80
	if n, err := strconv.Atoi(os.Getenv("KINDRED_TEST_COUNT")); err == nil {
		steps = max(steps, n/50)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	owners, profiles := map[uint64]uint64{}, map[uint64]uint64{}
	l := newLedger(t, conn, "main", 1)
	var replaced []*ledger
	pending := func() {}
	for step := range steps {
		switch k := r.IntN(20); {
		case k < 7:
			id, to := 1+r.Uint64N(6), 1+r.Uint64N(6)
			l.profile(id, to)
			pending = after(pending, func() { profiles[id] = to })
		case k < 12:
			id, to := set|r.Uint64N(4), r.Uint64N(7)
			l.owner(id, to)
			pending = after(pending, func() { owners[id] = to })
		case k < 16:
			l.publish()
			pending()
			pending = func() {}
		case k < 17:
			replaced = append(replaced, l)
			l = newLedger(t, conn, "main", l.v.Epoch+1+r.Uint64N(2))
			pending = func() {}
		case k < 19 && len(replaced) > 0:
			late := replaced[r.IntN(len(replaced))]
			late.profile(1+r.Uint64N(6), 1+r.Uint64N(6))
			late.publish()
		default:
			fold(t, conn)
		}
		var anchors, want []uint64
		for i := range uint64(7) {
			anchors = append(anchors, i, set|i)
			want = append(want, model(owners, profiles, i), model(owners, profiles, set|i))
		}
		if diff := cmp.Diff(want, resolve(t, conn, anchors...)); diff != "" {
			t.Fatalf("step %d (-want +got):\n%s", step, diff)
		}
	}
}

func after(first, then func()) func() { return func() { first(); then() } }

func model(owners, profiles map[uint64]uint64, anchor uint64) uint64 {
	id, ok := owners[anchor]
	if !ok && anchor&set == 0 {
		id = anchor
	}
	if p, ok := profiles[id]; ok {
		return p
	}
	return id
}

func waitRunning(t *testing.T, conn driver.Conn, id string) {
	t.Helper()
	waitRead(t, conn, id, 0)
}

// waitRead waits until a query has read as many rows.
func waitRead(t *testing.T, conn driver.Conn, id string, rows uint64) {
	t.Helper()
	for range 100_000 {
		var n uint64
		if err := conn.QueryRow(t.Context(), "SELECT count() FROM system.processes WHERE query_id = ? AND read_rows >= ?", id, rows).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
	}
	t.Fatalf("query %s never read %d rows", id, rows)
}

func TestFolderFoldsByItself(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	cfg := warehouse.DefaultFoldConfig()
	cfg.MaxRecent, cfg.Interval = 2, 10*time.Millisecond
	folder, err := warehouse.NewFolder(cfg, conn, func() time.Time { return epochZero }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- folder.Run(ctx) }()
	l := newLedger(t, conn, "main", 1)
	for i := range uint64(3) {
		l.profile(10+i, 1)
	}
	l.publish()
	left := uint64(3)
	for deadline := time.Now().Add(time.Minute); left > 0 && time.Now().Before(deadline); {
		if err := conn.QueryRow(t.Context(), "SELECT count() FROM reading_recent").Scan(&left); err != nil {
			t.Fatal(err)
		}
	}
	if left > 0 {
		t.Errorf("%d recent rows were never folded", left)
	}
	wantProfiles(t, "folded", resolve(t, conn, 10, 11, 12), 1, 1, 1)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestFoldConfigReportsEveryFault(t *testing.T) {
	err := warehouse.FoldConfig{Cluster: "a b"}.Validate()
	for _, part := range []string{"max recent", "interval", "cluster name"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not tell of %q", err, part)
		}
	}
}
