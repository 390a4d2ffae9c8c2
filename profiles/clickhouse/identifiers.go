package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// membersSQL takes the identifiers that ever were the profile's, with its
// founder, and finds to whom each belongs now. An identifier without a counted
// row is its own profile.
const membersSQL = `SELECT identifier_id, argMax(profile_id, (epoch, sequence))
FROM identifier_profile
WHERE workspace = {workspace:String} AND ` + countedSQL + ` AND identifier_id IN (
    SELECT identifier_id FROM identifier_profile WHERE workspace = {workspace:String} AND profile_id = {profile:UInt64}
    UNION ALL
    SELECT {profile:UInt64}
)
GROUP BY identifier_id`

// members returns the keys of the profile's identifiers, its founder included;
// none when the founder belongs to another profile now.
func (r *reader) members(ctx context.Context) ([]uint64, error) {
	keys, founder := []uint64{uint64(r.id)}, true
	err := r.read(ctx, "members", membersSQL, func(rows driver.Rows) error {
		var key, profile uint64
		if err := rows.Scan(&key, &profile); err != nil {
			return err
		}
		switch {
		case key == uint64(r.id):
			founder = profile == key
		case profile == uint64(r.id):
			keys = append(keys, key)
		}
		return nil
	}, r.version.bind()...)
	if !founder {
		return nil, err
	}
	return keys, err
}

// countedSightings are the rows of identifiers of some keys that no erasure takes:
// they may be there until the tables are rewritten.
const countedSightings = `identifiers AS i
LEFT JOIN
(
    SELECT id, max(erased_at) AS erased_at FROM identity_erasures
    WHERE workspace = {workspace:String} AND id IN {keys:Array(UInt64)} AND what = 'identifier'
    GROUP BY id
) AS e ON e.id = i.identifier_id
WHERE i.workspace = {workspace:String} AND i.identifier_id IN {keys:Array(UInt64)} AND i.first_received > e.erased_at`

const identifiersSQL = `SELECT identifier_id, any(namespace), any(value), min(first_event), max(last_event), arraySort(groupUniqArray(source)), max(e.id) != 0
FROM ` + countedSightings + `
GROUP BY identifier_id`

// identifiers sums up the sightings of the identifiers.
func (r *reader) identifiers(ctx context.Context, p *profiles.Profile) error {
	err := r.read(ctx, "identifiers", identifiersSQL, func(rows driver.Rows) error {
		i, erased, err := scanIdentifier(rows)
		r.reborn = r.reborn || erased
		p.Identifiers = append(p.Identifiers, i)
		p.Keys = append(p.Keys, i.Key)
		return err
	}, r.bindKeys())
	r.takeIdentifiers(p)
	return err
}

// scanIdentifier also reports whether an earlier life of the identifier was erased.
func scanIdentifier(rows driver.Rows) (i profiles.Identifier, erased bool, err error) {
	var key uint64
	var namespace string
	err = rows.Scan(&key, &namespace, &i.Value, &i.FirstSeen, &i.LastSeen, &i.Sources, &erased)
	i.Key, i.Namespace = identity.Key(key), identity.Namespace(namespace)
	i.FirstSeen, i.LastSeen = i.FirstSeen.UTC(), i.LastSeen.UTC()
	return i, erased, err
}

// takeIdentifiers puts the identifiers in order, and leaves out those that are too
// many.
func (r *reader) takeIdentifiers(p *profiles.Profile) {
	slices.Sort(p.Keys)
	slices.SortFunc(p.Identifiers, func(a, b profiles.Identifier) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Value, b.Value))
	})
	p.IdentifierCount = len(p.Identifiers)
	if !r.everyIdentifier && p.IdentifierCount > r.cfg.MaxIdentifiers {
		p.Identifiers = slices.Clone(p.Identifiers[:r.cfg.MaxIdentifiers])
	}
}

// AllIdentifiers implements profiles.History.
func (s *Store) AllIdentifiers(ctx context.Context, workspace string, id identity.ProfileID) ([]profiles.Identifier, error) {
	r, err := s.open(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	p := &profiles.Profile{}
	r.everyIdentifier = true
	if err := r.identifiers(ctx, p); err != nil {
		return nil, fmt.Errorf("load profile %s: %w", id, err)
	}
	if len(p.Identifiers) == 0 {
		return nil, profiles.ErrNotFound
	}
	return p.Identifiers, nil
}

const namesSQL = `SELECT identifier_id, any(namespace), any(value)
FROM ` + countedSightings + `
GROUP BY identifier_id`

// Identifiers returns the identifiers of keys, those that an event carried.
func (s *Store) Identifiers(ctx context.Context, workspace string, keys []identity.Key) (map[identity.Key]identity.Identifier, error) {
	found := make(map[identity.Key]identity.Identifier, len(keys))
	ids := make([]uint64, len(keys)) // Not nil: the driver sends nil as NULL.
	for i, k := range keys {
		ids[i] = uint64(k)
	}
	err := s.query(ctx, namesSQL, func(rows driver.Rows) error {
		var key uint64
		var namespace, value string
		if err := rows.Scan(&key, &namespace, &value); err != nil {
			return err
		}
		found[identity.Key(key)] = identity.Identifier{Namespace: identity.Namespace(namespace), Value: value}
		return nil
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("keys", ids))
	if err != nil {
		return nil, fmt.Errorf("read identifiers of keys: %w", err)
	}
	return found, nil
}
