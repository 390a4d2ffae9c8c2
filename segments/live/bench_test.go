package live_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/live"
)

// defineTypical makes 100 segments of five kinds.
func defineTypical(ctx context.Context, b *testing.B, conn driver.Conn, at time.Time) {
	b.Helper()
	definitions := live.NewDefinitions(conn)
	for i := range 100 {
		text := []string{
			`{"event":"Product Viewed","count":{"gte":%d},"within":"30d"}`,
			`{"event":"Product Viewed","count":{"gte":2},"within":"60d","where":[{"property":"revenue","op":"gt","value":%d}]}`,
			`{"event":"Order Completed","sum":"revenue","is":{"gte":%d},"within":"90d"}`,
			`{"all":[{"trait":"country","op":"in","value":["PT","BR"]},{"not":{"event":"Searched","count":{"gte":%d},"within":"7d"}}]}`,
			`{"all":[{"score":"churn","op":"gte","value":0.%02d},{"orders":{"gte":1},"within":"30d"}]}`,
		}[i%5]
		place := live.Place{Workspace: "crowd", Segment: segments.ID(fmt.Sprint("s", i)), Revision: uint64(i + 1), Actor: "bench", Time: at}
		if err := definitions.Apply(ctx, place, live.Change{Definition: fmt.Appendf(nil, text, i/5+1)}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStep evaluates 100 segments over KINDRED_BENCH_PEOPLE (default 20 000) people
// with ten events each, and over some of them: what news of so many people cost, once
// everything is known.
func BenchmarkStep(b *testing.B) {
	ctx := context.Background()
	people, err := strconv.Atoi(os.Getenv("KINDRED_BENCH_PEOPLE"))
	if err != nil {
		people = 20_000
	}
	conn := warehousetest.NewTestDatabase(b)
	clickhousetest.Crowd(ctx, b, conn, people, 10)
	at := time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC)
	defineTypical(ctx, b, conn, at)
	w, err := live.New(live.DefaultConfig(), live.Deps{
		Conn: conn, Clock: func() time.Time { return at }, Publisher: &told{}, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		b.Fatal(err)
	}
	keys := []identity.Key{}
	rows, err := conn.Query(ctx, "SELECT identifier_id FROM identifiers WHERE workspace = 'crowd' LIMIT 10000")
	if err != nil {
		b.Fatal(err)
	}
	for rows.Next() {
		var key uint64
		if err := rows.Scan(&key); err != nil {
			b.Fatal(err)
		}
		keys = append(keys, identity.Key(key))
	}
	_ = rows.Close()
	step := func(b *testing.B, news func()) {
		for b.Loop() {
			news()
			if _, err := w.Step(ctx); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("all", func(b *testing.B) { step(b, w.ChangedUnknown) })
	for _, n := range []int{1, 100, 2000} {
		b.Run(fmt.Sprintf("some=%d", n), func(b *testing.B) {
			step(b, func() { w.Changed("crowd", keys[:n]...) })
		})
	}
}
