package segments

import (
	"slices"

	"github.com/kindred-cdp/kindred/profiles"
)

// MayMove reports whether an event of a name may change what d, which was resolved, says
// of a profile that was there before: one of kind behaviour of which nothing else is
// stored, no traits, consents or membership of an account. rules say which traits are
// computed. It errs to that side only: of a leaf that it does not know, any event may.
func MayMove(d Definition, event string, rules profiles.Rules) bool {
	return d.Root == nil || slices.ContainsFunc(d.Leaves(), func(leaf Node) bool { return mayMove(leaf, event, rules) })
}

func mayMove(leaf Node, event string, rules profiles.Rules) bool {
	switch leaf := leaf.(type) {
	case Event:
		return leaf.Name == event
	case Sequence:
		return slices.ContainsFunc(leaf.Steps, func(s Step) bool {
			return s.Name == event || s.Without != nil && s.Without.Name == event
		})
	case Trait:
		return slices.ContainsFunc(rules.Computed, func(t profiles.ComputedTrait) bool {
			return t.Name == leaf.Name && (t.Event == "" || t.Event == event)
		})
	case Transactions, Bought, HasIdentifier, Score, Consent, Holdout, Household, Accounts, InPersona, InStage, Location, Recommendation, Mood:
		return false
	}
	return true
}
