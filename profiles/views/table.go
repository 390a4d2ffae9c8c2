package views

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
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
	// scores are those that were found under looked, of its keys.
	scores []clickhouse.Standing
	looked []uint64
}

// head is what stands in front of the view in the column body.
func (c *codec) head(r *row) {
	c.time(&r.freshUntil)
	list(c, &r.keys, func(k *uint64) { fixed(c, k) })
	list(c, &r.anchors, func(a *uint64) { fixed(c, a) })
	fixed(c, &r.household)
	number(c, &r.tally.Events)
	fixed(c, &r.tally.EventsSum)
	number(c, &r.tally.Sightings)
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

// table is profile_lookup, read and written in one form.
type table struct {
	conn driver.Conn
	form uint64
}

// What stands under a key, in the column name; the view of a profile and an alias of it
// have one key, that of an identifier.
const (
	nameView  = "view"
	nameAlias = "alias" // an identifier that founded no profile
	nameGroup = "group"
	nameScore = "score:" // and the name of the score
)

// keyOf is where something stands. Names of scores come last: they may have any letters.
func keyOf(workspace string, id uint64, name string) string {
	b := make([]byte, 0, len(workspace)+len(name)+22)
	b = append(append(b, workspace...), '/')
	b = strconv.AppendUint(b, id, 10)
	return string(append(append(b, '/'), name...))
}

// entry is what was found under one id.
type entry struct {
	row    *row   // nil for none of this form
	owner  uint64 // of an alias, by a row of this form; 0 for none
	scores []clickhouse.Standing
}

// own is a copy of e for one reader: others may have got it, too. What they all read of
// it has no room to be added to.
func (e *entry) own() *entry {
	if e == nil || e.row == nil {
		return e
	}
	r := *e.row
	r.looked, r.scores = slices.Clip(r.looked), slices.Clone(r.scores)
	return &entry{row: &r, owner: e.owner, scores: slices.Clip(e.scores)}
}

// maxLook bounds the keys of one question.
const maxLook = 4000

// lookSQL has columns as they are and no condition but the keys: for each expression the
// engine plans a step, and a look is mostly planning. With the stamp in two halves and a
// condition on the workspace it takes half as long again (BenchmarkLook).
const lookSQL = `SELECT workspace, profile_id, name, form, stamp, computed_at, body
FROM profile_lookup
WHERE key IN {keys:Array(String)}`

// look returns what stands under ids: their views, and of the names what there is. Those
// under which nothing stands are missing. The old analyser of the engine takes a twentieth
// less time, and other settings do not tell.
func (t table) look(ctx context.Context, workspace string, ids []uint64, names ...string) (map[uint64]*entry, error) {
	keys := make([]string, 0, len(ids)*(1+len(names)))
	for _, id := range ids {
		keys = append(keys, keyOf(workspace, id, nameView))
		for _, name := range names {
			keys = append(keys, keyOf(workspace, id, name))
		}
	}
	found := make(map[uint64]*entry, len(ids))
	ctx = ch.Context(ctx, ch.WithSettings(ch.Settings{"max_threads": 1, "enable_analyzer": 0}))
	for part := range slices.Chunk(keys, maxLook) {
		if err := t.lookFor(ctx, workspace, part, found); err != nil {
			return nil, fmt.Errorf("read views: %w", clickhouse.Concise(err))
		}
	}
	return found, nil
}

func (t table) lookFor(ctx context.Context, workspace string, keys []string, found map[uint64]*entry) error {
	rows, err := t.conn.Query(ctx, lookSQL, ch.Named("keys", keys))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var of, name string
		var id, form uint64
		var stamp big.Int
		var computed time.Time
		var body []byte
		if err := rows.Scan(&of, &id, &name, &form, &stamp, &computed, &body); err != nil {
			return err
		}
		if of != workspace { // Nobody knows what letters a workspace has.
			continue
		}
		e := found[id]
		if e == nil {
			e = &entry{}
			found[id] = e
		}
		switch {
		case name == nameGroup || strings.HasPrefix(name, nameScore):
			if s, ok := readStanding(name, body); ok {
				s.Key, s.ComputedAt = id, computed.UTC()
				e.scores = append(e.scores, s)
			}
		case form == t.form:
			e.take(id, name, placeOf(&stamp), computed, body)
		}
	}
	return rows.Err()
}

// placeOf is the version that is written as a stamp.
func placeOf(stamp *big.Int) clickhouse.Place {
	var b [16]byte
	stamp.FillBytes(b[:])
	return clickhouse.Place{Epoch: binary.BigEndian.Uint64(b[:8]), Sequence: binary.BigEndian.Uint64(b[8:])}
}

// take keeps what stands under an id, where nothing later does: on a cluster there may be
// several.
func (e *entry) take(id uint64, name string, at clickhouse.Place, computed time.Time, body []byte) {
	r := &row{id: identity.ProfileID(id), at: at, computed: computed.UTC()}
	if e.row != nil && !r.after(e.row) {
		return
	}
	if name == nameAlias {
		if len(body) == 8 {
			e.row, e.owner = r, binary.LittleEndian.Uint64(body)
		}
		return
	}
	c := &codec{reading: true, b: body}
	if c.head(r); c.err == nil {
		r.body = c.b
		e.row, e.owner = r, 0
	}
}

