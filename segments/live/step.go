package live

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
)

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// know brings what the worker knows up to what was noted.
func (w *Worker) know(ctx context.Context, n *noted, now time.Time) (err error) {
	if w.spaces == nil {
		if w.spaces, err = w.load(ctx); err != nil {
			return err
		}
	} else if n.redefined {
		if err := w.define(ctx, w.spaces); err != nil {
			return err
		}
	}
	for _, s := range w.spaces {
		for by, keys := range n.keys[s.name] {
			w.hear(s, by, keys)
		}
		if n.all || n.flooded || s.heardOf() > mostHeard*w.cfg.Some {
			s.sweepAt = time.Time{}
		}
		s.crowded = s.crowded || n.flooded
		if err := w.meet(ctx, s, now); err != nil {
			return err
		}
	}
	return nil
}

// hear takes identifiers that were noted.
func (w *Worker) hear(s *space, by cause, keys map[uint64]struct{}) {
	into := s.changed
	switch {
	case by.moved:
		for k := range keys {
			w.of(s.name).forget(k)
		}
	case by.event == "":
		s.stated = keys
	default:
		if s.happened == nil {
			s.happened = map[string]map[uint64]struct{}{}
		}
		if into = s.happened[by.event]; into == nil {
			into = map[uint64]struct{}{}
			s.happened[by.event] = into
		}
	}
	if len(into) <= w.cfg.Some && s.heardOf() <= mostHeard*w.cfg.Some { // Beyond, the number alone tells what to do.
		maps.Copy(into, keys)
	}
}

// heardOf is how many identifiers there are of all events.
func (s *space) heardOf() (n int) {
	for _, keys := range s.happened {
		n += len(keys)
	}
	return n
}

// news are the segments that may have moved by news, and the identifiers of whom; the
// number is enough where there are too many.
func (w *Worker) news(s *space) (may map[*target]bool, keys map[uint64]struct{}) {
	keys, may = maps.Clone(s.changed), map[*target]bool{}
	if len(keys) > 0 {
		for _, t := range s.targets {
			may[t] = true
		}
	}
	for name, of := range s.happened {
		moved := w.moved(s, name)
		if len(moved) > 0 && len(keys) <= w.cfg.Some {
			maps.Copy(keys, of)
		}
		for _, t := range moved {
			may[t] = true
		}
	}
	return may, keys
}

// unasked counts the identifiers that are not among some, though events were stored of them.
func (s *space) unasked(of map[uint64]struct{}) (n int) {
	for _, keys := range s.happened {
		for k := range keys {
			if _, ok := of[k]; !ok {
				n++
			}
		}
	}
	return n
}

// heard forgets the news, which are dealt with.
func (s *space) heard() {
	clear(s.changed)
	clear(s.happened)
}

// next is when something is to be done in a workspace of itself, nothing over all before
// the rest has ended; who is due is evaluated a lead before.
func (s *space) next(restUntil time.Time, lead time.Duration, lookAt time.Time) time.Time {
	if len(s.targets) == 0 {
		return time.Unix(1<<40, 0)
	}
	next := later(s.sweepAt, restUntil)
	if s.postponed {
		next = restUntil
	}
	for _, at := range []time.Time{s.recordAt, lookAt} {
		if !at.IsZero() {
			next = earlier(next, at)
		}
	}
	if at := s.dues.next(); at != never {
		next = earlier(next, time.UnixMilli(at).Add(-lead))
	}
	return next
}

// mostLead is how far ahead of its time somebody is evaluated at most.
const mostLead = time.Second

// took keeps how long an evaluation for some profiles takes, which is how long before
// its time somebody who is due is evaluated.
func (w *Worker) took(length time.Duration) { w.lead = min(mostLead, (w.lead+length)/2) }

// await returns when a time has come by the clock.
func (w *Worker) await(ctx context.Context, at time.Time) error {
	early := at.Sub(w.deps.Clock())
	if early <= 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(early):
		return nil
	}
}

// visit does what is to be done in one workspace; while the worker is resting, nothing
// over all profiles.
func (w *Worker) visit(ctx context.Context, s *space, now time.Time, beat, resting bool) error {
	behind, err := w.waiting(ctx, s, now, beat)
	if err != nil {
		return err
	}
	s.postponed = resting && len(behind) > 0
	if len(behind) > 0 && !resting {
		if err := w.sweep(ctx, s, behind, now); err != nil {
			return err
		}
	}
	if err := w.some(ctx, s, now); err != nil {
		return err
	}
	for _, t := range s.targets { // What nothing has moved is as good as evaluated now.
		if beat && t.state.Error == "" && !t.behind() {
			t.state.EvaluatedAt, t.state.GoodAt = now, now
		}
	}
	if err := w.record(ctx, s, now); err != nil {
		return err
	}
	s.targets = slices.DeleteFunc(s.targets, func(t *target) bool { return t.archived && !t.behind() && t.state.Error == "" })
	return w.tell(ctx, s, nil)
}

// waiting are the segments to evaluate over all profiles.
func (w *Worker) waiting(ctx context.Context, s *space, now time.Time, beat bool) ([]*target, error) {
	_, keys := w.news(s)
	all := !now.Before(s.sweepAt) || len(keys) > w.cfg.Some
	var scored, grouped bool
	if beat {
		var err error
		if scored, err = w.newer(ctx, s, asks[segments.Score], scoredSQL, &s.scored); err != nil {
			return nil, err
		}
		if grouped, err = w.newer(ctx, s, asksGroups, groupedSQL, &s.grouped); err != nil {
			return nil, err
		}
	}
	var list []*target
	for _, t := range s.targets {
		again := beat && t.state.Error != ""
		if all || again || t.behind() && t.state.Error == "" || scored && asks[segments.Score](t) || grouped && asksGroups(t) {
			list = append(list, t)
		}
	}
	return list, nil
}

