package text

import "strconv"

func (p *parser) location(o *object) {
	at := p.peek().at
	var place object
	switch t := p.peek(); {
	case p.has("near"):
		p.need("(")
		var near object
		for i, member := range []string{"lat", "lon", "km"} {
			if i > 0 {
				p.need(",")
			}
			near.add(member, p.scalar())
		}
		p.need(")")
		place.add("near", value{t.at, near})
	case p.has("inside"):
		p.need("(")
		corners := []value{p.corner()}
		for p.has(",") {
			corners = append(corners, p.corner())
		}
		if p.bad == nil && !p.is(")") {
			p.expected("a comma or )")
		}
		p.take()
		place.add("inside", value{t.at, corners})
	case p.has("cell"):
		place.add("cell", p.name("a cell of H3"))
	default:
		p.expected("near, inside or cell")
	}
	o.add("location", value{at, place})
	switch {
	case p.is(comparing...):
		o.add("count", p.bounds(p.scalar))
		p.need("times")
	case p.has("minutes"):
		o.add("minutes", p.bounds(p.scalar))
	}
	p.window(o)
}

// corner reads latitude and longitude.
func (p *parser) corner() value {
	at := p.peek().at
	var o object
	o.add("lat", p.scalar())
	o.add("lon", p.scalar())
	return value{at, o}
}

func (p *parser) sentiment(o *object) {
	if p.has("of") {
		o.add("in", p.name("social, support or feedback"))
	}
	o.add("sentiment", p.bounds(p.scalar))
	p.window(o)
}

func (w *writer) location(m map[string]any) {
	w.put("location")
	place := m["location"].(map[string]any)
	if near, ok := place["near"].(map[string]any); ok {
		w.put("near", "(", literal(near["lat"]), ",", literal(near["lon"]), ",", literal(near["km"]), ")")
	}
	if corners, ok := place["inside"].([]any); ok {
		w.put("inside", "(")
		for i, corner := range corners {
			if i > 0 {
				w.put(",")
			}
			at := corner.(map[string]any)
			w.put(literal(at["lat"]), literal(at["lon"]))
		}
		w.put(")")
	}
	if cell, ok := place["cell"].(string); ok {
		w.put("cell", strconv.Quote(cell))
	}
	if m["count"] != nil {
		w.bounds(m["count"], literal, "")
		w.put("times")
	}
	if m["minutes"] != nil {
		w.put("minutes")
		w.bounds(m["minutes"], literal, "")
	}
	w.window(m)
}
