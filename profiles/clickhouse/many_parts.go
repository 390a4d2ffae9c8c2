package clickhouse

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// manyHouseholdsSQL is householdSQL for several profiles.
const manyHouseholdsSQL = `SELECT profile_id, argMax(household_id, (epoch, sequence)) AS household
FROM household_profile
WHERE workspace = {workspace:String} AND ` + countedSQL + ` AND profile_id IN (
    SELECT profile_id FROM household_profile WHERE workspace = {workspace:String} AND household_id != 0 AND household_id IN (
        SELECT argMax(household_id, (epoch, sequence)) FROM household_profile
        WHERE workspace = {workspace:String} AND profile_id IN {profiles:Array(UInt64)} AND ` + countedSQL + `
        GROUP BY profile_id
    )
)
GROUP BY profile_id
HAVING household != 0
ORDER BY profile_id`

func (m *many) households(ctx context.Context) error {
	all := map[identity.HouseholdID][]identity.ProfileID{}
	in := map[identity.ProfileID]identity.HouseholdID{}
	err := m.read(ctx, "households", manyHouseholdsSQL, "profiles", m.profiles(), func(rows driver.Rows) error {
		var profile, household uint64
		err := rows.Scan(&profile, &household)
		id, h := identity.ProfileID(profile), identity.HouseholdID(household)
		in[id], all[h] = h, append(all[h], id)
		return err
	})
	m.each(func(o *one) {
		if h := in[o.id]; h != 0 {
			others := slices.DeleteFunc(slices.Clone(all[h]), func(id identity.ProfileID) bool { return id == o.id })
			o.p.Household = &profiles.Household{ID: h, Profiles: others}
		}
	})
	return err
}

const manyActivitySQL = `SELECT anchor_id, kind, count(), min(time), max(time), countIf(type = 'group'), toUInt64(0)
FROM events` + ofProfiles + `
GROUP BY anchor_id, kind` + keyOnly

func (m *many) activity(ctx context.Context) error {
	m.each(func(o *one) { o.p.Activity.Events = map[string]uint64{} })
	query := manyActivitySQL
	if m.projecting {
		query = strings.Replace(query, "toUInt64(0)", eventsSum, 1)
	}
	return m.read(ctx, "activity", query, "anchors", m.events(), func(rows driver.Rows) error {
		var anchor, n, groups, sum uint64
		var kind string
		var first, last time.Time
		if err := rows.Scan(&anchor, &kind, &n, &first, &last, &groups, &sum); err != nil {
			return err
		}
		o := m.ofAnchor[anchor]
		if o == nil {
			return nil
		}
		a := &o.p.Activity
		o.groups += groups
		o.tally.Add(Tally{Events: n, EventsSum: sum})
		a.Events[kind] += n
		if a.FirstSeen.IsZero() || first.Before(a.FirstSeen) {
			a.FirstSeen = first.UTC()
		}
		if last.After(a.LastSeen) {
			a.LastSeen = last.UTC()
		}
		return nil
	})
}

// placedEvent is an event with the hash that places it among those of its time.
type placedEvent struct {
	high, low uint64
	profiles.Event
}

// manyRecentSQL takes the newest of each anchor, of which a profile has some few.
// The limit is that of recentSQL, bound with the anchors.
const manyRecentSQL = `SELECT anchor_id, toUInt64(bitShiftRight(message_hash, 64)), toUInt64(bitAnd(message_hash, 0xffffffffffffffff)),
    message_id, kind, name, type, source, time, properties
FROM events` + ofProfiles + `
ORDER BY anchor_id, time DESC, message_hash DESC
LIMIT {limit:UInt32} BY anchor_id`

func (m *many) recent(ctx context.Context) error {
	err := m.readLimited(ctx, "recent events", manyRecentSQL, m.events(), func(rows driver.Rows) error {
		var anchor uint64
		var e placedEvent
		var properties string
		err := rows.Scan(&anchor, &e.high, &e.low, &e.MessageID, &e.Kind, &e.Name, &e.Type, &e.Source, &e.Time, &properties)
		e.Time, e.Properties = e.Time.UTC(), Object(properties)
		if o := m.ofAnchor[anchor]; o != nil {
			o.newest = append(o.newest, e)
		}
		return err
	})
	m.each(func(o *one) {
		slices.SortFunc(o.newest, func(a, b placedEvent) int {
			return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.high, a.high), cmp.Compare(b.low, a.low))
		})
		for _, e := range o.newest[:min(len(o.newest), m.cfg.Recent)] {
			o.p.Recent = append(o.p.Recent, e.Event)
		}
	})
	return err
}

