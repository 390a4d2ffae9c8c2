package grouping

import (
	"math"
	"time"

	"github.com/kindred-cdp/kindred/profiles/lifecycle"
	"github.com/kindred-cdp/kindred/profiles/personas"
)

// group is what a row of profile_groups says.
type group struct {
	stage, persona, name string
	grades               personas.Grades
	version              string
}

// dayOf is the day since 1970 of a time in UTC.
func dayOf(t time.Time) int32 { return int32(math.Floor(float64(t.Unix()) / 86400)) }

// facts are what the rules of the lifecycle ask of a profile.
func (p *people) facts(i int, today int32) lifecycle.Facts {
	f := lifecycle.Facts{Known: p.known[i], Alive: p.alive[i], SinceLast: math.NaN(), SinceFirst: math.NaN(), LastGap: math.NaN()}
	days := p.bought[i].days
	f.Purchases = len(days)
	if len(days) > 0 {
		f.SinceFirst, f.SinceLast = float64(today-days[0]), float64(today-days[len(days)-1])
	}
	if len(days) > 1 {
		f.LastGap = float64(days[len(days)-1] - days[len(days)-2])
	}
	return f
}

// groupable is the table of those who can have a persona.
func (w *Worker) groupable(p *people, asOf time.Time) personas.Table {
	t := personas.Table{Features: p.features}
	for i, id := range p.ids {
		if w.cfg.Stages.Stage(p.facts(i, dayOf(asOf))) != lifecycle.Anonymous {
			t.IDs, t.Values = append(t.IDs, id), append(t.Values, p.row(i)...)
		}
	}
	return t
}

// group tells of everybody what they are now.
func (w *Worker) group(p *people, model *personas.Model, asOf time.Time, s *Summary) []group {
	today := dayOf(asOf)
	groups := make([]group, len(p.ids))
	var customers []personas.Customer
	var buyers []int
	for i := range p.ids {
		f := p.facts(i, today)
		groups[i].stage = string(w.cfg.Stages.Stage(f))
		if f.Purchases > 0 {
			customers = append(customers, personas.Customer{DaysSince: f.SinceLast, Purchases: float64(f.Purchases), Spend: p.bought[i].spend})
			buyers = append(buyers, i)
		}
	}
	grades, _ := personas.RFM(customers)
	for n, i := range buyers {
		groups[i].grades = grades[n]
	}
	t := w.groupable(p, asOf)
	for n, place := range model.Assign(t) {
		if place != personas.Nobody {
			g := &groups[p.place[t.IDs[n]]]
			g.persona, g.name, g.version = model.Personas[place].ID, model.Personas[place].Name, model.Version
			s.Grouped++
		}
	}
	s.Profiles, s.Customers = len(p.ids), len(buyers)
	return groups
}
