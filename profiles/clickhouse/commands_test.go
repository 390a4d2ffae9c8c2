package clickhouse_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// commandStore is a store with the tables of the identity role.
func commandStore(t *testing.T) (*clickhouse.Store, driver.Conn) {
	t.Helper()
	conn := warehousetest.NewTestDatabase(t)
	err := conn.Exec(t.Context(), `CREATE TABLE IF NOT EXISTS identity_commands (workspace LowCardinality(String), command_id String,
		kind LowCardinality(String), received_at DateTime64(3, 'UTC'), code LowCardinality(String), detail String,
		decisions UInt32, pairs UInt64, moved UInt64, epoch UInt64, sequence UInt64, actor String, reason String)
		ENGINE = MergeTree ORDER BY (workspace, command_id)`)
	if err != nil {
		t.Fatal(err)
	}
	store, err := clickhouse.New(clickhouse.DefaultConfig(), conn, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, conn, 9)
	return store, conn
}

// publish publishes the reading of epoch 7 up to a sequence.
func publish(t *testing.T, conn driver.Conn, sequence uint64) {
	t.Helper()
	err := warehouse.PublishReading(t.Context(), conn, "main", warehouse.Version{Epoch: 7, Sequence: sequence}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
}

func addCommand(t *testing.T, conn driver.Conn, workspace, id, kind, code string, at time.Time) {
	t.Helper()
	addOutcome(t, conn, workspace, id, kind, code, at, 7, 9)
}

func addOutcome(t *testing.T, conn driver.Conn, workspace, id, kind, code string, at time.Time, epoch, sequence uint64) {
	t.Helper()
	err := conn.Exec(context.WithoutCancel(t.Context()), `INSERT INTO identity_commands (workspace, command_id, kind, received_at, code, detail, decisions, pairs, moved, epoch, sequence, actor, reason)
		VALUES (?, ?, ?, ?, ?, 'a rule', 3, 2, 5, ?, ?, 'ana', 'a mix-up')`, workspace, id, kind, at, code, epoch, sequence)
	if err != nil {
		t.Error(err)
	}
}

func TestCommand(t *testing.T) {
	store, conn := commandStore(t)
	hostile := `c'1\"; DROP TABLE identity_commands --`
	addCommand(t, conn, "main", hostile, "unmerge", "", day)
	addCommand(t, conn, "main", hostile, "unmerge", "", day) // A retry.
	addCommand(t, conn, "main", "c2", "link", "cannot_link", day)

	got, err := store.Command(t.Context(), "main", hostile)
	want := &profiles.Command{
		Outcome: identity.Outcome{ID: hostile, Workspace: "main", Detail: "a rule", Decisions: 3, Pairs: 2, Moved: 5, Epoch: 7, Sequence: 9},
		Kind:    identity.Unmerge, ReceivedAt: day, Actor: "ana", Reason: "a mix-up",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("command: %v\n%s", err, diff)
	}
	if got, err = store.Command(t.Context(), "main", "c2"); err != nil || got.Code != identity.RefusedCannotLink || got.Kind != identity.Link {
		t.Errorf("refused command: %+v, %v", got, err)
	}
	for _, ask := range [][2]string{{"other", hostile}, {"main", "c"}, {"main", ""}} {
		if got, err := store.Command(t.Context(), ask[0], ask[1]); !errors.Is(err, profiles.ErrNoCommand) {
			t.Errorf("command of %q: %+v, %v", ask, got, err)
		}
	}
}

// TestOnlyPublishedOutcomesCount writes outcomes of versions that nobody can
// read: of a flush that is not published yet, and of an owner that was replaced.
func TestOnlyPublishedOutcomesCount(t *testing.T) {
	store, conn := commandStore(t)
	addOutcome(t, conn, "main", "c1", "block", "", day, 7, 12)
	addOutcome(t, conn, "main", "c1", "block", "blocked", day, 6, 50) // Epoch 6 published nothing.
	if got, err := store.Command(t.Context(), "main", "c1"); !errors.Is(err, profiles.ErrNoCommand) {
		t.Errorf("not published: %+v, %v", got, err)
	}
	publish(t, conn, 12)
	if got, err := store.Command(t.Context(), "main", "c1"); err != nil || got.Code != "" || got.Sequence != 12 {
		t.Errorf("published: %+v, %v", got, err)
	}
	addOutcome(t, conn, "new", "c1", "undo", "unknown", day, 0, 0)
	if got, err := store.Command(t.Context(), "new", "c1"); err != nil || got.Code != identity.RefusedUnknown {
		t.Errorf("before anything was published: %+v, %v", got, err)
	}
}

// TestAwaitCommand has the outcome come while somebody waits for it.
func TestAwaitCommand(t *testing.T) {
	store, conn := commandStore(t)
	asked := make(chan struct{})
	go func() {
		<-asked
		addCommand(t, conn, "main", "c1", "block", "", day)
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	close(asked)
	if got, err := store.AwaitCommand(ctx, "main", "c1"); err != nil || got.Kind != identity.BlockValue {
		t.Errorf("awaited: %+v, %v", got, err)
	}
	short, stop := context.WithTimeout(t.Context(), 40*time.Millisecond)
	defer stop()
	if got, err := store.AwaitCommand(short, "main", "c2"); !errors.Is(err, profiles.ErrNoCommand) {
		t.Errorf("awaited in vain: %+v, %v", got, err)
	}
	over, end := context.WithCancel(t.Context())
	end()
	if got, err := store.AwaitCommand(over, "main", "c2"); !errors.Is(err, profiles.ErrNoCommand) {
		t.Errorf("awaited after the end: %+v, %v", got, err)
	}
}

// silent is a ClickHouse without rows that counts what it is asked.
type silent struct {
	driver.Conn
	asked int
}

type noRows struct{ driver.Rows }

func (noRows) Next() bool   { return false }
func (noRows) Close() error { return nil }
func (noRows) Err() error   { return nil }

func (s *silent) Query(context.Context, string, ...any) (driver.Rows, error) {
	s.asked++
	return noRows{}, nil
}

// TestAwaitBacksOff bounds the queries of a wait of five seconds: from 15 ms up
// to four a second.
func TestAwaitBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &silent{}
		store, err := clickhouse.New(clickhouse.DefaultConfig(), conn, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err = store.AwaitCommand(ctx, "main", "c1")
		if !errors.Is(err, profiles.ErrNoCommand) || conn.asked < 20 || conn.asked > 30 {
			t.Errorf("%d queries in five seconds, %v", conn.asked, err)
		}
	})
}

