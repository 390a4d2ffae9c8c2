package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// tree is one table of the declaration, read member by member, so that what is
// left unread is an unknown key.
type tree struct {
	l       *loader
	key     string
	members map[string]any
	read    map[string]bool
}

// loader collects the faults of one declaration.
type loader struct {
	faults []LoadFault
	lines  map[string]int // by key
}

const maxLoadFaults = 50

func (l *loader) fault(key, format string, args ...any) {
	if len(l.faults) < maxLoadFaults {
		l.faults = append(l.faults, LoadFault{Key: key, Line: l.line(key), Detail: fmt.Sprintf(format, args...)})
	}
}

// line finds the line of a key, or that of what it belongs to.
func (l *loader) line(key string) int {
	for key != "" {
		if n, ok := l.lines[key]; ok {
			return n
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return 0
}

func (l *loader) tree(key string, v any) *tree {
	members, ok := v.(map[string]any)
	if !ok {
		l.fault(key, "must be a table, not %s", typeName(v))
	}
	return &tree{l: l, key: key, members: members, read: map[string]bool{}}
}

func (t *tree) at(name string) string {
	if t.key == "" {
		return name
	}
	return t.key + "." + name
}

// take returns a member, nil when it is absent.
func (t *tree) take(name string) any {
	t.read[name] = true
	return t.members[name]
}

func (t *tree) text(name string) string {
	v := t.take(name)
	if v == nil {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		t.l.fault(t.at(name), "must be text, not %s", typeName(v))
	}
	return s
}

func (t *tree) flag(name string, otherwise bool) bool {
	v := t.take(name)
	if v == nil {
		return otherwise
	}
	b, ok := v.(bool)
	if !ok {
		t.l.fault(t.at(name), "must be true or false, not %s", typeName(v))
	}
	return b
}

// texts reads a string or a list of strings.
func (t *tree) texts(name string) []string {
	switch v := t.take(name).(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	case []any:
		var out []string
		for i, x := range v {
			s, ok := x.(string)
			if !ok {
				t.l.fault(fmt.Sprintf("%s[%d]", t.at(name), i), "must be text, not %s", typeName(x))
			}
			out = append(out, s)
		}
		return out
	default:
		t.l.fault(t.at(name), "must be text or a list of text, not %s", typeName(v))
		return nil
	}
}

// list reads a list of tables; a single table stands for a list of one.
func (t *tree) list(name string) []*tree {
	switch v := t.take(name).(type) {
	case nil:
		return nil
	case map[string]any:
		return []*tree{t.l.tree(t.at(name), v)}
	case []any:
		var out []*tree
		for i, x := range v {
			out = append(out, t.l.tree(fmt.Sprintf("%s[%d]", t.at(name), i), x))
		}
		return out
	default:
		t.l.fault(t.at(name), "must be a list of tables, not %s", typeName(v))
		return nil
	}
}

// done reports the members that nobody has read.
func (t *tree) done() {
	for _, name := range slices.Sorted(maps.Keys(t.members)) {
		if !t.read[name] {
			known := slices.Sorted(maps.Keys(t.read))
			t.l.fault(t.at(name), "is not known here; known are %s", strings.Join(known, ", "))
		}
	}
}

func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		return fmt.Sprintf("text of %d bytes", len(v))
	case bool:
		return "true or false"
	case json.Number, int64, float64:
		return "a number"
	case []any, []string:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "something else"
}

// parse reads TOML, or JSON when the text begins with a brace.
func parse(text []byte) (map[string]any, map[string]int, *LoadFault) {
	members := map[string]any{}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&members); err != nil {
			return nil, nil, &LoadFault{Detail: "not JSON: " + err.Error()}
		}
		return members, nil, nil
	}
	if err := toml.Unmarshal(text, &members); err != nil {
		f := &LoadFault{Detail: "not TOML: " + err.Error()}
		var decode *toml.DecodeError
		if errors.As(err, &decode) {
			f.Line, _ = decode.Position()
		}
		return nil, nil, f
	}
	return members, keyLines(text), nil
}

// keyLines finds the line of every key of a TOML text.
func keyLines(text []byte) map[string]int {
	lines := map[string]int{}
	counts := map[string]int{} // tables of each array of tables
	p := unstable.Parser{}
	p.Reset(text)
	prefix := ""
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			prefix = resolve(e.Key(), "", counts)
			if e.Kind == unstable.ArrayTable {
				n := counts[prefix]
				counts[prefix]++
				prefix = fmt.Sprintf("%s[%d]", prefix, n)
			}
			it := e.Key()
			if it.Next() {
				lines[prefix] = p.Shape(it.Node().Raw).Start.Line
			}
		case unstable.KeyValue:
			pair(&p, e, prefix, counts, lines)
		}
	}
	return lines
}

// resolve joins a key, taking the latest table of each array on the way.
func resolve(it unstable.Iterator, prefix string, counts map[string]int) string {
	for it.Next() {
		if n := counts[prefix]; n > 0 && prefix != "" {
			prefix = fmt.Sprintf("%s[%d]", prefix, n-1)
		}
		if prefix != "" {
			prefix += "."
		}
		prefix += string(it.Node().Data)
	}
	return prefix
}

func pair(p *unstable.Parser, e *unstable.Node, prefix string, counts, lines map[string]int) {
	key := prefix
	it := e.Key()
	line := 0
	for it.Next() {
		if key != "" {
			key += "."
		}
		key += string(it.Node().Data)
		line = p.Shape(it.Node().Raw).Start.Line
	}
	lines[key] = line
	within(p, e.Value(), key, line, counts, lines)
}

func within(p *unstable.Parser, v *unstable.Node, key string, line int, counts, lines map[string]int) {
	children := v.Children()
	switch v.Kind {
	case unstable.InlineTable:
		for children.Next() {
			pair(p, children.Node(), key, counts, lines)
		}
	case unstable.Array:
		for i := 0; children.Next(); i++ {
			item := fmt.Sprintf("%s[%d]", key, i)
			within(p, children.Node(), item, line, counts, lines)
		}
	}
}
