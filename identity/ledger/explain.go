package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
	"github.com/kindred-cdp/kindred/identity/inquiry"
)

var _ inquiry.Inquirer = (*Ledger)(nil)

// Bounds of what an explanation shows.
const (
	seenPerHop    = 10
	subgraphLimit = 500
)

// Why says why a and b, with their keys, are one profile or why they are not. The
// graph answers from memory; the values of other identifiers on the way, the
// evidence of all hops and the scores of record links take one query each, at the
// same time. Like its siblings it returns identity.ErrNotOwner where this process
// does not own the workspace.
func (l *Ledger) Why(ctx context.Context, workspace string, a, b identity.Member) (identity.Explanation, error) {
	var w graph.Explanation
	links := newScoring()
	err := l.viewSpace(ctx, workspace, func(sp *space) {
		w, links.model = sp.graph.Why(a.Key, b.Key), sp.rules.ModelVersion
	})
	if err != nil {
		return identity.Explanation{}, err
	}
	names := newNaming(a, b)
	for _, h := range w.Path {
		names.want(h.From, h.To)
	}
	if w.Barrier != nil {
		names.want(w.Barrier.From, w.Barrier.To)
	}
	links.wantAll(w)
	seen, err := l.ask(ctx, workspace, names, links, w.Path)
	if err != nil {
		return identity.Explanation{}, err
	}
	e := identity.Explanation{
		A: a.Identifier, B: b.Identifier, Same: w.Same, ProfileA: w.ProfileA, ProfileB: w.ProfileB, Path: []identity.Hop{},
	}
	if x := w.Barrier; x != nil {
		e.Barrier = &identity.Barrier{
			Kind: x.Kind, From: names.of[x.From], To: names.of[x.To], Detail: x.Detail, Link: links.score(x.From, x.To, x.Weight),
		}
	}
	for _, h := range w.Path {
		e.Path = append(e.Path, identity.Hop{
			From: names.of[h.From], To: names.of[h.To], Kind: h.Kind, Rule: h.Rule, Weight: h.Weight,
			Decision: commandOf(h.Decision), Evidence: seen[keyPair(h.From, h.To)], Link: links.score(h.From, h.To, h.Weight),
		})
	}
	return e, nil
}

// ask looks up all that an explanation shows and the graph does not hold.
func (l *Ledger) ask(
	ctx context.Context, workspace string, names *naming, links *scoring, path []graph.Hop,
) (seen map[[2]identity.Key][]identity.Seen, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.store.name(ctx, workspace, names) })
	group.Go(func() error { return links.read(ctx, l.store, workspace) })
	group.Go(func() (err error) {
		seen, err = l.store.seen(ctx, workspace, path)
		return err
	})
	return seen, group.Wait()
}

// Subgraph returns everything that holds a profile together; profile is any id
// that was ever given out. It takes one query, for values, and one for the scores
// where records link.
func (l *Ledger) Subgraph(ctx context.Context, workspace string, profile identity.ProfileID) (identity.Subgraph, error) {
	var g graph.Subgraph
	links := newScoring()
	err := l.viewSpace(ctx, workspace, func(sp *space) {
		g, links.model = sp.graph.Subgraph(profile, subgraphLimit), sp.rules.ModelVersion
	})
	if err != nil {
		return identity.Subgraph{}, err
	}
	names := newNaming()
	for _, n := range g.Identifiers {
		names.want(n.Key, n.Follows)
	}
	links.wantLinked(g.Pairs)
	if _, err := l.ask(ctx, workspace, names, links, nil); err != nil {
		return identity.Subgraph{}, err
	}
	s := identity.Subgraph{
		Profile: g.Profile, Identifiers: []identity.GraphIdentifier{}, Pairs: []identity.GraphPair{}, Truncated: g.Truncated,
	}
	if g.Household != 0 {
		s.Household = g.Household.String()
	}
	for _, n := range g.Identifiers {
		i := identity.GraphIdentifier{
			Identifier: names.of[n.Key], Key: n.Key, FirstSeen: n.FirstSeen, State: n.State, Founder: n.Founder,
		}
		if n.Follows != 0 {
			i.Follows = names.of[n.Follows].String()
		}
		s.Identifiers = append(s.Identifiers, i)
	}
	for _, p := range g.Pairs {
		s.Pairs = append(s.Pairs, identity.GraphPair{
			A: names.of[p.A], B: names.of[p.B], Links: p.Links, State: p.State, First: p.First, Last: p.Last,
			Link: links.score(p.A, p.B, p.Weight),
		})
	}
	return s, nil
}

// view lets f read the graph of a workspace while nothing changes it. Between
// evidence and its flush a graph is of no version; these are short, and waited
// for.
func (l *Ledger) view(ctx context.Context, workspace string, f func(Graph)) error {
	return l.viewSpace(ctx, workspace, func(sp *space) { f(sp.graph) })
}

// viewSpace is view for what is asked of more than the graph.
func (l *Ledger) viewSpace(ctx context.Context, workspace string, f func(*space)) error {
	for {
		l.mu.Lock()
		sp, ok := l.spaces[workspace]
		l.mu.Unlock()
		if !ok {
			return identity.ErrNotOwner
		}
		if sp.read(f) {
			return nil
		}
		if !pause(ctx, time.Millisecond) {
			return fmt.Errorf("wait for a flush of the workspace: %w", ctx.Err())
		}
	}
}

