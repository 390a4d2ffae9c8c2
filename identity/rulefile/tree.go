package rulefile

import (
	"fmt"
	"strings"
)

// node is one value of a text in either form, with the line of its key.
type node struct {
	line int
	// value is nil, bool, int64, float64, string, []*node, table, or whatever
	// else a form has, such as a date.
	value any
}

// table holds the values of one level by key.
type table map[string]*node

// kind names the kind of a value for people.
func (n *node) kind() string {
	switch n.value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int64:
		return "a whole number"
	case float64:
		return "a number with a fraction or an exponent"
	case string:
		return "text"
	case []*node:
		return "a list"
	case table:
		return "a table"
	}
	return "a date or time"
}

// lineOf returns the line of the nearest existing part of a key path.
func (n *node) lineOf(path []string) int {
	line := n.line
	for _, key := range path {
		t, ok := n.value.(table)
		if !ok || t[key] == nil {
			break
		}
		n = t[key]
		if n.line > 0 {
			line = n.line
		}
	}
	return line
}

// join writes a key path. Keys that are no plain words are quoted.
func join(path []string) string {
	parts := make([]string, len(path))
	for i, key := range path {
		parts[i] = quoteKey(key)
	}
	return strings.Join(parts, ".")
}

// quoteKey writes a key for a message; a long one is cut, because wrong keys
// come from anywhere.
func quoteKey(key string) string {
	if isBare(key) && len(key) <= 64 {
		return key
	}
	if len(key) > 64 {
		key = strings.ToValidUTF8(key[:64], "") + "..."
	}
	return fmt.Sprintf("%q", key)
}

// isBare reports whether TOML reads key without quotes.
func isBare(key string) bool {
	for i := range len(key) {
		c := key[i]
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return key != ""
}
