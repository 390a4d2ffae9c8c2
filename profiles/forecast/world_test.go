package forecast

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/features"
	"github.com/kindred-cdp/kindred/profiles/propensity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// start is the first day of the history of a world.
var start = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

func day(n int) time.Time { return start.AddDate(0, 0, n) }

// world is a town of people who are keen at times: who is keen comes by, and buys.
type world struct {
	t      *testing.T
	conn   driver.Conn
	random *rand.Rand
	keen   []bool
	hash   int64
	now    time.Time
	told   []identity.ProfileID
	worker *Worker
	// received is when the events of a day came; at the same time where it is nil.
	received func(time.Time) time.Time
}

const workspace = "main"

func person(i int) uint64 { return uint64(1000 + i) }

func newWorld(t *testing.T, people int, seed uint64) *world {
	t.Helper()
	t.Logf("seed %d", seed)
	w := &world{t: t, conn: warehousetest.NewTestDatabase(t), random: rand.New(rand.NewPCG(seed, 2)), keen: make([]bool, people)}
	cfg := DefaultConfig()
	cfg.Moments, cfg.Propensity.Model = 4, propensity.Logistic
	reader, err := features.New(features.Deps{Conn: w.conn})
	if err != nil {
		t.Fatal(err)
	}
	w.worker, err = New(cfg, Deps{
		Conn: w.conn, Features: reader, Clock: func() time.Time { return w.now }, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
		Eligible: func(context.Context, string, json.RawMessage, time.Time) (map[identity.ProfileID]bool, error) {
			half := map[identity.ProfileID]bool{}
			for i := 0; i < people; i += 2 {
				half[identity.ProfileID(person(i))] = true
			}
			return half, nil
		},
		Scored: func(_ string, ids []identity.ProfileID) { w.told = append(w.told, ids...) },
	})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := w.conn.PrepareBatch(t.Context(), "INSERT INTO identifiers (workspace, identifier_id, source, period, namespace, value, first_event, first_received, last_event, last_received)")
	for i := 0; i < people && err == nil; i++ {
		w.keen[i] = w.random.IntN(4) == 0
		err = batch.Append(workspace, person(i), "web", int32(8100), "user_id", "u", start, start, start, start)
	}
	if err == nil {
		err = batch.Send()
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// event is one of a batch.
type event struct {
	who   int
	at    time.Time
	name  string
	order bool
}

// live lets days pass. Who is keen comes by every third day and buys now and then; moods
// last about two months.
func (w *world) live(from, to int) {
	w.t.Helper()
	var events []event
	for n := from; n < to; n++ {
		for i := range w.keen {
			if w.random.IntN(60) == 0 {
				w.keen[i] = w.random.IntN(4) == 0
			}
			rate, buys := .03, .002
			if w.keen[i] {
				rate, buys = .35, .03
			}
			at := day(n).Add(time.Duration(w.random.IntN(86_000)) * time.Second)
			if w.random.Float64() < rate {
				events = append(events, event{i, at, "Product Viewed", false})
			}
			if w.random.Float64() < buys {
				events = append(events, event{i, at, "Order Completed", true})
			}
			if w.random.Float64() < .01 {
				events = append(events, event{i, at, "Coin Tossed", false})
			}
		}
	}
	w.add(events...)
}

func (w *world) add(events ...event) {
	w.t.Helper()
	all, err := w.conn.PrepareBatch(w.t.Context(), "INSERT INTO events (workspace, anchor_id, time, message_hash, message_id, kind, name, type, source, received_time)")
	if err != nil {
		w.t.Fatal(err)
	}
	orders, err := w.conn.PrepareBatch(w.t.Context(), "INSERT INTO transaction_facts (workspace, anchor_id, time, message_hash, received_time, source, name, type, order_id, status, currency, amount)")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range events {
		w.hash++
		kind, received := "behaviour", e.at
		if w.received != nil {
			received = w.received(e.at)
		}
		if e.order {
			kind = "transaction"
			err = orders.Append(workspace, person(e.who), e.at, big.NewInt(w.hash), received, "shop", e.name, "order", "", "completed", "EUR", decimal.NewFromInt(20))
		}
		if err == nil {
			err = all.Append(workspace, person(e.who), e.at, big.NewInt(w.hash), "m", kind, e.name, "track", "web", received)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	for _, b := range []driver.Batch{all, orders} {
		if err := b.Send(); err != nil {
			w.t.Fatal(err)
		}
	}
}

// decide applies a decision as the next command.
func (w *world) decide(revision uint64, model string, c Change) {
	w.t.Helper()
	at := Place{Workspace: workspace, Model: model, Revision: revision, Actor: "tester", Time: w.now}
	if err := NewDefinitions(w.conn).Apply(w.t.Context(), at, c); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) put(revision uint64, model, definition string) {
	w.t.Helper()
	w.decide(revision, model, Change{Kind: Put, Definition: json.RawMessage(definition)})
}

// look lets the worker look once, and returns the model.
func (w *world) look(model string) *Model {
	w.t.Helper()
	if err := w.worker.Look(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	m, err := NewStore(w.conn).Get(w.t.Context(), workspace, model)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// number asks for one number.
func (w *world) number(query string) float64 {
	w.t.Helper()
	var n float64
	if err := w.conn.QueryRow(w.t.Context(), "SELECT toFloat64("+query+")", clickhouse.Named("workspace", workspace)).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// standing is the condition of the scores that stand.
func standing(model string) string {
	return "FROM scores WHERE score = '" + model + "' AND profile_id != 0 AND computed_at >= (SELECT max(computed_at) FROM scores WHERE score = '" + model + "' AND profile_id = 0)"
}
