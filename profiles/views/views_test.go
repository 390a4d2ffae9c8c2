package views

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

var day = time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)

// notes is a Source of what a test says.
type notes struct {
	next      []Note
	committed int
	end       int64
}

func (n *notes) Fetch(context.Context) ([]Note, error) {
	next := n.next
	n.next = nil
	return next, nil
}

func (n *notes) Hold(context.Context) (time.Duration, error) { return time.Hour, nil }

func (n *notes) Commit(context.Context) error { n.committed++; return nil }

func (n *notes) End(context.Context) (int64, error) { return n.end, nil }

// scene is a world with a projector and a reader of its rows.
type scene struct {
	*testing.T
	*clickhousetest.World
	clock  time.Time
	store  *clickhouse.Store
	reader *Reader
	rows   *rows
	work   *work
	notes  *notes
	feed   *Feed // nil for none
}

func newScene(t *testing.T, form clickhouse.Config) *scene {
	t.Helper()
	conn := warehousetest.NewTestDatabase(t)
	s := &scene{T: t, World: clickhousetest.New(t, conn, "main"), clock: day, notes: &notes{}}
	s.open(form)
	return s
}

// open starts a projector and a reader anew.
func (s *scene) open(form clickhouse.Config) {
	s.Helper()
	form.VersionAge = 0
	now := func() time.Time { return s.clock }
	store, err := clickhouse.New(form, s.Conn, now)
	if err != nil {
		s.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.MarkAge, cfg.Delay, cfg.Share, cfg.Batch = 0, 0, 1, 5
	projector, err := NewProjector(cfg, ProjectorDeps{
		Conn: s.Conn, Form: form, Store: store, Settle: func(context.Context) error { return nil },
		Now: now, Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		s.Fatal(err)
	}
	deps := ReaderDeps{Conn: s.Conn, Form: form, Store: store, Feed: s.feed, Slow: store, Now: now, Registerer: prometheus.NewRegistry()}
	if s.reader, err = NewReader(cfg, deps); err != nil {
		s.Fatal(err)
	}
	deps.Registerer = prometheus.NewRegistry()
	if s.rows, err = newRows(cfg, deps); err != nil {
		s.Fatal(err)
	}
	s.store, s.work = store, projector.newWork(s.notes)
}

// project lets the projector do all there is to do for keys.
func (s *scene) project(keys ...identity.Key) {
	s.Helper()
	s.notes.next = append(s.notes.next, Note{Workspace: "main", Keys: keys, Place: s.notes.end})
	s.work.renewed = time.Time{}
	for range 40 {
		s.clock = s.clock.Add(time.Millisecond) // Of two marks the later one stands.
		if err := s.work.round(s.Context()); err != nil {
			s.Fatal(err)
		}
		if s.work.notes == 0 && len(s.work.sweeps) == 0 {
			return
		}
	}
	s.Fatal("the projector does not end")
}

// mustEqual compares what rows alone tell of keys, where they tell something, with what
// is read from events, and returns how many views there were.
func (s *scene) mustEqual(what string, keys []identity.Key) (served int) {
	s.Helper()
	ctx := s.Context()
	resolved, err := s.rows.ResolveMany(ctx, "main", keys)
	wanted, wantErr := s.store.ResolveMany(ctx, "main", keys)
	if err != nil || wantErr != nil {
		s.Fatalf("%s: %v, %v", what, err, wantErr)
	}
	for i, id := range resolved {
		if id != 0 && id != wanted[i] {
			s.Fatalf("%s: key %d is %s's by rows, and %s's", what, i, id, wanted[i])
		}
	}
	wanted = append(wanted, resolved...)
	views, err := s.rows.LoadMany(ctx, "main", wanted)
	profiles, wantErr := s.store.LoadMany(ctx, "main", wanted)
	if err != nil || wantErr != nil {
		s.Fatalf("%s: %v, %v", what, err, wantErr)
	}
	for i, view := range views {
		if view == nil {
			continue
		}
		served++
		if d := cmp.Diff(profiles[i], view, unexported, cmpopts.EquateEmpty()); d != "" {
			s.Fatalf("%s (-by events +by rows):\n%s", what, d)
		}
	}
	return served
}

// fromRow reports whether a row alone answers for a profile.
func (s *scene) fromRow(id identity.ProfileID) bool {
	s.Helper()
	found, err := s.rows.LoadMany(s.Context(), "main", []identity.ProfileID{id})
	if err != nil {
		s.Fatal(err)
	}
	return found[0] != nil
}

// history makes random things happen to a few people.
type history struct {
	*scene
	*rand.Rand
	n     int
	named []identity.Key // by events since they were taken
}

const people, steps = 6, 14

func (h *history) person() int { return h.IntN(people) }

// ids are the identifiers of a person, the founder first.
func ids(person int) []string {
	return []string{fmt.Sprintf("user_id:u%d", person), fmt.Sprintf("email:e%d@example.com", person), fmt.Sprintf("anonymous_id:a%d", person)}
}

func (h *history) event() {
	h.n++
	all := ids(h.person())
	e := clickhousetest.Event{
		MessageID: fmt.Sprint("m", h.n), Name: "Page", Type: "track", Time: day.Add(-time.Duration(h.IntN(300)) * time.Hour),
		Identifiers: [][]string{all[:1], all[1:2], all[:2], all, all[2:]}[h.IntN(5)], Properties: map[string]any{"n": h.n},
	}
	switch h.IntN(5) {
	case 0:
		e.Kind, e.Name = "transaction", "Order Completed"
		e.Order = &clickhousetest.Order{Type: "order", ID: e.MessageID, Status: "completed", Currency: "EUR", Amount: "12.50", Items: []clickhousetest.Item{{Product: "p", Name: "P", Quantity: "1", Price: "12.5"}}}
	case 1:
		e.Kind, e.Name = "contact", "Email Sent"
		e.Contact = &clickhousetest.Contact{Action: "sent", Channel: "email", ID: e.MessageID}
	case 2:
		e.Name, e.Type, e.Traits = "Identify", "identify", map[string]any{"plan": []any{"free", "gold", nil}[h.IntN(3)], "size": h.IntN(9)}
	case 3:
		e.Name, e.Type, e.Properties = "Group", "group", map[string]any{"groupId": fmt.Sprint("g", h.IntN(3))}
	}
	h.Add(e)
	for _, id := range e.Identifiers {
		h.named = append(h.named, h.Key(id))
	}
}

// step does one thing, publishes it and says what it was.
func (h *history) step() (what string) {
	p, q := h.person(), h.person()
	ctx := h.Context()
	switch n := h.IntN(12); {
	case n < 5:
		what = "events"
		for range 1 + h.IntN(3) {
			h.event()
		}
	case n < 7:
		what = fmt.Sprintf("merge %d into %d", q, p)
		h.Person(append(ids(p), ids(q)...)...)
	case n == 7:
		what = fmt.Sprintf("split %d and %d", p, q)
		h.Person(ids(p)...)
		h.Person(ids(q)...)
	case n == 8:
		what = fmt.Sprintf("house %d and %d", p, q)
		h.House([]string{"", "phone:+351211111111", "phone:+351212222222"}[h.IntN(3)],
			h.Profile(h.Key(ids(p)[0])), h.Profile(h.Key(ids(q)[0])))
	case n == 9:
		what = fmt.Sprintf("score of %d", p)
		h.n++
		h.Score(clickhousetest.Score{Profile: identity.ProfileID(h.Key(ids(p)[0])), Name: "churn", Model: "m", AsOf: day, ComputedAt: day.Add(time.Duration(h.n) * time.Second), Value: float64(h.n), Detail: "{}"})
	case n == 10:
		what = fmt.Sprintf("scores before now are withdrawn, and one of %d", p)
		h.n++
		h.Score(clickhousetest.Score{Profile: 0, Name: "churn", Model: "m", AsOf: day, ComputedAt: day.Add(time.Duration(h.n) * time.Second)})
	default:
		id := ids(p)[h.IntN(3)]
		what = "erase " + id
		h.Erase(ctx, h.Profile(h.Key(id)), day.Add(time.Duration(h.IntN(2))*400*time.Hour-200*time.Hour), id)
	}
	h.Flush(ctx)
	return what
}

// TestRowsTellWhatEventsTell: whatever happens to people, whether the projector has
// heard of it, has not, or was told half of it, everybody's view through rows is the
// one that is read from their events. And most are served by rows.
func TestRowsTellWhatEventsTell(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	form := clickhouse.DefaultConfig()
	form.Recent = 3
	h := &history{scene: newScene(t, form), Rand: rand.New(rand.NewPCG(seed, 1))}
	for p := range people {
		h.Person(ids(p)...)
		for range 3 {
			h.event()
		}
	}
	h.Flush(t.Context())
	var keys []identity.Key
	for p := range people {
		for _, id := range ids(p) {
			keys = append(keys, h.Key(id))
		}
	}
	var happened []string
	served := 0
	for step := range steps {
		var heard []identity.Key
		for _, key := range keys {
			if h.IntN(3) == 0 {
				heard = append(heard, key)
			}
		}
		if step == 0 || h.IntN(3) > 0 {
			happened = append(happened, "projected")
			h.project(heard...)
		}
		happened = append(happened, h.step())
		served += h.mustEqual(fmt.Sprintf("seed %d, step %d of %v", seed, step, happened), keys)
	}
	if served < steps {
		t.Errorf("only %v views of rows", served)
	}
}
