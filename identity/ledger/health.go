package ledger

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// How old figures may be: each reads a whole graph.
const (
	healthAge = 10 * time.Second
	countsAge = time.Minute
	healthTop = 20
	// countsWait bounds what the gauges wait for a busy workspace; without new
	// figures they keep the last ones.
	countsWait = 10 * time.Second
)

// slice is the number of identifiers or pairs that are read while flushes wait:
// some two milliseconds.
const slice = 1 << 13

// Health describes the identity graph of a workspace. It reads the whole graph,
// in slices between flushes, so an answer stands for ten seconds; graph.Survey
// says what figures mean while the graph changes.
func (l *Ledger) Health(ctx context.Context, workspace string) (identity.Health, error) {
	l.figures.mu.Lock()
	defer l.figures.mu.Unlock()
	sp, f := l.figures.of(l, workspace)
	if f == nil {
		return identity.Health{}, identity.ErrNotOwner
	}
	if now := l.deps.Now(); f.healthAt.IsZero() || now.Sub(f.healthAt) >= healthAge {
		s, err := sp.survey(ctx, healthTop, true)
		if err != nil {
			return identity.Health{}, err
		}
		f.health, f.healthAt = s.Health(), now
	}
	return f.health, nil
}

// survey takes a whole survey, in slices between flushes.
func (sp *space) survey(ctx context.Context, top int, pairs bool) (s *graph.Survey, err error) {
	err = sp.inSlices(ctx, func(g Graph) (done bool) {
		if s == nil {
			s = g.Survey(top, pairs)
		}
		return s.Step(slice)
	})
	return s, err
}

// inSlices calls f with the graph until it is done, whenever all that the graph
// was told is evaluated, and lets flushes go first in between.
func (sp *space) inSlices(ctx context.Context, f func(Graph) (done bool)) error {
	for done := false; !done; {
		for !sp.read(func(sp *space) { done = f(sp.graph) }) {
			if !pause(ctx, time.Millisecond) {
				return fmt.Errorf("wait for a flush of the workspace: %w", ctx.Err())
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		runtime.Gosched()
	}
	return nil
}

// figures are what is remembered of the graphs of this process.
type figures struct {
	mu     sync.Mutex
	spaces map[*space]*figure
}

type figure struct {
	health             identity.Health
	counts             graph.Counts
	waiting            int // for review
	healthAt, countsAt time.Time
}

// of returns a workspace with its figures, nil where the process does not own it,
// and forgets those of workspaces that it owns no more.
func (f *figures) of(l *Ledger, workspace string) (*space, *figure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for sp := range f.spaces {
		if l.spaces[sp.name] != sp {
			delete(f.spaces, sp)
		}
	}
	sp, ok := l.spaces[workspace]
	if !ok {
		return nil, nil
	}
	if f.spaces == nil {
		f.spaces = map[*space]*figure{}
	}
	if f.spaces[sp] == nil {
		f.spaces[sp] = &figure{}
	}
	return sp, f.spaces[sp]
}

// The gauges of the graphs that the process owns, all workspaces together.
var (
	profilesDesc = prometheus.NewDesc("kindred_identity_profiles", "Profiles, as of at most a minute ago.", nil, nil)
	largestDesc  = prometheus.NewDesc("kindred_identity_largest_profile", "Identifiers of the largest profile, as of at most a minute ago.", nil, nil)
	genericDesc  = prometheus.NewDesc("kindred_identity_generic_values",
		"Identifiers seen with too many, which link no one, as of at most a minute ago.", nil, nil)
	conflictsDesc = prometheus.NewDesc("kindred_identity_conflicts",
		"Groups of identifiers that the profile which they point to did not admit, by the rule, as of at most a minute ago.", []string{"kind"}, nil)
	reviewDesc = prometheus.NewDesc("kindred_identity_review_waiting",
		"Scored pairs of records that wait for a decision, as of at most a minute ago.", nil, nil)
)

// graphCollector reads the gauges when they are asked for, at most once a minute.
type graphCollector struct{ *Ledger }

var _ prometheus.Collector = graphCollector{}

// Describe implements prometheus.Collector.
func (graphCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{profilesDesc, largestDesc, genericDesc, conflictsDesc, reviewDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c graphCollector) Collect(to chan<- prometheus.Metric) {
	sum := graph.Counts{Conflicts: map[identity.BarrierKind]int{
		identity.BarrierLimit: 0, identity.BarrierCannotLink: 0, identity.BarrierSize: 0,
	}}
	all, waiting := c.counts()
	for _, one := range all {
		sum.Profiles += one.Profiles
		sum.Generic += one.Generic
		sum.Largest = max(sum.Largest, one.Largest)
		for kind, n := range one.Conflicts {
			sum.Conflicts[kind] += n
		}
	}
	gauge := func(d *prometheus.Desc, v int, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	gauge(profilesDesc, sum.Profiles)
	gauge(largestDesc, sum.Largest)
	gauge(genericDesc, sum.Generic)
	gauge(reviewDesc, waiting)
	for kind, n := range sum.Conflicts {
		gauge(conflictsDesc, n, string(kind))
	}
}

// counts returns the counts of every workspace, and how many pairs wait for
// review in all, none older than a minute.
func (l *Ledger) counts() (all []graph.Counts, waiting int) {
	l.figures.mu.Lock()
	defer l.figures.mu.Unlock()
	l.mu.Lock()
	names := slices.Collect(maps.Keys(l.spaces))
	l.mu.Unlock()
	for _, name := range names {
		sp, f := l.figures.of(l, name)
		if f == nil {
			continue // Given up a moment ago.
		}
		if now := l.deps.Now(); f.countsAt.IsZero() || now.Sub(f.countsAt) >= countsAge {
			// Whoever asks for metrics can wait no longer than for this.
			ctx, cancel := context.WithTimeout(context.Background(), countsWait)
			s, err := sp.survey(ctx, 1, false)
			pairs := 0
			if err == nil {
				_, pairs, err = sp.questions(ctx, 0)
			}
			cancel()
			if err == nil {
				f.counts, f.waiting, f.countsAt = s.Counts(), pairs, now
			}
		}
		all = append(all, f.counts)
		waiting += f.waiting
	}
	return all, waiting
}
