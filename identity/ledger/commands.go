package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
)

// order is a command on its way through the steps.
type order struct {
	identity.Command
	space    *space
	received time.Time // when the broker appended it
	fault    error     // what a malformed command breaks
}

// verdict is what is to be done about a command.
type verdict struct {
	code      identity.RefusalCode
	detail    string
	decisions []identity.Decision
}

func refuse(code identity.RefusalCode, format string, args ...any) verdict {
	return verdict{code: code, detail: fmt.Sprintf(format, args...)}
}

// processCommand takes one command through all steps.
func (o *owner) processCommand(ctx context.Context, m kafka.Message) error {
	o.age()
	c, fault := decodeCommand(m.Value)
	sp, rejection, err := o.spaceOf(ctx, &c, fault)
	if err != nil {
		return err
	}
	if rejection != nil {
		rejection.Message = m
		o.metrics.rejected.WithLabelValues(string(rejection.Reason)).Inc()
		if err := o.reject(ctx, []Rejection{*rejection}); err != nil {
			return err
		}
	}
	if sp != nil {
		if err := o.apply(ctx, &order{Command: c, space: sp, received: received(m.Time), fault: fault}); err != nil {
			return fmt.Errorf("apply a command of kind %s: %w", c.Kind, err)
		}
		o.metrics.publicationSeconds.Observe(o.now().Sub(m.Time).Seconds())
	}
	o.pass(&m)
	return o.commit(ctx)
}

// received keeps a broker's time inside the range of the column.
func received(t time.Time) time.Time { return time.UnixMilli(clampTime(t.UnixMilli())).UTC() }

// spaceOf returns the workspace that c is for; nil where the command gets no
// outcome. A rejection is returned for what belongs to the dead letters.
func (o *owner) spaceOf(ctx context.Context, c *identity.Command, fault error) (*space, *Rejection, error) {
	var rejection *Rejection
	if fault != nil {
		rejection = &Rejection{Reason: ReasonCommand, Detail: fault.Error()}
		if len(c.Workspace) <= maxName {
			rejection.Workspace = c.Workspace
		}
		if !answerable(c) {
			return nil, rejection, nil
		}
	}
	sp, ok := o.spaces[c.Workspace]
	if ok {
		return sp, rejection, nil
	}
	if !o.deps.Owns(c.Workspace, o.p.ID()) {
		return nil, &Rejection{
			Workspace: c.Workspace, Reason: ReasonForeign,
			Detail: fmt.Sprintf("the workspace does not belong to partition %d", o.p.ID()),
		}, nil
	}
	if fault != nil {
		return nil, rejection, nil // Nothing malformed brings a workspace into being.
	}
	sp, err := o.openLate(ctx, strings.Clone(c.Workspace))
	return sp, rejection, err
}

// apply does what a command asks, or refuses it, once: an outcome that stands is
// not made again, and decisions without one are finished, not judged anew. They
// are given to the graph in any case: an owner that was replaced may have stored
// them after this one loaded the ledger.
func (o *owner) apply(ctx context.Context, r *order) error {
	if err := o.at("command"); err != nil {
		return err
	}
	before, stored, v, err := o.recallCommand(ctx, r)
	if err != nil {
		return err
	}
	if r.Kind == identity.Redeclare && r.fault == nil {
		return o.redeclare(ctx, r, before != nil)
	}
	if r.Kind == identity.Erase && r.fault == nil {
		return o.erase(ctx, r, before != nil)
	}
	if before != nil && len(stored) == 0 {
		return nil
	}
	if len(stored) > 0 {
		v = verdict{decisions: stored}
	}
	c, err := o.decideCommand(ctx, r, v.decisions, len(stored) == 0)
	if err != nil {
		return err
	}
	if err := o.show(ctx, c); err != nil {
		return err
	}
	if before == nil {
		moved := c.moved
		if len(stored) > 0 { // Most of it was published when the workspace was opened.
			if moved, err = o.movedSince(ctx, r.space, r.space.rules, r.ID); err != nil {
				return err
			}
		}
		if err := o.conclude(ctx, r, v, moved); err != nil {
			return err
		}
	}
	return o.notify(ctx, c.notices)
}

