package simulate

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Card is one record of the old CRM as it was exported: without the ids of the
// shop's web, and with the errors of those who typed it.
type Card struct {
	ID                                               string
	FirstName, LastName, BirthDate                   string
	Street, PostalCode, City, Phone, Email, Modified string
	// Person is who it really is: an owner of the truth, or somebody of whom the
	// web knows nothing. It is no column.
	Person string
}

// client is a person as the CRM knows them, from before the web and since.
type client struct {
	person      string
	first, last string
	born        time.Time
	home        place // of today
	former      place // of before a move
	phone       string
	email, old  string // of today, and one that the web has never seen
}

// clerk fills the old CRM. It draws from a stream of its own, after everything
// else was made, so that it changes no event.
type clerk struct {
	*population
	rng *rand.Rand
}

// crm returns the cards of the old CRM: customers of the web who told it who they
// are, others, of whom some live with those, and now and then somebody twice.
func (w *population) crm(customers int) (cards []Card) {
	k := &clerk{population: w, rng: stream(w.cfg.Seed, crmStream)}
	var known []*person
	for _, p := range w.people {
		if p.told {
			known = append(known, p)
		}
	}
	order := k.rng.Perm(len(known))
	order = order[:min(len(known), int(k.cfg.CRM*float64(customers)))]
	var clients []*client
	for _, i := range order {
		clients = append(clients, k.customer(known[i]))
	}
	for n := range int(k.cfg.CRMOthers * float64(len(order))) {
		c := k.stranger(n)
		if chance(k.rng, k.cfg.CRMRelatives) {
			k.relate(c, oneOf(k.rng, known))
		}
		clients = append(clients, c)
	}
	for _, c := range clients {
		cards = append(cards, k.card(c))
		if chance(k.rng, k.cfg.CRMTwice) {
			cards = append(cards, k.card(c))
		}
	}
	k.rng.Shuffle(len(cards), func(i, j int) { cards[i], cards[j] = cards[j], cards[i] })
	for i := range cards {
		cards[i].ID = fmt.Sprintf("C-%05d", 10_001+i)
	}
	return cards
}

// customer is somebody whom the web knows too.
func (k *clerk) customer(p *person) *client {
	return &client{
		person: p.id, first: p.first, last: p.last, born: p.born, home: p.home, former: newPlace(k.rng),
		phone: p.phone, email: p.emails[0], old: k.mail(p.first, p.last),
	}
}

// stranger is somebody whom the web has never met.
func (k *clerk) stranger(n int) *client {
	c := &client{
		person: fmt.Sprintf("c%06d", n+1), first: oneOf(k.rng, firstNames), last: oneOf(k.rng, lastNames),
		born: k.birthday(k.rng), home: newPlace(k.rng), former: newPlace(k.rng),
	}
	if chance(k.rng, k.cfg.Phone) && len(k.phones) > 0 {
		c.phone, k.phones = number(k.phones[0]), k.phones[1:]
	}
	c.email, c.old = k.mail(c.first, c.last), k.mail(c.first, c.last)
	return c
}

// relate makes a stranger the twin, the parent of the same name, or the partner
// of a customer of the web, at the same address and sometimes with one telephone:
// these are the people whom a comparison of names and addresses takes for one.
func (k *clerk) relate(c *client, p *person) {
	c.last, c.home = p.last, p.home
	if chance(k.rng, .3) {
		c.phone = p.phone
	}
	switch k.rng.IntN(3) {
	case 0:
		c.born = p.born
		for c.first == p.first {
			c.first = oneOf(k.rng, firstNames)
		}
	case 1:
		c.first, c.born = p.first, p.born.AddDate(-22-k.rng.IntN(16), 0, k.rng.IntN(365))
	}
}

// mail draws an address that nobody has had.
func (k *clerk) mail(first, last string) string {
	for n := 0; ; n++ {
		local := oneOf(k.rng, []string{first + "." + last, first + last, last + first[:1]}) + digits(k.rng)
		if n > 20 {
			local += fmt.Sprint(k.rng.IntN(1e9))
		}
		address := strings.ToLower(local) + "@" + oneOf(k.rng, mailDomains)
		_, typed := k.truth.owners[identifier{"email", address}]
		if !k.used[address] && !typed {
			k.used[address] = true
			return address
		}
	}
}

// card writes one record of a client.
func (k *clerk) card(c *client) Card {
	card := Card{
		Person: c.person, FirstName: k.given(c.first), LastName: k.typed(c.last), BirthDate: k.date(c.born),
		Modified: k.modified().Format(crmDate),
	}
	home := c.home
	if chance(k.rng, k.cfg.CRMMoved) {
		home = c.former
	}
	card.Street, card.PostalCode, card.City = k.blank(k.street(home.street)), k.blank(k.code(home.code)), k.blank(k.typed(home.town))
	if c.phone != "" && chance(k.rng, k.cfg.CRMPhone) {
		card.Phone = k.dial(c.phone)
	}
	switch x := k.rng.Float64(); {
	case x < k.cfg.CRMEmail:
		card.Email = c.email
	case x < k.cfg.CRMEmail+k.cfg.CRMOldEmail:
		card.Email = c.old
	}
	if chance(k.rng, k.cfg.CRMSwapped) {
		card.FirstName, card.LastName = card.LastName, card.FirstName
	}
	if chance(k.rng, k.cfg.CRMCapitals) {
		for _, field := range []*string{&card.FirstName, &card.LastName, &card.Street, &card.City, &card.Email} {
			*field = strings.ToUpper(*field)
		}
	}
	return card
}

// modified is when somebody last touched a record: mostly years ago.
func (k *clerk) modified() time.Time {
	days := min(30+k.rng.ExpFloat64()*700, 9*365)
	return k.cfg.End.UTC().AddDate(0, 0, -int(days))
}

// cardColumns are the columns of the export.
var cardColumns = []string{"crm_id", "first_name", "last_name", "birth_date", "street", "postal_code", "city", "phone", "email", "modified"}

// fields are the values of cardColumns.
func (c Card) fields() []string {
	return []string{c.ID, c.FirstName, c.LastName, c.BirthDate, c.Street, c.PostalCode, c.City, c.Phone, c.Email, c.Modified}
}
