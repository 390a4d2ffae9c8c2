package clickhouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

var _ profiles.Batcher = (*Store)(nil)

// A profile of more than manyKeys identifiers is read alone though it was asked
// for with others: its keys would make a long query for all. Of such profiles,
// aloneAtOnce are read at a time.
const (
	manyKeys    = 200
	aloneAtOnce = 4
)

// many reads several profiles with the queries of one: each brings the rows of
// all, with the key or the anchor that tells whose they are. A query costs the
// engine some milliseconds to understand, and a profile's rows a fraction of one.
type many struct {
	*Store
	workspace string
	version   version
	all       []*one
	ofProfile map[uint64]*one
	ofKey     map[uint64]*one
	ofAnchor  map[uint64]*one
	// projecting leaves out what a projected view does not hold, and takes tallies.
	projecting bool
}

// one is a profile among many.
type one struct {
	*reader
	p *profiles.Profile
	// gone says that no identifier belongs to it, alone that it is to be read by
	// itself.
	gone, alone  bool
	timed        bool // to be alone from the next round on
	said         map[statement]profiles.Observation
	removed      bool // a trait of its was removed
	found        []Standing
	transactions []profiles.Transaction
	newest       []placedEvent
	tally        Tally
}

// LoadMany implements profiles.Batcher.
func (s *Store) LoadMany(ctx context.Context, workspace string, ids []identity.ProfileID) ([]*profiles.Profile, error) {
	m, err := s.newMany(ctx, workspace, ids)
	if err == nil {
		err = m.load(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("load %d profiles: %w", len(ids), err)
	}
	found := make([]*profiles.Profile, len(ids))
	for i, id := range ids {
		if o := m.ofProfile[uint64(id)]; !o.gone {
			found[i] = o.p
		}
	}
	return found, nil
}

// newMany returns a reader of profiles at the present version.
func (s *Store) newMany(ctx context.Context, workspace string, ids []identity.ProfileID) (*many, error) {
	m := &many{Store: s, workspace: workspace, ofProfile: map[uint64]*one{}, ofKey: map[uint64]*one{}, ofAnchor: map[uint64]*one{}}
	var err error
	if m.version, err = s.version(ctx, workspace); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if m.ofProfile[uint64(id)] != nil {
			continue
		}
		o := &one{reader: &reader{Store: s, workspace: workspace, id: id, version: m.version}, p: &profiles.Profile{ID: id}}
		m.all, m.ofProfile[uint64(id)] = append(m.all, o), o
	}
	return m, nil
}

// load fills in all profiles.
func (m *many) load(ctx context.Context) error {
	if err := m.members(ctx); err != nil {
		return err
	}
	if err := m.tallySightings(ctx); err != nil {
		return err
	}
	parts := []func(context.Context) error{m.identifiers, m.anchors, m.households}
	if !m.projecting {
		parts = append(parts, m.scores)
	}
	if err := m.together(ctx, parts...); err != nil {
		return err
	}
	for _, o := range m.all {
		o.alone = o.alone || o.timed || o.reborn
		o.gone = o.gone || !o.alone && len(o.p.Identifiers) == 0
	}
	if m.projecting { // The activity has the tally, which comes before the rest.
		if err := m.activity(ctx); err != nil {
			return err
		}
		if err := m.together(ctx, m.recent, m.traits, m.transactions); err != nil {
			return err
		}
		return m.rest(ctx)
	}
	if err := m.together(ctx, m.activity, m.recent, m.traits, m.loneReaders); err != nil {
		return err
	}
	return m.together(ctx, m.transactions, m.rest)
}

// together runs several questions at once.
func (m *many) together(ctx context.Context, parts ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range parts {
		group.Go(func() error { return part(ctx) })
	}
	return group.Wait()
}

// each calls f for every profile that is read with the others.
func (m *many) each(f func(*one)) {
	for _, o := range m.all {
		if !o.gone && !o.alone {
			f(o)
		}
	}
}

