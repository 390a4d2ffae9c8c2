package clickhouse

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// Version is a published version of a workspace's reading.
type Version struct{ v version }

// Place is a position in the rows that the owners of the ledger write.
type Place struct{ Epoch, Sequence uint64 }

// After reports whether p is later than o.
func (p Place) After(o Place) bool {
	return p.Epoch > o.Epoch || p.Epoch == o.Epoch && p.Sequence > o.Sequence
}

// Latest is the last place that counts.
func (v Version) Latest() (last Place) {
	for i, epoch := range v.v.epochs {
		if at := (Place{epoch, v.v.lasts[i]}); at.After(last) {
			last = at
		}
	}
	return last
}

// Counts reports whether what was written at a place counts. What an owner wrote
// past the cut of its successor does not, though a reader may have seen it.
func (v Version) Counts(p Place) bool {
	i := slices.Index(v.v.epochs, p.Epoch)
	return i >= 0 && p.Sequence <= v.v.lasts[i] || p == Place{}
}

// Version returns the published version that a read which starts now reads at.
func (s *Store) Version(ctx context.Context, workspace string) (Version, error) {
	v, err := s.version(ctx, workspace)
	return Version{v}, err
}

// Tally sums up the rows that a view is made of.
type Tally struct {
	Events    uint64
	EventsSum uint64 // of their hashes
	Sightings uint64 // rows of identifiers
}

// Projection is what a row of a projected view is made of. Its tally was taken
// before the rest was read, so that whatever came meanwhile makes the tally differ.
type Projection struct {
	ID identity.ProfileID
	// Profile has no scores and no group. It is nil where there is none, and where it must be read
	// by itself: one with identifiers that move between people or were erased once,
	// or with very many.
	Profile       *profiles.Profile
	Keys, Anchors []uint64
	Tally         Tally
	At            Place
}

