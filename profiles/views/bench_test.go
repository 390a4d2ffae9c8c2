package views

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// benchRowsSQL makes views of about 3 KiB of people in the order of their hashes, as
// projections come: any part of them lies anywhere among the keys.
const benchRowsSQL = `INSERT INTO profile_lookup (key, workspace, profile_id, name, form, stamp, computed_at, body)
SELECT concat('main/', toString(id), '/view'), 'main', id, 'view', 1, toUInt128(1), now64(3),
    concat(unhex('0000000000000000000000000000000000000000000000'), arrayStringConcat(arrayMap(i -> concat('{"product_id":"P', toString(sipHash64(id, i)), '","category":"Home & Garden","name":"Hanging heart t-light holder ', toString(sipHash64(id, i) % 90), '","brand":"Lumen","variant":"white","price":',
        toString(sipHash64(i, id) % 9000), ',"quantity":1,"currency":"EUR","message_id":"bench-', hex(sipHash64(i, id, 1)), '"}'), range(10))))
FROM (SELECT sipHash64(number) AS id FROM numbers({from:UInt64}, {rows:UInt64}))`

// BenchmarkLook looks for people and their groups, some at a time, where each was projected
// twice, and measures the processor time of the engine:
//
//	go test -run '^$' -bench Look ./profiles/views
func BenchmarkLook(b *testing.B) {
	for _, people := range []uint64{50_000, 200_000} {
		t := table{conn: warehousetest.NewTestDatabase(b), form: 1}
		ids := benchRows(b, t, people)
		for _, together := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%d of %d", together, people), func(b *testing.B) {
				before, at := engineSeconds(), 0
				for b.Loop() {
					if at+together > len(ids) {
						at = 0
					}
					found, err := t.look(context.Background(), "main", ids[at:at+together], nameGroup)
					if err != nil || len(found) != together {
						b.Fatal(len(found), err)
					}
					at += together
				}
				b.ReportMetric((engineSeconds()-before)/float64(b.N)*1e3, "engine-ms/op")
			})
		}
	}
}

// benchRows fills a table and returns some of the people, in any order.
func benchRows(b *testing.B, t table, people uint64) []uint64 {
	const batch = 4000
	ctx := context.Background()
	for range 2 {
		for from := uint64(0); from < people; from += batch {
			if err := t.conn.Exec(ctx, benchRowsSQL, ch.Named("from", from), ch.Named("rows", uint64(batch))); err != nil {
				b.Fatal(err)
			}
		}
	}
	some, err := t.ids(ctx, "SELECT sipHash64(number) FROM numbers({people:UInt64}) ORDER BY sipHash64(number, 7) LIMIT 40000", ch.Named("people", people))
	if err != nil {
		b.Fatal(err)
	}
	ids := make([]uint64, len(some))
	for i, id := range some {
		ids[i] = uint64(id)
	}
	return ids
}

// engineSeconds is the processor time of the children of this process.
func engineSeconds() (sum float64) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		_, rest, ok := strings.Cut(string(raw), ") ")
		fields := strings.Fields(rest)
		if err != nil || !ok || len(fields) < 13 || fields[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		for _, f := range fields[11:13] {
			ticks, _ := strconv.ParseFloat(f, 64)
			sum += ticks / 100
		}
	}
	return sum
}
