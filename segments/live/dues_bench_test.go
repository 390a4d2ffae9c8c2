package live_test

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/live"
)

// dueSQL lets each person of a crowd do something, twenty in a millisecond.
const dueSQL = `INSERT INTO events (workspace, anchor_id, time, message_hash, message_id, kind, name, type, source, received_time, identifiers, properties)
SELECT 'crowd', ` + clickhousetest.CrowdFounder + `, fromUnixTimestamp64Milli({begin:Int64} + toInt64(intDiv(number, 20)), 'UTC'), sipHash64(number, 'due'), concat('due', toString(number)), 'behaviour', 'Held', 'track', 'web',
	fromUnixTimestamp64Milli({begin:Int64}, 'UTC'), [], '' FROM numbers({people:UInt64})`

// lags notes how late people leave a segment.
type lags struct {
	clock func() time.Time
	due   map[identity.ProfileID]time.Time
	late  []time.Duration
}

func (l *lags) Publish(_ context.Context, _ string, changes []segments.Change) error {
	for _, c := range changes {
		if due, ok := l.due[c.Profile]; ok && c.Segment == "held" && !c.Entered {
			l.late = append(l.late, l.clock().Sub(due))
		}
	}
	return nil
}

// BenchmarkDues lets 20 000 people a second come due, KINDRED_BENCH_PEOPLE (default
// 100 000) in all, under 100 segments of which one empties: how late they leave.
func BenchmarkDues(b *testing.B) {
	ctx := context.Background()
	people, err := strconv.Atoi(os.Getenv("KINDRED_BENCH_PEOPLE"))
	if err != nil {
		people = 100_000
	}
	conn := warehousetest.NewTestDatabase(b)
	clickhousetest.Crowd(ctx, b, conn, people, 10)
	begin := time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC)
	if err := conn.Exec(ctx, dueSQL, clickhouse.Named("begin", begin.UnixMilli()), clickhouse.Named("people", people)); err != nil {
		b.Fatal(err)
	}
	defineTypical(ctx, b, conn, begin)
	place := live.Place{Workspace: "crowd", Segment: "held", Revision: 1000, Actor: "bench", Time: begin}
	if err := live.NewDefinitions(conn).Apply(ctx, place, live.Change{Definition: []byte(`{"event":"Held","within":"1h"}`)}); err != nil {
		b.Fatal(err)
	}
	now := begin.Add(30 * time.Minute)
	start := time.Now()
	l := &lags{clock: func() time.Time { return now.Add(time.Since(start)) }, due: map[identity.ProfileID]time.Time{}}
	ids := []uint64{}
	if err := conn.QueryRow(ctx, "SELECT groupArray("+clickhousetest.CrowdFounder+") FROM numbers({people:UInt64})", clickhouse.Named("people", people)).Scan(&ids); err != nil {
		b.Fatal(err)
	}
	for i, id := range ids {
		l.due[identity.ProfileID(id)] = begin.Add(time.Duration(i/20) * time.Millisecond).Add(time.Hour)
	}
	w, err := live.New(live.DefaultConfig(), live.Deps{
		Conn: conn, Clock: l.clock, Publisher: l, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := w.Step(ctx); err != nil {
		b.Fatal(err)
	}
	now, start = begin.Add(time.Hour-time.Second), time.Now()
	steps := 0
	for b.Loop() {
		for len(l.late) < people && time.Since(start) < 2*time.Minute {
			next, err := w.Step(ctx)
			if err != nil {
				b.Fatal(err)
			}
			steps++
			<-time.After(max(live.DefaultConfig().Pause, min(time.Second, next.Sub(l.clock())))) // As Run does.
		}
	}
	if len(l.late) == 0 {
		b.Fatal("nobody has left")
	}
	slices.Sort(l.late)
	b.ReportMetric(l.late[len(l.late)/2].Seconds(), "s-p50")
	b.ReportMetric(l.late[len(l.late)*99/100].Seconds(), "s-p99")
	b.ReportMetric(float64(steps), "steps")
	b.ReportMetric(float64(len(l.late)), "left")
}
