package live

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// abreast is how many groups of segments of one evaluation are asked for at a time: to plan
// a query, the server takes one core for as long as to run it for some profiles.
const abreast = 2

// evaluateSome evaluates segments for some profiles and compares with the roster. A segment
// that cannot be evaluated is marked and left out; the error is of what concerns all.
func (w *Worker) evaluateSome(ctx context.Context, s *space, targets []*target, now time.Time, who *among) (found, error) {
	groups, err := grouped(targets, sql.MaxWords)
	if err != nil {
		return found{}, err
	}
	anchors := slices.Sorted(maps.Keys(who.anchors))
	carrying, err := sql.WithAsked(ctx, who.profiles, anchors, append([]uint64{0}, anchors...))
	if err != nil {
		return found{}, err
	}
	parts := make([]found, len(groups))
	g, carrying := errgroup.WithContext(carrying)
	g.SetLimit(abreast)
	for i, group := range groups {
		g.Go(func() error { return w.evaluateAmong(carrying, s, group, now, who, &parts[i]) })
	}
	if err := g.Wait(); err != nil {
		return found{}, err
	}
	var all found
	for _, part := range parts {
		all.changes, all.dues = append(all.changes, part.changes...), append(all.dues, part.dues...)
	}
	if err := w.causes(ctx, s, all.changes); err != nil {
		return all, err
	}
	return all, w.explain(ctx, s, all.changes)
}

// grouped divides segments into those of one query of so many words of bits each.
func grouped(targets []*target, words int) (groups [][]*target, err error) {
	definitions := make([]segments.Definition, len(targets))
	for i, t := range targets {
		definitions[i] = t.resolved
	}
	places, err := sql.Groups(definitions, words)
	if err != nil {
		return nil, err
	}
	for _, group := range places {
		some := make([]*target, len(group))
		for i, place := range group {
			some[i] = targets[place]
		}
		groups = append(groups, some)
	}
	return groups, nil
}

// evaluateAmong evaluates segments by one query, or each by its own when that fails.
func (w *Worker) evaluateAmong(ctx context.Context, s *space, group []*target, now time.Time, who *among, into *found) error {
	f, err := w.compare(ctx, s, group, now, who)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		into.changes, into.dues = append(into.changes, f.changes...), append(into.dues, f.dues...)
		succeeded(group, now)
		return nil
	case len(group) == 1:
		w.fail(s, group[0], now, err)
		return nil
	}
	for _, t := range group {
		if err := w.evaluateAmong(ctx, s, []*target{t}, now, who, into); err != nil {
			return err
		}
	}
	return nil
}

// compare finds who of some profiles is to enter or leave the segments of a group, and
// when what holds may change by itself.
func (w *Worker) compare(ctx context.Context, s *space, group []*target, now time.Time, who *among) (found, error) {
	definitions := make([]segments.Definition, len(group))
	for i, t := range group {
		definitions[i] = t.resolved
	}
	set, answers, err := w.answers(ctx, s, definitions, now, w.cfg.MaxEvents)
	if errors.Is(err, sql.ErrManyEvents) {
		set, answers, err = w.answers(ctx, s, definitions, now, 0)
	}
	if err != nil {
		return found{}, err
	}
	var f found
	for _, profile := range who.profiles { // In order, and those as well who are nobody any more.
		a, ok := answers[profile]
		if ok && a.Due <= s.horizon.UnixMilli() {
			f.dues = append(f.dues, dueAt{a.Due, profile})
		}
		for i, t := range group {
			holds := a.Held.Has(i)
			if holds == s.roster.has(t, profile) {
				continue
			}
			c := segments.Change{Segment: t.id, Profile: identity.ProfileID(profile), Entered: holds, Cause: segments.ByData, Revision: t.revision}
			f.changes = append(f.changes, change{c, t, set.Holds(i, a.Mask)})
		}
	}
	return f, nil
}

// answers asks about some profiles, of which so many events may be counted here.
func (w *Worker) answers(ctx context.Context, s *space, definitions []segments.Definition, now time.Time, events int) (sql.Set, map[uint64]sql.Answer, error) {
	set, err := sql.CompileSet(definitions, w.cfg.Rules, s.name, now, sql.Extent{Some: true, Events: events}, s.reading)
	if err != nil {
		return set, nil, err
	}
	collected := set.Collect()
	g, ctx := errgroup.WithContext(ctx)
	for _, q := range []struct {
		query sql.Query
		row   func(driver.Rows) error
	}{{set.Query, collected.Row}, {set.Events, collected.Event}} {
		if q.query.SQL != "" {
			g.Go(func() error {
				return w.store.query(w.bound(ctx, true, q.query.Parameters), "members of segments", q.query.SQL, q.row)
			})
		}
	}
	if err := g.Wait(); err != nil {
		return set, nil, err
	}
	return set, collected.Answers(), nil
}

const goneSQL = "SELECT id FROM asked WHERE %s != id"

// causes tells from the others the exits of profiles that are part of another one now.
func (w *Worker) causes(ctx context.Context, s *space, changes []change) error {
	exits := map[uint64]struct{}{}
	for _, c := range changes {
		if !c.Entered {
			exits[uint64(c.Profile)] = struct{}{}
		}
	}
	if len(exits) == 0 {
		return nil
	}
	gone := map[uint64]struct{}{}
	if err := w.collect(ctx, s, fmt.Sprintf(goneSQL, s.reading.IdentifierProfile("id")), slices.Sorted(maps.Keys(exits)), gone); err != nil {
		return err
	}
	for i := range changes {
		if _, ok := gone[uint64(changes[i].Profile)]; ok && !changes[i].Entered {
			changes[i].Cause = segments.ByProfile
		}
	}
	return nil
}