// read calls f if all that the graph was told is evaluated.
func (sp *space) read(f func(*space)) bool {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if !sp.graph.Settled() {
		return false
	}
	f(sp)
	return true
}

// naming collects keys and then holds their identifiers.
type naming struct {
	of   map[identity.Key]identity.Identifier
	keys []identity.Key
}

func newNaming(known ...identity.Member) *naming {
	n := &naming{of: map[identity.Key]identity.Identifier{0: {}}}
	for _, m := range known {
		n.of[m.Key] = m.Identifier
	}
	return n
}

// want asks for the identifiers of keys.
func (n *naming) want(keys ...identity.Key) {
	for _, k := range keys {
		if _, ok := n.of[k]; !ok {
			n.of[k] = identity.Identifier{}
			n.keys = append(n.keys, k)
		}
	}
}

// name looks up what n wants. What is not stored, or not any more, has no value.
func (s *store) name(ctx context.Context, workspace string, n *naming) error {
	if len(n.keys) == 0 {
		return nil
	}
	ctx, ids, args, err := amongIDs(ctx, n.keys, named("workspace", workspace))
	if err != nil {
		return err
	}
	var id uint64
	var namespace, value string
	among := `WHERE workspace = {workspace:String} AND identifier_id IN ` + ids + ` LIMIT 1 BY identifier_id`
	if len(n.keys) <= fewKeys {
		// The key alone first: its hash is in few granules, and of others no column is read.
		// Each has a row or some, and to have the engine choose costs more than to read them.
		among = `PREWHERE identifier_id IN ` + ids + ` WHERE workspace = {workspace:String}`
	}
	err = s.each(ctx, `SELECT identifier_id, namespace, value FROM identifiers `+among,
		args, []any{&id, &namespace, &value}, func() error {
			n.of[identity.Key(id)] = identity.Identifier{Namespace: identity.Namespace(namespace), Value: value}
			return nil
		})
	if err != nil {
		return fmt.Errorf("look up the identifiers of an explanation: %w", err)
	}
	return nil
}

func keyPair(a, b identity.Key) [2]identity.Key { return [2]identity.Key{min(a, b), max(a, b)} }

// seen looks up the evidence of the hops, the earliest first.
func (s *store) seen(ctx context.Context, workspace string, path []graph.Hop) (map[[2]identity.Key][]identity.Seen, error) {
	seen := map[[2]identity.Key][]identity.Seen{}
	if len(path) == 0 {
		return seen, nil
	}
	pairs, lows := make([][2]identity.Key, len(path)), make([]identity.Key, len(path))
	for i, h := range path {
		pairs[i] = keyPair(h.From, h.To)
		lows[i] = pairs[i][0]
	}
	ctx, among, args, err := amongPairs(ctx, pairs, named("workspace", workspace))
	if err != nil {
		return nil, err
	}
	first := ""
	if len(pairs) <= fewKeys {
		first, args = `PREWHERE low_id IN {lows:Array(UInt64)}`, append(args, clickhouse.Named("lows", keyList(lows)))
	}
	all := map[sighted]identity.Seen{}
	var at sighted
	var r identity.Seen
	var period, last int32
	err = s.each(ctx, `SELECT low_id, high_id, source, rule, period, toUnixTimestamp64Milli(first_event), toInt32(last_event),
			witness_message_id, toUnixTimestamp64Milli(witness_time)
		FROM identity_evidence `+first+` WHERE workspace = {workspace:String} AND (low_id, high_id) IN `+among,
		args, []any{(*uint64)(&at.pair[0]), (*uint64)(&at.pair[1]), &at.source, &at.rule, &period, &r.FirstEvent, &last, &r.MessageID, &r.WitnessTime},
		func() error {
			r.Source, r.Rule, r.Period, r.LastEvent = at.source, at.rule, identity.Period(period), identity.Day(last)
			at.period = r.Period
			all[at] = merged(all[at], r)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("look up the evidence of a path: %w", err)
	}
	for at, r := range all {
		seen[at.pair] = append(seen[at.pair], r)
	}
	for pair, list := range seen {
		slices.SortFunc(list, func(a, b identity.Seen) int {
			return cmp.Or(cmp.Compare(a.FirstEvent, b.FirstEvent), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Period, b.Period), cmp.Compare(a.Rule, b.Rule))
		})
		seen[pair] = slices.Clip(list[:min(len(list), seenPerHop)])
	}
	return seen, nil
}

// sighted is what the rows of one sighting of a pair have in common.
type sighted struct {
	pair         [2]identity.Key
	source, rule string
	period       identity.Period
}

// merged folds a row into what the rows before it said, of which the first had
// nothing to be folded into. The engine would do it too, for half as much again of
// what the whole query costs.
func merged(a, b identity.Seen) identity.Seen {
	if a.Source == "" {
		return b
	}
	if cmp.Or(cmp.Compare(b.WitnessTime, a.WitnessTime), cmp.Compare(b.MessageID, a.MessageID)) < 0 {
		a.WitnessTime, a.MessageID = b.WitnessTime, b.MessageID
	}
	a.FirstEvent, a.LastEvent = min(a.FirstEvent, b.FirstEvent), max(a.LastEvent, b.LastEvent)
	return a
}
