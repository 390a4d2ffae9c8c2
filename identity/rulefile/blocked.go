package rulefile

import (
	"strings"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
)

// blocked returns the function of the declared blocked values: what is removed
// links, then what is added does not, then the defaults decide. It is pure: it
// reads maps that nothing changes. Values were normalised by n, or before that
// without options.
func (f File) blocked(n normalize.Normalizer) func(identity.Identifier) bool {
	if len(f.Blocked) == 0 {
		return identity.BlockedByDefault
	}
	type lists struct{ add, remove matcher }
	compiled := make(map[identity.Namespace]lists, len(f.Blocked))
	for ns, b := range f.Blocked {
		compiled[ns] = lists{add: compile(n, ns, b.Add), remove: compile(n, ns, b.Remove)}
	}
	return func(id identity.Identifier) bool {
		l, ok := compiled[id.Namespace]
		if !ok {
			return identity.BlockedByDefault(id)
		}
		v := strings.ToLower(id.Value)
		if l.remove.match(v) {
			return false
		}
		return l.add.match(v) || identity.BlockedByDefault(id)
	}
}

// matcher is a compiled list of entries.
type matcher struct {
	exact    map[string]bool
	patterns []pattern
}

// compile reads entries. A value is normalised as events are, because it is
// compared with values that were: by n, and without options, as those were that
// came before options were set. A pattern is only folded in case.
func compile(n normalize.Normalizer, ns identity.Namespace, entries []string) matcher {
	m := matcher{exact: make(map[string]bool, len(entries))}
	for _, entry := range entries {
		p := parsePattern(strings.ToLower(entry))
		if !p.wild() {
			m.exact[exactForm(n, ns, entry)] = true
			m.exact[exactForm(normalize.Normalizer{}, ns, entry)] = true
			continue
		}
		m.patterns = append(m.patterns, p)
	}
	return m
}

// exactForm returns the normalised form of an entry without wild cards, or its
// text where it has none.
func exactForm(n normalize.Normalizer, ns identity.Namespace, entry string) string {
	text := parsePattern(entry).text()
	if id, err := n.Identifier(ns, text); err == nil {
		text = id.Value
	}
	return strings.ToLower(text)
}

func (m matcher) match(v string) bool {
	if m.exact[v] {
		return true
	}
	if len(m.patterns) == 0 {
		return false
	}
	text := []rune(v)
	for _, p := range m.patterns {
		if p.match(text) {
			return true
		}
	}
	return false
}

// pattern is a list of characters, some of them wild.
type pattern []rune

// The wild cards of a pattern, outside what text can hold.
const (
	anyText rune = -1 // *
	anyOne  rune = -2 // ?
)

// parsePattern reads *, ? and the backslash before them; a backslash before
// anything else is itself.
func parsePattern(entry string) pattern {
	var p pattern
	runes := []rune(entry)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case r == '\\' && i+1 < len(runes) && strings.ContainsRune(`*?\`, runes[i+1]):
			i++
			r = runes[i]
		case r == '*':
			r = anyText
		case r == '?':
			r = anyOne
		}
		if r == anyText && len(p) > 0 && p[len(p)-1] == anyText {
			continue
		}
		p = append(p, r)
	}
	return p
}

func (p pattern) wild() bool {
	for _, r := range p {
		if r < 0 {
			return true
		}
	}
	return false
}

func (p pattern) text() string { return string(p) }

// match reports whether the whole text has the pattern's form. It goes back to
// the last * only, which is enough, so the work is at most len(p) × len(text).
func (p pattern) match(text []rune) bool {
	i, j := 0, 0
	star, from := -1, 0
	for j < len(text) {
		switch {
		case i < len(p) && p[i] == anyText:
			star, from = i, j
			i++
		case i < len(p) && (p[i] == anyOne || p[i] == text[j]):
			i, j = i+1, j+1
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == anyText {
		i++
	}
	return i == len(p)
}
