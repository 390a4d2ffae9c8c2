package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/kindred-cdp/kindred/profiles/nextproduct/scoring"
	"github.com/kindred-cdp/kindred/profiles/valuation"
)

// shopFigures are what the workers of value and of next products took for all
// customers of a warehouse; times are in seconds.
type shopFigures struct {
	Customers int    `json:"warehouse_customers"`
	Orders    uint64 `json:"warehouse_orders"`
	Lines     uint64 `json:"warehouse_order_lines"`

	Value shopWork `json:"valuation"`
	Next  shopWork `json:"next_products"`
	// Valued have a lifetime value, Told a next product; NDCG is that of what they
	// were told, and NextRefused says why nobody was.
	Valued      int     `json:"valued"`
	Told        int     `json:"told_next_products"`
	NDCG        float64 `json:"next_products_ndcg_10"`
	NextRefused string  `json:"next_products_refused,omitempty"`
}

// shopWork is what a refresh took: seconds, those of processors in Kindred and in the
// engine, and the greatest resident sizes of the two.
type shopWork struct {
	Seconds    float64 `json:"seconds"`
	Own        float64 `json:"processor_seconds"`
	Engine     float64 `json:"engine_processor_seconds"`
	Peak       uint64  `json:"peak_resident_bytes"`
	EnginePeak uint64  `json:"engine_peak_resident_bytes"`
}

// benchShop starts an engine in a folder of its own, stores the orders of customers,
// and has the workers value them and tell what each will buy next.
func benchShop(cmd *cobra.Command, o scoresBench) (f shopFigures, err error) {
	s, clean, err := benchSettings(cmd, "", roleSet{roleClickHouse})
	if err != nil {
		return f, err
	}
	defer clean()
	err = withPlatform(cmd.Context(), s, newUI(os.Stderr, now), func(ctx context.Context, p *platform) error {
		f.Customers = o.shop
		if err := fillShop(ctx, p, o); err != nil {
			return err
		}
		row := p.conn.QueryRow(ctx, "SELECT count(), sum(length(items.product_id)) FROM transaction_facts")
		if err := row.Scan(&f.Orders, &f.Lines); err != nil {
			return fmt.Errorf("count orders: %w", err)
		}
		return f.work(ctx, p)
	})
	return f, err
}

// work has each worker refresh once, and measures it.
func (f *shopFigures) work(ctx context.Context, p *platform) error {
	quiet := slog.New(slog.DiscardHandler)
	valuer, err := valuation.New(valuation.DefaultConfig(), valuation.Deps{Conn: p.conn, Clock: now, Logger: quiet, Registerer: prometheus.NewRegistry()})
	if err != nil {
		return err
	}
	next, err := scoring.New(scoring.DefaultConfig(), scoring.Deps{Conn: p.conn, Clock: now, Logger: quiet})
	if err != nil {
		return err
	}
	f.Value, err = measureWork(ctx, func() error {
		s, err := valuer.Refresh(ctx)
		f.Valued = s.CustomersWithValue
		return err
	})
	if err != nil {
		return err
	}
	f.Next, err = measureWork(ctx, func() error {
		s, err := next.Refresh(ctx)
		f.Told, f.NextRefused = s.Scored, s.Refused
		if s.Report != nil {
			f.NDCG = s.Report.Model.NDCG10
		}
		return err
	})
	return err
}

// measureWork measures what f takes in this process and in its children.
func measureWork(ctx context.Context, f func() error) (w shopWork, err error) {
	watched, stop := context.WithCancel(ctx)
	own, engine := &bench{}, &bench{resident: residentChildren()}
	done := make(chan struct{}, 2)
	for _, b := range []*bench{own, engine} {
		go func() {
			b.watchMemory(watched)
			done <- struct{}{}
		}()
	}
	begin := now()
	before, engineBefore := processor()
	err = f()
	after, engineAfter := processor()
	w = shopWork{Seconds: now().Sub(begin).Seconds(), Own: after - before, Engine: engineAfter - engineBefore}
	stop()
	<-done
	<-done
	w.Peak, w.EnginePeak = own.peak.Load(), engine.peak.Load()
	return w, err
}

// residentChildren returns what tells the memory of the present children of this
// process in bytes, 0 where it is not known.
func residentChildren() func() uint64 {
	var children []string
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		_, rest, _ := strings.Cut(string(raw), ") ") // The name may hold spaces.
		if fields := strings.Fields(rest); err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			children = append(children, filepath.Join(filepath.Dir(path), "statm"))
		}
	}
	return func() (bytes uint64) {
		for _, path := range children {
			bytes += residentOf(path)
		}
		return bytes
	}
}

// shopDays is the time over which customers come; the last order is of today.
const shopDays = 546

