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

	"github.com/kindred-cdp/kindred/profiles"
)

// standing is a score as one row has it.
type standing struct {
	profile uint64
	profiles.Score
}

// withdrawals know, for each score of a workspace, when its last computation ended: its
// row of profile 0. What is older was withdrawn. Asking for that first, at most as often
// as for the published version, saves the query of a profile the sorting of everything
// that was ever computed of it.
type withdrawals struct {
	mu    sync.Mutex // Protects the field below.
	known map[string]withdrawn
}

type withdrawn struct {
	names []string // an empty one in front: empty lists have no type
	ended []int64  // milliseconds, by name
	at    time.Time
}

const withdrawnSQL = `SELECT score, max(computed_at) FROM scores
WHERE workspace = {workspace:String} AND profile_id = 0
GROUP BY score`

func (s *Store) withdrawn(ctx context.Context, workspace string) (withdrawn, error) {
	now := s.now()
	s.withdrawals.mu.Lock()
	w, ok := s.withdrawals.known[workspace]
	s.withdrawals.mu.Unlock()
	if ok && now.Sub(w.at) < s.cfg.VersionAge {
		return w, nil
	}
	w = withdrawn{names: []string{""}, ended: []int64{0}, at: now}
	err := s.query(ctx, withdrawnSQL, func(rows driver.Rows) error {
		var name string
		var ended time.Time
		err := rows.Scan(&name, &ended)
		w.names, w.ended = append(w.names, name), append(w.ended, ended.UnixMilli())
		return err
	}, clickhouse.Named("workspace", workspace))
	if err != nil {
		return w, fmt.Errorf("scores that were withdrawn: %w", err)
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
		var s standing
		var detail string
		err := rows.Scan(&s.profile, &s.Name, &s.ModelVersion, &s.AsOf, &s.ComputedAt, &s.Value, &s.Lower, &s.Upper, &detail)
		s.AsOf, s.ComputedAt, s.Detail = s.AsOf.UTC(), s.ComputedAt.UTC(), object(detail)
		switch o := m.ofKey[s.profile]; {
		case o == nil:
		case s.Name == "":
			o.group(s)
		default:
			o.score(s)
		}
		return err
	}, clickhouse.Named("workspace", m.workspace), clickhouse.Named("keys", keys), clickhouse.Named("names", w.names), clickhouse.Named("ended", w.ended))
	if err != nil {
		return fmt.Errorf("scores: %w", err)
	}
	m.each(func(o *one) {
		o.p.Group = o.groupOf()
		for _, name := range slices.Sorted(maps.Keys(o.scored)) {
			o.p.Scores = append(o.p.Scores, o.scored[name].Score)
		}
	})
	return nil
}

// score keeps s where it is newer than what stands: a score may stand under an id
// that was merged into the profile since; of one computation the profile's own wins.
func (o *one) score(s standing) {
	if o.scored == nil {
		o.scored = map[string]standing{}
	}
	other := func(profile uint64) int {
		if profile == uint64(o.id) {
			return 0
		}
		return 1
	}
	old, ok := o.scored[s.Name]
	if !ok || cmp.Or(old.ComputedAt.Compare(s.ComputedAt), cmp.Compare(other(s.profile), other(old.profile)), cmp.Compare(s.profile, old.profile)) < 0 {
		o.scored[s.Name] = s
	}
}

// group keeps s where it is the newest of its key.
func (o *one) group(s standing) {
	if o.grouped == nil {
		o.grouped = map[uint64]profiles.Score{}
	}
	if old, ok := o.grouped[s.profile]; !ok || s.ComputedAt.After(old.ComputedAt) {
		o.grouped[s.profile] = s.Score
	}
}

// groupOf is the group under the profile's own key, and else the newest.
func (o *one) groupOf() (found *profiles.Group) {
	for _, key := range slices.Sorted(maps.Keys(o.grouped)) {
		g := newGroup(o.grouped[key])
		switch {
		case g == nil || g.Stage == "":
		case key == uint64(o.id):
			return g
		case found == nil || !g.Since.Before(found.Since):
			found = g
		}
	}
	return found
}
