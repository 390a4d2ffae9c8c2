package ledger

import (
	"context"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
)

// store reads and writes the ledger's tables.
type store struct {
	db      driver.Conn
	cfg     Config
	metrics *metrics
	seed    maphash.Seed // of fingerprints
	keyer   func(workspace string) identity.Keyer
	// rangeRows is about the number of rows that a reload reads at once.
	rangeRows uint64
}

// insert appends blocks, each to its own table and all at the same time. A
// retry carries the token of the first attempt, so that a table with a
// deduplication window holds the rows once even when the first attempt had
// arrived; the others merge or outrank equal rows.
func (s *store) insert(ctx context.Context, token string, blocks ...block) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, b := range blocks {
		if b.rows() == 0 {
			continue
		}
		group.Go(func() error { return s.insertBlock(ctx, token, b) })
	}
	return group.Wait()
}

func (s *store) insertBlock(ctx context.Context, token string, b block) error {
	size := s.cfg.InsertRows
	switch b.(type) {
	case *decisionBlock, *erasureBlock:
		size = b.rows() // Half of what a command decides must never be found.
	}
	for from := 0; from < b.rows(); from += size {
		to := min(from+size, b.rows())
		settings := clickhouse.Settings{"async_insert": 0, "insert_deduplication_token": token + "/" + strconv.Itoa(from)}
		part := clickhouse.Context(ctx, clickhouse.WithSettings(settings))
		err := s.insertRows(part, b, from, to)
		for attempt := 1; err != nil && attempt < s.cfg.InsertAttempts; attempt++ {
			if !pause(ctx, time.Duration(attempt)*100*time.Millisecond) {
				break
			}
			err = s.insertRows(part, b, from, to)
		}
		if err != nil {
			return fmt.Errorf("insert %s: %w", b.table(), err)
		}
		s.metrics.rows.WithLabelValues(b.table()).Add(float64(to - from))
	}
	return nil
}

func (s *store) insertRows(ctx context.Context, b block, from, to int) error {
	batch, err := s.db.PrepareBatch(ctx, b.statement())
	if err != nil {
		return err
	}
	defer func() { _ = batch.Close() }()
	n := newNative()
	for i, values := range b.columns(from, to) {
		if err := n.fill(batch, i, values); err != nil {
			return err
		}
	}
	return batch.Send()
}

// pause waits for d; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// each runs query and calls row after scanning each of its rows into dest. The
// driver decodes blocks of columns while row runs.
func (s *store) each(ctx context.Context, query string, args []any, dest []any, row func() error) error {
	rows, err := s.db.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if err := row(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// withIDs gives a query the temporary table ids(id UInt64): a list of keys that
// would not fit into the text of a query.
func withIDs[K ~uint64](ctx context.Context, ids []K) (context.Context, error) {
	table, err := ext.NewTable("ids", ext.Column("id", "UInt64"))
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if err := table.Append(uint64(id)); err != nil {
			return nil, err
		}
	}
	return clickhouse.Context(ctx, clickhouse.WithExternalTable(table)), nil
}

// withPairs gives a query the temporary table pairs(low UInt64, high UInt64).
func withPairs(ctx context.Context, pairs [][2]identity.Key) (context.Context, error) {
	table, err := ext.NewTable("pairs", ext.Column("low", "UInt64"), ext.Column("high", "UInt64"))
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		if err := table.Append(uint64(p[0]), uint64(p[1])); err != nil {
			return nil, err
		}
	}
	return clickhouse.Context(ctx, clickhouse.WithExternalTable(table)), nil
}

// fewKeys is the number of keys up to which a query gets them as a parameter: a
// temporary table costs it some milliseconds to make, find and drop.
const fewKeys = 200

// amongIDs returns what a column of keys is IN, and the context and the arguments
// of such a query.
func amongIDs[K ~uint64](ctx context.Context, ids []K, args []any) (context.Context, string, []any, error) {
	if len(ids) > fewKeys {
		ctx, err := withIDs(ctx, ids)
		return ctx, "ids", args, err
	}
	return pointRead(ctx), "{ids:Array(UInt64)}", append(args, clickhouse.Named("ids", keyList(ids))), nil
}

// keyList is keys, of which there is one at least, as a parameter.
func keyList[K ~uint64](ids []K) string {
	var list strings.Builder
	for i, id := range ids {
		fmt.Fprintf(&list, "%c%d", "[,"[min(i, 1)], uint64(id))
	}
	return list.String() + "]"
}

// amongPairs is amongIDs for pairs of keys.
func amongPairs(ctx context.Context, pairs [][2]identity.Key, args []any) (context.Context, string, []any, error) {
	if len(pairs) > fewKeys {
		ctx, err := withPairs(ctx, pairs)
		return ctx, "pairs", args, err
	}
	var list strings.Builder
	for i, p := range pairs {
		fmt.Fprintf(&list, "%c(%d,%d)", "[,"[min(i, 1)], uint64(p[0]), uint64(p[1]))
	}
	return pointRead(ctx), "{pairs:Array(Tuple(UInt64, UInt64))}", append(args, clickhouse.Named("pairs", list.String()+"]")), nil
}

// pointRead is the context of a query for few rows, which on many threads costs
// more to start than to run. The old analyser of the engine takes less time before it,
// and none of these queries has a use for a projection: to weigh the one of identifiers by
// value, which holds all that is asked of them, would be lost.
func pointRead(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"max_threads": 1, "enable_analyzer": 0, "optimize_use_projections": 0,
	}))
}

// rangeRead is the context of a query for the rows of a range, of which several run at
// once. Nearly all rows that it reads are in the range: to look at their keys first, and
// take the others out of the columns after that, is a third of what it would cost.
func rangeRead(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_threads": 1, "optimize_move_to_prewhere": 0}))
}

// named binds values to the parameters of a query, as name, value, name, value.
func named(pairs ...any) []any {
	args := make([]any, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		args = append(args, clickhouse.Named(pairs[i].(string), pairs[i+1]))
	}
	return args
}
