package text

// event reads the name and the kind of events.
func (p *parser) event(o *object) {
	o.add("event", p.name("the name of an event"))
	if p.has("of") {
		o.add("kind", p.name("a kind of events"))
	}
}

func (p *parser) did(o *object) {
	p.event(o)
	switch t := p.peek(); {
	case p.is(comparing...):
		o.add("count", p.bounds(p.scalar))
		p.need("times")
	case p.has("days"):
		o.add("days", p.bounds(p.scalar))
	case p.is("sum", "average", "min", "max"):
		p.take()
		p.need("(")
		o.add(t.text, p.name("a property"))
		p.need(")")
		o.add("is", p.bounds(p.scalar))
	}
	p.window(o)
	p.where(o, p.condition)
}

func (p *parser) picked(o *object, t token) {
	o.add("pick", value{t.at, t.text})
	p.event(o)
	p.window(o)
	p.where(o, p.condition)
}

func (p *parser) window(o *object) {
	if p.has("in") {
		o.add("within", p.duration())
	}
	if p.has("from") {
		o.add("from", p.span("a date or a time"))
	}
	if p.has("until") {
		o.add("until", p.span("a date or a time"))
	}
	if p.has("zone") {
		o.add("zone", p.name("a time zone"))
	}
}

// where reads conditions, all of which must hold.
func (p *parser) where(o *object, condition func() value) {
	t := p.peek()
	if !p.has("where") {
		return
	}
	p.need("(")
	list := []value{condition()}
	for p.has("and") {
		list = append(list, condition())
	}
	p.close()
	o.add("where", value{t.at, list})
}

// condition tests a property of an event.
func (p *parser) condition() value {
	at := p.peek().at
	var o object
	o.add("property", p.name("the name of a property"))
	if p.has("[].") {
		o.add("each", p.name("the name of a property"))
	}
	p.test(&o)
	return value{at, o}
}

func (p *parser) sequence(o *object) {
	at := p.peek().at
	p.need("(")
	steps := []value{p.step()}
	for p.has("then") {
		steps = append(steps, p.step())
	}
	p.close()
	o.add("sequence", value{at, steps})
	p.window(o)
	if p.has("span") {
		o.add("span", p.duration())
	}
}

func (p *parser) step() value {
	t := p.peek()
	var o object
	if p.has("optional") {
		o.add("optional", value{t.at, true})
	}
	p.event(&o)
	p.where(&o, p.condition)
	if p.has("after") {
		o.add("after", p.bounds(p.duration))
	}
	if p.has("without") {
		x, at := object{}, p.peek().at
		p.event(&x)
		p.where(&x, p.condition)
		o.add("without", value{at, x})
	}
	return value{t.at, o}
}

func (p *parser) transactions(o *object, t token) {
	var currency value
	if n := p.peek(); n.kind == quoted || n.kind == word && !words[n.text] {
		currency = p.name("a currency")
	}
	o.add(t.text, p.bounds(p.scalar))
	if currency.of != nil {
		o.add("currency", currency)
	}
	if p.has("in") {
		o.add("within", p.duration())
	}
}

func (p *parser) bought(o *object) {
	if p.has("product") {
		o.add("product", p.name("the id of a product"))
	}
	if p.has("category") {
		o.add("category", p.name("a category"))
	}
	o.add("bought", p.bounds(p.scalar))
	p.need("times")
	p.window(o)
}

func (p *parser) consent(o *object) {
	o.add("consent", p.name("a purpose"))
	if p.has("by") {
		o.add("channel", p.name("a channel"))
	}
	t := p.peek()
	if !p.is("granted", "denied", "unknown") {
		p.expected("granted, denied or unknown")
	}
	p.take()
	o.add("is", value{t.at, t.text})
}

func (p *parser) accounts(o *object) {
	o.add("accounts", p.bounds(p.scalar))
	if p.has("in") {
		o.add("in", p.list())
	}
	p.where(o, func() value {
		at := p.peek().at
		var t object
		t.add("trait", p.name("the name of a trait"))
		p.test(&t)
		return value{at, t}
	})
}
