package sql_test

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/deploy/sample"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// rows reads a compressed table without its head, one line at a time.
func rows(t *testing.T, from io.Reader, take func(fields []string)) {
	t.Helper()
	z, err := gzip.NewReader(from)
	if err != nil {
		t.Fatal(err)
	}
	reader := csv.NewReader(z)
	reader.ReuseRecord = true
	for n := 0; ; n++ {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			take(fields)
		}
	}
}

// instant reads the times of both tables, which name no zone.
func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// retail are the invoices of Online Retail as its analyses clean it: lines of known
// customers with a quantity and a price.
func retail(t *testing.T) (events []clickhousetest.Event, lines int) {
	t.Helper()
	places, amounts := map[string]int{}, []decimal.Decimal{}
	rows(t, strings.NewReader(sample.OnlineRetail()), func(f []string) {
		quantity, err := strconv.Atoi(f[3])
		price, wrong := decimal.NewFromString(f[5])
		if err != nil || wrong != nil {
			t.Fatal(err, wrong)
		}
		if f[6] == "" || quantity <= 0 || !price.IsPositive() {
			return
		}
		lines++
		i, ok := places[f[0]]
		if !ok {
			i = len(events)
			invoice := strings.Clone(f[0])
			places[invoice] = i
			amounts = append(amounts, decimal.Zero)
			events = append(events, clickhousetest.Event{
				MessageID: invoice, Kind: "transaction", Name: "Order Completed", Time: instant(t, f[4]), Identifiers: []string{"user_id:" + strings.TrimSuffix(f[6], ".0")},
				Order: &clickhousetest.Order{Type: "order", ID: invoice, Status: "completed", Currency: "GBP"},
			})
		}
		amounts[i] = amounts[i].Add(price.Mul(decimal.NewFromInt(int64(quantity))))
	})
	for i := range events {
		events[i].Order.Amount = amounts[i].String()
		events[i].Properties = map[string]any{"revenue": amounts[i].InexactFloat64()}
	}
	return events, lines
}

// counter counts the members of definitions.
func counter(t *testing.T, w *clickhousetest.World, at time.Time) func(definition string, want uint64) {
	t.Helper()
	cfg := sql.DefaultConfig()
	cfg.MaxExecution = time.Minute // However busy the machine is.
	p, err := sql.New(cfg, w.Conn, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	return func(definition string, want uint64) {
		t.Helper()
		d, err := segments.Parse([]byte(definition))
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Preview(t.Context(), w.Workspace, d, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got.Count != want {
			t.Errorf("%s: %d members, want %d", definition, got.Count, want)
		}
	}
}

// TestOnlineRetail counts the customers of a real shop by segments, against what the
// analyses of the same file publish: all customers, what they spent, and how many of
// the first month came again in each of the next twelve.
func TestOnlineRetail(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 541 909 lines")
	}
	events, lines := retail(t)
	if lines != 397_884 || len(events) != 18_532 {
		t.Fatalf("%d lines of %d invoices", lines, len(events))
	}
	w := clickhousetest.New(t, warehousetest.NewTestDatabase(t), "main")
	w.Add(events...)
	w.Flush(t.Context())
	count := counter(t, w, time.Date(2011, 12, 10, 0, 0, 0, 0, time.UTC))
	count(`{"orders":{"gte":1}}`, 4338)
	count(`{"revenue":{"gt":0},"currency":"GBP"}`, 4338)
	count(`{"event":"Order Completed","sum":"revenue","is":{"gt":0}}`, 4338)
	in := func(month int) string {
		first := time.Date(2010, time.Month(month), 1, 0, 0, 0, 0, time.UTC)
		return fmt.Sprintf(`{"event":"Order Completed","from":%q,"until":%q}`, first.Format(time.DateOnly), first.AddDate(0, 1, 0).Format(time.DateOnly))
	}
	for n, want := range []uint64{885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235} {
		count(`{"all":[`+in(12)+`,`+in(12+n)+`]}`, want)
	}
	// All of the money is that of people who ordered.
	var spent float64
	err := w.Conn.QueryRow(t.Context(), "SELECT toFloat64(sum(amount)) FROM transactions WHERE workspace = 'main' AND profile_id != 0").Scan(&spent)
	if err != nil || math.Abs(spent-8_911_407.90) > .01 {
		t.Errorf("spent %.2f, %v", spent, err)
	}
	// And falls into parts by what each has spent.
	count(`{"revenue":{"lt":1000},"currency":"GBP"}`, 4338-spenders(events, 1000))
	count(`{"revenue":{"gte":1000},"currency":"GBP"}`, spenders(events, 1000))
}

// spenders counts who spent so much.
func spenders(events []clickhousetest.Event, least int64) (n uint64) {
	spent := map[string]decimal.Decimal{}
	for _, e := range events {
		amount, _ := decimal.NewFromString(e.Order.Amount)
		spent[e.Identifiers[0]] = spent[e.Identifiers[0]].Add(amount)
	}
	for _, amount := range spent {
		if amount.GreaterThanOrEqual(decimal.NewFromInt(least)) {
			n++
		}
	}
	return n
}

// TestRetentioneeringFunnel follows the visitors of a real shop from its home page to a
// purchase within seven days, step by step as sequences. The click stream may be used for
// tests and not be shipped, so KINDRED_BEHAVIOUR_DATA names the folder that holds it
// (retentioneering_ecom.csv.gz).
func TestRetentioneeringFunnel(t *testing.T) {
	folder := os.Getenv("KINDRED_BEHAVIOUR_DATA")
	if folder == "" {
		t.Skip("KINDRED_BEHAVIOUR_DATA is not set")
	}
	file, err := os.Open(filepath.Join(folder, "retentioneering_ecom.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	w := clickhousetest.New(t, warehousetest.NewTestDatabase(t), "main")
	n := 0
	rows(t, file, func(f []string) {
		n++
		w.Add(clickhousetest.Event{MessageID: strconv.Itoa(n), Name: strings.Clone(f[2]), Time: instant(t, f[3]), Identifiers: []string{"user_id:" + strings.Clone(f[0])}})
	})
	if n != 31_106 {
		t.Fatalf("%d events", n)
	}
	w.Flush(t.Context())
	count := counter(t, w, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	steps := []string{"home", "catalog", "cart", "purchase"}
	for i, want := range []uint64{586, 554, 294, 97} {
		if i == 0 {
			count(`{"event":"home"}`, want)
			count(`{"not":{"event":"home"}}`, 600-want)
			continue
		}
		taken := make([]string, i+1)
		for n, step := range steps[:i+1] {
			taken[n] = fmt.Sprintf(`{"event":%q}`, step)
		}
		count(`{"sequence":[`+strings.Join(taken, ",")+`],"span":"7d"}`, want)
	}
}
