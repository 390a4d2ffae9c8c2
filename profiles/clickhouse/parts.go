package clickhouse

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles"
)

func (r *reader) bindKeys() driver.NamedValue { return clickhouse.Named("keys", r.keys) }

// keyOnly ends a query whose only condition is the sort key, of which all rows of
// the ranges read pass: to filter them before the other columns are read only costs
// (a sixth to a third of what such a query takes).
const keyOnly = `
SETTINGS optimize_move_to_prewhere = 0`

// activitySQL also counts group events, of which most people have none.
const activitySQL = `SELECT kind, count(), min(time), max(time), countIf(type = 'group')
FROM events` + ofProfile + `
GROUP BY kind` + keyOnly

// activityAndParts reads the activity, and then what only events of some kinds
// have: most people have few kinds, and a question for nothing costs 4 to 9 ms.
func (r *reader) activityAndParts(ctx context.Context, p *profiles.Profile) error {
	if err := r.activity(ctx, p); err != nil {
		return err
	}
	var parts []func(context.Context, *profiles.Profile) error
	if p.Activity.Events["transaction"] > 0 {
		parts = append(parts, r.bought)
	}
	if p.Activity.Events["contact"] > 0 {
		parts = append(parts, r.channels)
	}
	if r.groups > 0 {
		parts = append(parts, r.accounts)
	}
	return r.all(ctx, p, parts...)
}

func (r *reader) activity(ctx context.Context, p *profiles.Profile) error {
	p.Activity.Events = map[string]uint64{}
	a := &p.Activity
	return r.readEvents(ctx, "activity", activitySQL, func(rows driver.Rows) error {
		var kind string
		var n, groups uint64
		var first, last time.Time
		if err := rows.Scan(&kind, &n, &first, &last, &groups); err != nil {
			return err
		}
		r.groups += groups
		a.Events[kind] = n
		if a.FirstSeen.IsZero() || first.Before(a.FirstSeen) {
			a.FirstSeen = first.UTC()
		}
		if last.After(a.LastSeen) {
			a.LastSeen = last.UTC()
		}
		return nil
	})
}

const recentSQL = `SELECT message_id, kind, name, type, source, time, properties
FROM events` + ofProfile + `
ORDER BY time DESC, message_hash DESC
LIMIT {limit:UInt32}`

func (r *reader) recent(ctx context.Context, p *profiles.Profile) error {
	return r.readEvents(ctx, "recent events", recentSQL, func(rows driver.Rows) error {
		var e profiles.Event
		var properties string
		if err := rows.Scan(&e.MessageID, &e.Kind, &e.Name, &e.Type, &e.Source, &e.Time, &properties); err != nil {
			return err
		}
		e.Time, e.Properties = e.Time.UTC(), Object(properties)
		p.Recent = append(p.Recent, e)
		return nil
	}, clickhouse.Named("limit", uint32(r.cfg.Recent)))
}

// Object returns JSON text, or nil for none. A text that is no JSON would make
// the whole answer unreadable, so it is left out.
func Object(text string) json.RawMessage {
	if text == "" || text == "{}" || !json.Valid([]byte(text)) {
		return nil
	}
	return json.RawMessage(text)
}

// scoresSQL takes the newest of each score. A score may stand under an id that
// was merged into the profile since; of one computation the profile's own wins.
// The worker ends each computation of a score with a row of profile 0, so a
// score for which that row is newer was withdrawn.
const scoresSQL = `SELECT * FROM (
SELECT profile_id != 0 AS stands, score, model_version, as_of, computed_at, value, lower, upper, detail
FROM scores
WHERE workspace = {workspace:String} AND (profile_id IN {keys:Array(UInt64)} OR profile_id = 0)
ORDER BY score, computed_at DESC, profile_id != 0 DESC, profile_id = {profile:UInt64} DESC, profile_id
LIMIT 1 BY score
)
UNION ALL
SELECT toUInt8(1), * EXCEPT profile_id FROM (
` + groupsSQL + `
ORDER BY profile_id = {profile:UInt64} DESC, time DESC, profile_id DESC
LIMIT 1
)`

// groupsSQL is the newest row of each key among the groups, in the columns of scores: a
// question more for each profile would cost more than its rows. Its score has no name,
// which no score is without. A key that is none any more has no stage.
const groupsSQL = `SELECT profile_id, '' AS score, ` + groupColumns + `
FROM (
    SELECT * FROM profile_groups
    WHERE workspace = {workspace:String} AND profile_id IN {keys:Array(UInt64)}
    ORDER BY profile_id, time DESC
    LIMIT 1 BY profile_id
)
WHERE stage != ''`

const groupColumns = `model_version, time AS as_of, time, toFloat64(recency) AS value, toFloat64(frequency) AS lower, toFloat64(money) AS upper,
    toJSONString(map('stage', toString(stage), 'persona', toString(persona), 'name', toString(persona_name))) AS detail`

// newGroup reads what groupsSQL has put into a score.
func newGroup(s profiles.Score) *profiles.Group {
	var said struct{ Stage, Persona, Name string }
	if json.Unmarshal(s.Detail, &said) != nil {
		return nil // Impossible: the server has written it.
	}
	return &profiles.Group{
		Stage: said.Stage, Persona: said.Persona, PersonaName: said.Name, ModelVersion: s.ModelVersion,
		Recency: int(s.Value), Frequency: int(s.Lower), Money: int(s.Upper), Since: s.ComputedAt,
	}
}

func (r *reader) scores(ctx context.Context, p *profiles.Profile) error {
	defer func() {
		slices.SortFunc(p.Scores, func(a, b profiles.Score) int { return cmp.Compare(a.Name, b.Name) })
	}()
	return r.read(ctx, "scores", scoresSQL, func(rows driver.Rows) error {
		var s profiles.Score
		var stands bool
		var detail string
		if err := rows.Scan(&stands, &s.Name, &s.ModelVersion, &s.AsOf, &s.ComputedAt, &s.Value, &s.Lower, &s.Upper, &detail); err != nil {
			return err
		}
		if !stands {
			return nil
		}
		s.AsOf, s.ComputedAt, s.Detail = s.AsOf.UTC(), s.ComputedAt.UTC(), Object(detail)
		if s.Name == "" {
			p.Group = newGroup(s)
			return nil
		}
		p.Scores = append(p.Scores, s)
		return nil
	}, r.bindKeys())
}
