package activation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/privacy"
	"github.com/kindred-cdp/kindred/segments"
)

// Whoever was told of somebody is to be told that the person was erased (GDPR, Art. 19).
// The worker of erasures asks for it before it takes away who was told what. A receiver
// that knows profiles by their ids gets one message for each that it was told of; for
// one that knows people by an address or a number it is put on record that somebody has
// to tell it, because those are gone. People who were written to are no receivers.

// States of a deletion that a destination is to be told.
const (
	erasureAsked     = "asked"
	erasureDelivered = "delivered"
	erasureFailed    = "failed"
	erasureObsolete  = "obsolete"
	erasureByHand    = "by_hand"
)

// erasureLate begins the id of an erasure that was applied while a message was on its
// way; behind it is the key of the change.
const erasureLate = "late/"

// erased is what a job has of an erasure.
type erased struct {
	id      string
	at      time.Time
	version uint64
}

// erasureKey names a deletion, the same whenever it is told.
func erasureKey(id string, profile identity.ProfileID) string {
	return "erased/" + id + "/" + profile.String()
}

const toldOfSQL = `SELECT destination, profile_id FROM destination_told
WHERE workspace = {workspace:String} AND profile_id IN {profiles:Array(UInt64)} AND time <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
GROUP BY destination, profile_id`

const askedSQL = `SELECT destination, uniqExact(profile_id) FROM destination_erasures
WHERE workspace = {workspace:String} AND erasure_id = {erasure:String}
GROUP BY destination`

