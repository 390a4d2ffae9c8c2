package ledger

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/rulefile"
)

// Bounds of the examples in a report.
const (
	maxExamples = 20 // of each kind
	maxShown    = 20 // identifiers of one example
)

// DryRunReport says what other rules would change.
type DryRunReport struct {
	Version int      // that the rules would get
	Changes []string // of the rules, in plain words
	// Before and After count the ledger under the rules in force and under the
	// others.
	Before, After Stats
	// Splits is the number of profiles of which the identifiers would be of
	// several, Joins that of profiles that would hold identifiers of several,
	// and Moves that of identifiers that would have another profile id.
	Splits, Joins, Moves int
	// Examples of each, at most twenty, the least ids first.
	SplitExamples, JoinExamples []Example
	MoveExamples                []ExampleIdentifier
}

// Example is a profile that would split, or that would come of a join.
type Example struct {
	Profile     identity.ProfileID
	Identifiers []ExampleIdentifier // at most twenty
	More        int                 // further ones
}

// ExampleIdentifier is an identifier of an example. Its value is not in memory.
type ExampleIdentifier struct {
	Key           identity.Key
	Namespace     identity.Namespace
	Before, After identity.ProfileID
}

// DryRun says what the rules of f would change. It loads the whole ledger of the
// workspace under them beside the graph in use, of which it notes the profiles in
// slices between flushes; one ledger is loaded so at a time, and others wait. What
// is flushed in between counts as a change where it is one. The faults of f, each
// a *rulefile.Fault, and identity.ErrNotOwner are errors.
func (l *Ledger) DryRun(ctx context.Context, workspace string, f rulefile.File) (DryRunReport, error) {
	l.mu.Lock()
	sp, ok := l.spaces[workspace]
	l.mu.Unlock()
	if !ok {
		return DryRunReport{}, identity.ErrNotOwner
	}
	now, _, _, err := l.inForce(ctx, workspace)
	if err != nil {
		return DryRunReport{}, err
	}
	f.Version = now.Version + 1
	rules, err := l.rulesOf(workspace, f)
	if err == nil {
		err = trustedRenames(f, rules)
	}
	if err != nil {
		return DryRunReport{}, err
	}
	release, err := l.loadBeside(ctx)
	if err != nil {
		return DryRunReport{}, err
	}
	defer release()
	before, beside, err := l.readings(ctx, sp, rules)
	if err != nil {
		return DryRunReport{}, err
	}
	report := DryRunReport{Version: f.Version, Changes: rulefile.Diff(now, f), Before: before.stats}
	if report.After, err = beside.stats(ctx); err != nil {
		return DryRunReport{}, err
	}
	c := comparison{before: before, after: beside.graph, splits: map[identity.ProfileID]bool{}, joins: map[identity.ProfileID]bool{}}
	err = c.report(ctx, &report)
	return report, err
}

// readings notes the profiles of sp and, meanwhile, loads its ledger under other
// rules: the one reads memory where the other waits for the engine.
func (l *Ledger) readings(ctx context.Context, sp *space, rules *identity.Rules) (before *snapshot, beside *space, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		before, err = sp.snapshot(ctx)
		return err
	})
	beside = &space{name: sp.name, rules: rules, graph: l.deps.NewGraph(rules)}
	group.Go(func() error {
		if _, err := l.store.load(ctx, beside); err != nil {
			return fmt.Errorf("load ledger under other rules: %w", err)
		}
		beside.flush()
		return nil
	})
	return before, beside, group.Wait()
}

