package sql_test

import (
	"math"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/segmentstest"
)

// place evaluates the leaves of where people were and what they said.
func (o *oracle) place(p *person, n segments.Node) bool {
	switch n := n.(type) {
	case segments.Location:
		return o.location(p, n)
	case segments.Recommendation:
		var newest *clickhousetest.Event
		for i, e := range p.events {
			if v := e.Voice; v != nil && v.Medium == "feedback" && v.Score != nil && o.inWindow(e.Time, n.Within) && (newest == nil || o.later(e, *newest)) {
				newest = &p.events[i]
			}
		}
		if newest == nil {
			return false
		}
		groups := []segments.Group{"detractor", "detractor", "detractor", "detractor", "detractor", "detractor", "detractor", "passive", "passive", "promoter", "promoter"}
		return groups[int(*newest.Voice.Score)] == n.Group
	case segments.Mood:
		sum, count := 0.0, 0.0
		for _, e := range p.events {
			v := e.Voice
			if v == nil || v.Sentiment == nil || !o.inWindow(e.Time, n.Within) || n.In != "" && v.Medium != string(n.In) || v.Medium != "feedback" && v.Direction != "inbound" {
				continue
			}
			sum += math.Round(*v.Sentiment * 1e6)
			count++
		}
		return count > 0 && n.Is.Holds(sum/1e6/count)
	}
	panic("unknown leaf")
}

// catalogue has the categories of products.
func (o *oracle) catalogue() map[string][]string {
	return map[string][]string{"p1": {"Clothing", "Shoes"}, "p2": {"Clothing"}, "it's": {"it's"}}
}

func (o *oracle) bought(p *person, n segments.Bought) bool {
	count := 0
	for _, s := range o.states(p) {
		order := s.newest.Order
		if order.Type == "order" && stands(order) && o.inWindow(s.placed, n.Within) && slices.ContainsFunc(order.Items, func(i clickhousetest.Item) bool {
			return (n.Product == "" || i.Product == n.Product) &&
				(n.Category == "" || i.Category == n.Category || slices.Contains(o.catalogue()[i.Product], n.Category))
		}) {
			count++
		}
	}
	return n.Orders.Holds(float64(count))
}

func (o *oracle) location(p *person, n segments.Location) bool {
	fixes := slices.DeleteFunc(slices.Clone(p.events), func(e clickhousetest.Event) bool {
		return e.Fix == nil || !o.inWindow(e.Time, n.Within) || !n.Period.Contains(e.Time)
	})
	slices.SortFunc(fixes, func(a, b clickhousetest.Event) int {
		if o.later(a, b) {
			return 1
		}
		return -1
	})
	count, longest, stay := 0, time.Duration(0), (*clickhousetest.Event)(nil)
	for i, e := range fixes {
		if !within(n.Place, *e.Fix) {
			stay = nil
			continue
		}
		count++
		if stay == nil {
			stay = &fixes[i]
		}
		longest = max(longest, e.Time.Sub(stay.Time))
	}
	switch {
	case len(n.Minutes) > 0:
		return n.Minutes.Holds(longest.Minutes())
	case len(n.Count) > 0:
		return n.Count.Holds(float64(count))
	}
	return count > 0
}

func within(p segments.Place, at clickhousetest.Fix) bool {
	switch {
	case p.Km > 0: // By the angle between two vectors.
		vector := func(lat, lon float64) [3]float64 {
			lat, lon = lat*math.Pi/180, lon*math.Pi/180
			return [3]float64{math.Cos(lat) * math.Cos(lon), math.Cos(lat) * math.Sin(lon), math.Sin(lat)}
		}
		a, b := vector(p.Center.Lat, p.Center.Lon), vector(at.Lat, at.Lon)
		chord := math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
		return 2*math.Asin(min(1, chord/2))*6371.0088 <= p.Km
	case len(p.Polygon) > 0: // By the sides that a ray to the east crosses.
		inside := false
		for i, a := range p.Polygon {
			b := p.Polygon[(i+1)%len(p.Polygon)]
			if (a.Lat > at.Lat) != (b.Lat > at.Lat) && at.Lon < (b.Lon-a.Lon)*(at.Lat-a.Lat)/(b.Lat-a.Lat)+a.Lon {
				inside = !inside
			}
		}
		return inside
	}
	for _, c := range segmentstest.Cells {
		if c.Cell == p.Cell {
			return slices.Contains(c.Holds, segments.Point{Lat: at.Lat, Lon: at.Lon})
		}
	}
	return false
}
