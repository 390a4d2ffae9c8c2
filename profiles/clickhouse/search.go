package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// searchSeconds bounds one search, on one thread.
const searchSeconds = 2

// prefixSQL reads identifiers in the order of their values, by the projection of
// the table: it costs the identifiers that begin so, and no search reads more
// than MaxSearchRows.
const prefixSQL = `SELECT value, toString(namespace) AS space, identifier_id
FROM identifiers
WHERE workspace = {workspace:String} AND startsWith(value, {prefix:String}) AND ({namespace:String} = '' OR namespace = {namespace:String})
    AND (value, space) > ({value:String}, {space:String})
GROUP BY value, space, identifier_id
ORDER BY value, space
LIMIT {limit:UInt32}`

// statedSQL reads anchors in the order of the sort key, past those whose granules
// the filter of the values rules out, and ends with the page: time bounds it, as
// the engine would count the rows of all granules that it might have come to.
const statedSQL = `SELECT anchor_id
FROM trait_observations
WHERE workspace = {workspace:String} AND anchor_id > {after:UInt64} AND trait = {trait:String} AND value IN {values:Array(String)}
ORDER BY anchor_id
LIMIT 1 BY anchor_id
LIMIT {limit:UInt32}`

// statedLaterSQL finds those of erased anchors of whom the value was said again.
const statedLaterSQL = `SELECT DISTINCT anchor_id
FROM trait_observations
WHERE workspace = {workspace:String} AND anchor_id IN {erased:Array(UInt64)} AND trait = {trait:String} AND value IN {values:Array(String)}` + afterErasure

// presentSQL finds whose identifiers are, the deciding ones of anchors or any.
const presentSQL = `SELECT identifier_id, argMax(profile_id, (epoch, sequence)) AS profile
FROM identifier_profile
WHERE workspace = {workspace:String} AND identifier_id IN {keys:Array(UInt64)} AND ` + countedSQL + `
GROUP BY identifier_id`

const decidersSQL = `SELECT anchor_id, argMax(owner_id, (epoch, sequence)) AS profile
FROM anchor_owner
WHERE workspace = {workspace:String} AND anchor_id IN {keys:Array(UInt64)} AND ` + countedSQL + `
GROUP BY anchor_id`

// search runs a query within the limits of searches; of rows where most is not 0.
func (s *Store) search(ctx context.Context, most int, query string, scan func(driver.Rows) error, args ...any) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"max_rows_to_read": most, "max_execution_time": searchSeconds, "max_threads": 1,
	}))
	err := s.run(ctx, query, scan, args...)
	var f *Failure
	if errors.As(err, &f) && (f.Name == "TOO_MANY_ROWS" || f.Name == "TIMEOUT_EXCEEDED" || f.Name == "TOO_SLOW") {
		return profiles.ErrTooExpensive
	}
	return err
}