// read runs a query with the workspace bound, unless it asks for nothing.
func (m *many) read(ctx context.Context, what, query, list string, values []uint64, scan func(driver.Rows) error) error {
	if len(values) == 0 {
		return nil
	}
	args := append(m.version.bind(), clickhouse.Named("workspace", m.workspace), clickhouse.Named(list, values))
	if err := m.query(ctx, query, scan, args...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// readLimited is read of the newest events of anchors.
func (m *many) readLimited(ctx context.Context, what, query string, anchors []uint64, scan func(driver.Rows) error) error {
	if len(anchors) == 0 {
		return nil
	}
	err := m.query(ctx, query, scan, clickhouse.Named("workspace", m.workspace), clickhouse.Named("anchors", anchors), clickhouse.Named("limit", uint32(m.cfg.Recent)))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (m *many) profiles() (ids []uint64) {
	m.each(func(o *one) { ids = append(ids, uint64(o.id)) })
	return ids
}

func (m *many) keys() (keys []uint64) {
	m.each(func(o *one) { keys = append(keys, o.reader.keys...) })
	return keys
}

func (m *many) events() (anchors []uint64) {
	m.each(func(o *one) { anchors = append(anchors, o.reader.anchors...) })
	return anchors
}

// manyMembersSQL is membersSQL for several profiles.
const manyMembersSQL = `SELECT identifier_id, argMax(profile_id, (epoch, sequence))
FROM identifier_profile
WHERE workspace = {workspace:String} AND ` + countedSQL + ` AND identifier_id IN (
    SELECT identifier_id FROM identifier_profile WHERE workspace = {workspace:String} AND profile_id IN {profiles:Array(UInt64)}
    UNION ALL
    SELECT arrayJoin({profiles:Array(UInt64)})
)
GROUP BY identifier_id`

func (m *many) members(ctx context.Context) error {
	for _, o := range m.all {
		o.reader.keys = []uint64{uint64(o.id)}
	}
	err := m.read(ctx, "members", manyMembersSQL, "profiles", m.profiles(), func(rows driver.Rows) error {
		var key, profile uint64
		if err := rows.Scan(&key, &profile); err != nil {
			return err
		}
		if o := m.ofProfile[key]; o != nil {
			o.gone = o.gone || profile != key
		}
		if o := m.ofProfile[profile]; o != nil && profile != key {
			o.reader.keys = append(o.reader.keys, key)
		}
		return nil
	})
	m.each(func(o *one) {
		o.alone = len(o.reader.keys) > manyKeys
		for _, k := range o.reader.keys {
			m.ofKey[k] = o
		}
	})
	return err
}

func (m *many) identifiers(ctx context.Context) error {
	err := m.read(ctx, "identifiers", identifiersSQL, "keys", m.keys(), func(rows driver.Rows) error {
		i, erased, err := scanIdentifier(rows)
		if o := m.ofKey[uint64(i.Key)]; err == nil && o != nil {
			o.reborn = o.reborn || erased
			o.p.Identifiers, o.p.Keys = append(o.p.Identifiers, i), append(o.p.Keys, i.Key)
		}
		return err
	})
	m.each(func(o *one) { o.takeIdentifiers(o.p) })
	return err
}

// anchors finds the anchors of all. Who has or had an identifier that moves between
// people is read alone.
func (m *many) anchors(ctx context.Context) error {
	decides := map[uint64]uint64{}
	m.each(func(o *one) {
		for _, k := range o.reader.keys {
			decides[k] = k
		}
	})
	var lone []*one
	err := m.read(ctx, "anchors", anchorsSQL, "keys", m.keys(), func(rows driver.Rows) error {
		var d decided
		if err := d.scan(rows); err != nil {
			return err
		}
		if !d.told {
			decides[d.id] = d.owner
			return nil
		}
		for _, k := range append(d.owners, d.id) {
			if o := m.ofKey[k]; o != nil {
				lone = append(lone, o)
			}
		}
		return nil
	})
	for anchor, decider := range decides {
		if o := m.ofKey[decider]; o != nil {
			o.reader.anchors = append(o.reader.anchors, anchor)
			m.ofAnchor[anchor] = o
		}
	}
	for _, o := range lone { // Not before: the other questions are being asked.
		o.timed = true
	}
	return err
}

// loneReaders reads by itself what is to be read so.
func (m *many) loneReaders(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(aloneAtOnce)
	for _, o := range m.all {
		if o.gone || !o.alone {
			continue
		}
		group.Go(func() error {
			p, err := m.Load(ctx, m.workspace, o.id)
			if errors.Is(err, profiles.ErrNotFound) {
				o.gone = true
				return nil
			}
			o.p = p
			return err
		})
	}
	return group.Wait()
}

// rest reads what few profiles have, and puts together what was read.
func (m *many) rest(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(aloneAtOnce)
	m.each(func(o *one) {
		if parts := o.own(); len(parts) > 0 {
			group.Go(func() error { return o.reader.all(ctx, o.p, parts...) })
		}
	})
	return group.Wait()
}

// own returns the questions that a profile needs for itself.
func (o *one) own() (parts []func(context.Context, *profiles.Profile) error) {
	if o.p.Activity.Events["contact"] > 0 {
		parts = append(parts, o.channels)
	}
	if o.groups > 0 {
		parts = append(parts, o.accounts)
	}
	if len(o.computation.traits) > 0 || o.removed {
		parts = append(parts, func(ctx context.Context, p *profiles.Profile) error {
			if err := o.all(ctx, p, o.traits, o.computed); err != nil {
				return err
			}
			p.Traits = profiles.WithComputed(p.Traits, o.fromEvents)
			return nil
		})
	}
	return parts
}
