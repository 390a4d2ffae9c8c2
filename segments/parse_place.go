package segments

import (
	"fmt"
	"strconv"
)

func (p *parser) location(at string, v jsonValue) Node {
	o := p.object(at, v, "location", "count", "minutes", "within", "from", "until", "zone")
	l := Location{Within: p.within(at, o), Period: p.period(at, o)}
	place, _ := o.get("location")
	l.Place = p.place(join(at, "location"), place)
	count, counts := o.get("count")
	minutes, stays := o.get("minutes")
	if counts {
		l.Count = p.comparison(join(at, "count"), count)
	}
	if stays {
		l.Minutes = p.comparison(join(at, "minutes"), minutes)
	}
	if counts && stays {
		p.add(at, "must ask one thing: count or minutes")
	}
	return l
}

func (p *parser) place(at string, v jsonValue) (place Place) {
	if v.kind != isObject || len(v.members) != 1 {
		p.add(at, "must be an object with one of near, inside, cell")
		return place
	}
	o := p.object(at, v, "near", "inside", "cell")
	if near, ok := o.get("near"); ok {
		at := join(at, "near")
		if near.kind != isObject {
			p.add(at, "must be an object, is %s", near.kind)
			return place
		}
		o := p.object(at, near, "lat", "lon", "km")
		place.Center = Point{p.numberOf(at, o, "lat", -90, 90), p.numberOf(at, o, "lon", -180, 180)}
		if place.Km = p.numberOf(at, o, "km", 0, MaxKm); place.Km == 0 {
			p.add(join(at, "km"), "must be more than 0")
		}
	}
	if inside, ok := o.get("inside"); ok {
		place.Polygon = p.polygon(join(at, "inside"), inside)
	}
	if cell, ok := o.get("cell"); ok {
		n, err := strconv.ParseUint(cell.text, 16, 64)
		if cell.kind != isString || err != nil || !isCell(n) {
			p.add(join(at, "cell"), "must be a cell of H3 as 15 hexadecimal digits, such as \"85393353fffffff\"")
		}
		place.Cell = n
	}
	return place
}

// isCell checks what an index of H3 says of itself: its mode, its base cell, and that
// its digits are used up to its resolution and not beyond.
func isCell(n uint64) bool {
	resolution := n >> 52 & 15
	if n>>63 != 0 || n>>59&15 != 1 || n>>56&7 != 0 || n>>45&127 > 121 {
		return false
	}
	for r := uint64(1); r <= 15; r++ {
		if unused := n>>(3*(15-r))&7 == 7; unused != (r > resolution) {
			return false
		}
	}
	return true
}

// Resolution is the resolution of a cell of H3, of 0 to 15.
func (p Place) Resolution() int { return int(p.Cell >> 52 & 15) }

// numberOf reads a required number within bounds; 0 where there is none.
func (p *parser) numberOf(at string, o object, member string, least, most float64) float64 {
	v, ok := o.get(member)
	if !ok {
		p.add(at, "must have %q", member)
		return 0
	}
	n, ok := p.number(join(at, member), v)
	if ok && (n < least || n > most) {
		p.add(join(at, member), "must be %v to %v", least, most)
	}
	return n
}

func (p *parser) polygon(at string, v jsonValue) []Point {
	if v.kind != isArray || len(v.items) < 3 || len(v.items) > MaxCorners {
		p.add(at, "must be an array of 3 to %d corners", MaxCorners)
		return nil
	}
	corners := make([]Point, 0, len(v.items))
	for i, item := range v.items {
		at := fmt.Sprintf("%s/%d", at, i)
		if item.kind != isObject {
			p.add(at, "must be an object, is %s", item.kind)
			continue
		}
		o := p.object(at, item, "lat", "lon")
		corners = append(corners, Point{p.numberOf(at, o, "lat", -90, 90), p.numberOf(at, o, "lon", -180, 180)})
	}
	return corners
}

func (p *parser) recommendation(at string, v jsonValue) Node {
	o := p.object(at, v, "nps", "within")
	group, _ := o.get("nps")
	r := Recommendation{Group: Group(group.text), Within: p.within(at, o)}
	if group.kind != isString || r.Group != Promoter && r.Group != Passive && r.Group != Detractor {
		p.add(join(at, "nps"), "must be promoter, passive or detractor")
	}
	return r
}

func (p *parser) mood(at string, v jsonValue) Node {
	o := p.object(at, v, "sentiment", "in", "within")
	is, _ := o.get("sentiment")
	m := Mood{Is: p.comparison(join(at, "sentiment"), is), Within: p.within(at, o)}
	if in, ok := o.get("in"); ok {
		if m.In = Medium(in.text); in.kind != isString || m.In != Social && m.In != Support && m.In != Feedback {
			p.add(join(at, "in"), "must be social, support or feedback")
		}
	}
	return m
}
