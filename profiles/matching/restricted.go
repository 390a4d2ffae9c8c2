package matching

import (
	"context"
	"fmt"
	"maps"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// barred are the records of people whose processing is restricted, with the profiles
// that hold them.
type barred map[identity.Key]uint64

// barredSQL finds the identifiers that may hold a record of restricted profiles, by the
// reading that the two expressions are of: whatever profile holds a restricted
// identifier now, and every identifier that it has now.
func barredSQL(r warehouse.Reading) string {
	profiles := `SELECT ` + r.IdentifierProfile("identifier_id") + ` FROM restricted_identifiers WHERE workspace = {workspace:String}`
	return `SELECT identifier_id, any(namespace), any(value), any(profile) FROM (
    SELECT identifier_id, namespace, value, ` + r.IdentifierProfile("identifier_id") + ` AS profile FROM identifiers
    WHERE workspace = {workspace:String} AND namespace IN ('record', 'user_id') AND identifier_id IN (
        SELECT identifier_id FROM identifier_profile WHERE workspace = {workspace:String} AND profile_id IN (` + profiles + `)
        UNION DISTINCT ` + profiles + `)
)
WHERE profile IN (` + profiles + `)
GROUP BY identifier_id`
}

// barred reads whose records say nothing because their processing is restricted. Where
// nobody's ever was it costs one look at an empty table.
func (r *reader) barred(ctx context.Context) (barred, error) {
	now, err := warehouse.ReadingNow(ctx, r.conn, r.workspace)
	if err != nil {
		return nil, err
	}
	found := barred{}
	if !now.Restricted() {
		return found, nil
	}
	err = r.query(ctx, "read whose processing is restricted", barredSQL(now), func(row driver.Rows) error {
		var key, profile uint64
		var namespace, value string
		if err := row.Scan(&key, &namespace, &value, &profile); err != nil {
			return err
		}
		one := newBatch()
		if err := r.hold(one, identity.Key(key), identity.Namespace(namespace), value); err != nil {
			return err
		}
		for _, h := range one.holders {
			found[h.record.key] = profile
		}
		return nil
	}, now.Args()...)
	return found, err
}

// within reports whether both records of a pair are of one restricted person. Such a
// pair is as it was before the restriction: it is not scored, and what it joined stays
// together.
func (b barred) within(p pair) bool {
	low, ok := b[p.low]
	return ok && low == b[p.high]
}

// silence lets barred records say nothing: they are compared with nobody, teach no
// model, and what they were scored with is taken back.
func (b barred) silence(batch *batch) {
	for _, h := range batch.holders {
		if _, is := b[h.record.key]; is {
			clear(h.record.values)
		}
	}
}

// keepOut leaves out of c what a restriction forbids: any score of one of the barred,
// but what takes it back, and any change of a pair within one person.
func (b barred) keepOut(c changes) {
	maps.DeleteFunc(c, func(p pair, weight int64) bool {
		if b.within(p) {
			return true
		}
		_, low := b[p.low]
		_, high := b[p.high]
		return (low || high) && weight != identity.Unsupported
	})
}

// bar reads anew who is barred, and reports whether that has changed.
func (m *matcher) bar(ctx context.Context) (changed bool, err error) {
	now, err := m.reader.barred(ctx)
	if err != nil {
		return false, fmt.Errorf("restrictions: %w", err)
	}
	changed = !maps.Equal(now, m.barred)
	m.barred = now
	return changed, nil
}
