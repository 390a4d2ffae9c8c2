package valuation

import (
	"log/slog"
	"math/big"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// fact is a row of transaction_facts, as ingest writes it. An anchor of a
// single identifier is its profile until identity says otherwise.
type fact struct {
	anchor      uint64
	time        time.Time
	kind        string // "order" when empty
	order       string // order id
	status      string
	currency    string // "GBP" when empty
	amount      string // "0" when empty
	lines       []line
	workspace   string // "main" when empty
	messageHash int64  // the position when 0
	discount    string // "0" when empty
	// products and costs are those of the lines; none when empty.
	products, costs []string
}

type line struct{ quantity, price string }

// buy is an order with one line.
func buy(anchor uint64, at time.Time, price string) fact {
	return fact{anchor: anchor, time: at, amount: price, lines: []line{{"1", price}}}
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func decimals(t testing.TB, lines []line, pick func(line) string) []decimal.Decimal {
	t.Helper()
	out := make([]decimal.Decimal, len(lines))
	for i, l := range lines {
		d, err := decimal.NewFromString(pick(l))
		if err != nil {
			t.Fatal(err)
		}
		out[i] = d
	}
	return out
}

// insertFacts writes rows as ingest would.
func insertFacts(t testing.TB, conn driver.Conn, facts []fact) {
	t.Helper()
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO transaction_facts (workspace, anchor_id, time, message_hash, received_time, source, name, type, order_id, status, currency, amount, discount, items.product_id, items.name, items.category, items.quantity, items.price, items.cost)")
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range facts {
		hash := big.NewInt(f.messageHash)
		if f.messageHash == 0 {
			hash.SetInt64(int64(i) + 1_000_000)
		}
		amount, err := decimal.NewFromString(or(f.amount, "0"))
		if err != nil {
			t.Fatal(err)
		}
		texts, costs := make([]string, len(f.lines)), make([]decimal.Decimal, len(f.lines))
		products := f.products
		if products == nil {
			products = texts
		}
		for k, text := range f.costs {
			costs[k] = decimal.RequireFromString(text)
		}
		err = batch.Append(or(f.workspace, "main"), f.anchor, f.time, hash, f.time, "shop", "Order Completed", or(f.kind, "order"),
			f.order, or(f.status, "completed"), or(f.currency, "GBP"), amount, decimal.RequireFromString(or(f.discount, "0")), products, texts, texts,
			decimals(t, f.lines, func(l line) string { return l.quantity }),
			decimals(t, f.lines, func(l line) string { return l.price }), costs)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
}

// assign says in the published reading that an identifier belongs to a profile.
func assign(t testing.TB, conn driver.Conn, sequence, identifier, profile uint64) {
	t.Helper()
	err := conn.Exec(t.Context(), "INSERT INTO identifier_profile (workspace, identifier_id, epoch, sequence, profile_id, previous_id) VALUES (?, ?, 1, ?, ?, ?)",
		"main", identifier, sequence, profile, identifier)
	if err == nil {
		err = warehouse.PublishReading(t.Context(), conn, "main", warehouse.Version{Epoch: 1, Sequence: sequence}, time.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// worker returns a worker that takes the time from clock.
func worker(t testing.TB, conn driver.Conn, clock func() time.Time, change func(*Config)) *Worker {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	w, err := New(cfg, Deps{
		Conn: conn, Clock: clock, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func at(when time.Time) func() time.Time { return func() time.Time { return when } }

// row is a standing score.
type row struct {
	Value, Lower, Upper float64
	Version, Detail     string
}

// current reads the standing scores by profile and name.
func current(t testing.TB, conn driver.Conn) map[uint64]map[string]row {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT profile_id, score, value, lower, upper, model_version, detail FROM ("+CurrentScores()+")",
		clickhouse.Named("workspace", "main"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := map[uint64]map[string]row{}
	for rows.Next() {
		var profile uint64
		var name string
		var r row
		if err := rows.Scan(&profile, &name, &r.Value, &r.Lower, &r.Upper, &r.Version, &r.Detail); err != nil {
			t.Fatal(err)
		}
		if out[profile] == nil {
			out[profile] = map[string]row{}
		}
		if _, twice := out[profile][name]; twice {
			t.Errorf("profile %d has %s twice", profile, name)
		}
		out[profile][name] = r
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
