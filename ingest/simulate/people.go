package simulate

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/kindred-cdp/kindred/ingest/files"
)

// person is one invented human being.
type person struct {
	id          string // in the truth file only
	first, last string
	users       []string // customer ids; none for a visitor
	emails      []string // canonical; the first is the usual one
	phone       string   // canonical (+ and digits), or empty
	cards       []string
	country     string
	orders      []order
	browsers    []*browser
	app         *browser // nil without the app
	cookies     int
	details
	told bool // signed in to an account, which states the details
}

// order is a purchase of the retail file with the account that made it.
type order struct {
	files.Purchase
	user string
}

// browser is one browser profile or app installation on a device.
type browser struct {
	device  string
	exposed bool // its events carry the device id
	app     bool
	cookie  string
	user    string // logged in, or empty
	known   bool   // had a login before
}

// household is one to three people who live together; its own random stream
// makes it independent of every other household.
type household struct {
	rng     *rand.Rand
	members []*person
	visits  []visit
}

// population makes people; it is the only place that hands out addresses,
// numbers and ids, so that none is given twice by accident.
type population struct {
	cfg        Config
	rng        *rand.Rand
	truth      *Truth
	used       map[string]bool
	phones     []int // a permutation of the reserved numbers
	people     []*person
	households []*household
	everyMail  []string
}

func newPopulation(cfg Config, customers []files.Customer, truth *Truth) *population {
	w := &population{cfg: cfg, rng: stream(cfg.Seed, 1), truth: truth, used: make(map[string]bool)}
	w.phones = w.rng.Perm(len(areaCodes) * 100)
	buyers := w.buyers(customers)
	pairs := int(cfg.Household * float64(len(buyers)) / 2)
	for len(buyers) > 0 {
		n := 1
		if pairs > 0 && len(buyers) > 1 {
			n, pairs = 2, pairs-1
		}
		w.settle(buyers[:n])
		buyers = buyers[n:]
	}
	for range int(cfg.VisitorsPerCustomer * float64(len(customers))) {
		w.settle([]*person{w.newPerson()})
	}
	w.detail()
	return w
}

// stream returns one of the independent random sequences of a seed.
func stream(seed, number uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, number)) }

func chance(rng *rand.Rand, p float64) bool { return rng.Float64() < p }

