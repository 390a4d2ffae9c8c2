package simulate

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// details are what a person tells a shop about themselves, beyond their name.
type details struct {
	born  time.Time
	tells bool // states the date of birth where an account asks for it
	home  place
}

// place is a postal address.
type place struct {
	street     string // with the house number in front
	town, code string
}

// Streams of the seed: those of households' details lie beyond those of traces.
const (
	firstDetail = 1 << 41
	crmStream   = 4
)

// detail gives everybody a date of birth and an address, which a household has
// in common. Each household draws from a stream of its own, so that nothing else
// of the simulation depends on it.
func (w *population) detail() {
	for i, h := range w.households {
		rng := stream(w.cfg.Seed, firstDetail+uint64(i))
		home := newPlace(rng)
		for _, p := range h.members {
			p.details = details{born: w.birthday(rng), tells: chance(rng, w.cfg.Birthday), home: home}
		}
	}
}

// birthday is that of a person between 19 and 84 at the end of the data, more
// often of middle age.
func (w *population) birthday(rng *rand.Rand) time.Time {
	days := 19*365 + (rng.IntN(65*365)+rng.IntN(65*365))/2
	return w.cfg.End.UTC().Truncate(24*time.Hour).AddDate(0, 0, -days)
}

// newPlace draws an address: large towns more often than small ones.
func newPlace(rng *rand.Rand) place {
	t := towns[rng.IntN(1+rng.IntN(len(towns)))]
	return place{
		street: fmt.Sprintf("%d %s %s", 1+rng.IntN(1+rng.IntN(180)), oneOf(rng, streetNames), oneOf(rng, streetKinds).whole),
		town:   t.name,
		code:   fmt.Sprintf("%s%d %d%c%c", t.area, 1+rng.IntN(18), rng.IntN(10), oneOf(rng, postLetters), oneOf(rng, postLetters)),
	}
}

// address is the trait, by the names of Segment's specification.
type address struct {
	Street     string `json:"street"`
	City       string `json:"city"`
	PostalCode string `json:"postalCode"`
	Country    string `json:"country,omitempty"`
}

// account is what signing in states of a person, as shops that ask for it at the
// checkout know it.
func (p *person) account(t *traits) {
	t.Address = &address{p.home.street, p.home.town, p.home.code, p.country}
	if p.tells {
		t.Birthday = p.born.Format(time.DateOnly)
	}
}
