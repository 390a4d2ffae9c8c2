package text

import (
	"encoding/json"
)

// leaf reads a leaf.
func (p *parser) leaf() *object {
	o := &object{}
	t := p.peek()
	switch {
	case t.kind != word:
		p.expected("a leaf, such as did or the name of a trait, not or (")
	case !words[t.text]:
		o.add("trait", p.name("the name of a trait"))
		p.test(o)
	default:
		p.take()
		p.begun(o, t)
	}
	return o
}

// begun reads what follows the word that a leaf begins with.
func (p *parser) begun(o *object, t token) {
	switch t.text {
	case "trait":
		o.add("trait", p.name("the name of a trait"))
		p.test(o)
	case "did":
		p.did(o)
	case "first", "last":
		p.picked(o, t)
	case "sequence":
		p.sequence(o)
	case "orders", "refunds", "revenue":
		p.transactions(o, t)
	case "has":
		o.add("identifier", p.name("a namespace"))
	case "score":
		p.score(o)
	case "consent":
		p.consent(o)
	case "holdout":
		o.add("holdout", p.name("the name of a holdout"))
		o.add("percent", p.bounds(p.scalar))
	case "segment", "persona":
		o.add(t.text, p.name("the id of a "+t.text))
	case "stage":
		o.add("stage", p.name("the name of a stage"))
	case "household":
		o.add("household", p.bounds(p.scalar))
	case "accounts":
		p.accounts(o)
	case "location":
		p.location(o)
	case "bought":
		p.bought(o)
	case "nps":
		o.add("nps", p.name("promoter, passive or detractor"))
		p.window(o)
	case "sentiment":
		p.sentiment(o)
	default:
		p.next--
		p.expected("a leaf, such as did or the name of a trait, not or (")
	}
}

func (p *parser) score(o *object) {
	o.add("score", p.name("the name of a score"))
	if t := p.peek(); p.is("lower", "upper") {
		p.take()
		o.add("end", value{t.at, t.text})
	}
	p.test(o)
}

func (p *parser) name(what string) value {
	t := p.peek()
	if p.bad == nil && (t.kind == quoted || t.kind == word) {
		p.take()
		return value{t.at, t.text}
	}
	p.expected(what)
	return value{t.at, ""}
}

// operators are the signs of bounds, as JSON names them.
var operators = map[string]string{"=": "eq", "!=": "neq", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}

var comparing = []string{"=", "!=", ">", ">=", "<", "<="}

// test reads op and value.
func (p *parser) test(o *object) {
	t := p.peek()
	switch {
	case p.is(comparing...):
		p.take()
		o.add("op", value{t.at, operators[t.text]})
		o.add("value", p.scalar())
	case p.has("contains"):
		o.add("op", value{t.at, "contains"})
		o.add("value", p.scalar())
	case p.has("exists"):
		o.add("op", value{t.at, "exists"})
	case p.has("in"):
		o.add("op", value{t.at, "in"})
		o.add("value", p.list())
	default:
		p.expected("=, !=, >, >=, <, <=, in, contains or exists")
	}
}

func (p *parser) list() value {
	at := p.peek().at
	p.need("(")
	items := []value{p.scalar()}
	for p.has(",") {
		items = append(items, p.scalar())
	}
	if p.bad == nil && !p.is(")") {
		p.expected("a comma or )")
	}
	p.take()
	return value{at, items}
}

// scalar reads a string, a number or a boolean.
func (p *parser) scalar() value {
	t := p.peek()
	v := value{at: t.at, of: ""}
	if p.bad != nil {
		return v
	}
	switch {
	case t.kind == quoted:
		v.of = t.text
	case t.kind == number && json.Valid([]byte(t.text)):
		v.of = json.Number(t.text)
	case t.kind == word && (t.text == "true" || t.text == "false"):
		v.of = t.text == "true"
	default:
		p.expected("a string, a number, true or false")
		return v
	}
	p.take()
	return v
}

// span reads a duration or a time, which JSON has as text.
func (p *parser) span(what string) value {
	t := p.peek()
	if p.bad == nil && (t.kind == number || t.kind == quoted) {
		p.take()
		return value{t.at, t.text}
	}
	p.expected(what)
	return value{t.at, ""}
}

func (p *parser) duration() value { return p.span("a duration such as 30d") }

// bounds reads one bound or more as an object; each operator stands once.
func (p *parser) bounds(read func() value) value {
	at := p.peek().at
	var o object
	if !p.is(comparing...) {
		p.expected("=, !=, >, >=, < or <=")
	}
	for p.is(comparing...) {
		t := p.take()
		for _, m := range o {
			if m.name == operators[t.text] {
				p.bad = fault(p.text, t.at, t.text+" stands here twice")
			}
		}
		o.add(operators[t.text], read())
		p.has("%")
	}
	return value{at, o}
}
