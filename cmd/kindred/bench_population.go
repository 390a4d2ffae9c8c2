package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
)

// population is a seeded history of people, as identity would have stored it: a
// third never say who they are and leave a cookie or two; the others log in on
// up to three cookies, give an e-mail, and some a phone number or a device. Some
// come back in the next quarter. In front stand people of size identifiers each,
// one for every unmerge that is measured.
type population struct {
	keyer       identity.Keyer
	workspace   string
	seed        uint64
	identifiers int // to make, more or less
	large, size int // people of many cookies, and the identifiers of each
	end         time.Time
}

// The parts of a population.
const (
	populationDays = 700 // of history
	sourceWeb      = "web"
	sourceServer   = "server"
)

// largeUser and largeCookie name the identifiers of a person of many cookies.
func largeUser(p int) identity.Identifier {
	return identity.Identifier{Namespace: identity.UserID, Value: fmt.Sprintf("large-%d", p)}
}

func largeCookie(p, i int) identity.Identifier {
	return identity.Identifier{Namespace: identity.AnonymousID, Value: fmt.Sprintf("large-%d-%d", p, i)}
}

// personal names an identifier of person p.
func personal(n identity.Namespace, p, i int) identity.Identifier {
	switch n {
	case identity.Email:
		return identity.Identifier{Namespace: n, Value: "p" + strconv.Itoa(p) + "@people.example"}
	case identity.Phone:
		return identity.Identifier{Namespace: n, Value: "+3519" + fmt.Sprintf("%08d", p)}
	default:
		return identity.Identifier{Namespace: n, Value: strconv.Itoa(p) + "-" + strconv.Itoa(i)}
	}
}

// sightingOf is a set of identifiers seen together once.
type sightingOf struct {
	source  string
	at      time.Time
	members []identity.Identifier
}

// of calls see with what is known of person p.
func (pop population) of(p int, see func(sightingOf)) {
	r := rand.New(rand.NewPCG(pop.seed, uint64(p)))
	at := pop.end.Add(-time.Duration(1+r.IntN(populationDays*24)) * time.Hour)
	seen := func(source string, members ...identity.Identifier) {
		at = at.Add(time.Duration(r.IntN(600)) * time.Second)
		if at.After(pop.end) {
			at = pop.end
		}
		see(sightingOf{source, at, members})
	}
	cookie, device := personal(identity.AnonymousID, p, 0), personal(identity.Device, p, 0)
	if p%3 == 0 {
		seen(sourceWeb, cookie)
		if k := r.IntN(4); k == 0 {
			seen(sourceWeb, device, cookie)
		} else if k < 3 {
			seen(sourceWeb, personal(identity.AnonymousID, p, 1))
		}
		return
	}
	user, mail := personal(identity.UserID, p, 0), personal(identity.Email, p, 0)
	seen(sourceServer, user, mail)
	for i := range 1 + r.IntN(3) {
		seen(sourceWeb, user, personal(identity.AnonymousID, p, i))
	}
	if r.IntN(10) < 5 {
		seen(sourceServer, user, mail, personal(identity.Phone, p, 0))
	}
	if r.IntN(10) < 7 {
		seen(sourceWeb, user, device, cookie)
	}
	if r.IntN(10) < 5 {
		seen(sourceWeb, mail, cookie)
	}
	if r.IntN(10) < 2 {
		at = at.Add(90 * 24 * time.Hour)
		seen(sourceWeb, user, cookie)
	}
}

// write stores the population and returns what it made.
func (pop population) write(ctx context.Context, conn driver.Conn) (made populationSize, err error) {
	w := &populationWriter{pop: pop, conn: conn}
	for p := range pop.large {
		at := pop.end.Add(-24 * time.Hour)
		for i := range pop.size - 1 {
			w.see(sightingOf{sourceServer, at, []identity.Identifier{largeUser(p), largeCookie(p, i)}})
		}
		if err := w.person(ctx, false); err != nil {
			return w.made, err
		}
	}
	for p := 1; w.made.Identifiers < pop.identifiers; p++ {
		pop.of(p, w.see)
		w.made.People = p
		if err := w.person(ctx, false); err != nil {
			return w.made, err
		}
	}
	return w.made, w.person(ctx, true)
}

// knownPerson returns the p-th person, from 0, who logs in and has an e-mail.
func knownPerson(p int) int { return p/2*3 + p%2 + 1 }
