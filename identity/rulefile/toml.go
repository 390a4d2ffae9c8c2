package rulefile

import (
	"bytes"
	"errors"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// readTOML returns the tree of a TOML document. The decoder judges the
// document and gives the values; a second reading gives the lines, which the
// decoder does not keep.
func readTOML(text []byte) (*node, *Fault) {
	var values map[string]any
	if err := toml.Unmarshal(text, &values); err != nil {
		// The decoder says what it expected, and the key or the character where
		// it stopped.
		fault := &Fault{Rule: "is not TOML: " + strings.TrimPrefix(err.Error(), "toml: ")}
		var at *toml.DecodeError
		if errors.As(err, &at) {
			fault.Line, _ = at.Position()
		} else {
			fault.Line = lineOfDouble(text)
		}
		return nil, fault
	}
	root := grow(values)
	root.line = 1
	markLines(root, text)
	return root, nil
}

// lineOfDouble returns the line of the first key or table that is there twice,
// or 0: the one kind of fault of which the decoder gives no place.
func lineOfDouble(text []byte) int {
	var p unstable.Parser
	p.Reset(text)
	at := liner{text: text, line: 1}
	seen := map[string]bool{}
	current := ""
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind == unstable.Comment {
			continue
		}
		path, offset := "", 0
		for key := e.Key(); key.Next(); {
			path += "\x00" + string(key.Node().Data)
			offset = int(key.Node().Raw.Offset)
		}
		if e.Kind == unstable.KeyValue {
			path = current + path
		} else {
			current = path
		}
		if line := at.of(offset); seen[path] && e.Kind != unstable.ArrayTable {
			return line
		}
		seen[path] = true
	}
	return 0
}

// grow turns decoded values into a tree without lines.
func grow(value any) *node {
	switch v := value.(type) {
	case map[string]any:
		t := make(table, len(v))
		for key, child := range v {
			t[key] = grow(child)
		}
		return &node{value: t}
	case []any:
		list := make([]*node, len(v))
		for i, child := range v {
			list[i] = grow(child)
		}
		return &node{value: list}
	}
	return &node{value: value}
}

// markLines sets the line of every key of a document that was decoded.
func markLines(root *node, text []byte) {
	var p unstable.Parser
	p.Reset(text)
	at := liner{text: text, line: 1}
	current := root
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			current = mark(root, e.Key(), &at)
		case unstable.KeyValue:
			markValue(mark(current, e.Key(), &at), e.Value(), &at)
		default: // Comments carry no key.
		}
	}
}

// markValue goes into an inline table.
func markValue(n *node, value *unstable.Node, at *liner) {
	if n == nil || value.Kind != unstable.InlineTable {
		return
	}
	for it := value.Children(); it.Next(); {
		markValue(mark(n, it.Node().Key(), at), it.Node().Value(), at)
	}
}

// mark sets the lines along a dotted key and returns its node, or nil below a
// list of tables, which no rule is.
func mark(n *node, key unstable.Iterator, at *liner) *node {
	for key.Next() {
		if n == nil {
			return nil
		}
		t, ok := n.value.(table)
		if !ok {
			return nil
		}
		n = t[string(key.Node().Data)]
		if line := at.of(int(key.Node().Raw.Offset)); n != nil && n.line == 0 {
			n.line = line
		}
	}
	return n
}

// liner counts lines up to growing offsets.
type liner struct {
	text         []byte
	offset, line int
}

func (l *liner) of(offset int) int {
	if offset > l.offset {
		l.line += bytes.Count(l.text[l.offset:offset], []byte("\n"))
		l.offset = offset
	}
	return l.line
}