// readStanding reads a score or a group, but for its key and its time.
func readStanding(name string, body []byte) (s clickhouse.Standing, ok bool) {
	parts := strings.SplitN(string(body), "\x00", 6)
	if len(parts) != 6 {
		return s, false
	}
	s.Name = strings.TrimPrefix(name, nameScore)
	if name == nameGroup {
		s.Name = ""
	}
	s.ModelVersion, s.Detail = parts[0], clickhouse.Object(parts[5])
	ms, err := strconv.ParseInt(parts[1], 10, 64)
	s.AsOf = time.UnixMilli(ms).UTC()
	for i, number := range []*float64{&s.Value, &s.Lower, &s.Upper} {
		var e error
		*number, e = strconv.ParseFloat(parts[2+i], 64)
		err = errors.Join(err, e)
	}
	return s, err == nil
}

// read returns the rows of ids that stand; those that have none are missing.
func (t table) read(ctx context.Context, workspace string, ids []uint64) (map[uint64]*row, error) {
	entries, err := t.look(ctx, workspace, ids)
	found := make(map[uint64]*row, len(entries))
	for id, e := range entries {
		if e.row != nil && e.owner == 0 {
			found[id] = e.row
		}
	}
	return found, err
}

// after reports whether r takes the place of o: it was read at a later version, or
// at the same one at a later time.
func (r *row) after(o *row) bool {
	return r.at.After(o.at) || r.at == o.at && r.computed.After(o.computed)
}

// maxAliases bounds the identifiers of one profile that are found by an alias.
const maxAliases = 64

// errLate is what a write that took too long ends with: it may have written nothing.
var errLate = errors.New("views were not written in time")

const writeSQL = `INSERT INTO profile_lookup (key, workspace, profile_id, name, form, stamp, computed_at, body)
SELECT key, {workspace:String}, profile_id, name, {form:UInt64}, bitOr(bitShiftLeft(toUInt128(epoch), 64), toUInt128(sequence)), computed_at, body
FROM fresh
WHERE now64(3) < fromUnixTimestamp64Milli({until:Int64})`

// write stores rows, and aliases of those who have a view, until the lease ends: a
// process that was paused for longer writes nothing, by the clock of the engine.
func (t table) write(ctx context.Context, workspace string, rows []*row, l lease) error {
	if len(rows) == 0 {
		return nil
	}
	fresh, err := newFresh(workspace, rows)
	if err != nil {
		return fmt.Errorf("write views: %w", err)
	}
	inserting := ch.Context(ctx, ch.WithExternalTable(fresh))
	if err := t.conn.Exec(inserting, writeSQL, ch.Named("workspace", workspace), ch.Named("form", t.form), ch.Named("until", l.until)); err != nil {
		return fmt.Errorf("write views: %w", clickhouse.Concise(err))
	}
	if time.Since(l.taken) >= l.length {
		return errLate
	}
	return nil
}

// newFresh is the external table of rows and of their aliases.
func newFresh(workspace string, rows []*row) (*ext.Table, error) {
	fresh, err := ext.NewTable("fresh", ext.Column("key", "String"), ext.Column("profile_id", "UInt64"), ext.Column("name", "String"),
		ext.Column("epoch", "UInt64"), ext.Column("sequence", "UInt64"), ext.Column("computed_at", "DateTime64(3, 'UTC')"), ext.Column("body", "String"))
	if err != nil {
		return nil, err
	}
	aliased := map[uint64]bool{}
	for _, r := range rows {
		if len(r.body) == 0 || r.id == 0 {
			continue
		}
		owner := binary.LittleEndian.AppendUint64(nil, uint64(r.id))
		for _, k := range r.keys[:min(len(r.keys), maxAliases)] {
			if k == uint64(r.id) {
				continue
			}
			aliased[k] = true
			if err := fresh.Append(keyOf(workspace, k, nameView), k, nameAlias, r.at.Epoch, r.at.Sequence, r.computed, owner); err != nil {
				return nil, err
			}
		}
	}
	for _, r := range rows {
		if aliased[uint64(r.id)] && len(r.body) == 0 {
			continue // Of the same key. Who has it has a view.
		}
		c := &codec{b: make([]byte, 0, len(r.body)+256)}
		c.head(r)
		if err := fresh.Append(keyOf(workspace, uint64(r.id), nameView), uint64(r.id), nameView, r.at.Epoch, r.at.Sequence, r.computed, append(c.b, r.body...)); err != nil {
			return nil, err
		}
	}
	return fresh, nil
}

// lease says for how long nobody else writes.
type lease struct {
	until  int64     // by the clock of the engine, in milliseconds
	taken  time.Time // by the clock of this process
	length time.Duration
}

// lease takes the time of the engine, and then proves that the notes are still this
// process's: whoever gets them next does so after the lease.
func (t table) lease(ctx context.Context, hold func(context.Context) (time.Duration, error)) (lease, error) {
	l := lease{taken: time.Now()}
	err := t.conn.QueryRow(ctx, "SELECT toUnixTimestamp64Milli(now64(3))").Scan(&l.until)
	if err != nil {
		return l, fmt.Errorf("write views: %w", clickhouse.Concise(err))
	}
	l.length, err = hold(ctx)
	l.until += l.length.Milliseconds()
	return l, err
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
func (t table) setMark(ctx context.Context, workspace string, m mark, now time.Time, l lease) error {
	one := &row{at: m.at, computed: now, freshUntil: m.swept}
	if m.whole {
		one.body = []byte{1}
	}
	return t.write(ctx, workspace, []*row{one}, l)
}

// standing returns which of ids have rows, of this form, in their order.
func (t table) standing(ctx context.Context, workspace string, ids []uint64) (found []identity.ProfileID, err error) {
	rows, err := t.read(ctx, workspace, ids)
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		if id != 0 {
			found = append(found, identity.ProfileID(id))
		}
	}
	return found, err
}

const thereSQL = `SELECT profile_id FROM profile_lookup
WHERE workspace = {workspace:String} AND form = {form:UInt64} AND name = '` + nameView + `'
LIMIT 1`

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
