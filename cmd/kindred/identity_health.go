package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/kindred-cdp/kindred/api"
)

// printHealth prints the state of the identity graph, with what to look at.
func printHealth(w io.Writer, h api.IdentityHealth) error {
	p := &printer{w: w}
	p.say("%s of %s, %d of them merged into others", count(h.Profiles, "profile"), count(h.Identifiers, "identifier"), h.Merges)
	p.say("%s, %.2f linking ones for each identifier of a profile of several", count(h.Pairs, "pair"), h.Density)
	p.say("%s, %s", count(h.Blocked, "blocked value"), count(h.Generic, "generic value"))
	sizes := slices.DeleteFunc(slices.Clone(h.Sizes), func(s api.HealthSize) bool { return s.Profiles == 0 })
	if len(sizes) > 0 {
		p.say("")
		p.table("IDENTIFIERS\tPROFILES", len(sizes), func(i int) []any {
			s := sizes[i]
			if s.From == s.To {
				return []any{s.From, s.Profiles}
			}
			return []any{fmt.Sprintf("%d to %d", s.From, s.To), s.Profiles}
		})
	}
	if len(h.Largest) > 0 {
		p.say("")
		p.table("LARGEST PROFILE\tIDENTIFIERS\tPAIRS", len(h.Largest), func(i int) []any {
			l := h.Largest[i]
			return []any{l.Profile, l.Identifiers, l.Pairs}
		})
	}
	if len(h.Weakest) > 0 {
		p.say("")
		p.say("Held together by one pair (kindred identity why A B says by which evidence):")
		p.table("PROFILE\tA\tB\tSMALLER PART", len(h.Weakest), func(i int) []any {
			b := h.Weakest[i]
			return []any{b.Profile, knownText(b.A), knownText(b.B), b.Smaller}
		})
	}
	if len(h.Generics) > 0 {
		p.say("")
		p.say("Seen with too many others, and so no evidence:")
		p.table("VALUE\tSEEN WITH", len(h.Generics), func(i int) []any {
			return []any{knownText(h.Generics[i].KnownKey), h.Generics[i].Neighbours}
		})
	}
	if len(h.Conflicts) > 0 {
		p.say("")
		kinds := slices.Sorted(maps.Keys(h.Conflicts))
		p.table("REFUSED BY\tTIMES", len(kinds), func(i int) []any { return []any{kinds[i], h.Conflicts[kinds[i]]} })
	}
	return p.err
}
