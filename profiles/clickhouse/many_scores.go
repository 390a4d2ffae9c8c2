package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/singleflight"

	"github.com/kindred-cdp/kindred/profiles"
)

// Standing is a score, or the group, as one row of a key has it. The score of a group has
// no name.
type Standing struct {
	Key uint64
	profiles.Score
}

// withdrawals know, for each score of a workspace, when its last computation ended: its
// row of profile 0. What is older was withdrawn. Asking for that first, at most as often
// as for the published version, saves the query of a profile the sorting of everything
// that was ever computed of it.
type withdrawals struct {
	flights singleflight.Group
	mu      sync.Mutex // Protects the field below.
	known   map[string]withdrawn
}

// withdrawnAge is for how many ages of a version withdrawals are not asked for anew. By
// default that is less than the second for which the cache holds what was read before a
// change for out of date (cache.settling), and no notice tells of them as of a version.
const withdrawnAge = 4

type withdrawn struct {
	names []string // an empty one in front: empty lists have no type
	ended []int64  // milliseconds, by name
	at    time.Time
}

// ScoresOf says which scores a workspace has, and which of their rows stand.
type ScoresOf struct{ w withdrawn }

// Names are those of the scores, in no order.
func (s ScoresOf) Names() []string { return s.w.names[1:] }

// Stands reports whether a row was not withdrawn by a later computation that left it out.
func (s ScoresOf) Stands(one Standing) bool {
	i := slices.Index(s.w.names, one.Name)
	return i < 1 || one.ComputedAt.UnixMilli() >= s.w.ended[i]
}

// ScoresOf returns what there is of scores in a workspace, of a moment ago.
func (s *Store) ScoresOf(ctx context.Context, workspace string) (ScoresOf, error) {
	w, err := s.withdrawn(ctx, workspace)
	return ScoresOf{w}, err
}

// withdrawnSQL has every score that somebody has, with 0 where no computation has ended.
const withdrawnSQL = `SELECT score, max(ended) FROM (
    SELECT score, toDateTime64(0, 3, 'UTC') AS ended FROM score_names
    WHERE workspace = {workspace:String}
    UNION ALL
    SELECT score, computed_at FROM scores
    WHERE workspace = {workspace:String} AND profile_id = 0
)
GROUP BY score`

func (s *Store) withdrawn(ctx context.Context, workspace string) (withdrawn, error) {
	now := s.now()
	s.withdrawals.mu.Lock()
	w, ok := s.withdrawals.known[workspace]
	s.withdrawals.mu.Unlock()
	age := withdrawnAge * s.cfg.VersionAge
	known := ok && now.Sub(w.at) < age
	if known && now.Sub(w.at) < age/2 {
		return w, nil
	}
	arrived := s.withdrawals.flights.DoChan(workspace, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.MaxExecution)
		defer cancel()
		return s.askWithdrawn(ctx, workspace)
	})
	if known { // Asked for ahead, as the version is.
		return w, nil
	}
	select {
	case <-ctx.Done():
		return withdrawn{}, ctx.Err()
	case result := <-arrived:
		if result.Err != nil {
			return withdrawn{}, fmt.Errorf("scores that were withdrawn: %w", result.Err)
		}
		return result.Val.(withdrawn), nil
	}
}

func (s *Store) askWithdrawn(ctx context.Context, workspace string) (withdrawn, error) {
	w := withdrawn{names: []string{""}, ended: []int64{0}, at: s.now()}
	err := s.query(ctx, withdrawnSQL, func(rows driver.Rows) error {
		var name string
		var ended time.Time
		err := rows.Scan(&name, &ended)
		w.names, w.ended = append(w.names, name), append(w.ended, ended.UnixMilli())
		return err
	}, clickhouse.Named("workspace", workspace))
	if err != nil {
		return w, err
	}
	s.withdrawals.mu.Lock()
	defer s.withdrawals.mu.Unlock()
	s.withdrawals.known[workspace] = w
	return w, nil
}

// manyScoresSQL takes the rows that were not withdrawn under every key, of which scoresSQL
// would choose one, and all rows of their groups, as groupsSQL has them.
const manyScoresSQL = `SELECT profile_id, score, model_version, as_of, computed_at, value, lower, upper, detail
FROM scores
WHERE workspace = {workspace:String} AND profile_id IN {keys:Array(UInt64)}
    AND toUnixTimestamp64Milli(computed_at) >= transform(toString(score), {names:Array(String)}, {ended:Array(Int64)}, toInt64(0))
UNION ALL
SELECT profile_id, '', ` + groupColumns + `
FROM profile_groups
WHERE workspace = {workspace:String} AND profile_id IN {keys:Array(UInt64)}` + keyOnly

func (m *many) scores(ctx context.Context) error {
	keys := m.keys()
	if len(keys) == 0 {
		return nil
	}
	w, err := m.withdrawn(ctx, m.workspace)
	if err != nil {
		return err
	}
	err = m.query(ctx, manyScoresSQL, func(rows driver.Rows) error {
		var s Standing
		var detail string
		err := rows.Scan(&s.Key, &s.Name, &s.ModelVersion, &s.AsOf, &s.ComputedAt, &s.Value, &s.Lower, &s.Upper, &detail)
		s.AsOf, s.ComputedAt, s.Detail = s.AsOf.UTC(), s.ComputedAt.UTC(), Object(detail)
		if o := m.ofKey[s.Key]; o != nil {
			o.found = append(o.found, s)
		}
		return err
	}, clickhouse.Named("workspace", m.workspace), clickhouse.Named("keys", keys), clickhouse.Named("names", w.names), clickhouse.Named("ended", w.ended))
	if err != nil {
		return fmt.Errorf("scores: %w", err)
	}
	m.each(func(o *one) { Choose(o.p, o.found) })
	return nil
}

// Choose fills in the scores and the group of a profile from the rows that stand under
// the keys of its identifiers. A score may stand under an id that was merged into the
// profile since: the newest is taken, and of one computation the profile's own.
func Choose(p *profiles.Profile, found []Standing) {
	scored, grouped := map[string]Standing{}, map[uint64]profiles.Score{}
	other := func(key uint64) int {
		if key == uint64(p.ID) {
			return 0
		}
		return 1
	}
	for _, s := range found {
		if s.Name == "" {
			if old, ok := grouped[s.Key]; !ok || s.ComputedAt.After(old.ComputedAt) {
				grouped[s.Key] = s.Score
			}
			continue
		}
		old, ok := scored[s.Name]
		if !ok || cmp.Or(old.ComputedAt.Compare(s.ComputedAt), cmp.Compare(other(s.Key), other(old.Key)), cmp.Compare(s.Key, old.Key)) < 0 {
			scored[s.Name] = s
		}
	}
	p.Group, p.Scores = groupOf(uint64(p.ID), grouped), nil
	for _, name := range slices.Sorted(maps.Keys(scored)) {
		p.Scores = append(p.Scores, scored[name].Score)
	}
}

// groupOf is the group under a profile's own key, and else the newest.
func groupOf(own uint64, grouped map[uint64]profiles.Score) (found *profiles.Group) {
	for _, key := range slices.Sorted(maps.Keys(grouped)) {
		g := newGroup(grouped[key])
		switch {
		case g == nil || g.Stage == "":
		case key == own:
			return g
		case found == nil || !g.Since.Before(found.Since):
			found = g
		}
	}
	return found
}
