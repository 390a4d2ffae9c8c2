package matching

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// reader reads what records say.
type reader struct {
	conn      driver.Conn
	workspace string
	keyer     identity.Keyer
	fields    *fieldMap
	limit     int
}

// ErrTooMany reports more records than Config.MaxRecords.
var ErrTooMany = fmt.Errorf("there are more records than this process may hold")

// query calls scan for each row. Errors hold no values.
func (r *reader) query(ctx context.Context, what, text string, scan func(driver.Rows) error, args ...any) error {
	rows, err := r.conn.Query(ctx, text, append(args, clickhouse.Named("workspace", r.workspace))...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, profilestore.Concise(err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, profilestore.Concise(err))
	}
	return nil
}

// holder is an identifier whose events say what a record says.
type holder struct {
	identity.Identifier
	record *record
}

// batch is what is read at once: the holders, the anchors of their events, and
// what these say.
type batch struct {
	holders map[identity.Key]holder
	// anchors are the records of each anchor; tied are the records of user ids
	// that the ledger knows already.
	anchors map[uint64][]*record
	tied    map[identity.Key]bool
	// newest is the place of each value in time, by record and field.
	newest map[*record][]place
}

// place orders statements: the time of the event, then its hash, and of one event
// a value before none, and the trait that is named first.
type place struct {
	time int64
	hash uint64
	rank int
}

func (p place) before(q place) bool {
	return cmp.Or(cmp.Compare(p.time, q.time), cmp.Compare(p.hash, q.hash), cmp.Compare(q.rank, p.rank)) < 0
}

func newBatch() *batch {
	return &batch{holders: map[identity.Key]holder{}, anchors: map[uint64][]*record{}, tied: map[identity.Key]bool{}, newest: map[*record][]place{}}
}

// hold notes an identifier that may hold a record.
func (r *reader) hold(b *batch, key identity.Key, namespace identity.Namespace, value string) error {
	id := identity.Identifier{Namespace: namespace, Value: value}
	switch {
	case namespace == identity.Record && !isRecord(id):
		b.tied[key] = true
		return nil
	case namespace == identity.Record:
		b.holders[key] = holder{id, &record{key: key, id: value}}
	case namespace == identity.UserID:
		name := userPrefix + value
		own := r.keyer.Key(identity.Identifier{Namespace: identity.Record, Value: name})
		b.holders[key] = holder{id, &record{key: own, id: name, user: identity.Member{Identifier: id, Key: key}}}
	default:
		return nil
	}
	if len(b.holders) > r.limit {
		return fmt.Errorf("%w: %d", ErrTooMany, r.limit)
	}
	return nil
}

// anchor notes whose an anchor is: that of the records among its members, or else
// of its user ids.
func (b *batch) anchor(anchor uint64, members []uint64) {
	var records, users []*record
	for _, m := range members {
		switch h, ok := b.holders[identity.Key(m)]; {
		case !ok:
		case h.Namespace == identity.Record:
			records = append(records, h.record)
		default:
			users = append(users, h.record)
		}
	}
	if len(records) == 0 {
		records = users
	}
	if len(records) > 0 {
		b.anchors[anchor] = records
	}
}

const holdersSQL = `SELECT identifier_id, any(namespace), any(value) FROM identifiers
WHERE workspace = {workspace:String} AND namespace IN ('record', 'user_id')
GROUP BY identifier_id`

const setsSQL = `SELECT anchor_id, groupUniqArray(identifier_id) FROM anchor_members
WHERE workspace = {workspace:String} AND identifier_id IN (
    SELECT identifier_id FROM identifiers WHERE workspace = {workspace:String} AND namespace IN ('record', 'user_id')
)
GROUP BY anchor_id`

// saidSQL is the newest value of each trait of each anchor.
const saidSQL = `SELECT anchor_id, trait, argMax(value, (time, message_hash)),
    toUnixTimestamp64Milli(max(time)), toUInt64(bitShiftRight(argMax(message_hash, (time, message_hash)), 64)),
    toUnixTimestamp64Milli(min(time)), toUnixTimestamp64Milli(min(received_time))
FROM trait_observations
WHERE workspace = {workspace:String} AND trait IN {traits:Array(String)}`

// all reads every record of the workspace.
func (r *reader) all(ctx context.Context, traits []string) (*batch, error) {
	b := newBatch()
	err := r.query(ctx, "read identifiers of records", holdersSQL, func(rows driver.Rows) error {
		var key uint64
		var namespace, value string
		if err := rows.Scan(&key, &namespace, &value); err != nil {
			return err
		}
		return r.hold(b, identity.Key(key), identity.Namespace(namespace), value)
	})
	if err != nil {
		return nil, err
	}
	for key := range b.holders {
		b.anchor(uint64(key), []uint64{uint64(key)})
	}
	err = r.query(ctx, "read anchors of records", setsSQL, func(rows driver.Rows) error {
		var anchor uint64
		var members []uint64
		err := rows.Scan(&anchor, &members)
		b.anchor(anchor, members)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, h := range b.holders {
		h.record.values = make([]string, len(r.fields.fields))
	}
	err = r.statements(ctx, b, traits, "", nil)
	b.settle(r.fields)
	return b, err
}

// statements reads what anchors say, all or more of a condition.
func (r *reader) statements(ctx context.Context, b *batch, traits []string, more string, args []any) error {
	return r.query(ctx, "read traits of records", saidSQL+more+" GROUP BY anchor_id, trait", func(rows driver.Rows) error {
		var anchor, hash uint64
		var trait, value string
		var at, first, received int64
		if err := rows.Scan(&anchor, &trait, &value, &at, &hash, &first, &received); err != nil {
			return err
		}
		for _, rec := range b.anchors[anchor] {
			r.state(b, rec, trait, value, place{time: at, hash: hash})
			if rec.received == 0 {
				rec.first, rec.received = first, received
			}
			rec.first, rec.received = min(rec.first, first), min(rec.received, received)
		}
		return nil
	}, append(args, clickhouse.Named("traits", traits))...)
}

// settle ends the reading of records.
func (b *batch) settle(fields *fieldMap) {
	for _, h := range b.holders {
		fields.settle(h.record.values)
	}
	b.newest = nil
}

// state lets a record say a trait, where nothing newer is known of the field.
func (r *reader) state(b *batch, rec *record, trait, value string, at place) {
	places := b.newest[rec]
	if places == nil {
		places = slices.Repeat([]place{{time: math.MinInt64}}, len(r.fields.fields))
		b.newest[rec] = places
	}
	r.fields.each(trait, value, func(t teller, text string) {
		if at.rank = t.rank; text == "" {
			at.rank = math.MaxInt
		}
		if places[t.column].before(at) {
			places[t.column], rec.values[t.column] = at, text
		}
	})
}

const traitsSQL = `SELECT DISTINCT trait FROM trait_observations WHERE workspace = {workspace:String}`

// traits returns the names of traits in use that may say something of a field.
func (r *reader) traits(ctx context.Context) ([]string, error) {
	names := []string{}
	err := r.query(ctx, "read names of traits", traitsSQL, func(rows driver.Rows) error {
		var name string
		err := rows.Scan(&name)
		if r.fields.asks(name) {
			names = append(names, name)
		}
		return err
	})
	slices.Sort(names)
	return names, err
}
