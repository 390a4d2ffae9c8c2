package mapping

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Mapping is a checked declaration.
type Mapping struct {
	// Source names where the messages come from, unless the door says so.
	Source string
	// Input says how a file is to be read; webhooks ignore it.
	Input Input

	ignore []condition
	rules  []*rule
	nulls  []string
	lines  *loader // finds the line of a key
}

// Input describes a file. The zero value leaves everything to its content.
type Input struct {
	// Format is "csv", "ndjson", "json" or "parquet".
	Format string
	// Delimiter of CSV is one character, or "whitespace" for any run of blanks.
	Delimiter string
	// Quote of CSV is one character, or "none". Default: the double quote.
	Quote string
	// Header is false when the first line of CSV is data already.
	Header bool
	// Columns name the columns of CSV, instead of the header line.
	Columns []string
	// Encoding is "utf-8", "latin-1", "windows-1252", "utf-16le" or "utf-16be";
	// a byte order mark stands above it.
	Encoding string
}

// Env is what a record does not say itself.
type Env struct {
	// Source of the messages.
	Source string
	// Now stands for the time of a message that has none.
	Now time.Time
	// Shift is added to times that the record states.
	Shift time.Duration
	// DefaultID begins the ids of rules without one; the element's index follows.
	DefaultID string
	// Line and File say where the record stood; Hash is that of its bytes and
	// SourceHash that of the whole file or delivery, in hexadecimal.
	Line       int64
	File       string
	Hash       func() string
	SourceHash string

	nulls []string
}

func (e *Env) null(text string) bool { return len(e.nulls) > 0 && slices.Contains(e.nulls, text) }

func (e *Env) meta(name string, index int) any {
	text := ""
	switch name {
	case "line":
		text = strconv.FormatInt(e.Line, 10)
	case "file":
		text = e.File
	case "index":
		text = strconv.Itoa(index)
	case "hash":
		if e.Hash != nil {
			text = e.Hash()
		}
	case "source":
		text = e.SourceHash
	}
	if text == "" {
		return nil
	}
	return text
}

// Mapped is one message of a record.
type Mapped struct {
	Kind    wire.Kind
	Message *wire.Message
	Value   []byte // its JSON
}

// Result is what became of one record.
type Result struct {
	Messages []Mapped
	Faults   []*Fault
	// Ignored says that the mapping's ignore names the record.
	Ignored bool
}

// Load checks a declaration; name stands in its faults. The error is *Invalid.
func Load(name string, text []byte) (*Mapping, error) {
	invalid := &Invalid{Name: filepath.Base(name)}
	members, lines, fault := parse(text)
	if fault != nil {
		invalid.Faults = []LoadFault{*fault}
		return nil, invalid
	}
	l := &loader{lines: lines}
	m := l.mapping(l.tree("", members))
	if len(l.faults) > 0 {
		invalid.Faults = l.faults
		return nil, invalid
	}
	return m, nil
}

func (l *loader) mapping(t *tree) *Mapping {
	m := &Mapping{Source: t.text("source"), lines: &loader{lines: l.lines}}
	if len(m.Source) > wire.MaxSource {
		l.fault("source", "has %d bytes; the limit is %d", len(m.Source), wire.MaxSource)
	}
	m.Input.Header = true
	if v := t.take("input"); v != nil {
		l.input(m, l.tree("input", v))
	}
	m.ignore = l.conditions(t, "ignore")
	for _, et := range t.list("events") {
		m.rules = append(m.rules, l.compileRule(et))
	}
	if len(m.rules) == 0 {
		l.fault("events", "is required: at least one rule")
	}
	t.done()
	return m
}

func (l *loader) input(m *Mapping, t *tree) {
	in := &m.Input
	choice := func(name string, of ...string) string {
		v := t.text(name)
		if v != "" && !slices.Contains(of, v) {
			l.fault(t.at(name), "must be one of %v", of)
		}
		return v
	}
	in.Format = choice("format", "csv", "ndjson", "json", "parquet")
	in.Encoding = choice("encoding", "utf-8", "latin-1", "windows-1252", "utf-16le", "utf-16be")
	in.Delimiter, in.Quote = t.text("delimiter"), t.text("quote")
	if len(in.Delimiter) > 1 && in.Delimiter != "whitespace" {
		l.fault(t.at("delimiter"), `must be one character of ASCII, or "whitespace"`)
	}
	if len(in.Quote) > 1 && in.Quote != "none" {
		l.fault(t.at("quote"), `must be one character of ASCII, or "none"`)
	}
	in.Columns = t.texts("columns")
	in.Header = t.flag("header", true)
	if !in.Header && in.Columns == nil && (in.Format == "csv" || in.Format == "") {
		l.fault(t.at("columns"), "is required when there is no header")
	}
	m.nulls = words(t, "null")
	t.done()
}

// Apply returns what the mapping makes of a record: of a JSON value as
// encoding/json decodes it with UseNumber, or of a *Row. A message is checked
// by the rules of package wire.
func (m *Mapping) Apply(record any, env Env) Result {
	env.nulls = m.nulls
	s := &scope{values: []any{record}, env: &env}
	var out Result
	if len(m.ignore) > 0 && slices.ContainsFunc(m.ignore, func(c condition) bool { return c.holds(s) }) {
		out.Ignored = true
		return out
	}
	applied := false
	elements := 0
	for _, r := range m.rules {
		if r.each == nil && !all(r.when, s) {
			continue
		}
		fault := s.each(r.each, func(s *scope) *Fault {
			if r.each != nil && !all(r.when, s) {
				return nil
			}
			if elements >= maxElements {
				return &Fault{Rule: r.key + ".foreach", Code: wire.CodeTooLarge, Detail: fmt.Sprintf("the record has more than %d elements", maxElements)}
			}
			applied = true
			s.index = elements
			elements++
			m.add(r, s, &out)
			return nil
		})
		if fault != nil {
			out.Faults = append(out.Faults, fault)
		}
	}
	if !applied && len(out.Faults) == 0 {
		out.Faults = []*Fault{{Code: CodeUnmapped, Detail: "no rule of the mapping applies to the record"}}
	}
	return out
}

// add adds the message of one element, or its fault.
func (m *Mapping) add(r *rule, s *scope, out *Result) {
	msg, fault := r.message(s)
	if fault != nil {
		out.Faults = append(out.Faults, fault)
		return
	}
	value, err := msg.Encode()
	if err != nil || !json.Valid(value) {
		out.Faults = append(out.Faults, &Fault{Rule: r.key, Code: wire.CodeField, Detail: "the message cannot be written as JSON"})
		return
	}
	if faults := msg.Check(r.kind); len(faults) > 0 {
		key := r.key + "." + wire.FieldName(faults[0].Pointer)
		out.Faults = append(out.Faults, &Fault{
			Rule: key, Line: m.lines.line(key), Code: faults[0].Code, Detail: faults[0].Detail, Message: value,
		})
		return
	}
	out.Messages = append(out.Messages, Mapped{Kind: r.kind, Message: msg, Value: value})
}

// Kind returns the kind of the mapping's first rule, under which records that
// become no message are kept.
func (m *Mapping) Kind() wire.Kind { return m.rules[0].kind }
