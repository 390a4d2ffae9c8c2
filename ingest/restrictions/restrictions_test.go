package restrictions_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/ingest/restrictions"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

// world applies commands as soon as they are sent, by a new owner each time: each
// of them begins with all commands anew, like one whose commit was lost.
type world struct {
	t       *testing.T
	conn    driver.Conn
	list    *restrictions.List
	service *restrictions.Service

	mu    sync.Mutex // Protects the fields below.
	sent  []kafka.Message
	clock time.Time
}

var start = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	w := &world{t: t, conn: warehousetest.NewTestDatabase(t), clock: start}
	w.list = w.newList()
	w.service = restrictions.NewService(control.NewClient(w, w.conn, 10*time.Second), w.list)
	return w
}

func (w *world) newList() *restrictions.List {
	list, err := restrictions.NewList(restrictions.DefaultConfig(), w.conn, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// WriteMessages implements control.Publisher.
func (w *world) WriteMessages(ctx context.Context, msgs ...kafka.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range msgs {
		w.clock = w.clock.Add(time.Second)
		m.Offset, m.Time = int64(len(w.sent)), w.clock
		w.sent = append(w.sent, m)
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	handler := restrictions.NewHandler(w.conn)
	owner, err := control.NewOwner(control.DefaultConfig(), control.Deps{
		Conn: w.conn, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
		Handlers: map[string]control.Handler{restrictions.KindRestrict: handler, restrictions.KindRelease: handler},
	})
	if err != nil {
		return err
	}
	return owner.Own(ctx, &part{w.sent, end})
}

// part is the topic up to now; its end ends the owner.
type part struct {
	records []kafka.Message
	end     func()
}

func (p *part) Committed() (int64, string) { return 0, "" }

func (p *part) Fetch(_ context.Context, offset int64) ([]kafka.Message, error) {
	if offset >= int64(len(p.records)) {
		p.end()
		return nil, nil
	}
	return p.records[offset:], nil
}

func (p *part) Commit(context.Context, int64, string) error { return nil }

// since is since when whoever holds one of keys is restricted, as a process that has
// just started sees it and as this one does; 0 for not at all.
func (w *world) since(workspace string, keys ...identity.Key) int {
	w.t.Helper()
	var seen []string
	for _, list := range []*restrictions.List{w.newList(), w.list} {
		r, err := list.Find(w.t.Context(), workspace, keys...)
		if err != nil {
			w.t.Fatal(err)
		}
		if r == nil {
			seen = append(seen, "0")
			continue
		}
		seen = append(seen, fmt.Sprint(r.Since.Sub(start).Seconds()))
	}
	if seen[0] != seen[1] {
		w.t.Errorf("this process sees %s, and a new one %s", seen[1], seen[0])
	}
	n := 0
	_, _ = fmt.Sscan(seen[0], &n)
	return n
}

// TestRestrictions restricts, restricts again, releases and erases.
func TestRestrictions(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	// One that a JSON number of other languages would round.
	const user, mail, other identity.Key = 1<<63 - 1, 22, 33
	restrict := func(ground string, keys ...identity.Key) {
		t.Helper()
		if err := w.service.Restrict(ctx, "main", "ana", ground, keys); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(what string, want map[identity.Key]int) {
		t.Helper()
		for k, n := range want {
			if got := w.since("main", k); got != n {
				t.Errorf("%s: %d is restricted since second %d, want %d", what, k, got, n)
			}
		}
	}
	if w.since("main", user, mail) != 0 || w.list.Any("main") {
		t.Error("somebody is restricted from the start")
	}
	restrict("objection", user, mail, user)
	expect("restricted", map[identity.Key]int{user: 1, mail: 1, other: 0})
	if w.since("main", other, mail) != 1 || w.since("else", user) != 0 || !w.list.Any("main") || w.list.Any("else") {
		t.Error("whoever holds one of the identifiers is restricted, and nobody of another workspace")
	}
	restrict("accuracy", mail, other)
	expect("once more", map[identity.Key]int{user: 1, mail: 1, other: 2})
	if r, err := w.list.Find(ctx, "main", other, mail); err != nil || r.Ground != "objection" || r.Actor != "ana" || len(r.ID) != 16 {
		t.Errorf("the earliest: %+v, %v", r, err)
	}
	if there, err := w.service.Release(ctx, "main", "ben", []identity.Key{mail, 44}); err != nil || !there {
		t.Fatalf("release: %t, %v", there, err)
	}
	expect("released", map[identity.Key]int{user: 1, mail: 0, other: 2})
	if there, err := w.service.Release(ctx, "main", "ben", []identity.Key{mail}); err != nil || there || len(w.sent) != 3 {
		t.Errorf("release of who is not restricted: %t, %v, %d commands", there, err, len(w.sent))
	}
	// An erasure ends it, and what is asked for afterwards is another one.
	if err := w.conn.Exec(ctx, "INSERT INTO identity_erasures (workspace, id, what, erased_at, erasure_id) VALUES ('main', ?, 'identifier', ?, 'e')", uint64(user), start.Add(10*time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := w.list.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	expect("erased", map[identity.Key]int{user: 0, other: 2})
	w.clock = start.Add(20 * time.Second)
	restrict("", user)
	expect("come again", map[identity.Key]int{user: 21, mail: 0, other: 2})
	if err := w.service.Restrict(ctx, "main", "ana", "whim", []identity.Key{1}); !errors.Is(err, restrictions.ErrRefused) {
		t.Errorf("another ground: %v", err)
	}
	if err := w.service.Restrict(ctx, "main", "ana", "", nil); !errors.Is(err, restrictions.ErrRefused) {
		t.Errorf("nobody: %v", err)
	}
}