func oneOf[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// buyers makes a person of each customer, in random order; now and then a
// customer is a second account of the one before.
func (w *population) buyers(customers []files.Customer) (buyers []*person) {
	for i, at := range w.rng.Perm(len(customers)) {
		c := customers[at]
		var p *person
		if i > 0 && chance(w.rng, w.cfg.SecondAccount) {
			p = buyers[len(buyers)-1]
		} else {
			p = w.newPerson()
			p.country = c.Country
			buyers = append(buyers, p)
		}
		p.users = append(p.users, c.ID)
		for _, o := range c.Orders {
			p.orders = append(p.orders, order{o, c.ID})
		}
	}
	return buyers
}

func (w *population) newPerson() *person {
	p := &person{id: fmt.Sprintf("p%06d", len(w.people)+1), first: oneOf(w.rng, firstNames), last: oneOf(w.rng, lastNames)}
	w.people = append(w.people, p)
	return p
}

// settle gives people a common home, and all that they own.
func (w *population) settle(members []*person) {
	h := &household{rng: stream(w.cfg.Seed, 1000+uint64(len(w.households)))}
	if len(members) == 1 && len(members[0].users) > 0 && chance(w.rng, w.cfg.Companion) {
		members = append(members[:1:1], w.newPerson())
	}
	h.members = members
	w.households = append(w.households, h)
	for i, p := range members {
		if i > 0 && chance(w.rng, .7) {
			p.last = members[0].last
		}
		w.equip(p)
	}
	if len(members) > 1 {
		w.share(members[0], members[1])
	}
}

// equip gives a person addresses, numbers and devices of their own.
func (w *population) equip(p *person) {
	p.emails = []string{w.email(p)}
	if chance(w.rng, w.cfg.SecondEmail) {
		p.emails = append(p.emails, w.email(p))
	}
	if chance(w.rng, w.cfg.Phone) && len(w.phones) > 0 {
		p.phone, w.phones = number(w.phones[0]), w.phones[1:]
		w.truth.own("phone", p.phone, p)
	}
	w.browser(p, chance(w.rng, w.cfg.DeviceExposed))
	more := []float64{w.cfg.SecondDevice, w.cfg.ThirdDevice}
	if len(p.users) == 0 {
		more = []float64{w.cfg.VisitorSecondDevice}
	}
	for _, share := range more {
		if chance(w.rng, share) {
			w.browser(p, chance(w.rng, w.cfg.DeviceExposed))
		}
	}
	if len(p.users) == 0 {
		return
	}
	for _, u := range p.users {
		w.truth.own("user_id", u, p)
		w.truth.meet("user_id", u) // Invoices show it even where no other event does.
	}
	if chance(w.rng, w.cfg.App) {
		p.app = &browser{device: p.browsers[len(p.browsers)-1].device, exposed: true, app: true, cookie: w.uuid()}
	}
	if chance(w.rng, w.cfg.LoyaltyCard) {
		w.card(p)
		if chance(w.rng, w.cfg.ReplacedCard) {
			w.card(p)
		}
	}
}

// number is the n-th of the reserved phone numbers.
func number(n int) string { return fmt.Sprintf("+1%d55501%02d", areaCodes[n/100], n%100) }

func (w *population) browser(p *person, exposed bool) {
	p.browsers = append(p.browsers, &browser{device: w.uuid(), exposed: exposed, cookie: w.uuid()})
	p.cookies++
}

func (w *population) card(p *person) {
	number := w.unique(func() string { return fmt.Sprintf("63%014d", w.rng.Int64N(1e14)) })
	p.cards = append(p.cards, number)
	w.truth.own("loyalty", number, p)
}

// share lets two people of a household use one computer and one address.
func (w *population) share(a, b *person) {
	if chance(w.rng, w.cfg.FamilyComputer) {
		computer := a.browsers[0]
		if chance(w.rng, w.cfg.SharedBrowser) {
			b.browsers[0] = computer
		} else {
			b.browsers[0].device, b.browsers[0].exposed = computer.device, computer.exposed
		}
	}
	if chance(w.rng, w.cfg.FamilyEmail) {
		family := w.unique(func() string {
			return strings.ToLower(a.last) + oneOf(w.rng, []string{"family", "home", ".house", "s"}) + digits(w.rng) + "@" + oneOf(w.rng, mailDomains)
		})
		for _, p := range []*person{a, b} {
			p.emails = append([]string{family}, p.emails...)
			w.truth.own("email", family, p)
		}
	}
}

func (w *population) email(p *person) string {
	first, last := strings.ToLower(p.first), strings.ToLower(p.last)
	address := w.unique(func() string {
		local := oneOf(w.rng, []string{first + "." + last, first[:1] + last, first + last, last + "." + first, first + "_" + last})
		return local + digits(w.rng) + "@" + oneOf(w.rng, mailDomains)
	})
	w.everyMail = append(w.everyMail, address)
	w.truth.own("email", address, p)
	return address
}

func digits(rng *rand.Rand) string {
	if chance(rng, .4) {
		return ""
	}
	return fmt.Sprint(rng.IntN(100))
}

// unique calls draw until it gives something new. After many repetitions the
// value gets a number, so that it ends for any number of people.
func (w *population) unique(draw func() string) string {
	v := draw()
	for n := 0; w.used[v]; n++ {
		if v = draw(); n > 20 {
			v = fmt.Sprintf("x%d%s", w.rng.IntN(1e9), v)
		}
	}
	w.used[v] = true
	return v
}

func (w *population) uuid() string { return uuid(w.rng) }

// uuid returns the text of a random UUID of version 4.
func uuid(rng *rand.Rand) string {
	a, b := rng.Uint64(), rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}