// Project reads several profiles, in the order of ids, each once.
func (s *Store) Project(ctx context.Context, workspace string, ids []identity.ProfileID) ([]Projection, error) {
	m, err := s.newMany(ctx, workspace, ids)
	if err == nil {
		m.projecting = true
		err = m.load(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("project %d profiles: %w", len(ids), err)
	}
	at := Version{m.version}.Latest()
	out := make([]Projection, len(m.all))
	for i, o := range m.all {
		out[i] = Projection{ID: o.id, At: at}
		if !o.gone && !o.alone {
			out[i].Profile, out[i].Keys, out[i].Anchors, out[i].Tally = o.p, o.reader.keys, o.reader.anchors, o.tally
		}
	}
	return out, nil
}

const (
	// eventsSum is what makes the count exact: as many events may have come as were
	// dropped with an old month.
	eventsSum = "sum(toUInt64(message_hash))"

	eventsTallySQL = `SELECT toUInt8(0), anchor_id, count(), ` + eventsSum + `
FROM events
WHERE workspace = {workspace:String} AND anchor_id IN {anchors:Array(UInt64)}
GROUP BY anchor_id`
	sightingsTallySQL = `SELECT toUInt8(1), identifier_id, count(), toUInt64(0)
FROM identifiers
WHERE workspace = {workspace:String} AND identifier_id IN {keys:Array(UInt64)}
GROUP BY identifier_id`
	tallySQL = eventsTallySQL + "\nUNION ALL\n" + sightingsTallySQL
)

// Tally counts the events of anchors and the sightings of keys, and calls add with
// each anchor or key that has some.
func (s *Store) Tally(ctx context.Context, workspace string, anchors, keys []uint64, add func(id uint64, t Tally)) error {
	return s.tally(ctx, tallySQL, add, clickhouse.Named("workspace", workspace), clickhouse.Named("anchors", anchors), clickhouse.Named("keys", keys))
}

func (s *Store) tally(ctx context.Context, query string, add func(id uint64, t Tally), args ...any) error {
	err := s.query(ctx, query+keyOnly, func(rows driver.Rows) error {
		var what uint8
		var id, n, sum uint64
		if err := rows.Scan(&what, &id, &n, &sum); err != nil {
			return err
		}
		if what == 0 {
			add(id, Tally{Events: n, EventsSum: sum})
		} else {
			add(id, Tally{Sightings: n})
		}
		return nil
	}, args...)
	if err != nil {
		return fmt.Errorf("tally of views: %w", err)
	}
	return nil
}

// Add adds another tally.
func (t *Tally) Add(o Tally) {
	t.Events += o.Events
	t.EventsSum += o.EventsSum
	t.Sightings += o.Sightings
}

// tallySightings fills in a part of the tallies of projections; what is read of the
// activity has the other.
func (m *many) tallySightings(ctx context.Context) error {
	keys := m.keys()
	if !m.projecting || len(keys) == 0 {
		return nil
	}
	return m.tally(ctx, sightingsTallySQL, func(key uint64, t Tally) { m.addTally(m.ofKey[key], t) },
		clickhouse.Named("workspace", m.workspace), clickhouse.Named("keys", keys))
}

func (m *many) addTally(o *one, t Tally) {
	if o != nil {
		o.tally.Add(t)
	}
}

// ownersSQL leaves out identifiers that are profiles of their own.
const ownersSQL = `SELECT identifier_id, argMax(profile_id, (epoch, sequence)) AS profile
FROM identifier_profile
WHERE workspace = {workspace:String} AND identifier_id IN {keys:Array(UInt64)} AND ` + countedSQL + `
GROUP BY identifier_id
HAVING profile NOT IN (0, identifier_id)` + keyOnly

// Owners returns to which other profiles identifiers belong at version v, whether or not
// an event ever carried them.
func (s *Store) Owners(ctx context.Context, workspace string, v Version, keys []uint64) (map[uint64]uint64, error) {
	owners := map[uint64]uint64{}
	err := s.query(ctx, ownersSQL, func(rows driver.Rows) error {
		var key, profile uint64
		err := rows.Scan(&key, &profile)
		owners[key] = profile
		return err
	}, append(v.v.bind(), clickhouse.Named("workspace", workspace), clickhouse.Named("keys", keys))...)
	if err != nil {
		return nil, fmt.Errorf("owners of identifiers: %w", err)
	}
	return owners, nil
}

// Scores fills in the scores and groups of profiles that were read without them, each
// with the keys of its identifiers.
func (s *Store) Scores(ctx context.Context, workspace string, all []*profiles.Profile, keys [][]uint64) error {
	m := &many{Store: s, workspace: workspace, ofKey: map[uint64]*one{}}
	for i, p := range all {
		o := &one{reader: &reader{id: p.ID, keys: keys[i]}, p: p}
		for _, k := range keys[i] {
			m.ofKey[k] = o
		}
		m.all = append(m.all, o)
	}
	return m.scores(ctx)
}

// Change is a change of a workspace's reading: everything that it names.
type Change struct {
	At    Place
	Names [3]uint64 // 0 for none
}

const changesSQL = `SELECT epoch, sequence, subject_id, old_id, new_id
FROM identity_changes
WHERE workspace = {workspace:String} AND epoch >= {epoch:UInt64} AND (epoch, sequence) > ({epoch:UInt64}, {sequence:UInt64})
    AND ` + countedSQL + `
ORDER BY epoch, sequence
LIMIT {limit:UInt32}`

// Changes calls f with the changes after a place that count in version v, oldest
// first, limit at most.
func (s *Store) Changes(ctx context.Context, workspace string, v Version, after Place, limit int, f func(Change)) error {
	err := s.query(ctx, changesSQL, func(rows driver.Rows) error {
		var c Change
		err := rows.Scan(&c.At.Epoch, &c.At.Sequence, &c.Names[0], &c.Names[1], &c.Names[2])
		f(c)
		return err
	}, append(v.v.bind(), clickhouse.Named("workspace", workspace), clickhouse.Named("epoch", after.Epoch),
		clickhouse.Named("sequence", after.Sequence), clickhouse.Named("limit", uint32(limit)))...)
	if err != nil {
		return fmt.Errorf("changes of identity: %w", err)
	}
	return nil
}

const housedSQL = `SELECT DISTINCT profile_id FROM household_profile
WHERE workspace = {workspace:String} AND household_id != 0 AND household_id IN {households:Array(UInt64)}`

// Housed returns the profiles that ever were in one of some households.
func (s *Store) Housed(ctx context.Context, workspace string, households []uint64) (ids []identity.ProfileID, err error) {
	err = s.query(ctx, housedSQL, func(rows driver.Rows) error {
		var id uint64
		err := rows.Scan(&id)
		ids = append(ids, identity.ProfileID(id))
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("households", households))
	if err != nil {
		return nil, fmt.Errorf("profiles of households: %w", err)
	}
	return ids, nil
}
