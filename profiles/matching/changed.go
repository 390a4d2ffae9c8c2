package matching

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
)

// statement is what an event says of a person, with the event's anchor.
type statement struct {
	anchor, hash uint64
	received     int64 // milliseconds
	rows         uint64
	traits       []string
}

const sinceSQL = `SELECT anchor_id, toUInt64(bitShiftRight(message_hash, 64)), toUnixTimestamp64Milli(received_time), count(), groupUniqArray(toString(trait))
FROM trait_observations
WHERE workspace = {workspace:String} AND received_time >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY anchor_id, message_hash, received_time`

// since returns the statements received from a time on.
func (r *reader) since(ctx context.Context, since int64) (list []statement, err error) {
	err = r.query(ctx, "read new traits", sinceSQL, func(row driver.Rows) error {
		var s statement
		err := row.Scan(&s.anchor, &s.hash, &s.received, &s.rows, &s.traits)
		list = append(list, s)
		return err
	}, clickhouse.Named("since", since))
	return list, err
}

const countSQL = `SELECT count() FROM trait_observations WHERE workspace = {workspace:String}`

// count is the number of rows, which ClickHouse knows without reading them.
func (r *reader) count(ctx context.Context) (n uint64, err error) {
	err = r.query(ctx, "count traits", countSQL, func(row driver.Rows) error { return row.Scan(&n) })
	return n, err
}

const rewrittenSQL = `SELECT count() FROM erasure_steps WHERE workspace = {workspace:String} AND step IN ('trait_observations', 'identifiers', 'done')`

// rewritten counts the steps by which erasures took records out of the tables.
func (r *reader) rewritten(ctx context.Context) (n uint64, err error) {
	err = r.query(ctx, "count erasures", rewrittenSQL, func(row driver.Rows) error { return row.Scan(&n) })
	return n, err
}

const edgeSQL = `SELECT toUnixTimestamp64Milli(max(received_time)), countIf(received_time < fromUnixTimestamp64Milli({edge:Int64}, 'UTC'))
FROM trait_observations WHERE workspace = {workspace:String}`

// below returns the time of the newest row and the number of rows received before
// edge, at one moment.
func (r *reader) below(ctx context.Context, edge time.Time) (newest int64, below uint64, err error) {
	err = r.query(ctx, "count traits", edgeSQL, func(row driver.Rows) error { return row.Scan(&newest, &below) },
		clickhouse.Named("edge", edge.UnixMilli()))
	return newest, below, err
}

const membersSQL = `SELECT anchor_id, members FROM anchors
WHERE workspace = {workspace:String} AND anchor_id IN {anchors:Array(UInt64)}`

const namedSQL = `SELECT identifier_id, any(namespace), any(value) FROM identifiers
WHERE workspace = {workspace:String} AND identifier_id IN {keys:Array(UInt64)}
GROUP BY identifier_id`

// chunk is how many keys a query asks for at a time.
const chunk = 2000

func inChunks(keys []uint64, do func([]uint64) error) error {
	for from := 0; from < len(keys); from += chunk {
		if err := do(keys[from:min(from+chunk, len(keys))]); err != nil {
			return err
		}
	}
	return nil
}

// members returns the members of anchors; those that the ledger does not know yet
// are missing.
func (r *reader) members(ctx context.Context, anchors []uint64) (map[uint64][]uint64, error) {
	members := map[uint64][]uint64{}
	var sets []uint64
	for _, a := range anchors {
		if identity.AnchorID(a).IsSet() {
			sets = append(sets, a)
		} else {
			members[a] = []uint64{a}
		}
	}
	err := inChunks(sets, func(part []uint64) error {
		return r.query(ctx, "read members of anchors", membersSQL, func(row driver.Rows) error {
			var anchor uint64
			var of []uint64
			err := row.Scan(&anchor, &of)
			members[anchor] = of
			return err
		}, clickhouse.Named("anchors", part))
	})
	return members, err
}

