package text

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/segments"
)

// Text is a text that was read.
type Text struct {
	Definition segments.Definition

	text string
	at   map[string]int // byte offsets by JSON pointer into the definition
}

// Parse reads a definition. The error of a text that is none is an *Invalid.
func Parse(text string) (*Text, error) {
	switch {
	case len(text) > segments.MaxBytes:
		return nil, &Invalid{[]Fault{{1, 1, fmt.Sprintf("must not be longer than %d bytes", segments.MaxBytes)}}}
	case !utf8.ValidString(text):
		return nil, &Invalid{[]Fault{{1, 1, "must be UTF-8"}}}
	}
	tokens, bad := lex(text)
	if bad != nil {
		return nil, &Invalid{[]Fault{*bad}}
	}
	p := &parser{text: text, tokens: tokens}
	tree := p.tree(0)
	if p.bad == nil && p.peek().kind != end {
		p.expected("and, or, or the end")
	}
	if p.bad != nil {
		return nil, &Invalid{[]Fault{*p.bad}}
	}
	t := &Text{text: text, at: map[string]int{}}
	form, err := json.Marshal(t.form("", tree))
	if err != nil {
		return nil, fmt.Errorf("segment text: %w", err)
	}
	if t.Definition, err = segments.Parse(form); err != nil {
		return nil, t.place(err)
	}
	return t, nil
}

// form returns the JSON of a value and remembers where its parts stand in the text.
func (t *Text) form(pointer string, v value) any {
	t.at[pointer] = v.at
	switch of := v.of.(type) {
	case object:
		out := make(map[string]any, len(of))
		for _, m := range of {
			out[m.name] = t.form(pointer+"/"+m.name, m.value)
		}
		return out
	case []value:
		out := make([]any, len(of))
		for i, item := range of {
			out[i] = t.form(fmt.Sprintf("%s/%d", pointer, i), item)
		}
		return out
	}
	return v.of
}

// Position returns the line and the column of what a JSON pointer into the definition
// points at, or of the nearest thing around it.
func (t *Text) Position(pointer string) (line, column int) {
	for {
		if at, ok := t.at[pointer]; ok {
			return position(t.text, at)
		}
		pointer = pointer[:max(0, strings.LastIndexByte(pointer, '/'))]
	}
}

// place tells the faults of the JSON form where they stand in the text.
func (t *Text) place(err error) error {
	var invalid *segments.Invalid
	if !errors.As(err, &invalid) {
		return err
	}
	faults := make([]Fault, len(invalid.Faults))
	for i, f := range invalid.Faults {
		line, column := t.Position(f.Pointer)
		faults[i] = Fault{Line: line, Column: column, Detail: f.Detail}
	}
	return &Invalid{Faults: faults}
}

// value is a JSON value at a byte offset: object, []value, string, json.Number or bool.
type value struct {
	at int
	of any
}

type object []member

type member struct {
	name string
	value
}

func (o *object) add(name string, v value) {
	if i := slices.IndexFunc(*o, func(m member) bool { return m.name == name }); i < 0 {
		*o = append(*o, member{name, v})
	}
}

// parser reads tokens. After the first fault it goes on without effect.
type parser struct {
	text   string
	tokens []token
	next   int
	bad    *Fault
}

func (p *parser) peek() token { return p.tokens[p.next] }

func (p *parser) take() token {
	t := p.peek()
	if t.kind != end {
		p.next++
	}
	return t
}

// is reports whether the next token is one of the words or signs.
func (p *parser) is(texts ...string) bool {
	t := p.peek()
	return p.bad == nil && (t.kind == word || t.kind == sign) && slices.Contains(texts, t.text)
}

// has takes the next token if it is the word or sign.
func (p *parser) has(text string) bool {
	if !p.is(text) {
		return false
	}
	p.take()
	return true
}

func (p *parser) need(text string) {
	if !p.has(text) {
		p.expected(text)
	}
}

// expected notes that the next token is not what it should be.
func (p *parser) expected(what string) {
	if p.bad != nil {
		return
	}
	t := p.peek()
	found := "the end"
	switch t.kind {
	case end:
	case quoted:
		found = "a string"
	default:
		found = clip(t.text)
	}
	p.bad = fault(p.text, t.at, "expected "+what+", found "+found)
}

func clip(s string) string {
	if len(s) > 60 { // Words have bytes only.
		return s[:60] + "…"
	}
	return s
}

// tree reads terms with and and or; depth bounds the recursion.
func (p *parser) tree(depth int) value {
	return p.joined("or", "any", func() value {
		return p.joined("and", "all", func() value { return p.term(depth) })
	})
}

func (p *parser) joined(with, member string, part func() value) value {
	at := p.peek().at
	parts := []value{part()}
	for p.has(with) {
		parts = append(parts, part())
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return value{at, object{{member, value{at, parts}}}}
}

func (p *parser) term(depth int) value {
	t := p.peek()
	if depth > 2*segments.MaxDepth && p.bad == nil {
		p.bad = fault(p.text, t.at, "is nested too deeply")
	}
	if p.bad != nil {
		return value{}
	}
	switch {
	case p.has("not"):
		return value{t.at, object{{"not", p.term(depth + 1)}}}
	case p.has("("):
		inner := p.tree(depth + 1)
		p.need(")")
		return inner
	case p.is("all", "any"):
		p.take()
		p.need("(")
		inner := p.tree(depth + 1)
		p.need(")")
		return value{t.at, object{{t.text, value{t.at, []value{inner}}}}}
	}
	o := p.leaf()
	return value{t.at, *o}
}
