package ledger

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// AsOf returns the profile of every identifier that was known at a moment: the
// ledger evaluated with the evidence of up to then, under the rules in force
// now. The time of evidence is the one that first and last seen go by: that of
// the event where its source is trusted, and that of its receipt where it is
// not. It is not what was published then, which identity_changes tells: evidence
// that came late counts, and so do decisions, which correct what was held to be
// true at all times.
//
// The ledger keeps the first time and the last day of what a source said in a
// quarter, not what lies between: where a quarter's rows reach over the moment,
// they are taken to reach up to it. This can differ from the definition in the
// tenures of namespaces that are declared moving with a gap under a quarter.
//
// The whole ledger is loaded, one at a time in a process, before AsOf returns.
func (l *Ledger) AsOf(ctx context.Context, workspace string, at time.Time) (iter.Seq2[identity.Key, identity.ProfileID], error) {
	_, rules, _, err := l.inForce(ctx, workspace)
	if err != nil {
		return nil, err
	}
	release, err := l.loadBeside(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	sp := &space{name: workspace, rules: rules, graph: l.deps.NewGraph(rules)}
	if _, err := l.store.loadUntil(ctx, sp, at.UnixMilli()); err != nil {
		return nil, fmt.Errorf("load ledger as of a moment: %w", err)
	}
	sp.flush()
	return func(yield func(identity.Key, identity.ProfileID) bool) {
		sp.graph.Each(func(k identity.Key, _ identity.Namespace, p identity.ProfileID) bool { return yield(k, p) })
	}, nil
}

// upTo returns the part of a row of evidence that was seen up to until; false
// where nothing was.
func upTo(until int64, trusted bool, s identity.Span) (identity.Span, bool) {
	first := s.FirstReceived
	if trusted {
		first = s.FirstEvent
	}
	if first > until {
		return identity.Span{}, false
	}
	day := identity.DayOfMillis(until)
	s.LastEvent, s.LastReceived = min(s.LastEvent, day), min(s.LastReceived, day)
	return s, true
}
