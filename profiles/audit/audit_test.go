package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/audit"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

// failing refuses inserts while it is told to. One that is refused late was stored.
type failing struct {
	driver.Conn
	refuse, late atomic.Int64
}

func (f *failing) PrepareBatch(ctx context.Context, q string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	if f.refuse.Add(-1) >= 0 {
		return nil, errors.New("the store is gone")
	}
	b, err := f.Conn.PrepareBatch(ctx, q, opts...)
	return lateBatch{b, f}, err
}

type lateBatch struct {
	driver.Batch
	f *failing
}

func (b lateBatch) Send() error {
	err := b.Batch.Send()
	if err == nil && b.f.late.Add(-1) >= 0 {
		return errors.New("the answer was lost")
	}
	return err
}

// running is a log that runs until the test stops it.
type running struct {
	*audit.Log
	conn *failing
	stop func() error
}

func run(t *testing.T, change func(*audit.Config)) *running {
	t.Helper()
	conn := &failing{Conn: warehousetest.NewTestDatabase(t)}
	cfg := audit.DefaultConfig()
	cfg.Linger, cfg.RetryMin, cfg.RetryMax, cfg.Drain = time.Millisecond, time.Millisecond, time.Millisecond, 30*time.Second
	if change != nil {
		change(&cfg)
	}
	l, err := audit.New(cfg, conn, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	stopped := false
	r := &running{l, conn, func() error { stopped = true; cancel(); return <-done }}
	t.Cleanup(func() {
		if !stopped {
			if err := r.stop(); err != nil {
				t.Error(err)
			}
		}
	})
	return r
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func entry(n int, action string) audit.Entry {
	return audit.Entry{
		ID: fmt.Sprintf("%032x", n), Workspace: "main", Time: noon.Add(time.Duration(n) * time.Second), RequestID: fmt.Sprint("r", n), KeyID: "k1", KeyName: "carla's",
		Role: "marketer", Actor: "Carla", Action: action, Method: "GET", Route: "/v1/profiles/:id", Resource: "web", Subjects: []identity.ProfileID{identity.ProfileID(n), 77}, Status: 200,
	}
}

func (r *running) list(t *testing.T, f audit.Filter) []audit.Entry {
	t.Helper()
	var all []audit.Entry
	cursor := ""
	for {
		page, next, err := r.List(t.Context(), "main", f, cursor, 3)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, page...); next == "" {
			return all
		}
		cursor = next
	}
}

// begin is Begin that ends some time, also where nothing is ever stored.
func (r *running) begin(t *testing.T, e audit.Entry) error {
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	return r.Begin(ctx, e)
}

// TestRecord writes through failures and lost answers, and reads back by filters
// and by pages.
func TestRecord(t *testing.T) {
	r := run(t, nil)
	var want []audit.Entry
	for n := range 10 {
		e := entry(n, "read")
		want = append([]audit.Entry{e}, want...)
		if n == 4 {
			r.conn.refuse.Store(2)
			r.conn.late.Store(2)
		}
		if err := r.Note(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	change := entry(10, "change")
	change.Method, change.Subjects, change.Status, change.Actor, change.Time = "POST", nil, 0, "", want[0].Time // Two entries of one time.
	if err := r.begin(t, change); err != nil {
		t.Fatal(err)
	}
	if got := r.list(t, audit.Filter{}); len(got) != 11 || cmp.Diff(change, got[0]) != "" {
		t.Fatalf("begun: %s", cmp.Diff(change, got))
	}
	change.Status, change.Subjects = 409, []identity.ProfileID{5}
	if err := r.Note(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	if err := r.stop(); err != nil { // Writes what is queued.
		t.Fatal(err)
	}
	want = append([]audit.Entry{change}, want...)
	if d := cmp.Diff(want, r.list(t, audit.Filter{})); d != "" {
		t.Errorf("on record, -want +got:\n%s", d)
	}
	var rows uint64
	if err := r.conn.QueryRow(t.Context(), "SELECT count() FROM audit_log").Scan(&rows); err != nil || rows != 12 {
		t.Errorf("%d rows, %v, want ten of readings and two of the change, whatever was inserted again", rows, err)
	}
	for _, c := range []struct {
		f    audit.Filter
		want string // request ids
	}{
		{audit.Filter{Action: "change"}, "r10"},
		{audit.Filter{RequestID: "r7"}, "r7"},
		{audit.Filter{Subjects: []identity.Key{5}}, "r10 r5"},
		{audit.Filter{Subjects: []identity.Key{1, 2, 99}}, "r2 r1"},
		{audit.Filter{KeyID: "k2"}, ""},
		{audit.Filter{Actor: "Carla' OR 1 --"}, ""},
		{audit.Filter{Actor: "Carla", Since: noon.Add(3 * time.Second), Until: noon.Add(6 * time.Second)}, "r5 r4 r3"},
		{audit.Filter{Route: "/v1/profiles/:id", Since: noon.Add(8 * time.Second), Action: "read"}, "r9 r8"},
	} {
		var ids []string
		for _, e := range r.list(t, c.f) {
			ids = append(ids, e.RequestID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%+v: %s, want %s", c.f, got, c.want)
		}
	}
	if list, _, err := r.List(t.Context(), "other", audit.Filter{}, "", 10); err != nil || len(list) != 0 {
		t.Errorf("another workspace reads %d entries, %v", len(list), err)
	}
	for _, bad := range []string{"x", "MTIz", "LTEgMDA"} {
		if _, _, err := r.List(t.Context(), "main", audit.Filter{}, bad, 10); !errors.Is(err, audit.ErrCursor) {
			t.Errorf("cursor %q: %v", bad, err)
		}
	}
}

// TestNobodyIsToldTooEarly: a change begins when its entry is stored and not before,
// and what waits in the queue is bounded.
func TestNobodyIsToldTooEarly(t *testing.T) {
	r := run(t, func(c *audit.Config) { c.Queue, c.Block = 2, 1 })
	r.conn.refuse.Store(1 << 40)
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan error, 1)
	go func() { begun <- r.Begin(ctx, entry(1, "change")) }()
	full := false
	for n := 2; n < 20 && !full; n++ {
		short, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
		full = r.Note(short, entry(n, "read")) != nil
		stop()
	}
	if !full {
		t.Error("the queue has no end")
	}
	cancel()
	if err := <-begun; !errors.Is(err, context.Canceled) {
		t.Errorf("a change begins though its entry is not stored: %v", err)
	}
	r.conn.refuse.Store(0)
	if err := r.begin(t, entry(30, "change")); err != nil {
		t.Fatal(err)
	}
	if got := len(r.list(t, audit.Filter{})); got < 3 {
		t.Errorf("%d entries on record, want those that waited too", got)
	}
}

// What cannot be written at the end is an error and not silence.
func TestLossIsTold(t *testing.T) {
	r := run(t, func(c *audit.Config) { c.Drain = 20 * time.Millisecond })
	r.conn.refuse.Store(1 << 40)
	for n := range 3 {
		if err := r.Note(t.Context(), entry(n, "read")); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.stop(); err == nil || !strings.Contains(err.Error(), "3 rows") {
		t.Errorf("stopped with %v", err)
	}
}
