package simulate

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// purpose is why somebody makes a visit.
type purpose uint8

const (
	toBrowse purpose = iota
	toOrder
	toUseApp
	atTablet
	toSubscribe
	fromLetter
	toCall
	toGetCard
	toLinkCard
)

// visit is one planned occasion. Time is milliseconds since 1970.
type visit struct {
	at    int64
	who   *person
	why   purpose
	order *order
	value string // the address or the card that the visit is about
}

const (
	minuteMS = int64(60_000)
	hourMS   = 60 * minuteMS
	dayMS    = 24 * hourMS
)

// plan fills h.visits with everything its members do, in order of time.
func (w *player) plan(h *household) {
	for _, p := range h.members {
		start := w.activeFrom(h.rng, p)
		w.planOrders(h, p)
		w.planBrowsing(h, p, start)
		w.planNewsletter(h, p, start)
		w.planContacts(h, p, start)
	}
	slices.SortStableFunc(h.visits, func(a, b visit) int { return cmp.Compare(a.at, b.at) })
}

func (h *household) add(v visit, end int64) {
	if v.at < end {
		h.visits = append(h.visits, v)
	}
}

// activeFrom is when a person first meets the shop: up to a month before their
// first order, or any time for those who never buy.
func (w *player) activeFrom(rng *rand.Rand, p *person) int64 {
	if len(p.orders) == 0 {
		return w.start + rng.Int64N(w.end-w.start)
	}
	first := p.orders[0].Time.UnixMilli()
	for _, o := range p.orders {
		first = min(first, o.Time.UnixMilli())
	}
	return first - hourMS - rng.Int64N(30*dayMS)
}

func (w *player) planOrders(h *household, p *person) {
	for i := range p.orders {
		o := &p.orders[i]
		placed := o.Time.UnixMilli()
		switch {
		case chance(h.rng, w.cfg.OnlineOrder):
			h.add(visit{at: placed - 5*minuteMS - h.rng.Int64N(20*minuteMS), who: p, why: toOrder, order: o}, w.end)
			if chance(h.rng, .3) {
				h.add(visit{at: placed - h.rng.Int64N(5*dayMS) - hourMS, who: p, why: toBrowse, order: o}, w.end)
			}
		case chance(h.rng, w.cfg.TabletLogin):
			h.add(visit{at: placed - 2*minuteMS, who: p, why: atTablet, order: o}, w.end)
		}
	}
}

func (w *player) planBrowsing(h *household, p *person, start int64) {
	visits := 1 + poisson(h.rng, w.cfg.VisitorVisits)
	if len(p.users) > 0 {
		visits = poisson(h.rng, w.cfg.Browse)
	}
	span := w.end - start
	if len(p.users) == 0 {
		span = min(span, 60*dayMS) // A visitor's interest lasts some weeks.
	}
	for range visits {
		h.add(visit{at: start + h.rng.Int64N(span), who: p, why: toBrowse}, w.end)
	}
	if p.app != nil {
		for range 1 + poisson(h.rng, w.cfg.Browse) {
			h.add(visit{at: start + h.rng.Int64N(span), who: p, why: toUseApp}, w.end)
		}
	}
}

func (w *player) planNewsletter(h *household, p *person, start int64) {
	rate := w.cfg.Newsletter
	if len(p.users) == 0 {
		rate = w.cfg.VisitorNewsletter
	}
	if !chance(h.rng, rate) {
		return
	}
	v := visit{at: start + h.rng.Int64N(min(w.end-start, 90*dayMS)), who: p, why: toSubscribe, value: w.address(h.rng, p)}
	h.add(v, w.end)
	for range poisson(h.rng, w.cfg.NewsletterClicks) {
		h.add(visit{at: v.at + hourMS + h.rng.Int64N(w.end-v.at), who: p, why: fromLetter, value: v.value}, w.end)
	}
}

func (w *player) planContacts(h *household, p *person, start int64) {
	later := func() int64 { return start + h.rng.Int64N(w.end-start) }
	rate := w.cfg.Call
	if len(p.users) == 0 {
		rate = w.cfg.VisitorCall
	}
	if p.phone != "" && chance(h.rng, rate) {
		for range 1 + poisson(h.rng, .5) {
			h.add(visit{at: later(), who: p, why: toCall}, w.end)
		}
	}
	for _, card := range p.cards {
		issued := later()
		h.add(visit{at: issued, who: p, why: toGetCard, value: card}, w.end)
		if chance(h.rng, w.cfg.CardLinked) {
			h.add(visit{at: issued + hourMS + h.rng.Int64N(30*dayMS), who: p, why: toLinkCard, value: card}, w.end)
		}
	}
}

// address is one of a person's addresses: mostly the usual one.
func (w *player) address(rng *rand.Rand, p *person) string {
	if chance(rng, .7) {
		return p.emails[0]
	}
	return oneOf(rng, p.emails)
}

// poisson draws by Knuth's multiplication method; mean is small everywhere.
func poisson(rng *rand.Rand, mean float64) int {
	n := 0
	for limit, p := math.Exp(-mean), rng.Float64(); p > limit; p *= rng.Float64() {
		n++
	}
	return n
}
