package mapping

import (
	"fmt"
	"strconv"
	"strings"
)

// Row is a record with named columns, such as a line of CSV. It stands where a
// JSON object may, without the cost of one.
type Row struct {
	Columns *Columns
	Fields  []string
}

// Columns are the names of the columns of a file.
type Columns struct {
	Names []string
	index map[string]int
}

// NewColumns returns the columns of a file; of equal names the first counts.
func NewColumns(names []string) *Columns {
	c := &Columns{Names: names, index: make(map[string]int, len(names))}
	for i, n := range names {
		if _, ok := c.index[n]; !ok {
			c.index[n] = i
		}
	}
	return c
}

func (r *Row) field(name string) (any, bool) {
	i, ok := r.Columns.index[name]
	if !ok || i >= len(r.Fields) {
		return nil, false
	}
	return r.Fields[i], true
}

// step is one part of a path.
type step struct {
	name  string
	index int    // of a list, when isIndex
	kind  byte   // 'n' name, 'i' index, 's' selection, '*' every element
	sub   *path  // of a selection
	want  string // of a selection
}

// path is a compiled path.
type path struct {
	text  string
	up    int  // elements to go up
	root  bool // begins at the record
	meta  string
	steps []step
}

// scope is where paths begin: the element, and those around it.
type scope struct {
	values []any // from the record to the present element
	env    *Env
	index  int
}

func (s *scope) lookup(p *path) any {
	if p.meta != "" {
		return s.env.meta(p.meta, s.index)
	}
	at := len(s.values) - 1 - p.up
	if p.root || at < 0 {
		at = 0
	}
	v := s.values[at]
	for i := range p.steps {
		if v = p.steps[i].walk(v); v == nil {
			return nil
		}
	}
	if text, ok := v.(string); ok && (text == "" || s.env.null(text)) {
		return nil
	}
	return v
}

func (st *step) walk(v any) any {
	switch st.kind {
	case 'n':
		switch v := v.(type) {
		case map[string]any:
			return v[st.name]
		case *Row:
			f, _ := v.field(st.name)
			return f
		}
	case 'i':
		if list, ok := v.([]any); ok && st.index < len(list) {
			return list[st.index]
		}
	case 's':
		list, _ := v.([]any)
		for _, item := range list {
			s := scope{values: []any{item}, env: &Env{}}
			if text, ok := plain(s.lookup(st.sub)); ok && text == st.want {
				return item
			}
		}
	}
	return nil
}

var metaNames = []string{"line", "file", "index", "hash", "source"}

// parsePath compiles a path. With every it may hold [] for every element.
func parsePath(text string, every bool) (*path, error) {
	p := &path{text: text}
	rest := strings.TrimSpace(text)
	if name, ok := strings.CutPrefix(rest, "#"); ok {
		for _, known := range metaNames {
			if name == known {
				p.meta = name
				return p, nil
			}
		}
		return nil, fmt.Errorf("#%s is not known; known are #%s", name, strings.Join(metaNames, ", #"))
	}
	switch {
	case rest == "":
		return nil, fmt.Errorf("a path is empty")
	case rest == "@":
		return p, nil
	case rest == "$" || strings.HasPrefix(rest, "$.") || strings.HasPrefix(rest, "$["):
		p.root, rest = true, rest[1:]
	default:
		for strings.HasPrefix(rest, "^") {
			p.up, rest = p.up+1, rest[1:]
		}
	}
	rest = strings.TrimPrefix(strings.TrimPrefix(rest, "@"), ".")
	for rest != "" {
		var st step
		var err error
		if st, rest, err = parseStep(rest, every); err != nil {
			return nil, fmt.Errorf("path %q: %w", text, err)
		}
		p.steps = append(p.steps, st)
		if len(p.steps) > 50 {
			return nil, fmt.Errorf("path %q has more than 50 parts", text)
		}
	}
	return p, nil
}

func parseStep(rest string, every bool) (step, string, error) {
	if rest[0] != '[' {
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		name := strings.TrimSpace(rest[:end])
		if name == "" {
			return step{}, "", fmt.Errorf("a name is missing")
		}
		return step{kind: 'n', name: name}, next(rest[end:]), nil
	}
	if strings.HasPrefix(rest, `["`) {
		end := strings.Index(rest, `"]`)
		if end < 2 {
			return step{}, "", fmt.Errorf("a quoted name is not closed")
		}
		return step{kind: 'n', name: rest[2:end]}, next(rest[end+2:]), nil
	}
	end := strings.IndexByte(rest, ']')
	if end < 0 {
		return step{}, "", fmt.Errorf("a bracket is not closed")
	}
	inner, after := rest[1:end], next(rest[end+1:])
	if inner == "" {
		if !every {
			return step{}, "", fmt.Errorf("[] belongs to foreach")
		}
		return step{kind: '*'}, after, nil
	}
	if name, want, ok := strings.Cut(inner, "="); ok {
		sub, err := parsePath(name, false)
		if err != nil || sub.meta != "" || sub.up > 0 || sub.root {
			return step{}, "", fmt.Errorf("a selection must have the form [path=value]")
		}
		return step{kind: 's', sub: sub, want: strings.TrimSpace(want)}, after, nil
	}
	n, err := strconv.Atoi(inner)
	if err != nil || n < 0 {
		return step{}, "", fmt.Errorf("[%s] is neither a number nor path=value", inner)
	}
	return step{kind: 'i', index: n}, after, nil
}

func next(rest string) string { return strings.TrimPrefix(rest, ".") }

// template is a compiled string: constants and placeholders in turn.
type template struct {
	parts []segment
	whole bool // one placeholder and nothing else
}

type segment struct {
	text  string
	paths []*path // alternatives; nil for a constant
}

func parseTemplate(text string) (*template, error) {
	t := &template{}
	rest := text
	for {
		begin := strings.Index(rest, "${")
		if begin < 0 {
			break
		}
		end := strings.IndexByte(rest[begin:], '}')
		if end < 0 {
			return nil, fmt.Errorf("a placeholder is not closed")
		}
		if begin > 0 {
			t.parts = append(t.parts, segment{text: rest[:begin]})
		}
		var seg segment
		for _, alternative := range strings.Split(rest[begin+2:begin+end], "|") {
			p, err := parsePath(alternative, false)
			if err != nil {
				return nil, err
			}
			seg.paths = append(seg.paths, p)
		}
		t.parts = append(t.parts, seg)
		rest = rest[begin+end+1:]
	}
	if rest != "" || len(t.parts) == 0 {
		t.parts = append(t.parts, segment{text: rest})
	}
	t.whole = len(t.parts) == 1 && t.parts[0].paths != nil
	return t, nil
}

// value returns the value of the string, nil when it is missing.
func (t *template) value(s *scope) any {
	if t.whole {
		return s.first(t.parts[0].paths)
	}
	if len(t.parts) == 1 {
		return t.parts[0].text
	}
	var b strings.Builder
	for i := range t.parts {
		if t.parts[i].paths == nil {
			b.WriteString(t.parts[i].text)
			continue
		}
		text, ok := plain(s.first(t.parts[i].paths))
		if !ok {
			return nil
		}
		b.WriteString(text)
	}
	return b.String()
}

func (s *scope) first(paths []*path) any {
	for _, p := range paths {
		if v := s.lookup(p); v != nil {
			return v
		}
	}
	return nil
}
