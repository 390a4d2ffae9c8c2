package privacy

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// batch is what one rewriting takes: erasures of one workspace, each with a place from
// 1, and what is gone with it.
type batch struct {
	workspace string
	erasures  []Erasure
	begun     int64
	filesGone bool // of the parts that were rewritten

	keys, anchors, profiles    []uint64
	keyOf, anchorOf, profileOf []uint32
	spanAnchors                []uint64
	spanOf                     []uint32
	spanSince, spanUntil       []int64
	shared                     []int // by place - 1, how many identifiers stay
	sets                       []int
	erasedAt                   []int64
	epochs, sequences          []uint64
	identifiers                []map[string]int // by namespace
	names                      []name
	recipients                 []map[string]uint64 // by place - 1, of how many profiles whoever was told
}

// query calls scan for each row. Errors hold no values.
func query(ctx context.Context, conn driver.Conn, what, text string, scan func(driver.Rows) error, args ...any) error {
	rows, err := conn.Query(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, profilestore.Concise(err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("%s: %w", what, profilestore.Concise(err))
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, profilestore.Concise(err))
	}
	return nil
}

const partsSQL = `SELECT DISTINCT what, id, toUnixTimestamp64Milli(since), toUnixTimestamp64Milli(until), erasure_id
FROM identity_erasures
WHERE workspace = {workspace:String} AND erasure_id IN {ids:Array(String)}
ORDER BY erasure_id, what, id`

// newBatch reads what erasures take.
func (w *Worker) newBatch(ctx context.Context, workspace string, erasures []Erasure) (*batch, error) {
	n := len(erasures)
	b := &batch{
		workspace: workspace, erasures: erasures, begun: w.deps.Clock().UnixMilli(),
		shared: make([]int, n), sets: make([]int, n), identifiers: make([]map[string]int, n),
		keys: []uint64{}, anchors: []uint64{}, profiles: []uint64{}, keyOf: []uint32{}, anchorOf: []uint32{}, profileOf: []uint32{},
		spanAnchors: []uint64{}, spanOf: []uint32{}, spanSince: []int64{}, spanUntil: []int64{}, // nil would be sent as NULL.
	}
	places, ids := map[string]int{}, make([]string, n)
	for i, e := range erasures {
		places[e.ID], ids[i], b.identifiers[i] = i, e.ID, map[string]int{}
		b.erasedAt = append(b.erasedAt, e.ErasedAt.UnixMilli())
		b.epochs, b.sequences = append(b.epochs, e.Epoch), append(b.sequences, e.Sequence)
	}
	err := query(ctx, w.deps.Conn, "read erasures", partsSQL, func(rows driver.Rows) error {
		var what, erasure string
		var id uint64
		var since, until int64
		if err := rows.Scan(&what, &id, &since, &until, &erasure); err != nil {
			return err
		}
		b.add(places[erasure], what, id, since, until)
		return nil
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("ids", ids))
	if err != nil {
		return nil, err
	}
	return b, w.readNames(ctx, b)
}

func (b *batch) add(i int, what string, id uint64, since, until int64) {
	place := uint32(i + 1)
	switch what {
	case "identifier":
		b.keys, b.keyOf = append(b.keys, id), append(b.keyOf, place)
		b.anchors, b.anchorOf = append(b.anchors, id), append(b.anchorOf, place)
		b.profiles, b.profileOf = append(b.profiles, id), append(b.profileOf, place)
	case "profile":
		b.profiles, b.profileOf = append(b.profiles, id), append(b.profileOf, place)
	case "shared":
		b.shared[i]++
	case "set":
		b.sets[i]++
		b.anchors, b.anchorOf = append(b.anchors, id), append(b.anchorOf, place)
	case "span":
		b.spanAnchors, b.spanOf = append(b.spanAnchors, id), append(b.spanOf, place)
		b.spanSince, b.spanUntil = append(b.spanSince, since), append(b.spanUntil, until)
	}
}

// bind are the parameters of the expressions of this package.
func (b *batch) bind() []any {
	named := map[string]any{
		"workspace": b.workspace, "keys": b.keys, "key_of": b.keyOf, "anchors": b.anchors, "anchor_of": b.anchorOf,
		"all_anchors": slices.Concat(b.anchors, b.spanAnchors), "profiles": b.profiles, "profile_of": b.profileOf,
		"span_anchors": b.spanAnchors, "span_of": b.spanOf, "span_since": b.spanSince, "span_until": b.spanUntil,
		"erased_at": b.erasedAt, "epochs": b.epochs, "sequences": b.sequences, "begun": b.begun,
	}
	var args []any
	for k, v := range named {
		args = append(args, clickhouse.Named(k, v))
	}
	return args
}

// condition is that of the rows of a table that are to go.
func (r rowsOf) condition() string {
	return `workspace = {workspace:String} AND ` + r.prefix + ` AND ` + r.who + ` != 0`
}

// count returns how many rows of a table are of each erasure.
func (w *Worker) count(ctx context.Context, b *batch, r rowsOf) ([]uint64, uint64, error) {
	counts, total := make([]uint64, len(b.erasures)), uint64(0)
	err := query(ctx, w.deps.Conn, "count rows of "+r.table, `SELECT `+r.who+` AS who, count() FROM `+r.table+` WHERE `+r.condition()+` GROUP BY who`,
		func(rows driver.Rows) error {
			var who uint32
			var n uint64
			if err := rows.Scan(&who, &n); err != nil {
				return err
			}
			counts[who-1] += n
			total += n
			return nil
		}, b.bind()...)
	return counts, total, err
}

// countAll returns how many rows of a table meet a condition.
func (w *Worker) countAll(ctx context.Context, b *batch, table, condition string) (n uint64, err error) {
	err = query(ctx, w.deps.Conn, "count rows of "+table, `SELECT count() FROM `+table+` WHERE workspace = {workspace:String} AND `+condition,
		func(rows driver.Rows) error { return rows.Scan(&n) }, b.bind()...)
	return n, err
}
