package warehouse_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// benchRows is the size of the benchmarks' tables: KINDRED_BENCH_ROWS, or n.
// The figures in the schema files name the size that they were measured at.
func benchRows(n int) int {
	if m, err := strconv.Atoi(os.Getenv("KINDRED_BENCH_ROWS")); err == nil {
		return m
	}
	return n
}

// block is a batch of events as columns.
type block struct {
	anchors       []uint64
	times         []time.Time
	hashes        []*big.Int
	texts         [14][]string
	identifiers   [][]string
	propertyTexts []string
	propertyMaps  []map[string]string
	numberMaps    []map[string]float64
}

// textColumns are the columns of events that a block holds in texts.
var textColumns = []string{"workspace", "message_id", "kind", "name", "type", "source", "traits", "context", "url", "referrer", "campaign", "session_id"}

var eventNames = []string{"Product Viewed", "Product Added", "Cart Viewed", "Order Completed", "Page", "Page", "Page", "Page", "Product List Viewed", "Search"}

// makeBlock makes n events of about 750 bytes with ten properties each, of
// people people with three anchors each.
func makeBlock(r *rand.Rand, n, people int) *block {
	b := &block{}
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	plans := []string{"free", "basic", "pro", "enterprise"}
	for i := range n {
		person := r.IntN(people)
		price := float64(r.IntN(10000)) / 100
		quantity := 1 + r.IntN(4)
		p := map[string]any{
			"product_id": fmt.Sprintf("P%05d", r.IntN(20000)), "sku": fmt.Sprintf("SKU-%d-%d", r.IntN(900), r.IntN(90)),
			"name": fmt.Sprintf("Product number %d of the range", r.IntN(20000)), "category": fmt.Sprintf("category-%d", r.IntN(40)),
			"price": price, "quantity": quantity, "revenue": price * float64(quantity), "currency": "EUR",
			"plan": plans[r.IntN(4)], "position": r.IntN(50),
		}
		text, _ := json.Marshal(p)
		flat, numbers := map[string]string{}, map[string]float64{}
		for k, v := range p {
			flat[k] = fmt.Sprint(v)
			switch v := v.(type) {
			case float64:
				numbers[k] = v
			case int:
				numbers[k] = float64(v)
			}
		}
		b.propertyTexts, b.propertyMaps, b.numberMaps = append(b.propertyTexts, string(text)), append(b.propertyMaps, flat), append(b.numberMaps, numbers)
		b.anchors = append(b.anchors, anchorOf(uint64(person), r.Uint64N(3)))
		b.times = append(b.times, start.Add(time.Duration(r.Int64N(90*24*3600*1000))*time.Millisecond))
		hash := new(big.Int).SetUint64(r.Uint64())
		b.hashes = append(b.hashes, hash.Lsh(hash, 64).Or(hash, new(big.Int).SetUint64(r.Uint64())))
		anonymous := fmt.Sprintf("anonymous_id:%016x%016x", r.Uint64(), person)
		b.identifiers = append(b.identifiers, []string{anonymous, fmt.Sprintf("device:%016x", person)})
		context := fmt.Sprintf(`{"library":{"name":"analytics.js","version":"2.11.1"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36","locale":"pt-PT","screen":{"width":%d,"height":1080}}`, 100+r.IntN(30), 1024+r.IntN(9)*64)
		for j, text := range []string{
			"main", fmt.Sprintf("%016x-%08x", r.Uint64(), i), "behaviour", eventNames[r.IntN(10)], "track", "web", "{}", context,
			fmt.Sprintf("https://shop.example.com/p/%d?ref=%d", r.IntN(20000), r.IntN(100)), "https://shop.example.com/", "", fmt.Sprintf("%012x", r.Uint64N(1<<48)),
		} {
			b.texts[j] = append(b.texts[j], text)
		}
	}
	return b
}

// anchorOf spreads anchors like keyed hashes.
func anchorOf(person, i uint64) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], person*8+i)
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h ^= h >> 32
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// insert sends the block to a table of the shape of events; properties are
// named columns with their values.
func (b *block) insert(ctx context.Context, conn driver.Conn, table string, properties map[string]any) error {
	names := "anchor_id, time, message_hash, original_time, sent_time, received_time, identifiers"
	columns := []any{b.anchors, b.times, b.hashes, b.times, b.times, b.times, b.identifiers}
	for i, name := range textColumns {
		names += ", " + name
		columns = append(columns, b.texts[i])
	}
	for name, values := range properties {
		names += ", " + name
		columns = append(columns, values)
	}
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+names+")")
	if err != nil {
		return err
	}
	defer func() { _ = batch.Close() }()
	for i, values := range columns {
		if err := batch.Column(i).Append(values); err != nil {
			return fmt.Errorf("column %d: %w", i, err)
		}
	}
	return batch.Send()
}

// cpu returns the processor time used so far by the server and by this process.
func cpu(tb testing.TB, conn driver.Conn) time.Duration {
	tb.Helper()
	var micros uint64
	if err := conn.QueryRow(tb.Context(), "SELECT sum(value) FROM system.events WHERE event = 'OSCPUVirtualTimeMicroseconds'").Scan(&micros); err != nil {
		tb.Fatal(err)
	}
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(micros)*time.Microsecond + time.Duration(self.Utime.Nano()+self.Stime.Nano())
}

// measured is what one run of a query cost.
type measured struct {
	seconds float64
	cpu     float64 // seconds of processor time, server and client
	rows    uint64
	bytes   uint64
}

// measure runs a query three times and returns the fastest.
func measure(tb testing.TB, conn driver.Conn, query string, args ...any) measured {
	tb.Helper()
	best := measured{seconds: 1e9}
	for range 3 {
		var m measured
		ctx := clickhouse.Context(tb.Context(), clickhouse.WithProgress(func(p *clickhouse.Progress) {
			m.rows += p.Rows
			m.bytes += p.Bytes
		}))
		before, start := cpu(tb, conn), time.Now()
		rows, err := conn.Query(ctx, query, args...)
		if err != nil {
			tb.Fatal(err)
		}
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			tb.Fatal(err)
		}
		_ = rows.Close()
		if m.seconds = time.Since(start).Seconds(); m.seconds < best.seconds {
			m.cpu = (cpu(tb, conn) - before).Seconds()
			best = m
		}
	}
	return best
}

func execute(tb testing.TB, conn driver.Conn, query string, args ...any) {
	tb.Helper()
	if err := conn.Exec(tb.Context(), query, args...); err != nil {
		tb.Fatalf("%v\nin %.300s", err, query)
	}
}

func bytesOnDisk(tb testing.TB, conn driver.Conn, table, columns string) float64 {
	tb.Helper()
	var n uint64
	err := conn.QueryRow(tb.Context(), "SELECT toUInt64(sum(column_bytes_on_disk)) FROM system.parts_columns WHERE active AND database = currentDatabase() AND table = ? AND match(column, ?)", table, columns).Scan(&n)
	if err != nil {
		tb.Fatal(err)
	}
	return float64(n)
}