// loadBeside waits until no other ledger is loaded beside those in use.
func (l *Ledger) loadBeside(ctx context.Context) (release func(), err error) {
	select {
	case l.beside <- struct{}{}:
		return func() { <-l.beside }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// snapshot is the profiles of a graph, each as of some flush while it was taken:
// of the identifiers that are not their own profile, in order of key.
type snapshot struct {
	stats    Stats
	keys     []identity.Key
	profiles []identity.ProfileID
}

func (sp *space) snapshot(ctx context.Context) (s *snapshot, err error) {
	s = &snapshot{}
	if s.stats, err = sp.stats(ctx); err != nil {
		return nil, err
	}
	var moved []identity.Move
	place := uint32(0)
	err = sp.inSlices(ctx, func(g Graph) bool {
		n := 0
		place = g.EachFrom(place, func(k identity.Key, _ identity.Namespace, p identity.ProfileID) bool {
			if p != identity.ProfileID(k) {
				moved = append(moved, identity.Move{Identifier: k, New: p})
			}
			n++
			return n < slice
		})
		return place == 0
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(moved, func(a, b identity.Move) int { return cmp.Compare(a.Identifier, b.Identifier) })
	s.keys, s.profiles = make([]identity.Key, len(moved)), make([]identity.ProfileID, len(moved))
	for i, m := range moved {
		s.keys[i], s.profiles[i] = m.Identifier, m.New
	}
	return s, nil
}

func (s *snapshot) profile(k identity.Key) identity.ProfileID {
	if i, ok := slices.BinarySearch(s.keys, k); ok {
		return s.profiles[i]
	}
	return identity.ProfileID(k)
}

// walk returns profile for keys that ascend, but for a few: it goes along with them,
// where to search for each of millions would wait for memory at every step.
func (s *snapshot) walk() func(identity.Key) identity.ProfileID {
	at := 0 // of the first key that is not less than the last one asked for
	return func(k identity.Key) identity.ProfileID {
		if at < len(s.keys) && s.keys[at] < k {
			at++
		}
		if at < len(s.keys) && s.keys[at] < k || at > 0 && s.keys[at-1] >= k {
			at, _ = slices.BinarySearch(s.keys, k)
		}
		if at < len(s.keys) && s.keys[at] == k {
			return s.profiles[at]
		}
		return identity.ProfileID(k)
	}
}

// comparison is of two readings of one ledger. It keeps what differs only.
type comparison struct {
	before        *snapshot
	after         Graph
	splits, joins map[identity.ProfileID]bool
	moves         []ExampleIdentifier // the least ones
}

// report counts what differs, and then fills the examples.
func (c *comparison) report(ctx context.Context, r *DryRunReport) error {
	n, before := 0, c.before.walk()
	c.after.Each(func(k identity.Key, ns identity.Namespace, p identity.ProfileID) bool {
		// Nearly all identifiers stay where they are. Those tell nothing: the
		// founder of their profile stays in it as well, before and after.
		if i := (ExampleIdentifier{Key: k, Namespace: ns, Before: before(k), After: p}); i.Before != i.After {
			c.compare(i)
			r.Moves++
		}
		n++
		return n%4096 != 0 || ctx.Err() == nil
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	r.Splits, r.Joins, r.MoveExamples = len(c.splits), len(c.joins), c.moves
	r.SplitExamples, r.JoinExamples = chosen(c.splits), chosen(c.joins)
	return c.fill(ctx, r)
}

// compare notes what the move of an identifier comes to. The id of a profile is
// the key of one of its identifiers, so one member elsewhere than that one tells a
// split, or a join.
func (c *comparison) compare(i ExampleIdentifier) {
	if i.Before != 0 && i.After != c.after.Profile(identity.Key(i.Before)) {
		c.splits[i.Before] = true
	}
	if i.After != 0 && i.Before != c.before.profile(identity.Key(i.After)) {
		c.joins[i.After] = true
	}
	c.keepMove(i)
}

// fill fills the examples. Who was in a profile stands in the snapshot, and who
// would be in one says the graph: nothing but the examples is read.
func (c *comparison) fill(ctx context.Context, r *DryRunReport) error {
	split := byProfile(r.SplitExamples)
	founders := slices.Sorted(maps.Keys(split))
	add := func(e *Example, k identity.Key) {
		if ns := c.after.State(k).Namespace; ns != "" {
			e.add(ExampleIdentifier{Key: k, Namespace: ns, Before: c.before.profile(k), After: c.after.Profile(k)})
		}
	}
	for i, k := range c.before.keys {
		// A founder is not among the keys, which are those of other profiles than their own.
		for len(founders) > 0 && identity.Key(founders[0]) < k {
			add(split[founders[0]], identity.Key(founders[0]))
			founders = founders[1:]
		}
		if e := split[c.before.profiles[i]]; e != nil {
			add(e, k)
		}
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	for _, p := range founders {
		add(split[p], identity.Key(p))
	}
	for i := range r.JoinExamples {
		e := &r.JoinExamples[i]
		for _, k := range c.after.Members(e.Profile) {
			add(e, k)
		}
	}
	return ctx.Err()
}

// keepMove keeps i if it is one of the least.
func (c *comparison) keepMove(i ExampleIdentifier) {
	at, _ := slices.BinarySearchFunc(c.moves, i, func(a, b ExampleIdentifier) int { return cmp.Compare(a.Key, b.Key) })
	if at < maxExamples {
		c.moves = slices.Insert(c.moves, at, i)
		c.moves = c.moves[:min(len(c.moves), maxExamples)]
	}
}

// chosen returns empty examples of the least of profiles.
func chosen(profiles map[identity.ProfileID]bool) []Example {
	ids := slices.Sorted(maps.Keys(profiles))
	examples := make([]Example, min(len(ids), maxExamples))
	for i := range examples {
		examples[i].Profile = ids[i]
	}
	return examples
}

func byProfile(examples []Example) map[identity.ProfileID]*Example {
	m := map[identity.ProfileID]*Example{}
	for i := range examples {
		m[examples[i].Profile] = &examples[i]
	}
	return m
}

// add adds an identifier.
func (e *Example) add(i ExampleIdentifier) {
	if len(e.Identifiers) < maxShown {
		e.Identifiers = append(e.Identifiers, i)
	} else {
		e.More++
	}
}
