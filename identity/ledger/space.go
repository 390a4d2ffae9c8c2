package ledger

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// space is one workspace of an owner. Its owner's goroutine is the only one
// that changes it; mu is held while the graph changes, for the sake of stats.
type space struct {
	name  string
	owner *owner
	rules *identity.Rules
	cuts  cuts
	flips *flips
	last  uint64 // last published sequence of this epoch
	// decided is the greatest time of a decision, in milliseconds.
	decided int64
	keyer   identity.Keyer
	// erased are the identifiers ever erased, each with what was received until when;
	// disowned the sets that erasures left to nobody.
	erased   map[identity.Key]int64
	disowned map[identity.AnchorID]bool

	// What the graph is given must not share the bytes of a record.
	namespaces map[identity.Namespace]identity.Namespace
	room       [identity.MaxMembers]identity.Node // of the last sighting

	mu    sync.Mutex
	graph Graph
}

// stats counts the workspace, in slices between flushes.
func (sp *space) stats(ctx context.Context) (Stats, error) {
	v, err := sp.survey(ctx, 0, false)
	if err != nil {
		return Stats{}, err
	}
	s := Stats{Rules: sp.rules.Version}
	s.Identifiers, s.Profiles, s.Merges = v.Totals()
	return s, nil
}

// decide gives the graph decisions.
func (sp *space) decide(all ...identity.Decision) {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	for _, d := range all {
		sp.decided = max(sp.decided, d.At)
		sp.graph.Decide(d)
	}
}

func (sp *space) flush() graph.Changes {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	return sp.graph.Flush()
}

func (sp *space) blocked(id identity.Identifier) bool {
	return sp.rules.Blocked != nil && sp.rules.Blocked(id)
}

// sighting returns e as the graph sees it, until the next call. The graph knows
// whether the values of members without a bit in unmet are blocked.
func (sp *space) sighting(e *identity.Evidence, unmet uint8) identity.Sighting {
	nodes := sp.room[:len(e.Members)]
	for i, m := range e.Members {
		nodes[i] = identity.Node{
			Key: m.Key, Namespace: sp.namespace(m.Namespace), Blocked: unmet&(1<<i) != 0 && sp.blocked(m.Identifier),
		}
	}
	return identity.Sighting{Anchor: e.Anchor, Members: nodes, Source: e.Source, Period: e.Period, Span: e.Span}
}

// keys returns the members of e as Deciding reads them, until the next call.
func (sp *space) keys(e *identity.Evidence) []identity.Node {
	nodes := sp.room[:len(e.Members)]
	for i, m := range e.Members {
		nodes[i] = identity.Node{Key: m.Key}
	}
	return nodes
}

// namespace returns n in memory of its own.
func (sp *space) namespace(n identity.Namespace) identity.Namespace {
	own, ok := sp.namespaces[n]
	if !ok {
		if sp.namespaces == nil {
			sp.namespaces = map[identity.Namespace]identity.Namespace{}
		}
		own = identity.Namespace(strings.Clone(string(n)))
		sp.namespaces[own] = own
	}
	return own
}

// open takes over a workspace: a new epoch, the ledger loaded and evaluated,
// and the difference to the published reading published.
func (o *owner) open(ctx context.Context, workspace string) (*space, error) {
	if err := o.at("epoch"); err != nil {
		return nil, err
	}
	c, err := o.begin(ctx, workspace)
	if err != nil {
		return nil, err
	}
	sp := &space{name: workspace, owner: o, cuts: c, flips: newFlips(), keyer: o.deps.Keyer(workspace)}
	var newest *declared
	if _, sp.rules, newest, err = o.ledger.inForce(ctx, workspace); err != nil {
		return nil, err
	}
	begunRules, err := o.unfinished(ctx, sp, newest)
	if err != nil {
		return nil, err
	}
	sp.graph = o.deps.NewGraph(sp.rules)
	begun := o.now()
	var rows int
	var pending []identity.AnchorID
	group, loading := errgroup.WithContext(ctx)
	if !begunRules { // Else all sets are decided again.
		group.Go(func() (err error) {
			pending, err = o.pendingSets(loading, sp, fewPending)
			return err
		})
	}
	group.Go(func() (err error) {
		if rows, err = o.store.load(loading, sp); err != nil {
			return fmt.Errorf("load ledger: %w", err)
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	found := sp.flush() // Classes that flipped are in the queue: see flips.
	if err := o.store.loadFlips(ctx, sp); err != nil {
		return nil, fmt.Errorf("load flips: %w", err)
	}
	took := o.now().Sub(begun)
	o.metrics.loadSeconds.Set(took.Seconds())
	o.metrics.loadedRows.Set(float64(rows))
	if err := o.catchUp(ctx, sp, found, pending, begunRules); err != nil {
		return nil, err
	}
	o.spaces[workspace] = sp
	o.ledger.adopt(sp)
	o.log.Info("workspace opened", "workspace", workspace, "epoch", o.epoch, "rows", rows, "load_seconds", took.Seconds())
	return sp, nil
}

// unfinished reports whether the command that declared the newest rules has no
// outcome yet: its owner stopped before they were published whole.
func (o *owner) unfinished(ctx context.Context, sp *space, newest *declared) (bool, error) {
	if newest == nil || newest.command == "" {
		return false, nil
	}
	outcome, err := o.store.command(ctx, sp, newest.command)
	return outcome == nil, err
}
