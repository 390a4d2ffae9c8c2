package ingest

import (
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
)

// maxTraits is the number of traits of one event that are observed; more stay
// in the event's own column only.
const maxTraits = 300

// Observations returns the traits that the event states, sorted by name. A
// trait stated as null is kept: it removes the trait.
func (e *Event) Observations() []Trait {
	if jsonscan.IsNull(e.Traits) {
		return nil
	}
	var out []Trait
	m := jsonscan.ObjectOf(e.Traits)
	for m.Next() {
		if len(m.Key) > 0 && len(m.Key) <= maxName {
			out = append(out, Trait{Name: string(m.Key), Value: string(m.Value)})
		}
	}
	slices.SortStableFunc(out, func(a, b Trait) int { return strings.Compare(a.Name, b.Name) })
	// Of a name stated twice the last one counts, as in every JSON reader.
	kept := out[:0]
	for i, t := range out {
		if i+1 == len(out) || out[i+1].Name != t.Name {
			kept = append(kept, t)
		}
	}
	return kept[:min(len(kept), maxTraits)]
}
