package mapping

import (
	"regexp"
	"slices"
)

// condition is one compiled entry of when or ignore.
type condition struct {
	field   *value
	in      []string // is and in
	not     []string
	exists  *bool
	matches *regexp.Regexp
}

func (l *loader) conditions(t *tree, name string) []condition {
	var out []condition
	for _, ct := range t.list(name) {
		c := condition{}
		f := ct.take("field")
		if f == nil {
			l.fault(ct.at("field"), "is required")
			f = ""
		}
		c.field = l.compileValue(ct.at("field"), f, asAnything)
		c.in = append(words(ct, "is"), words(ct, "in")...)
		c.not = words(ct, "not")
		if ct.members["exists"] != nil {
			b := ct.flag("exists", true)
			c.exists = &b
		}
		if text := ct.text("matches"); text != "" {
			re, err := regexp.Compile(text)
			if err != nil {
				l.fault(ct.at("matches"), "must be a regular expression: %s", err)
			}
			c.matches = re
		}
		if c.in == nil && c.not == nil && c.exists == nil && c.matches == nil {
			l.fault(ct.key, "needs one of is, in, not, exists and matches")
		}
		ct.done()
		out = append(out, c)
	}
	return out
}

// words reads a scalar or a list of scalars as text.
func words(t *tree, name string) []string {
	v := t.take(name)
	list, ok := v.([]any)
	if !ok && v != nil {
		list = []any{v}
	}
	var out []string
	for _, x := range list {
		text, ok := plain(scalar(x))
		if !ok {
			t.l.fault(t.at(name), "must be text, numbers or true or false, not %s", typeName(x))
		}
		out = append(out, text)
	}
	return out
}

// holds reports whether every test of the condition does. A value that is
// missing is in no list and matches nothing.
func (c *condition) holds(s *scope) bool {
	got, fault := c.field.eval(s)
	if fault != nil {
		got = nil
	}
	text, ok := plain(got)
	switch {
	case c.exists != nil && *c.exists != (got != nil):
		return false
	case c.in != nil && !(ok && slices.Contains(c.in, text)):
		return false
	case c.not != nil && ok && slices.Contains(c.not, text):
		return false
	case c.matches != nil && !(ok && c.matches.MatchString(text)):
		return false
	}
	return true
}

func all(conditions []condition, s *scope) bool {
	for i := range conditions {
		if !conditions[i].holds(s) {
			return false
		}
	}
	return true
}
