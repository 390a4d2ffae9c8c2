package scoring

import (
	"encoding/json"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

var start = time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)

// sell stores orders: of each customer, by day, products.
func sell(t *testing.T, conn driver.Conn, orders map[uint64]map[int][]string) {
	t.Helper()
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO transaction_facts (workspace, anchor_id, time, message_hash, received_time, source, name, type, order_id, status, currency, amount, items.product_id, items.name, items.category, items.quantity, items.price, items.cost)")
	hash := int64(0)
	for who, days := range orders {
		for day, products := range days {
			hash++
			empty, ones, none := make([]string, len(products)), make([]decimal.Decimal, len(products)), make([]decimal.Decimal, len(products))
			for i := range ones {
				ones[i] = decimal.NewFromInt(1)
			}
			at := start.AddDate(0, 0, day)
			if err == nil {
				err = batch.Append("main", who, at, big.NewInt(hash), at, "shop", "Order Completed", "order", "", "completed", "EUR", decimal.NewFromInt(int64(len(products))),
					products, empty, empty, ones, ones, none)
			}
		}
	}
	if err == nil {
		err = batch.Send()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A shop in which everybody has favourites: the score tells them, with names and
// reasons; it stands for a day, and is withdrawn where what people buy is chance.
func TestNextProduct(t *testing.T) {
	const seed = 11
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	conn := warehousetest.NewTestDatabase(t)
	name := func(n int) string { return "p" + string(rune('a'+n/26)) + string(rune('a'+n%26)) }
	orders, favourite := map[uint64]map[int][]string{}, map[uint64]string{}
	for i := range 300 {
		who := uint64(1000 + i)
		orders[who], favourite[who] = map[int][]string{}, name(r.IntN(60))
		for day := r.IntN(10); day < 150; day += 8 + r.IntN(8) {
			orders[who][day] = []string{name(r.IntN(60))}
			if r.IntN(3) > 0 {
				orders[who][day] = append(orders[who][day], favourite[who])
			}
		}
	}
	sell(t, conn, orders)
	if err := conn.Exec(t.Context(), "INSERT INTO catalogue_entries (workspace, type, item_id, stated, time, message_hash, name, category) VALUES ('main', 'product', '"+favourite[1000]+"', true, '2024-01-01', 1, 'Green Tea', ['Food', 'Tea'])"); err != nil {
		t.Fatal(err)
	}
	now := start.AddDate(0, 0, 150)
	w, err := New(DefaultConfig(), Deps{Conn: conn, Clock: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, s, err := w.published(t.Context())
	if err != nil || s == nil || s.Refused != "" || s.Scored != 300 || !s.Report.Better {
		t.Fatalf("%+v, %v", s, err)
	}
	t.Logf("%+v", s.Report)
	rows, err := conn.Query(t.Context(), "SELECT profile_id, value, detail FROM scores WHERE score = 'next_product' AND profile_id != 0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	first, tea := 0, false
	for rows.Next() {
		var who uint64
		var value float64
		var text string
		var d detail
		if err := rows.Scan(&who, &value, &text); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(text), &d); err != nil || len(d.Products) != 5 || d.Horizon != 30 || d.Products[0].Probability != value || value <= 0 || value >= 1 {
			t.Fatalf("%s: %v", text, err)
		}
		if p := d.Products[0]; p.ProductID == favourite[who] && p.Why == "bought_before" && p.Times > 1 {
			first++
		}
		tea = tea || who == 1000 && strings.Contains(text, `"name":"Green Tea","category":"Food / Tea"`)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if first < 270 || !tea {
		t.Errorf("the favourites of %d customers come first; named: %v", first, tea)
	}
	// It stands for a day.
	count := func() (n uint64) {
		if err := conn.QueryRow(t.Context(), "SELECT count() FROM scores WHERE score = 'next_product'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if now = now.Add(23 * time.Hour); w.Look(t.Context()) != nil || count() != 301 {
		t.Errorf("%d rows after 23 hours", count())
	}
	// A year later nobody has bought anything to judge by: withdrawn, and once.
	now = start.AddDate(0, 0, 500)
	for range 2 {
		if err := w.Look(t.Context()); err != nil || count() != 302 {
			t.Errorf("%d rows a year later, %v", count(), err)
		}
	}
	if _, s, err := w.published(t.Context()); err != nil || !strings.Contains(s.Refused, "not enough data") || s.Scored != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}
