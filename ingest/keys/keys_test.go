package keys_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/ingest/keys"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

// world applies commands as soon as they are sent, by a new owner each time: each
// of them begins with all commands anew, like one whose commit was lost.
type world struct {
	t       *testing.T
	conn    driver.Conn
	ring    *keys.Ring
	service *keys.Service

	mu    sync.Mutex // Protects the fields below.
	sent  []kafka.Message
	clock time.Time
}

var start = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	w := &world{t: t, conn: warehousetest.NewTestDatabase(t), clock: start}
	w.ring = w.newRing()
	w.service = keys.NewService(w.conn, control.NewClient(w, w.conn, 10*time.Second), w.ring)
	return w
}

func (w *world) newRing() *keys.Ring {
	ring, err := keys.NewRing(keys.DefaultConfig(), w.conn, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	return ring
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
	handler := keys.NewHandler(w.conn)
	owner, err := control.NewOwner(control.DefaultConfig(), control.Deps{
		Conn: w.conn, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
		Handlers: map[string]control.Handler{keys.KindCreate: handler, keys.KindRotate: handler, keys.KindRevoke: handler},
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

func (w *world) create(workspace string, c keys.Creation) (*keys.Key, string) {
	w.t.Helper()
	k, secret, err := w.service.Create(w.t.Context(), workspace, "ana", c)
	if err != nil {
		w.t.Fatal(err)
	}
	return k, secret
}

func hashOf(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

// TestLifeOfAKey makes, rotates and revokes keys, and looks at what another process
// sees of it, and at where their secrets are.
func TestLifeOfAKey(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	other := w.newRing()
	find := func(secret string) (keys.Key, bool) {
		t.Helper()
		if err := other.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
		return other.Find(hashOf(secret))
	}
	if w.ring.Loaded() {
		t.Error("a new ring says that it is loaded")
	}
	shop, first := w.create("main", keys.Creation{Name: "shop", Role: "write", Source: "web", Rate: 2.5, Burst: 7, Expires: start.AddDate(1, 0, 0)})
	if shop.Workspace != "main" || shop.Role != "write" || shop.Source != "web" || shop.Actor != "ana" || shop.Rate != 2.5 || shop.Burst != 7 || !shop.Expires.Equal(start.AddDate(1, 0, 0)) || shop.Revoked {
		t.Errorf("made %+v", shop)
	}
	if k, ok := find(first); !ok || k.ID != shop.ID || k.Workspace != "main" {
		t.Errorf("another process finds %+v, %t", k, ok)
	}
	if strings.Contains(first, shop.ID) {
		t.Error("the secret holds the id")
	}
	rotated, second, err := w.service.Rotate(ctx, "main", "ben", shop.ID, time.Hour)
	if err != nil || second == first || rotated.Actor != "ben" || !rotated.Created.Equal(shop.Created) {
		t.Fatalf("rotated %+v, %v", rotated, err)
	}
	if k, ok := find(second); !ok || !k.Expires.Equal(shop.Expires) {
		t.Errorf("the new secret finds %+v, %t", k, ok)
	}
	if k, ok := find(first); !ok || !k.Expires.Equal(rotated.Changed.Add(time.Hour)) {
		t.Errorf("the secret before finds %+v, %t, want it until an hour after the rotation", k, ok)
	}
	_, third, err := w.service.Rotate(ctx, "main", "ben", shop.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{first, second} {
		if _, ok := find(gone); ok {
			t.Error("a secret outlives a rotation without grace")
		}
	}
	if k, err := w.service.Revoke(ctx, "main", "ana", shop.ID); err != nil || !k.Revoked {
		t.Fatalf("revoked %+v, %v", k, err)
	}
	if k, ok := find(third); !ok || !k.Revoked {
		t.Errorf("the revoked key is %+v, %t", k, ok)
	}
	if list, err := w.service.List(ctx, "main"); err != nil || len(list) != 1 || !list[0].Revoked {
		t.Errorf("list: %+v, %v", list, err)
	}
	if list, err := w.service.List(ctx, "other"); err != nil || len(list) != 0 {
		t.Errorf("list of another workspace: %+v, %v", list, err)
	}
	w.nowhere(first, second, third)
}

// TestRingFollows: a ring that runs sees what another process has decided.
func TestRingFollows(t *testing.T) {
	w := newWorld(t)
	_, before := w.create("main", keys.Creation{Name: "before", Role: "read"})
	cfg := keys.DefaultConfig()
	cfg.Poll = time.Millisecond
	ring, err := keys.NewRing(cfg, w.conn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ring.Run(ctx) }()
	until := func(what string, is func() bool) {
		t.Helper()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for end := time.After(time.Minute); !is(); {
			select {
			case <-tick.C:
			case <-end:
				t.Fatalf("waited in vain until %s", what)
			}
		}
	}
	until("it is loaded", ring.Loaded)
	if _, ok := ring.Find(hashOf(before)); !ok {
		t.Error("a loaded ring lacks a key")
	}
	k, after := w.create("main", keys.Creation{Name: "after", Role: "read"})
	until("a new key is there", func() bool { _, ok := ring.Find(hashOf(after)); return ok })
	if _, err := w.service.Revoke(t.Context(), "main", "ana", k.ID); err != nil {
		t.Fatal(err)
	}
	until("it is revoked", func() bool { now, _ := ring.Find(hashOf(after)); return now.Revoked })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// nowhere looks for secrets in all that was sent and all that is stored.
func (w *world) nowhere(secrets ...string) {
	w.t.Helper()
	var stored string
	if err := w.conn.QueryRow(w.t.Context(), "SELECT concat((SELECT toString(groupArray(tuple(*))) FROM api_keys), (SELECT toString(groupArray(tuple(*))) FROM control_outcomes))").Scan(&stored); err != nil {
		w.t.Fatal(err)
	}
	if !strings.Contains(stored, fmt.Sprintf("%x", hashOf(secrets[0]))) {
		w.t.Error("the hash of a secret is not stored: the search finds nothing")
	}
	for _, m := range w.sent {
		stored += string(m.Value)
	}
	for _, secret := range secrets {
		if strings.Contains(stored, secret) || strings.Contains(stored, secret[4:20]) {
			w.t.Error("a secret is stored or sent")
		}
	}
}

func TestRefusedChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := newWorld(t)
	ctx := t.Context()
	shop, _ := w.create("main", keys.Creation{Name: "shop", Role: "read"})
	w.create("other", keys.Creation{Name: "shop", Role: "read"}) // A name of each workspace.
	f := func(what string, err, want error, detail string) {
		t.Helper()
		if !errors.Is(err, want) || !strings.Contains(fmt.Sprint(err), detail) {
			t.Errorf("%s: %v, want %v with %q", what, err, want, detail)
		}
	}
	create := func(c keys.Creation) error {
		_, _, err := w.service.Create(ctx, "main", "ana", c)
		return err
	}
	f("a name twice", create(keys.Creation{Name: "shop", Role: "read"}), keys.ErrConflict, "live key of this name")
	f("odd role", create(keys.Creation{Name: "x", Role: "owner"}), keys.ErrRefused, "role")
	f("no name", create(keys.Creation{Role: "read"}), keys.ErrRefused, "name")
	f("odd rate", create(keys.Creation{Name: "x", Role: "read", Rate: -1}), keys.ErrRefused, "rate")
	f("in the past", create(keys.Creation{Name: "x", Role: "read", Expires: start}), keys.ErrRefused, "expired")
	_, err := w.service.Revoke(ctx, "other", "ana", shop.ID)
	f("revoke another's", err, keys.ErrNotFound, "")
	_, _, err = w.service.Rotate(ctx, "other", "ana", shop.ID, 0)
	f("rotate another's", err, keys.ErrNotFound, "")
	_, err = w.service.Revoke(ctx, "main", "ana", "' OR 1 --")
	f("odd id", err, keys.ErrNotFound, "")
	brief, _ := w.create("main", keys.Creation{Name: "brief", Role: "read", Expires: w.clock.Add(3 * time.Second)})
	w.create("main", keys.Creation{Name: "a while", Role: "read"})
	w.create("main", keys.Creation{Name: "another", Role: "read"})
	_, _, err = w.service.Rotate(ctx, "main", "ana", brief.ID, 0)
	f("rotate what expired", err, keys.ErrConflict, "has expired")
	w.create("main", keys.Creation{Name: "brief", Role: "read"}) // The name is free again.
	if _, err = w.service.Revoke(ctx, "main", "ana", shop.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.service.Revoke(ctx, "main", "ana", shop.ID)
	f("revoke twice", err, keys.ErrConflict, "before")
	_, _, err = w.service.Rotate(ctx, "main", "ana", shop.ID, 0)
	f("rotate what was revoked", err, keys.ErrConflict, "was revoked")
	w.create("main", keys.Creation{Name: "shop", Role: "read"})
}

// TestForgedCommands: what does not come from the service is checked again.
func TestForgedCommands(t *testing.T) {
	w := newWorld(t)
	client := control.NewClient(w, w.conn, 10*time.Second)
	hash := strings.Repeat("ab", 32)
	send := func(kind, subject string, body any, want control.Verdict) {
		t.Helper()
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		o, err := client.Do(t.Context(), control.Command{Workspace: "main", Kind: kind, Subject: subject, Actor: "eve", Body: text})
		if err != nil || o.Verdict != want {
			t.Errorf("%s %s %s: %+v, %v, want %s", kind, subject, text, o, err, want)
		}
	}
	const a, b = "00000000000000aa", "00000000000000bb"
	send(keys.KindCreate, "A", keys.Creation{Name: "a", Role: "read", Hash: hash}, control.Refused)
	send(keys.KindCreate, a, "a", control.Refused)
	send(keys.KindCreate, a, keys.Creation{Name: "a", Role: "read", Hash: "short"}, control.Refused)
	send(keys.KindCreate, a, keys.Creation{Name: "a", Role: "read", Hash: hash}, control.OK)
	send(keys.KindCreate, a, keys.Creation{Name: "b", Role: "read", Hash: strings.Repeat("cd", 32)}, control.Conflict)
	send(keys.KindCreate, b, keys.Creation{Name: "b", Role: "admin", Hash: hash}, control.Refused)
	send(keys.KindRotate, a, keys.Rotation{Hash: hash}, control.Refused)
	send(keys.KindRotate, a, keys.Rotation{Hash: strings.Repeat("ef", 32), Grace: -1}, control.Refused)
	var rows uint64
	if err := w.conn.QueryRow(t.Context(), "SELECT count() FROM api_keys").Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d rows, %v, want that of the one key, however often its command was applied", rows, err)
	}
}