// statement is what one source says of a trait.
type statement struct{ trait, source, value string }

const manyTraitsSQL = `SELECT anchor_id, ` + statementColumns + `
FROM trait_observations` + ofProfiles + `
GROUP BY anchor_id, trait, source, value` + keyOnly

func (m *many) traits(ctx context.Context) error {
	err := m.read(ctx, "traits", manyTraitsSQL, "anchors", m.events(), func(rows driver.Rows) error {
		var anchor uint64
		said, err := scanObservation(rows, &anchor)
		if o := m.ofAnchor[anchor]; o != nil {
			o.say(said)
		}
		return err
	})
	m.each(func(o *one) { o.p.Traits = m.cfg.Rules.Reduce(slices.Collect(maps.Values(o.said))) })
	return err
}

// say adds what events of one anchor said.
func (o *one) say(said profiles.Observation) {
	if o.said == nil {
		o.said = map[statement]profiles.Observation{}
	}
	o.removed = o.removed || said.Value == "null"
	key := statement{said.Trait, said.Source, said.Value}
	if before, ok := o.said[key]; ok {
		said.Count += before.Count
		if before.First.Compare(said.First) < 0 {
			said.First = before.First
		}
		if before.Last.Compare(said.Last) > 0 {
			said.Last = before.Last
		}
	}
	o.said[key] = said
}

var manyTransactionsSQL = `SELECT anchor_id, ` + transactionColumns + strings.Replace(transactionsFrom, ofProfile, ofProfiles, 1)

func (m *many) transactions(ctx context.Context) error {
	var anchors []uint64
	m.each(func(o *one) {
		if o.p.Activity.Events["transaction"] > 0 {
			anchors = append(anchors, o.reader.anchors...)
		}
	})
	err := m.read(ctx, "transactions", manyTransactionsSQL, "anchors", anchors, func(rows driver.Rows) error {
		var anchor uint64
		t, err := scanTransaction(rows, &anchor)
		if o := m.ofAnchor[anchor]; o != nil {
			o.transactions = append(o.transactions, t)
		}
		return err
	})
	m.each(func(o *one) {
		if o.p.Activity.Events["transaction"] > 0 {
			o.p.Orders, o.p.Products = profiles.Purchases(o.transactions)
			o.p.Products = o.p.Products[:min(len(o.p.Products), m.cfg.Products)]
		}
	})
	return err
}

// manyResolveSQL is resolveSQL for several keys.
const manyResolveSQL = `SELECT toUInt8(0) AS what, identifier_id AS key, toUInt64(0) AS id
FROM ` + countedSightings + `
GROUP BY identifier_id
UNION ALL
SELECT toUInt8(1), anchor_id, argMax(owner_id, (epoch, sequence))
FROM anchor_owner
WHERE workspace = {workspace:String} AND anchor_id IN {keys:Array(UInt64)} AND ` + countedSQL + `
GROUP BY anchor_id
UNION ALL
SELECT toUInt8(2), identifier_id, argMax(profile_id, (epoch, sequence))
FROM identifier_profile
WHERE workspace = {workspace:String} AND identifier_id IN {keys:Array(UInt64)} AND ` + countedSQL + `
GROUP BY identifier_id`

// ResolveMany implements profiles.Batcher.
func (s *Store) ResolveMany(ctx context.Context, workspace string, keys []identity.Key) ([]identity.ProfileID, error) {
	m := &many{Store: s, workspace: workspace}
	var err error
	found := make([]identity.ProfileID, len(keys))
	if m.version, err = s.version(ctx, workspace); err != nil {
		return found, err
	}
	ids := make([]uint64, len(keys))
	for i, k := range keys {
		ids[i] = uint64(k)
	}
	seen, unowned, profile := map[uint64]bool{}, map[uint64]bool{}, map[uint64]uint64{}
	err = m.read(ctx, "resolve identifiers", manyResolveSQL, "keys", ids, func(rows driver.Rows) error {
		var what uint8
		var key, id uint64
		err := rows.Scan(&what, &key, &id)
		switch what {
		case 0:
			seen[key] = true
		case 1:
			unowned[key] = id == 0
		case 2:
			profile[key] = id
		}
		return err
	})
	for i, key := range ids {
		if id, ok := profile[key]; ok {
			key = id
		}
		if seen[ids[i]] && !unowned[ids[i]] {
			found[i] = identity.ProfileID(key)
		}
	}
	return found, err
}
