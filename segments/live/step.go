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
func (w *Worker) know(ctx context.Context, n *noted) (err error) {
	if w.spaces == nil {
		w.spaces, err = w.load(ctx)
		return err
	}
	if n.redefined {
		if err := w.define(ctx, w.spaces); err != nil {
			return err
		}
	}
	for _, s := range w.spaces {
		if n.all {
			s.sweepAt = time.Time{}
		}
		if len(s.changed) <= w.cfg.Some { // Beyond, the number alone tells what to do.
			maps.Copy(s.changed, n.keys[s.name])
		}
	}
	return nil
}

// next is when something is to be done in a workspace of itself, nothing over all before
// the rest has ended.
func (s *space) next(restUntil time.Time) time.Time {
	if len(s.targets) == 0 {
		return time.Unix(1<<40, 0)
	}
	next := later(s.sweepAt, restUntil)
	if s.postponed {
		next = restUntil
	}
	if !s.recordAt.IsZero() {
		next = earlier(next, s.recordAt)
	}
	if at := s.dues.next(); at != never {
		next = earlier(next, time.UnixMilli(at))
	}
	return next
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
	all := !now.Before(s.sweepAt) || len(s.changed) > w.cfg.Some
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
		s.changed, s.dues = map[uint64]struct{}{}, dues{}
		s.horizon, s.sweepAt = now.Add(2*w.cfg.Sweep), now.Add(w.cfg.Sweep)
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
	due := s.dues.take(now.UnixMilli(), w.cfg.Some)
	w.measureDues(s, now)
	if len(targets) == 0 {
		clear(s.changed)
		return nil
	}
	var keys []uint64
	if len(s.changed) <= w.cfg.Some { // More wait for an evaluation over all.
		keys = slices.Collect(maps.Keys(s.changed))
	}
	if len(keys)+len(due) == 0 {
		return nil
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
	if len(s.changed) <= w.cfg.Some {
		clear(s.changed)
	}
	s.plan(who, found.dues)
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
