package plans

import (
	"regexp"
	"strings"
)

// names are the members of "properties" that a schema knows.
type names struct {
	known    map[string]bool
	patterns []*regexp.Regexp
}

// namesOf collects them from the schema of "properties", through references and
// allOf, which is how schemas share parts.
func namesOf(doc any, defs map[string]any) *names {
	n := &names{known: map[string]bool{}}
	n.collect(doc, defs, 0, func(s map[string]any) {
		top, _ := s["properties"].(map[string]any)
		n.collect(top["properties"], defs, 0, func(s map[string]any) {
			members, _ := s["properties"].(map[string]any)
			for name := range members {
				n.known[name] = true
			}
			patterns, _ := s["patternProperties"].(map[string]any)
			for text := range patterns {
				if re, err := regexp.Compile(text); err == nil {
					n.patterns = append(n.patterns, re)
				}
			}
		})
	})
	return n
}

func (n *names) collect(v any, defs map[string]any, depth int, f func(map[string]any)) {
	s, ok := v.(map[string]any)
	if !ok || depth > maxSchemaDepth {
		return
	}
	f(s)
	if ref, ok := s["$ref"].(string); ok {
		n.collect(defs[strings.TrimPrefix(ref, "#/$defs/")], defs, depth+1, f)
	}
	all, _ := s["allOf"].([]any)
	for _, sub := range all {
		n.collect(sub, defs, depth+1, f)
	}
}

func (n *names) knows(name string) bool {
	if n == nil || n.known[name] {
		return true
	}
	for _, re := range n.patterns {
		if re.MatchString(name) {
			return true
		}
	}
	return false
}
