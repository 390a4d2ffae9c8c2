package live

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// among are profiles to evaluate for, and where their rows may stand.
type among struct {
	profiles []uint64
	// anchors are identifiers that are or ever were of the profiles, and the anchors
	// that one of these decides or decided: more than there need be.
	anchors map[uint64]struct{}
}

// ownersSQL gives the profiles of identifiers now, and those of whoever had them
// before, by the expression of a profile.
const ownersSQL = `SELECT DISTINCT %s
FROM
(
	SELECT id FROM asked
	UNION ALL
	SELECT arrayJoin(owners) FROM identifier_tenures WHERE workspace = {workspace:String} AND identifier_id IN (SELECT id FROM asked)
)`

// among finds the profiles of keys, and where the rows of these and of others may
// stand. The keys are among the profiles themselves: one that no longer is a profile
// may still be a member.
func (w *Worker) among(ctx context.Context, s *space, targets []*target, keys, others []uint64) (*among, error) {
	profiles := map[uint64]struct{}{}
	for _, k := range append(slices.Clone(keys), others...) {
		profiles[k] = struct{}{}
	}
	if len(keys) > 0 {
		if err := w.collect(ctx, s, fmt.Sprintf(ownersSQL, s.reading.IdentifierProfile("id")), keys, profiles); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(targets, asks[segments.Household]) {
			if err := w.collect(ctx, s, housedSQL, keys, profiles); err != nil {
				return nil, err
			}
		}
	}
	anchors, err := w.anchors(ctx, s, slices.Sorted(maps.Keys(profiles)))
	if err != nil {
		return nil, err
	}
	if len(keys) > 0 && slices.ContainsFunc(targets, asks[segments.Accounts]) {
		alone := len(profiles)
		if err := w.collect(ctx, s, fmt.Sprintf(colleaguesSQL, s.reading.EventProfile("anchor_id", "time")), slices.Sorted(maps.Keys(anchors)), profiles); err != nil {
			return nil, err
		}
		if len(profiles) > alone {
			if anchors, err = w.anchors(ctx, s, slices.Sorted(maps.Keys(profiles))); err != nil {
				return nil, err
			}
		}
	}
	return &among{profiles: slices.Sorted(maps.Keys(profiles)), anchors: anchors}, nil
}

// housedSQL gives all that are or were of households; news of a household name it.
const housedSQL = "SELECT profile_id FROM household_profile WHERE workspace = {workspace:String} AND household_id IN (SELECT id FROM asked)"

// colleaguesSQL gives the members of the accounts of some anchors: what is said of an
// account with one member counts for all.
const colleaguesSQL = `SELECT DISTINCT %s
FROM account_facts
WHERE workspace = {workspace:String} AND anchor_id != 0 AND account_id IN
(
	SELECT account_id FROM account_facts WHERE workspace = {workspace:String} AND anchor_id IN (SELECT id FROM asked)
)`

const identifiersSQL = "SELECT identifier_id FROM identifier_profile WHERE workspace = {workspace:String} AND profile_id IN (SELECT id FROM asked)"

const tenuredSQL = "SELECT identifier_id FROM identifier_tenures WHERE workspace = {workspace:String} AND hasAny(owners, (SELECT groupArray(id) FROM asked))"

const decidedSQL = `SELECT anchor_id FROM anchor_owner
WHERE workspace = {workspace:String} AND owner_id IN (SELECT id FROM asked) AND anchor_id IN
(
	SELECT anchor_id FROM anchor_members WHERE workspace = {workspace:String} AND identifier_id IN (SELECT id FROM asked)
)`

// anchors are identifiers that are or were of some profiles and what they decide. It
// reads rows of every version, also of one that is not published yet. When a version
// is published before the evaluation, a profile is evaluated by what it was of before:
// as if it had been evaluated a moment earlier. The notice of the version comes later.
func (w *Worker) anchors(ctx context.Context, s *space, profiles []uint64) (map[uint64]struct{}, error) {
	ids := make(map[uint64]struct{}, 2*len(profiles))
	for _, p := range profiles {
		ids[p] = struct{}{}
	}
	if err := w.collect(ctx, s, identifiersSQL, profiles, ids); err != nil {
		return nil, err
	}
	if s.reading.Tenures() {
		if err := w.collect(ctx, s, tenuredSQL, slices.Sorted(maps.Keys(ids)), ids); err != nil {
			return nil, err
		}
	}
	return ids, w.collect(ctx, s, decidedSQL, slices.Sorted(maps.Keys(ids)), ids)
}

// collect adds the ids that a query returns; it finds others in the table asked.
func (w *Worker) collect(ctx context.Context, s *space, query string, others []uint64, into map[uint64]struct{}) error {
	ctx, err := sql.WithIDs(ctx, "asked", others)
	if err != nil {
		return err
	}
	return w.store.query(ctx, "profiles that have changed", query, func(rows driver.Rows) error {
		var id uint64
		err := rows.Scan(&id)
		into[id] = struct{}{}
		return err
	}, s.reading.Args(clickhouse.Named("workspace", s.name))...)
}