// ByPrefix implements profiles.Searcher.
func (s *Store) ByPrefix(ctx context.Context, workspace string, ns identity.Namespace, prefix string, q profiles.SearchQuery) ([]profiles.Match, error) {
	value, space, _ := strings.Cut(q.After, "\x00")
	matches := []profiles.Match{}
	var keys []uint64
	err := s.search(ctx, s.cfg.MaxSearchRows, prefixSQL, func(rows driver.Rows) error {
		var m profiles.Match
		var namespace string
		var key uint64
		err := rows.Scan(&m.Identifier.Value, &namespace, &key)
		m.Identifier.Namespace, m.Place = identity.Namespace(namespace), m.Identifier.Value+"\x00"+namespace
		matches, keys = append(matches, m), append(keys, key)
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("prefix", prefix), clickhouse.Named("namespace", string(ns)),
		clickhouse.Named("value", value), clickhouse.Named("space", space), clickhouse.Named("limit", uint32(q.Limit)))
	if err != nil {
		return nil, fmt.Errorf("search identifiers: %w", err)
	}
	ids := make([]identity.Key, len(keys))
	for i, k := range keys {
		ids[i] = identity.Key(k)
	}
	found, err := s.ResolveMany(ctx, workspace, ids) // Nobody's are those that were erased.
	for i := range matches {
		matches[i].Profile = found[i]
	}
	return matches, err
}

// ByTrait implements profiles.Searcher.
func (s *Store) ByTrait(ctx context.Context, workspace, trait string, values []string, q profiles.SearchQuery) ([]profiles.Match, error) {
	after, _ := strconv.ParseUint(q.After, 10, 64) // Empty is the beginning.
	matches := []profiles.Match{}
	var keys []uint64
	err := s.search(ctx, 0, statedSQL, func(rows driver.Rows) error {
		var anchor uint64
		err := rows.Scan(&anchor)
		matches, keys = append(matches, profiles.Match{Place: strconv.FormatUint(anchor, 10)}), append(keys, anchor)
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("after", after), clickhouse.Named("trait", trait),
		clickhouse.Named("values", values), clickhouse.Named("limit", uint32(q.Limit)))
	if err != nil {
		return nil, fmt.Errorf("search traits: %w", err)
	}
	if keys, err = s.dropErased(ctx, workspace, keys, trait, values); err != nil {
		return nil, fmt.Errorf("search traits: %w", err)
	}
	return matches, s.present(ctx, workspace, keys, matches)
}

// dropErased returns anchors with 0 for those of which an erasure took all that was
// found of them: the rows may be there until the tables are rewritten. Hardly any page
// has one, and the others cost no more than the question.
func (s *Store) dropErased(ctx context.Context, workspace string, anchors []uint64, trait string, values []string) ([]uint64, error) {
	if len(anchors) == 0 {
		return anchors, nil
	}
	of := erased{anchors: []uint64{}, at: []int64{}}
	err := s.query(ctx, erasedSQL, of.scan, clickhouse.Named("workspace", workspace), clickhouse.Named("anchors", anchors))
	if err != nil || len(of.anchors) == 0 {
		return anchors, err
	}
	later := map[uint64]bool{}
	err = s.query(ctx, statedLaterSQL, func(rows driver.Rows) error {
		var anchor uint64
		err := rows.Scan(&anchor)
		later[anchor] = true
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("trait", trait), clickhouse.Named("values", values),
		clickhouse.Named("erased", of.anchors), clickhouse.Named("erased_at", of.at))
	left := slices.Clone(anchors)
	for i, a := range left {
		if slices.Contains(of.anchors, a) && !later[a] {
			left[i] = 0
		}
	}
	return left, err
}

// present fills in whose each of keys, anchors or identifiers, is: the hops of
// the reading at one version.
func (s *Store) present(ctx context.Context, workspace string, keys []uint64, matches []profiles.Match) error {
	if len(keys) == 0 {
		return nil
	}
	v, err := s.version(ctx, workspace)
	if err != nil {
		return fmt.Errorf("resolve what was found: %w", err)
	}
	hop := func(query string, keys []uint64) error {
		to := map[uint64]uint64{}
		err := s.query(ctx, query, func(rows driver.Rows) error {
			var from, of uint64
			err := rows.Scan(&from, &of)
			to[from] = of
			return err
		}, append(v.bind(), clickhouse.Named("workspace", workspace), clickhouse.Named("keys", keys))...)
		for i, k := range keys {
			if of, ok := to[k]; ok {
				keys[i] = of
			} else if identity.AnchorID(k).IsSet() {
				keys[i] = 0 // Not decided yet.
			}
		}
		return err
	}
	if err := hop(decidersSQL, keys); err != nil {
		return fmt.Errorf("resolve what was found: %w", err)
	}
	if err := hop(presentSQL, keys); err != nil {
		return fmt.Errorf("resolve what was found: %w", err)
	}
	for i := range matches {
		matches[i].Profile = identity.ProfileID(keys[i])
	}
	return nil
}
