package text

import (
	"cmp"
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
		p.unexpected("the end")
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

	tried   []string // what was looked for at a token in vain
	triedAt int      // which
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
	if p.bad != nil {
		return false
	}
	t := p.peek()
	if (t.kind == word || t.kind == sign) && slices.Contains(texts, t.text) {
		return true
	}
	if p.triedAt != p.next {
		p.tried, p.triedAt = p.tried[:0], p.next
	}
	for _, text := range texts {
		if !slices.Contains(p.tried, text) {
			p.tried = append(p.tried, text)
		}
	}
	return false
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

// close takes the ) after what may go on in many ways.
func (p *parser) close() {
	if !p.has(")") {
		p.unexpected(")")
	}
}

// unexpected notes that the next token is neither what ends what is read nor anything that
// was looked for in its place.
func (p *parser) unexpected(ends string) {
	p.is(ends)
	list := slices.DeleteFunc(slices.Clone(p.tried), func(s string) bool { return s == ends })
	if len(list) == 0 {
		p.expected(ends)
		return
	}
	comma := ""
	if list[len(list)-1] == "or" {
		comma = ","
	}
	p.expected(strings.Join(list, ", ") + comma + " or " + ends)
}

// slips are words of other languages: what says the same here, and which of the words and
// signs must have a place there.
var slips = map[string]struct{ write, place string }{
	"avg": {"average", "average"}, "mean": {"average", "average"}, "total": {"sum", "sum"}, "minimum": {"min", "min"}, "maximum": {"max", "max"},
	"between": {">= 1 <= 2", ">="}, "is": {"=", "="}, "like": {"contains", "contains"}, "then": {"sequence (A then B)", "and"},
	"within": {"in", "in"}, "last": {"in", "in"}, "since": {"from", "from"}, "after": {"from", "from"}, "before": {"until", "until"},
}

// slip says how to write what somebody may have meant by a word.
func (p *parser) slip(found string) string {
	write := slips[found].write
	if slips[found].place == "" {
		write = strings.ToLower(found)
		if write == found {
			return ""
		}
	}
	if p.triedAt == p.next && slices.Contains(p.tried, cmp.Or(slips[found].place, write)) {
		return "; write " + write
	}
	return ""
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
	if t.kind == word {
		found += p.slip(t.text)
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
		p.close()
		return inner
	case p.is("all", "any"):
		p.take()
		p.need("(")
		inner := p.tree(depth + 1)
		p.close()
		return value{t.at, object{{t.text, value{t.at, []value{inner}}}}}
	}
	o := p.leaf()
	return value{t.at, *o}
}
