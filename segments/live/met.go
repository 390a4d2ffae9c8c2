package live

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/segments/sql"
)

// An identifier that comes for the first time makes a profile, and that alone lets it
// into segments of whoever did not do something. Identity gives notice of what moves
// between profiles, not of somebody new, and it stores new identifiers later than ingest
// stores their events. So the worker keeps whom it has met: identifiers that are stored
// and for which all segments were evaluated since. An event that no segment asks for is
// passed over of these alone. One that is not stored yet is expected, and evaluated for
// again when it is.

const (
	// mostMet bounds the identifiers that are kept as met, twice; the older half is
	// forgotten, and looked up again.
	mostMet = 1_000_000
	// settled is how long before an evaluation over all somebody must have come first to
	// have been among all: identity is behind by less than that.
	settled = 10 * time.Minute
	// expecting is how long an identifier is looked for that is not stored. Where there
	// are too many, there is an evaluation over all after that time.
	expecting = 10 * time.Minute
	// look is the time between two looks for who is expected, at least ten times as long
	// as one takes.
	look = 500 * time.Millisecond
)

// acquaintance is what the worker knows of the identifiers of a workspace. It outlives a
// failure, after which all else is read again.
type acquaintance struct {
	young, old map[uint64]struct{} // who was met
	// expected are identifiers that are not stored yet, since when; lookAt is when to look
	// for them, zero when nobody is.
	expected map[uint64]time.Time
	lookAt   time.Time
}

func (a *acquaintance) has(k uint64) bool {
	if _, ok := a.young[k]; ok {
		return true
	}
	_, ok := a.old[k]
	return ok
}

func (a *acquaintance) meet(k uint64) {
	if a.young == nil || len(a.young) >= mostMet {
		a.young, a.old = map[uint64]struct{}{}, a.young
	}
	a.young[k] = struct{}{}
}

// forget takes out who has moved: one that was erased may come again, as somebody new.
func (a *acquaintance) forget(k uint64) {
	delete(a.young, k)
	delete(a.old, k)
}

// of returns what is known of a workspace.
func (w *Worker) of(workspace string) *acquaintance {
	if w.known[workspace] == nil {
		if w.known == nil {
			w.known = map[string]*acquaintance{}
		}
		w.known[workspace] = &acquaintance{expected: map[uint64]time.Time{}}
	}
	return w.known[workspace]
}

const metSQL = `SELECT identifier_id, min(first_received) FROM identifiers
WHERE workspace = {workspace:String} AND identifier_id IN (SELECT id FROM asked)
GROUP BY identifier_id`

// meet looks up who is new among those of whom something was stored: they are evaluated
// for all segments, and those who are not there yet again when they are.
func (w *Worker) meet(ctx context.Context, s *space, now time.Time) error {
	a := w.of(s.name)
	asked := map[uint64]struct{}{}
	for _, keys := range append(slices.Collect(maps.Values(s.happened)), s.stated) {
		for k := range keys {
			if !a.has(k) {
				asked[k] = struct{}{}
			}
		}
	}
	for k, since := range a.expected {
		if now.Sub(since) > expecting {
			delete(a.expected, k)
			continue
		}
		asked[k] = struct{}{}
	}
	s.stated, a.lookAt = nil, time.Time{}
	if len(asked) == 0 {
		return nil
	}
	if len(asked) > 2*mostHeard*w.cfg.Some { // As many as that are evaluated among all, and then once more.
		s.sweepAt = time.Time{}
		a.expected = map[uint64]time.Time{}
		s.crowded = true
		return nil
	}
	ctx, err := sql.WithIDs(ctx, "asked", slices.Collect(maps.Keys(asked)))
	if err != nil {
		return err
	}
	start := w.deps.Clock()
	err = w.store.query(ctx, "identifiers that are new", metSQL, func(rows driver.Rows) error {
		var k uint64
		var first time.Time
		if err := rows.Scan(&k, &first); err != nil {
			return err
		}
		if _, expected := a.expected[k]; expected || first.After(s.sweptAt.Add(-settled)) {
			s.changed[k] = struct{}{}
		}
		delete(a.expected, k)
		delete(asked, k)
		a.meet(k)
		return nil
	}, clickhouse.Named("workspace", s.name))
	if err != nil {
		return err
	}
	for k := range asked { // They are not stored.
		if _, expected := a.expected[k]; !expected {
			s.changed[k] = struct{}{}
			a.expected[k] = now
		}
	}
	if len(a.expected) > 0 {
		a.lookAt = now.Add(max(look, 10*w.deps.Clock().Sub(start)))
	}
	return nil
}