func TestDeclaredRules(t *testing.T) {
	store, conn := commandStore(t)
	for version, text := range []string{`{"version":1}`, `{"version":2}`} {
		err := conn.Exec(t.Context(), "INSERT INTO identity_rules (workspace, version, rules, declared_at, actor) VALUES ('main', ?, ?, ?, 'ana')", uint64(version+1), text, day)
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := store.DeclaredRules(t.Context(), "main")
	if diff := cmp.Diff(&profiles.DeclaredRules{Version: 2, Rules: `{"version":2}`, DeclaredAt: day}, got); err != nil || diff != "" {
		t.Errorf("rules: %v\n%s", err, diff)
	}
	if got, err := store.DeclaredRules(t.Context(), "other"); !errors.Is(err, profiles.ErrNoRules) {
		t.Errorf("rules of another workspace: %+v, %v", got, err)
	}
}

func TestIdentifiersOfKeys(t *testing.T) {
	store, w := newStore(t)
	w.Person("email:ana@example.com", "user_id:ana")
	w.Add(clickhousetest.Event{MessageID: "1", Name: "View", Time: day, Identifiers: []string{"email:ana@example.com", "user_id:ana"}})
	w.Flush(t.Context())
	got, err := store.Identifiers(t.Context(), "main", []identity.Key{w.Key("email:ana@example.com"), w.Key("email:nobody@example.com")})
	want := map[identity.Key]identity.Identifier{w.Key("email:ana@example.com"): {Namespace: "email", Value: "ana@example.com"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("identifiers: %v\n%s", err, diff)
	}
	if got, err := store.Identifiers(t.Context(), "other", []identity.Key{w.Key("email:ana@example.com")}); err != nil || len(got) != 0 {
		t.Errorf("identifiers of another workspace: %v, %v", got, err)
	}
	if got, err := store.Identifiers(t.Context(), "main", nil); err != nil || len(got) != 0 {
		t.Errorf("identifiers of no keys: %v, %v", got, err)
	}
}
