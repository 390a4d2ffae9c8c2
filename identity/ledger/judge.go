package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// judge decides what a command does, by the graph after all that came before it.
// What is refused has no decisions.
func (o *owner) judge(ctx context.Context, r *order) (verdict, error) {
	if r.fault != nil {
		return refuse(identity.RefusedMalformed, "%s", r.fault), nil
	}
	d := r.decider()
	switch r.Kind {
	case identity.Undo:
		return o.judgeUndo(ctx, r, d)
	case identity.Unmerge:
		return r.judgeUnmerge(d), nil
	case identity.Link:
		return r.judgeLink(d), nil
	case identity.Separate:
		return r.judgeSeparate(d), nil
	default: // A command that has no fault is of a known kind.
		return r.judgeBlock(d), nil
	}
}

// decider makes the decisions of a command, in order.
type decider struct {
	order *order
	at    int64
	made  []identity.Decision
}

// decider returns an empty list. Its time is that at which the broker appended
// the command, but after every decision before: of two commands of one
// millisecond the later one must stand, whatever their ids.
func (r *order) decider() *decider {
	return &decider{order: r, at: max(r.received.UnixMilli(), r.space.decided+1)}
}

func (d *decider) decide(kind identity.DecisionKind, a, b identity.Key, on bool) {
	d.made = append(d.made, identity.Decision{
		Kind: kind, A: a, B: b, On: on, At: d.at, ID: decisionID(d.order.ID, len(d.made)),
		Actor: d.order.Actor, Reason: d.order.Reason,
	})
}

func (d *decider) verdict() verdict { return verdict{decisions: d.made} }

// numberDigits are those of a decision within its command.
const numberDigits = 7

func decisionID(command string, number int) string {
	return fmt.Sprintf("%s/%0*d", command, numberDigits, number)
}

// commandOf returns the id of the command that made a decision. For decisions of
// another origin it is the id of no command.
func commandOf(decision string) string {
	return decision[:max(0, len(decision)-numberDigits-1)]
}

// keys returns the keys of the identifiers of r, or a refusal when one is not
// known or, with persons, links no persons.
func (r *order) keys(persons bool) ([]identity.Key, *verdict) {
	keys := make([]identity.Key, len(r.Identifiers))
	for i, id := range r.Identifiers {
		keys[i] = r.space.keyer.Key(id)
		switch s := r.space.graph.State(keys[i]); {
		case !s.Known:
			v := refuse(identity.RefusedUnknown, "identifier %d of %d was never seen", i+1, len(r.Identifiers))
			return nil, &v
		case persons && s.Household:
			v := refuse(identity.RefusedMalformed, "identifier %d of %d is of a household, and links no persons", i+1, len(r.Identifiers))
			return nil, &v
		}
	}
	return keys, nil
}

// judgeUnmerge parts the identifiers from the rest of their profile: every pair
// across the cut is rejected, must-links across it are revoked, and the founders
// of both parts are cannot-linked, so that no new pair joins them again.
func (r *order) judgeUnmerge(d *decider) verdict {
	leaving, refused := r.keys(true)
	if refused != nil {
		return *refused
	}
	g := r.space.graph
	profile := g.Profile(leaving[0])
	for i, k := range leaving {
		if g.Profile(k) != profile {
			return refuse(identity.RefusedNotMerged, "identifier %d of %d is of another profile than the first", i+1, len(leaving))
		}
	}
	var staying []identity.Key
	slices.Sort(leaving)
	for _, k := range g.Members(profile) {
		if _, leaves := slices.BinarySearch(leaving, k); !leaves {
			staying = append(staying, k)
		}
	}
	if len(staying) == 0 {
		return refuse(identity.RefusedWhole, "the profile has %d identifiers, and all of them would leave", len(leaving))
	}
	across := g.Across(leaving, staying)
	for _, p := range across.Pairs {
		d.decide(identity.Reject, p[0], p[1], true)
	}
	for _, p := range across.Fused {
		d.decide(identity.MustLink, p[0], p[1], false)
	}
	f := across.Founders
	d.decide(identity.CannotLink, min(f[0], f[1]), max(f[0], f[1]), true)
	return d.verdict()
}

// judgeLink fuses two identifiers. With an override the cannot-links between
// their profiles are revoked as well: they would part again what is linked. So
// would limits, where both profiles are to be one whole.
func (r *order) judgeLink(d *decider) verdict {
	keys, refused := r.keys(true)
	if refused != nil {
		return *refused
	}
	g := r.space.graph
	for i, k := range keys {
		if s := g.State(k); s.ByRules || s.ByDecision {
			return refuse(identity.RefusedBlocked, "identifier %d of 2 is blocked", i+1)
		}
	}
	m := g.Meeting(keys[0], keys[1])
	switch {
	case m.Fused:
		return refuse(identity.RefusedMerged, "the two are linked already")
	case r.Override:
	case len(m.CannotLinks) > 0:
		return refuse(identity.RefusedCannotLink, "%d decisions keep the two profiles apart", len(m.CannotLinks))
	case len(m.Limits) > 0:
		return refuse(identity.RefusedLimit, "the profile would hold more of %s than its rule allows", m.Limits[0])
	case m.Size:
		return refuse(identity.RefusedLimit, "the profile would hold more identifiers than a profile may")
	}
	for _, p := range m.CannotLinks {
		d.decide(identity.CannotLink, p[0], p[1], false)
	}
	pair := keyPair(keys[0], keys[1])
	d.decide(identity.MustLink, pair[0], pair[1], true)
	for _, p := range m.Beyond {
		if r.Whole && p != pair {
			d.decide(identity.MustLink, p[0], p[1], true)
		}
	}
	return d.verdict()
}

// judgeSeparate keeps two identifiers of two profiles apart: they are
// cannot-linked themselves, not the founders of their profiles, so that the
// decision stays with what it is about whoever joins or leaves either profile.
func (r *order) judgeSeparate(d *decider) verdict {
	keys, refused := r.keys(true)
	if refused != nil {
		return *refused
	}
	g := r.space.graph
	pair := keyPair(keys[0], keys[1])
	switch {
	case g.Profile(pair[0]) == g.Profile(pair[1]):
		return refuse(identity.RefusedMerged, "the two are one profile: an unmerge parts them")
	case slices.Contains(g.Meeting(pair[0], pair[1]).CannotLinks, pair):
		return refuse(identity.RefusedStanding, "the two are kept apart already")
	}
	d.decide(identity.CannotLink, pair[0], pair[1], true)
	return d.verdict()
}

// judgeBlock takes identifiers out of all linking, or back.
func (r *order) judgeBlock(d *decider) verdict {
	keys, refused := r.keys(false)
	if refused != nil {
		return *refused
	}
	on := r.Kind == identity.BlockValue
	for i, k := range keys {
		s := r.space.graph.State(k)
		switch {
		case on && s.ByDecision:
			return refuse(identity.RefusedStanding, "identifier %d of %d is blocked already", i+1, len(keys))
		case on && s.ByRules:
			return refuse(identity.RefusedStanding, "identifier %d of %d is blocked by the rules already", i+1, len(keys))
		case !on && !s.ByDecision && s.ByRules:
			return refuse(identity.RefusedStanding, "identifier %d of %d is blocked by the rules, which alone can let it link", i+1, len(keys))
		case !on && !s.ByDecision:
			return refuse(identity.RefusedStanding, "identifier %d of %d is not blocked", i+1, len(keys))
		}
		d.decide(identity.Block, k, 0, on)
	}
	return d.verdict()
}