// named returns what identifiers the keys are of.
func (r *reader) named(ctx context.Context, keys []uint64) (map[uint64]identity.Identifier, error) {
	found := map[uint64]identity.Identifier{}
	err := inChunks(keys, func(part []uint64) error {
		return r.query(ctx, "read identifiers", namedSQL, func(row driver.Rows) error {
			var key uint64
			var namespace, value string
			err := row.Scan(&key, &namespace, &value)
			found[key] = identity.Identifier{Namespace: identity.Namespace(namespace), Value: value}
			return err
		}, clickhouse.Named("keys", part))
	})
	return found, err
}

// whose finds the holders of records among the members of anchors, and returns
// the anchors that the ledger does not know yet.
func (r *reader) whose(ctx context.Context, anchors []uint64) (holders map[uint64]identity.Identifier, unknown []uint64, err error) {
	members, err := r.members(ctx, anchors)
	if err != nil {
		return nil, nil, err
	}
	named, err := r.named(ctx, distinct(members))
	if err != nil {
		return nil, nil, err
	}
	holders = map[uint64]identity.Identifier{}
	for _, a := range anchors {
		of, ok := members[a]
		for _, m := range of {
			id, known := named[m]
			ok = ok && known
			if id.Namespace == identity.Record || id.Namespace == identity.UserID {
				holders[m] = id
			}
		}
		if !ok {
			unknown = append(unknown, a)
		}
	}
	return holders, unknown, nil
}

func distinct(members map[uint64][]uint64) []uint64 {
	seen := map[uint64]bool{}
	var keys []uint64
	for _, of := range members {
		for _, m := range of {
			if !seen[m] {
				seen[m] = true
				keys = append(keys, m)
			}
		}
	}
	return keys
}

const ownSetsSQL = `SELECT anchor_id, members FROM anchors WHERE workspace = {workspace:String} AND anchor_id IN (
    SELECT anchor_id FROM anchor_members WHERE workspace = {workspace:String} AND identifier_id IN {keys:Array(UInt64)}
)`

// some reads the records of holders.
func (r *reader) some(ctx context.Context, traits []string, holders map[uint64]identity.Identifier) (*batch, error) {
	b := newBatch()
	var keys []uint64
	for key, id := range holders {
		if err := r.hold(b, identity.Key(key), id.Namespace, id.Value); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	sets := map[uint64][]uint64{}
	err := inChunks(keys, func(part []uint64) error {
		return r.query(ctx, "read anchors of records", ownSetsSQL, func(row driver.Rows) error {
			var anchor uint64
			var of []uint64
			err := row.Scan(&anchor, &of)
			sets[anchor] = of
			return err
		}, clickhouse.Named("keys", part))
	})
	if err != nil {
		return nil, err
	}
	named, err := r.named(ctx, distinct(sets))
	if err != nil {
		return nil, err
	}
	var anchors []uint64
	for _, key := range keys {
		b.anchor(key, []uint64{key})
		anchors = append(anchors, key)
	}
	for anchor, of := range sets {
		if ofRecord(of, named) { // It is no user id's, whether or not its record is among these.
			of = onlyRecords(of, named)
		}
		b.anchor(anchor, of)
		anchors = append(anchors, anchor)
	}
	for _, h := range b.holders {
		h.record.values = make([]string, len(r.fields.fields))
	}
	err = inChunks(anchors, func(part []uint64) error {
		return r.statements(ctx, b, traits, " AND anchor_id IN {anchors:Array(UInt64)}", []any{clickhouse.Named("anchors", part)})
	})
	b.settle(r.fields)
	return b, err
}

// isRecord reports whether an identifier is one of a source's record.
func isRecord(id identity.Identifier) bool {
	return id.Namespace == identity.Record && (len(id.Value) < len(userPrefix) || id.Value[:len(userPrefix)] != userPrefix)
}

func ofRecord(members []uint64, named map[uint64]identity.Identifier) bool {
	return len(onlyRecords(members, named)) > 0
}

func onlyRecords(members []uint64, named map[uint64]identity.Identifier) []uint64 {
	var records []uint64
	for _, m := range members {
		if isRecord(named[m]) {
			records = append(records, m)
		}
	}
	return records
}
