package lifetime

import (
	"bufio"
	"compress/gzip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// lines reads a compressed text file of testdata as fields.
func lines(t testing.TB, name, separator string) [][]string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for s := bufio.NewScanner(z); s.Scan(); {
		if separator == "" {
			out = append(out, strings.Fields(s.Text()))
		} else {
			out = append(out, strings.Split(s.Text(), separator))
		}
	}
	return out
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// log is a purchase log: the purchases of each customer, in order of first
// appearance.
type log [][]Purchase

// cdnow reads CDNOW_sample (idColumn 1, date in column 2) or CDNOW_master
// (idColumn 0, date in column 1); dollars are the last column.
func cdnow(t testing.TB, name string, idColumn int) log {
	t.Helper()
	index := map[string]int{}
	var out log
	for _, f := range lines(t, name, "") {
		if len(f) < idColumn+4 || f[idColumn+1] == "date" {
			continue
		}
		day, err := time.Parse("20060102", f[idColumn+1])
		if err != nil {
			t.Fatal(err)
		}
		i, ok := index[f[idColumn]]
		if !ok {
			i = len(out)
			index[f[idColumn]] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], Purchase{Day: DayOf(day), Amount: number(t, f[len(f)-1])})
	}
	return out
}

func sample(t testing.TB) log { return cdnow(t, "CDNOW_sample.txt.gz", 1) }
func master(t testing.TB) log { return cdnow(t, "CDNOW_master.txt.gz", 0) }

// calibrationEnd and holdoutEnd are the customary split of CDNOW, 39 + 39 weeks.
var (
	calibrationEnd = DayOf(time.Date(1997, 9, 30, 0, 0, 0, 0, time.UTC))
	holdoutEnd     = DayOf(time.Date(1998, 6, 30, 0, 0, 0, 0, time.UTC))
)

// summarize condenses the log up to a day, leaving out later customers.
func (l log) summarize(until int) []Customer {
	var out []Customer
	for _, purchases := range l {
		if c, ok := Summarize(purchases, until, Week); ok {
			out = append(out, c)
		}
	}
	return out
}

// holdout returns, for the customers of summarize(from), the purchase days and
// the money in (from, to].
func (l log) holdout(from, to int) (counts, money []float64) {
	for _, purchases := range l {
		if _, ok := Summarize(purchases, from, Week); !ok {
			continue
		}
		n, sum := 0.0, 0.0
		for _, p := range MergeDays(append([]Purchase(nil), purchases...)) {
			if p.Day > from && p.Day <= to {
				n++
				sum += p.Amount
			}
		}
		counts, money = append(counts, n), append(money, sum)
	}
	return counts, money
}

// rounded reads the published summary, whose times have two decimals.
func rounded(t testing.TB) []Customer {
	t.Helper()
	var out []Customer
	for _, f := range lines(t, "cdnow_customers_summary_with_transactions.csv.gz", ",")[1:] {
		out = append(out, Customer{
			Frequency: int(number(t, f[1])), Recency: number(t, f[2]), Age: number(t, f[3]), Spend: number(t, f[4]),
		})
	}
	return out
}
