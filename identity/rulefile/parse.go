package rulefile

import (
	"bytes"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/identity"
)

// MaxText is the greatest length of a text in bytes.
const MaxText = 256 << 10

// Parse reads rules in TOML or, where the first character is a brace, in JSON.
// It returns a valid File, or every fault of the text at once, joined, each a
// *Fault. What the text leaves out keeps its default (see the package comment).
func Parse(text []byte) (File, error) {
	if len(text) > MaxText {
		return File{}, &Fault{Rule: "must be at most 256 KiB of text"}
	}
	if !utf8.Valid(text) {
		return File{}, &Fault{Rule: "must be UTF-8 text"}
	}
	read := readTOML
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // Some editors write a byte order mark.
	if bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) {
		read = readJSON
	}
	root, fault := read(text)
	if fault != nil {
		return File{}, fault
	}
	r := reader{root: root}
	f := r.file()
	if len(r.faults) == 0 {
		// A value that could not be read has none to judge, so contradictions
		// are looked for in texts that say what they mean.
		r.judge(f)
	}
	if err := r.faults.join(); err != nil {
		return File{}, err
	}
	return f, nil
}

// reader turns a tree into a File and keeps what is wrong.
type reader struct {
	root   *node
	faults faults
}

// file reads the whole tree.
func (r *reader) file() File {
	f := Default()
	top := r.table(r.root, nil)
	r.moved(top)
	r.fields(top, nil, f.fields(), append(slices.Clone(topTables), movedTable))
	r.section(top, capsTable, f.Caps.fields())
	r.section(top, linkageTable, f.Linkage.fields())
	r.section(top, defaultTable, ruleFields(&f.Default))
	path := []string{namespacesTable}
	namespaces := r.table(top[namespacesTable], path)
	for _, key := range slices.Sorted(maps.Keys(namespaces)) {
		ns := identity.Namespace(key)
		rule, ok := f.Namespaces[ns]
		if !ok {
			rule = f.Default
		}
		r.section(namespaces, key, ruleFields(&rule), path...)
		f.Namespaces[ns] = rule
	}
	path = []string{blockedTable}
	blocked := r.table(top[blockedTable], path)
	for _, key := range slices.Sorted(maps.Keys(blocked)) {
		var b Blocking
		r.section(blocked, key, b.fields(), path...)
		if len(b.Add)+len(b.Remove) > 0 {
			if f.Blocked == nil {
				f.Blocked = map[identity.Namespace]Blocking{}
			}
			f.Blocked[identity.Namespace(key)] = b
		}
	}
	return f
}

// judge adds the faults of a File, at the lines of the text that say it.
func (r *reader) judge(f File) {
	for _, fault := range f.faults() {
		fault.Line = r.root.lineOf(strings.Split(fault.Key, "."))
		r.faults = append(r.faults, fault)
	}
}

// section reads the fields of a table that may be missing.
func (r *reader) section(parent table, key string, fields []field, above ...string) {
	path := append(slices.Clone(above), key)
	r.fields(r.table(parent[key], path), path, fields, nil)
}

// table returns the table that n is; nil for what is missing or no table.
func (r *reader) table(n *node, path []string) table {
	if n == nil {
		return nil
	}
	t, ok := n.value.(table)
	if !ok {
		r.fault(n, path, "must be a table of keys, and is "+n.kind())
	}
	return t
}

// fields reads the known keys of t and reports the others.
func (r *reader) fields(t table, path []string, fields []field, tables []string) {
	known := slices.Clone(tables)
	for _, f := range fields {
		known = append(known, f.key)
		if n := t[f.key]; n != nil {
			r.value(n, append(slices.Clone(path), f.key), f.value)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t)) {
		if !slices.Contains(known, key) {
			r.fault(t[key], append(slices.Clone(path), key), "is not a key of the rules"+suggest(key, known))
		}
	}
}

// value stores n in place.
func (r *reader) value(n *node, path []string, place any) {
	wrong := func(want string) { r.fault(n, path, "must be "+want+", and is "+n.kind()) }
	switch p := place.(type) {
	case *int:
		if v, ok := n.value.(int64); !ok {
			wrong("a whole number")
		} else if v > math.MaxInt32 || v < math.MinInt32 {
			r.fault(n, path, "must be a whole number of at most 2147483647")
		} else {
			*p = int(v)
		}
	case *bool:
		if v, ok := n.value.(bool); ok {
			*p = v
		} else {
			wrong("true or false")
		}
	case *string:
		if v, ok := n.value.(string); ok {
			*p = v
		} else {
			wrong("text")
		}
	case *time.Duration:
		v, ok := n.value.(string)
		if d, valid := parseDuration(v); ok && valid {
			*p = d
		} else if n.value == int64(0) {
			*p = 0
		} else {
			r.fault(n, path, `must be a duration in text: a whole number and one of d, h, m, s, as "30d"`)
		}
	case *Bits:
		if v, ok := bitsOf(n.value); ok {
			*p = v
		} else {
			wrong("a number of bits with at most two decimals, as 7.25")
		}
	case *[]string:
		*p = r.list(n, path)
	}
}

// list reads a list of texts; an empty one is nil.
func (r *reader) list(n *node, path []string) []string {
	items, ok := n.value.([]*node)
	if !ok {
		r.fault(n, path, "must be a list of texts, and is "+n.kind())
		return nil
	}
	var out []string
	for _, item := range items {
		v, ok := item.value.(string)
		if !ok {
			r.fault(n, path, "must be a list of texts, and holds "+item.kind())
			return nil
		}
		out = append(out, v)
	}
	return out
}

func (r *reader) fault(n *node, path []string, rule string) {
	line := n.line
	if line == 0 {
		line = r.root.lineOf(path)
	}
	r.faults = append(r.faults, &Fault{Line: line, Key: join(path), Rule: rule})
}
