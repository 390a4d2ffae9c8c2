package views

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// row is a view as it is stored.
type row struct {
	id            identity.ProfileID
	at            clickhouse.Place
	computed      time.Time
	freshUntil    time.Time
	keys, anchors []uint64
	household     uint64
	tally         clickhouse.Tally
	body          []byte            // the encoded view, empty for none; of a mark, whether it is whole
	view          *profiles.Profile // of body, once it was opened
	seen          int64             // how far the projector was when it was read
}

// head is what stands in front of the view in the column body.
func (c *codec) head(r *row) {
	c.time(&r.computed)
	c.time(&r.freshUntil)
	list(c, &r.keys, func(k *uint64) { fixed(c, k) })
	list(c, &r.anchors, func(a *uint64) { fixed(c, a) })
	fixed(c, &r.household)
	number(c, &r.tally.Events)
	fixed(c, &r.tally.EventsSum)
	number(c, &r.tally.Sightings)
}

// stamp is the place of a row as one number.
func (r *row) stamp() *big.Int {
	n := new(big.Int).SetUint64(r.at.Epoch)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(r.at.Sequence))
}

// readable opens the body, once, and reports whether there is a view in it.
func (r *row) readable() bool {
	if r.view == nil && len(r.body) > 0 {
		if p, err := decode(r.body); err == nil {
			r.view = p
		}
	}
	return r.view != nil
}

// sighted reports whether an event carried an identifier of the profile of a readable
// row: one that none did, or that was erased, finds nobody.
func (r *row) sighted(key identity.Key) bool { return slices.Contains(r.view.Keys, key) }

// table is profile_views, read and written in one form.
type table struct {
	conn driver.Conn
	form uint64
}

const rowsSQL = `SELECT profile_id, toUInt64(bitShiftRight(stamp, 64)), toUInt64(bitAnd(stamp, 0xffffffffffffffff)), body
FROM profile_views
WHERE workspace = {workspace:String} AND profile_id IN {ids:Array(UInt64)} AND form = {form:UInt64}
SETTINGS optimize_move_to_prewhere = 0, max_threads = 1`

// read returns the rows of ids that stand; those that have none are missing.
func (t table) read(ctx context.Context, workspace string, ids []uint64) (map[uint64]*row, error) {
	found := make(map[uint64]*row, len(ids))
	rows, err := t.conn.Query(ctx, rowsSQL, ch.Named("workspace", workspace), ch.Named("ids", ids), ch.Named("form", t.form))
	if err != nil {
		return nil, fmt.Errorf("read views: %w", clickhouse.Concise(err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		r, c := &row{}, &codec{reading: true}
		var id uint64
		if err := rows.Scan(&id, &r.at.Epoch, &r.at.Sequence, &c.b); err != nil {
			return nil, fmt.Errorf("read views: %w", clickhouse.Concise(err))
		}
		c.head(r)
		r.id, r.body = identity.ProfileID(id), c.b
		if old := found[id]; c.err == nil && (old == nil || r.after(old)) {
			found[id] = r
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read views: %w", clickhouse.Concise(err))
	}
	return found, nil
}

// after reports whether r takes the place of o: it was read at a later version, or
// at the same one at a later time.
func (r *row) after(o *row) bool {
	return r.at.After(o.at) || r.at == o.at && r.computed.After(o.computed)
}

// write stores rows.
func (t table) write(ctx context.Context, workspace string, rows []*row) error {
	if len(rows) == 0 {
		return nil
	}
	batch, err := t.conn.PrepareBatch(ctx, `INSERT INTO profile_views (workspace, profile_id, form, stamp, body)`)
	if err != nil {
		return fmt.Errorf("write views: %w", clickhouse.Concise(err))
	}
	defer func() { _ = batch.Close() }()
	for _, r := range rows {
		c := &codec{b: make([]byte, 0, len(r.body)+256)}
		c.head(r)
		if err := batch.Append(workspace, uint64(r.id), t.form, r.stamp(), append(c.b, r.body...)); err != nil {
			return fmt.Errorf("write views: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("write views: %w", clickhouse.Concise(err))
	}
	return nil
}

// mark is how far the projector is: all rows that a change up to at touches were read
// again since, and no sweep is due before swept. It is whole when a sweep has looked at
// everybody since notes of stored events were lost.
type mark struct {
	at    clickhouse.Place
	swept time.Time
	whole bool
}

// mark returns the mark of a workspace; false where no rows of this form were made.
func (t table) mark(ctx context.Context, workspace string) (mark, bool, error) {
	found, err := t.read(ctx, workspace, []uint64{0})
	if err != nil || found[0] == nil {
		return mark{}, false, err
	}
	return mark{at: found[0].at, swept: found[0].freshUntil, whole: len(found[0].body) > 0}, true, nil
}

// setMark stores a mark at a time.
func (t table) setMark(ctx context.Context, workspace string, m mark, now time.Time) error {
	one := &row{at: m.at, computed: now, freshUntil: m.swept}
	if m.whole {
		one.body = []byte{1}
	}
	return t.write(ctx, workspace, []*row{one})
}

const standSQL = `SELECT DISTINCT profile_id FROM profile_views
WHERE workspace = {workspace:String} AND profile_id IN {ids:Array(UInt64)} AND profile_id != 0
ORDER BY profile_id`

// standing returns which of ids have rows, of any form, in their order.
func (t table) standing(ctx context.Context, workspace string, ids []uint64) ([]identity.ProfileID, error) {
	return t.ids(ctx, standSQL, ch.Named("workspace", workspace), ch.Named("ids", ids))
}

const thereSQL = `SELECT profile_id FROM profile_views WHERE workspace = {workspace:String} AND form = {form:UInt64} LIMIT 1`

// there reports whether a workspace has rows of this form.
func (t table) there(ctx context.Context, workspace string) (bool, error) {
	ids, err := t.ids(ctx, thereSQL, ch.Named("workspace", workspace), ch.Named("form", t.form))
	return len(ids) > 0, err
}

// sweepSQL has the rows of an identifier one after the other, and reads no more than it
// returns: to leave out its further rows the engine would look at all that follow.
const sweepSQL = `SELECT identifier_id FROM identifiers
WHERE workspace = {workspace:String} AND identifier_id > {after:UInt64}
ORDER BY identifier_id
LIMIT {limit:UInt32}`

// next returns the keys of some identifiers after one, in their order.
func (t table) next(ctx context.Context, workspace string, after uint64, limit int) ([]identity.ProfileID, error) {
	ids, err := t.ids(ctx, sweepSQL, ch.Named("workspace", workspace), ch.Named("after", after), ch.Named("limit", uint32(limit)))
	return slices.Compact(ids), err
}

func (t table) ids(ctx context.Context, query string, args ...any) (ids []identity.ProfileID, err error) {
	rows, err := t.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read ids of views: %w", clickhouse.Concise(err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id uint64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read ids of views: %w", clickhouse.Concise(err))
		}
		ids = append(ids, identity.ProfileID(id))
	}
	return ids, clickhouse.Concise(rows.Err())
}

const workspacesSQL = `SELECT DISTINCT workspace FROM identity_versions ORDER BY workspace`

// workspaces returns those that have a published version.
func (t table) workspaces(ctx context.Context) (names []string, err error) {
	rows, err := t.conn.Query(ctx, workspacesSQL)
	if err != nil {
		return nil, fmt.Errorf("read workspaces: %w", clickhouse.Concise(err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("read workspaces: %w", clickhouse.Concise(err))
		}
		names = append(names, name)
	}
	return names, clickhouse.Concise(rows.Err())
}