// recallCommand looks up what became of a command before, if anything: its outcome
// and its decisions. Meanwhile it is judged, which changes nothing: the verdict is of
// use only if there is neither.
func (o *owner) recallCommand(ctx context.Context, r *order) (before *done, stored []identity.Decision, v verdict, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		before, err = o.store.command(ctx, r.space, r.ID)
		return err
	})
	group.Go(func() (err error) {
		stored, err = o.store.decisionsOf(ctx, r.space.name, r.ID, r.received)
		return err
	})
	group.Go(func() (err error) {
		if r.fault == nil && (r.Kind == identity.Redeclare || r.Kind == identity.Erase) {
			return nil // These have steps of their own.
		}
		v, err = o.judge(ctx, r)
		return err
	})
	return before, stored, v, group.Wait()
}

// decideCommand gives decisions to the graph and returns what changed in the reading,
// with the decisions to store when they are new.
func (o *owner) decideCommand(ctx context.Context, r *order, decisions []identity.Decision, fresh bool) (*changes, error) {
	sp := r.space
	c := o.newChanges(causeDecision)
	if len(decisions) == 0 {
		return c, nil
	}
	sp.decide(decisions...)
	found := sp.flush()
	started := &flipBlock{}
	o.startFlips(sp, found.Flipped, started, c.at)
	if err := o.keepFlips(ctx, started); err != nil {
		return nil, err
	}
	if fresh {
		c.decidedBy = commandToken("decisions", r)
		for _, d := range decisions {
			c.decided.add(sp.name, d)
		}
	}
	c.reserve(len(found.Moves), 0, 1)
	c.record(sp.name, found)
	if !sp.flips.pending() {
		return c, nil
	}
	return c, o.redecide(ctx, sp, nil, c)
}

// movedSince returns how many identifiers have another profile in the graph of sp
// than under rules and without the decisions of one command. It loads the ledger
// once more: only a command whose owner stopped in its midst needs it.
func (o *owner) movedSince(ctx context.Context, sp *space, rules *identity.Rules, without string) (moved int, err error) {
	beside := &space{name: sp.name, rules: rules, graph: o.deps.NewGraph(rules)}
	l := &loader{store: o.store, space: beside, until: forever, without: without}
	if err := l.load(ctx); err != nil {
		return 0, fmt.Errorf("load ledger as before a command: %w", err)
	}
	beside.flush()
	beside.graph.Each(func(k identity.Key, _ identity.Namespace, p identity.ProfileID) bool {
		if sp.graph.Profile(k) != p {
			moved++
		}
		return true
	})
	return moved, nil
}

// commandToken names an insert of a command: one of all owners, so that a retry
// by any of them is one.
func commandToken(step string, r *order) string { return step + "/" + r.space.name + "/" + r.ID }

// conclude stores the outcome of a command.
func (o *owner) conclude(ctx context.Context, r *order, v verdict, moved int) error {
	if err := o.at("outcome"); err != nil {
		return err
	}
	out := identity.Outcome{
		ID: r.ID, Workspace: r.space.name, Code: v.code, Detail: v.detail[:min(len(v.detail), maxText)],
		Decisions: len(v.decisions), Moved: moved,
	}
	for _, d := range v.decisions {
		if d.Kind == identity.Reject && d.On {
			out.Pairs++
		}
	}
	shown := r.space.shown(o.epoch)
	out.Epoch, out.Sequence = shown.Epoch, shown.Sequence
	b := &commandBlock{}
	b.add(r, out)
	// Unlike decisions, the outcome names this owner's version.
	if err := o.store.insert(ctx, fmt.Sprintf("%s/%d", commandToken("outcome", r), o.epoch), b); err != nil {
		return err
	}
	result := "applied"
	if v.code != "" {
		result = string(v.code)
	}
	o.metrics.commands.WithLabelValues(result).Inc()
	o.log.Info("command done", "workspace", r.space.name, "kind", r.Kind, "result", result,
		"decisions", out.Decisions, "moved", moved)
	return nil
}

// shown is the last published version of sp, which epoch reads.
func (sp *space) shown(epoch uint64) version {
	if sp.last > 0 {
		return version{epoch, sp.last}
	}
	var last version
	for e, s := range sp.cuts {
		if v := (version{e, s}); e != epoch && s > 0 && v.after(last) {
			last = v
		}
	}
	return last
}