// Erased implements privacy.Recipients.
func (s *Store) Erased(ctx context.Context, workspace string, gone privacy.Gone, now time.Time) (map[string]uint64, error) {
	live, err := s.read(ctx, workspace, "")
	if err != nil {
		return nil, err
	}
	forms := map[string]*Definition{}
	for i := range live {
		forms[string(live[i].ID)] = &live[i].Definition
	}
	ids := make([]uint64, len(gone.Profiles))
	for i, p := range gone.Profiles {
		ids[i] = uint64(p)
	}
	var rows [][]any
	err = query(ctx, s.conn, "who was told of somebody", toldOfSQL, func(r driver.Rows) error {
		var destination string
		var profile uint64
		if err := r.Scan(&destination, &profile); err != nil {
			return err
		}
		d, state := forms[destination], erasureByHand
		switch {
		case d != nil && d.Kind == Email:
			return nil
		case d != nil && d.own():
			state = erasureAsked
		}
		rows = append(rows, erasureRow(workspace, ID(destination), identity.ProfileID(profile), erased{gone.Erasure, gone.At, 1}, now, state, verdict{}))
		return nil
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("profiles", ids), clickhouse.Named("until", now.UnixMilli()))
	if err != nil {
		return nil, err
	}
	if err := insert(ctx, s.conn, "", "destination_erasures", erasureColumns, rows); err != nil {
		return nil, err
	}
	counts := map[string]uint64{} // With what a look before this one asked for.
	err = query(ctx, s.conn, "who is to be told of an erasure", askedSQL, func(r driver.Rows) error {
		var destination string
		var n uint64
		err := r.Scan(&destination, &n)
		counts[destination] = n
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("erasure", gone.Erasure))
	return counts, err
}

const erasureColumns = "workspace, destination, erasure_id, profile_id, version, time, erased_at, state, reason, status"

func erasureRow(workspace string, id ID, profile identity.ProfileID, e erased, now time.Time, state string, v verdict) []any {
	return []any{workspace, string(id), e.id, uint64(profile), e.version, now.UTC(), e.at.UTC(), state, v.reason, uint16(v.status)}
}

const erasuresSQL = `SELECT erasure_id, profile_id, max(destination_erasures.version), argMax(erased_at, destination_erasures.version)
FROM destination_erasures
WHERE workspace = {workspace:String} AND destination = {destination:String}
GROUP BY erasure_id, profile_id
HAVING argMax(state, destination_erasures.version) = '` + erasureAsked + `'
ORDER BY max(erased_at), erasure_id, profile_id
LIMIT {limit:UInt64}`

// fillErasures reads who was erased and is to be told of. They stand apart: no place waits
// for them, and what is behind them of the same profile does.
func (r *runner) fillErasures(ctx context.Context) error {
	room := r.cfg.Window - r.window.len()
	if room <= 0 {
		return nil
	}
	there := map[string]bool{}
	for _, j := range r.window.apart {
		there[j.key] = true
	}
	return query(ctx, r.deps.Conn, "who was erased", erasuresSQL, func(rows driver.Rows) error {
		var e erased
		var profile uint64
		if err := rows.Scan(&e.id, &profile, &e.version, &e.at); err != nil {
			return err
		}
		c := segments.Change{Profile: identity.ProfileID(profile), Time: e.at}
		if key := erasureKey(e.id, c.Profile); !there[key] {
			r.window.add(&job{Change: c, key: key, erased: &e, apart: true})
		}
		return nil
	}, clickhouse.Named("workspace", r.Workspace), clickhouse.Named("destination", string(r.ID)), clickhouse.Named("limit", uint64(room)))
}

const toldSinceSQL = `SELECT count() FROM destination_told
WHERE workspace = {workspace:String} AND destination = {destination:String} AND profile_id = {profile:UInt64} AND time > fromUnixTimestamp64Milli({since:Int64}, 'UTC')`

// toldSince reports whether the receiver was told of a profile after it was erased: of
// somebody who has come again, and whom it must not delete.
func (r *runner) toldSince(ctx context.Context, j *job) (bool, error) {
	var n uint64
	row := r.deps.Conn.QueryRow(ctx, toldSinceSQL, clickhouse.Named("workspace", r.Workspace), clickhouse.Named("destination", string(r.ID)),
		clickhouse.Named("profile", uint64(j.Profile)), clickhouse.Named("since", j.erased.at.UnixMilli()))
	if err := row.Scan(&n); err != nil {
		return false, fmt.Errorf("read what was told: %w", err)
	}
	return n > 0, nil
}

// keepErasures stores what became of erasures that were to be told, and asks for those of
// whom a message was on its way when they were erased.
func (r *runner) keepErasures(ctx context.Context, jobs []*job, gone map[identity.ProfileID]bool) error {
	var rows [][]any
	for _, j := range jobs {
		switch {
		case j.erased != nil:
			e := *j.erased
			e.version = max(e.version+1, uint64(j.at.UnixMilli()))
			state := map[outcome]string{delivered: erasureDelivered, dead: erasureFailed}[j.outcome]
			if state == "" {
				state = erasureObsolete
			}
			rows = append(rows, erasureRow(r.Workspace, r.ID, j.Profile, e, j.at, state, j.verdict))
		case j.outcome == delivered && gone[j.Profile] && r.Definition.Kind != Email:
			state := erasureByHand
			if r.Definition.own() {
				state = erasureAsked
				r.asked.Store(true)
			}
			rows = append(rows, erasureRow(r.Workspace, r.ID, j.Profile, erased{erasureLate + j.key, j.at, 1}, j.at, state, verdict{}))
		}
	}
	return insert(ctx, r.deps.Conn, "", "destination_erasures", erasureColumns, rows)
}

// erasedBody is the form of Kindred of a deletion.
type erasedBody struct {
	ID          string    `json:"id"`
	Type        string    `json:"type"` // profile.erased
	Time        time.Time `json:"time"`
	Workspace   string    `json:"workspace"`
	Destination ID        `json:"destination"`
	Profile     struct {
		ID string `json:"id"`
	} `json:"profile"`
}

func (s *subject) deletion() erasedBody {
	b := erasedBody{ID: s.key, Type: "profile.erased", Time: s.change.Time.UTC(), Workspace: s.workspace, Destination: s.destination}
	b.Profile.ID = s.change.Profile.String()
	return b
}

// plainJobs are those that are of changes of segments.
func plainJobs(jobs []*job) []*job {
	return slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.erased != nil })
}