// When a whole run of scores, and a refresh of personas and stages, was completed last.
const (
	scoredSQL  = "SELECT max(computed_at) FROM scores WHERE workspace = {workspace:String} AND profile_id = 0"
	groupedSQL = "SELECT max(time) FROM profile_groups WHERE workspace = {workspace:String} AND profile_id = 0"
)

func asksGroups(t *target) bool { return asks[segments.InPersona](t) || asks[segments.InStage](t) }

// newer reports whether a query of a time tells a later one than is known, and keeps it.
// It asks only where some segment asks for what it is the time of.
func (w *Worker) newer(ctx context.Context, s *space, asked func(*target) bool, query string, known *time.Time) (bool, error) {
	if !slices.ContainsFunc(s.targets, asked) {
		return false, nil
	}
	var at time.Time
	if err := w.deps.Conn.QueryRow(ctx, query, clickhouse.Named("workspace", s.name)).Scan(&at); err != nil {
		return false, fmt.Errorf("read the time of scores and groups: %w", profilestore.Concise(err))
	}
	later := at.After(*known)
	*known = at
	return later, nil
}

// sweep evaluates segments over all profiles.
func (w *Worker) sweep(ctx context.Context, s *space, targets []*target, now time.Time) error {
	start := w.deps.Clock()
	all := len(targets) == len(s.targets)
	if all {
		// What is noted while it runs comes after it.
		s.heard()
		s.dues, s.sweptAt = dues{}, now
		s.horizon, s.sweepAt = now.Add(2*w.cfg.Sweep), now.Add(w.cfg.Sweep)
		if s.crowded {
			s.sweepAt, s.crowded = earlier(s.sweepAt, now.Add(expecting)), false
		}
	}
	var err error
	if s.reading, err = warehouse.ReadingNow(ctx, w.deps.Conn, s.name); err != nil {
		return err
	}
	found, err := w.evaluate(ctx, s, targets, now)
	if err != nil {
		return err
	}
	for _, d := range found.dues {
		s.dues.sooner(d.profile, d.at)
	}
	err = w.append(ctx, s, found.changes, now)
	end := w.deps.Clock()
	w.metrics.seconds.WithLabelValues(overAll).Observe(end.Sub(start).Seconds())
	w.restUntil = later(w.restUntil, end.Add(time.Duration(float64(end.Sub(start))*w.cfg.Rest)))
	return err
}

// some evaluates all segments for the profiles that news or their time ask for.
func (w *Worker) some(ctx context.Context, s *space, now time.Time) error {
	start := w.deps.Clock()
	var targets []*target
	for _, t := range s.targets {
		// One that failed waits for an evaluation over all: it has missed changes.
		if !t.behind() && !t.archived && t.invalid == nil && t.state.Error == "" {
			targets = append(targets, t)
		}
	}
	// Who comes due a little later comes along: many who did something together are due
	// together, and would wait for the evaluation of the first of them.
	due, last := s.dues.take(now.Add(w.lead+w.lead/4).UnixMilli(), w.cfg.Some)
	w.measureDues(s, now)
	now = later(now, time.UnixMilli(last).UTC()) // Nothing of it is stored before.
	if len(targets) == 0 {
		s.heard()
		return nil
	}
	may, of := w.news(s)
	var keys []uint64
	if len(of) <= w.cfg.Some { // More wait for an evaluation over all.
		keys = slices.Collect(maps.Keys(of))
		w.metrics.passed.Add(float64(s.unasked(of)))
		s.heard()
	}
	if len(keys)+len(due) == 0 {
		return nil
	}
	whole := len(due) > 0 || len(may) == len(s.targets)
	if !whole {
		targets = slices.DeleteFunc(targets, func(t *target) bool { return !may[t] })
		if len(targets) == 0 {
			return nil
		}
	}
	w.metrics.profiles.WithLabelValues("news").Add(float64(len(keys)))
	w.metrics.profiles.WithLabelValues("time").Add(float64(len(due)))
	var err error
	if s.reading, err = warehouse.ReadingNow(ctx, w.deps.Conn, s.name); err != nil {
		return err
	}
	who, err := w.among(ctx, s, targets, keys, due)
	if err != nil {
		return err
	}
	found, err := w.evaluateSome(ctx, s, targets, now, who)
	if err != nil {
		return err
	}
	if whole {
		s.plan(who, found.dues)
	} else { // What the others are due for stands.
		for _, d := range found.dues {
			s.dues.sooner(d.profile, d.at)
		}
	}
	w.took(w.deps.Clock().Sub(start))
	if err := w.await(ctx, now); err != nil {
		return err
	}
	err = w.append(ctx, s, found.changes, now)
	w.metrics.seconds.WithLabelValues(overSome).Observe(w.deps.Clock().Sub(start).Seconds())
	return err
}

// plan notes when the profiles that were evaluated are due next.
func (s *space) plan(who *among, found []dueAt) {
	at := make(map[uint64]int64, len(found))
	for _, d := range found {
		if before, ok := at[d.profile]; !ok || d.at < before {
			at[d.profile] = d.at
		}
	}
	for _, p := range who.profiles {
		next, ok := at[p]
		if !ok {
			next = never
		}
		s.dues.set(p, next)
	}
}

// measureDues sets the gauges of due times, before what was taken is evaluated.
func (w *Worker) measureDues(s *space, now time.Time) {
	w.metrics.due.Set(float64(len(s.dues.of)))
	lag := 0.0
	if at := s.dues.next(); at < now.UnixMilli() {
		lag = now.Sub(time.UnixMilli(at)).Seconds()
	}
	w.metrics.lag.Set(lag)
}
