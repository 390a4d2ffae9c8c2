package valuation

import (
	"compress/gzip"
	"encoding/csv"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/deploy/sample"
	"github.com/kindred-cdp/kindred/profiles/lifetime"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// retail reads Online Retail as the importer classes it: an invoice is an order,
// with C a refund; lines without a customer are of nobody.
func retail(t *testing.T) []fact {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(sample.OnlineRetail()))
	if err != nil {
		t.Fatal(err)
	}
	reader := csv.NewReader(z)
	reader.ReuseRecord = true
	if _, err := reader.Read(); err != nil {
		t.Fatal(err)
	}
	index := map[string]int{}
	var facts []fact
	var amounts []float64
	for {
		f, err := reader.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		i, ok := index[f[0]]
		if !ok {
			i = len(facts)
			invoice := strings.Clone(f[0])
			index[invoice] = i
			when, err := time.Parse("2006-01-02 15:04:05", f[4])
			if err != nil {
				t.Fatal(err)
			}
			anchor, _ := strconv.ParseUint(strings.TrimSuffix(f[6], ".0"), 10, 64)
			facts = append(facts, fact{anchor: anchor, time: when, order: invoice})
			if strings.HasPrefix(invoice, "C") {
				facts[i].kind = "refund"
			}
			amounts = append(amounts, 0)
		}
		quantity, price := mustFloat(t, f[3]), mustFloat(t, f[5])
		facts[i].lines = append(facts[i].lines, line{strings.Clone(f[3]), strings.Clone(f[5])})
		amounts[i] += quantity * price
	}
	for i := range facts {
		facts[i].amount = strconv.FormatFloat(amounts[i], 'f', 4, 64)
	}
	return facts
}

func mustFloat(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The real file: 4338 customers with a value, one giant whose order was sent
// back the same day, and what the last 91 days say of the forecast.
func TestOnlineRetail(t *testing.T) {
	if testing.Short() {
		t.Skip("loads 541 909 lines")
	}
	conn := warehousetest.NewTestDatabase(t)
	insertFacts(t, conn, retail(t))
	end := time.Date(2011, 12, 9, 23, 59, 0, 0, time.UTC)
	w := worker(t, conn, at(end), nil)
	s, err := w.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.CustomersWithValue != 4338 || s.Customers != 4338 || s.FirstPurchase != "2010-12-01" || s.LastPurchase != "2011-12-09" {
		t.Errorf("%+v", s)
	}
	t.Logf("%s %v (%.1f), spend %v mean %.2f correlation %.3f, fallback %q", s.Model, s.Parameters, s.LogLikelihood,
		s.SpendParameters, s.SpendMean, s.SpendCorrelation, s.Fallback)
	t.Logf("52-week value %.0f of %d customers, rejected %v, unmatched refunds %.2f", s.TotalValue, s.Customers, s.Rejected, s.UnmatchedRefunds)
	// Past revenue of those lines is 8 911 408 in 53 weeks.
	if s.TotalValue < 2e6 || s.TotalValue > 12e6 {
		t.Errorf("total value %v is not plausible", s.TotalValue)
	}
	scores := current(t, conn)
	for profile, names := range scores {
		for name, r := range names {
			if math.IsNaN(r.Value) || r.Value < 0 || r.Value > 1e6 || r.Lower > r.Upper || r.Upper > 5e6 {
				t.Errorf("profile %d %s: %+v", profile, name, r)
			}
		}
	}
	// 16446 bought 80 995 pieces for 168 469.60 and sent them back within the
	// hour; nothing remains of it but a purchase day.
	if giant := scores[16446][LifetimeValue1y]; giant.Value > 2000 {
		t.Errorf("the giant is worth %+v", giant)
	}
	logTop(t, scores)
	checkForecast(t, w, end)
}

func logTop(t *testing.T, scores map[uint64]map[string]row) {
	t.Helper()
	for _, profile := range []uint64{14646, 18102, 17450, 12346, 16446, 12415} {
		s := scores[profile]
		t.Logf("%d: alive %.3f, 90 days %.2f [%.0f, %.0f], spend %.2f, value %.0f [%.0f, %.0f]", profile, s[PAlive].Value,
			s[ExpectedPurchases90d].Value, s[ExpectedPurchases90d].Lower, s[ExpectedPurchases90d].Upper,
			s[ExpectedSpend].Value, s[LifetimeValue1y].Value, s[LifetimeValue1y].Lower, s[LifetimeValue1y].Upper)
	}
}

// checkForecast fits to all but the last 13 weeks and compares what it expects
// of them, undiscounted, with what came.
func checkForecast(t *testing.T, w *Worker, end time.Time) {
	t.Helper()
	split := end.AddDate(0, 0, -91)
	past, err := w.readHistory(t.Context(), split)
	if err != nil {
		t.Fatal(err)
	}
	days, money := holdout(t, w, split, end)
	f, err := lifetime.Fit(past.customers, lifetime.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	scorer, err := f.Scorer([]float64{13}, lifetime.Terms{Horizon: 13, Margin: 1})
	if err != nil {
		t.Fatal(err)
	}
	var expected, actual, value, spent, absolute float64
	in, inMoney := 0, 0
	for i, c := range past.customers {
		s, err := scorer.Score(c)
		if err != nil {
			t.Fatal(err)
		}
		n, m := days[uint64(past.profiles[i])], money[uint64(past.profiles[i])]
		expected, actual, value, spent = expected+s.Purchases[0].Value, actual+n, value+s.Value.Value, spent+m
		absolute += math.Abs(s.Purchases[0].Value - n)
		if n >= s.Purchases[0].Lower && n <= s.Purchases[0].Upper {
			in++
		}
		if m >= s.Value.Lower && m <= s.Value.Upper {
			inMoney++
		}
	}
	n := float64(len(past.customers))
	t.Logf("holdout of 91 days, %d customers: purchase days expected %.0f actual %.0f (%+.1f %%), MAE %.3f; money expected %.0f actual %.0f (%+.1f %%); 90 %% intervals cover %.3f and %.3f",
		len(past.customers), expected, actual, 100*(expected/actual-1), absolute/n, value, spent, 100*(value/spent-1), float64(in)/n, float64(inMoney)/n)
	t.Logf("holdout model %v, spend %v", f.Purchases.Parameters(), f.Spend.Parameters())
	if ratio := expected / actual; ratio < .6 || ratio > 1.4 {
		t.Errorf("expected %.0f purchase days, actual %.0f", expected, actual)
	}
}

// holdout returns purchase days and gross money per profile in (from, to].
func holdout(t *testing.T, w *Worker, from, to time.Time) (days, money map[uint64]float64) {
	t.Helper()
	days, money = map[uint64]float64{}, map[uint64]float64{}
	rows, err := w.deps.Conn.Query(t.Context(), "SELECT profile_id, toFloat64(uniqExact(toDate(placed))), toFloat64(sum(worth)) FROM ("+ordersSQL+") WHERE type = 'order' AND placed > toDateTime64('"+
		from.Format("2006-01-02")+" 23:59:59.999', 3, 'UTC') GROUP BY profile_id", w.arguments(to)...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var profile uint64
		var n, sum float64
		if err := rows.Scan(&profile, &n, &sum); err != nil {
			t.Fatal(err)
		}
		days[profile], money[profile] = n, sum
	}
	return days, money
}