// fillShop stores when customers buy, as BG/NBD says, and has the engine make orders
// of it: of one to three of two thousand products, the n-th of which sells 1/n as
// often as the first. Two fifths of what somebody buys are favourites of theirs. Prices
// are those of products, of which four fifths have a cost, and how much is bought
// differs between customers.
func fillShop(ctx context.Context, p *platform, o scoresBench) error {
	if err := p.conn.Exec(ctx, "CREATE TABLE bench_customers (anchor_id UInt64, days Array(UInt16)) ENGINE = Memory"); err != nil {
		return fmt.Errorf("invent customers: %w", err)
	}
	r := rand.New(rand.NewPCG(o.seed, 3))
	var anchors []uint64
	var days [][]uint16
	for i := range o.shop {
		// The highest bit of an anchor says that it has moved between people.
		anchors, days = append(anchors, 1+r.Uint64()>>1), append(days, buyingDays(r))
		if len(anchors) < 100_000 && i < o.shop-1 {
			continue
		}
		batch, err := p.conn.PrepareBatch(ctx, "INSERT INTO bench_customers (anchor_id, days)")
		if err != nil {
			return fmt.Errorf("invent customers: %w", err)
		}
		if err := errors.Join(batch.Column(0).Append(anchors), batch.Column(1).Append(days), batch.Send()); err != nil {
			return fmt.Errorf("invent customers: %w", err)
		}
		anchors, days = anchors[:0], days[:0]
	}
	start := now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -shopDays)
	for _, statement := range []string{shopSQL, "DROP TABLE bench_customers"} {
		if err := p.conn.Exec(ctx, strings.ReplaceAll(statement, "START", start.Format("'2006-01-02 09:00:00'"))); err != nil {
			return fmt.Errorf("invent orders: %w", err)
		}
	}
	return nil
}

// buyingDays are those on which a customer buys, who first comes 26 to 78 weeks before
// the end.
func buyingDays(r *rand.Rand) []uint16 {
	m := inventedBuyers
	rate := distuv.Gamma{Alpha: m.R, Beta: m.Alpha, Src: r}.Rand()
	stop := distuv.Beta{Alpha: m.A, Beta: m.B, Src: r}.Rand()
	first := float64(r.IntN(364))
	days := []uint16{uint16(first)}
	for at := first; ; {
		at += math.Max(1, 7*r.ExpFloat64()/rate)
		if !(at < shopDays) {
			return days
		}
		days = append(days, uint16(at))
		if r.Float64() < stop {
			return days
		}
	}
}

// shopSQL makes orders of the days of customers.
const shopSQL = `INSERT INTO transaction_facts (workspace, anchor_id, time, message_hash, received_time, source, name, type, order_id, status, currency,
    amount, items.product_id, items.name, items.category, items.quantity, items.price, items.cost)
WITH
    arrayMap(k -> sipHash64(anchor_id, day, k), range(1 + sipHash64(anchor_id, day) % 3)) AS draws,
    arrayMap(d -> if(d % 5 < 2, sipHash64(anchor_id, intDiv(d, 5) % 2), d) / 18446744073709551616, draws) AS places,
    arrayMap(u -> toUInt64(exp(u * log(2000))), places) AS numbers,
    arrayMap(n -> toDecimal64(2 + (sipHash64(n) % 6000) / 100, 4), numbers) AS prices,
    arrayMap(d -> toDecimal64(1 + anchor_id % 4, 4), draws) AS quantities
SELECT 'main', anchor_id, toDateTime64(START, 3, 'UTC') + INTERVAL day DAY AS at, reinterpretAsUInt128(sipHash128(anchor_id, day)) AS message, at, 'shop', 'Order Completed', 'order',
    toString(sipHash64(anchor_id, day, 'order')), 'completed', 'EUR',
    toDecimal64(arraySum(arrayMap((q, p) -> toFloat64(q) * toFloat64(p), quantities, prices)), 4),
    arrayMap(n -> concat('product-', toString(n)), numbers), arrayMap(n -> '', numbers), arrayMap(n -> '', numbers), quantities, prices,
    arrayMap((n, p) -> if(n % 5 = 0, toDecimal64(0, 4), toDecimal64(toFloat64(p) * .6, 4)), numbers, prices)
FROM bench_customers ARRAY JOIN days AS day`

func (f *shopFigures) print(out func(string, ...any)) {
	out("%d customers with %d orders of %d lines in a warehouse", f.Customers, f.Orders, f.Lines)
	work := func(what string, w shopWork) {
		out("  %s %6.1f s, %.1f s of processors in kindred, %.1f s in the engine; peak memory %d MiB, of the engine %d MiB", what, w.Seconds, w.Own, w.Engine, w.Peak>>20, w.EnginePeak>>20)
	}
	work(fmt.Sprintf("value of %d customers: models chosen and fitted, scored, stored", f.Valued), f.Value)
	told := fmt.Sprintf("next products of %d customers (NDCG of ten %.3f)", f.Told, f.NDCG)
	if f.NextRefused != "" {
		told = "next products, refused: " + f.NextRefused
	}
	work(told, f.Next)
}
