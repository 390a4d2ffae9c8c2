package ingest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// maxTraits is the number of traits of one event that are observed; more stay
// in the event's own column only.
const maxTraits = 300

// Observations returns the traits that the event states, sorted by name. A
// trait stated as null is kept: it removes the trait.
func (e *Event) Observations() []Trait {
	if len(e.Traits) == 0 || bytes.Equal(e.Traits, []byte("null")) {
		return nil
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(e.Traits, &all) != nil {
		return nil
	}
	out := make([]Trait, 0, len(all))
	for name, value := range all {
		if name == "" || len(name) > maxName {
			continue
		}
		out = append(out, Trait{Name: name, Value: string(value)})
	}
	slices.SortFunc(out, func(a, b Trait) int { return strings.Compare(a.Name, b.Name) })
	return out[:min(len(out), maxTraits)]
}
