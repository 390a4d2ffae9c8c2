package nextproduct

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/deploy/sample"
)

// retail reads Online Retail: the products that each customer bought, by day.
func retail(t testing.TB) (customers [][]Basket, products int) {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(sample.OnlineRetail()))
	if err != nil {
		t.Fatal(err)
	}
	rows := csv.NewReader(z)
	rows.ReuseRecord = true
	if _, err := rows.Read(); err != nil {
		t.Fatal(err)
	}
	of, item := map[string]int{}, map[string]int32{}
	for {
		f, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		quantity, err1 := strconv.ParseFloat(f[3], 64)
		when, err2 := time.Parse("2006-01-02 15:04:05", f[4])
		price, err3 := strconv.ParseFloat(f[5], 64)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		// Codes without a digit at first are postage, fees and samples.
		if f[6] == "" || quantity <= 0 || price <= 0 || f[1][0] < '0' || f[1][0] > '9' {
			continue
		}
		i, known := of[f[6]]
		if !known {
			i = len(customers)
			of[strings.Clone(f[6])], customers = i, append(customers, nil)
		}
		p, known := item[f[1]]
		if !known {
			p = int32(len(item))
			item[strings.Clone(f[1])] = p
		}
		day := int(when.Unix() / 86400)
		if n := len(customers[i]); n == 0 || customers[i][n-1].Day != day {
			customers[i] = append(customers[i], Basket{Day: day})
		}
		b := &customers[i][len(customers[i])-1]
		if !slices.Contains(b.Products, p) {
			b.Products = append(b.Products, p)
		}
	}
	return customers, len(item)
}

func date(month time.Month, day int) int {
	return int(time.Date(2011, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// The real shop, judged by time: better than what sells and than what was bought last,
// with probabilities that come true. With KINDRED_TEST_COUNT set, at three
// moments, by all customers; else by a third of them at one.
func TestOnlineRetail(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 541 909 lines")
	}
	customers, products := retail(t)
	cfg := DefaultConfig()
	cfg.MaxCustomers = 1500
	ends := []int{date(12, 9)}
	if heavy() {
		cfg.MaxCustomers = DefaultConfig().MaxCustomers
		ends = append(ends, date(9, 30), date(7, 31))
	}
	for _, until := range ends {
		m, err := Fit(customers, products, until, cfg)
		if err != nil {
			t.Fatal(err)
		}
		r := m.Report
		t.Logf("to day %d: %d of %d customers bought; model %+v, baselines %+v, gain %.4f (standard error %.4f), expected %.0f, bought %d",
			until, r.Customers, r.Known, r.Model, r.Baselines, r.Gain, r.StandardError, r.Expected, r.Bought)
		for name, b := range r.Baselines {
			if r.Model.NDCG10 < b.NDCG10 || r.Model.Hit10 < b.Hit10 {
				t.Errorf("%+v, and %s %+v", r.Model, name, b)
			}
		}
		if ratio := r.Expected / float64(r.Bought); !r.Better || ratio < .5 || ratio > 2 {
			t.Errorf("%+v", r)
		}
	}
}
