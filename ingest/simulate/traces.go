package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// The sources of the traces beyond web and till.
const (
	sourceCatalogue = "catalogue"
	sourceMail      = "mail"
	sourceSocial    = "social-listening"
	sourceBot       = "help-bot"
	sourceSurvey    = "survey"
	sourceReviews   = "reviews"
	sourcePosition  = "app-position"
	sourceReaders   = "store-readers"
	sourceCameras   = "store-cameras"
)

// Stay is a true visit to a zone of a store, by whoever holds the tag or phone.
type Stay struct {
	Namespace, Value string // identifier that the readings carry, canonical
	Zone, Technology string
	Entered, Left    int64 // milliseconds since 1970
}

// Spot is the true venue of a position fix.
type Spot struct {
	MessageID string
	Venue     string // id in the catalogue
}

// outlet is a store or another venue of the town.
type outlet struct {
	id, name, kind string
	lat, lon       float64
	radius         float64
}

// tracer plays what people do outside of the shop's own web and till: it draws
// from streams of its own, so that it changes no event of the others.
type tracer struct {
	*player
	rng    *rand.Rand
	places []outlet // the stores first
	stays  []Stay
	spots  []spotted
}

// spotted is a fix with its true venue, by the number of its event.
type spotted struct {
	event int
	venue string
}

// firstTrace is the number of the first stream of a person's traces; those of
// households are far below.
const firstTrace = 1 << 40

// trace adds the traces of everybody. They come after all other events, whose
// numbers, and thus message ids, they leave alone.
func (w *player) trace(people []*person) *tracer {
	t := &tracer{player: w, rng: stream(w.cfg.Seed, 3)}
	if w.cfg.Stores == 0 {
		return t
	}
	t.build()
	for i, p := range people {
		t.rng = stream(w.cfg.Seed, firstTrace+uint64(i))
		handle := t.handle(p)
		t.mail(p)
		t.post(p, handle)
		t.help(p)
		t.answer(p)
		t.walk(p)
	}
	return t
}

// The middle of the town, and how far its places lie apart.
const (
	townLat, townLon = 38.7169, -9.1399
	metresDegree     = 111_195
)

// build lays out the town and states its catalogue: stores, the venues between
// them, and the campaigns.
func (t *tracer) build() {
	for i := range t.cfg.Stores {
		t.places = append(t.places, outlet{
			id: fmt.Sprintf("store-%02d", i+1), name: fmt.Sprintf("Store %d", i+1), kind: "store", radius: 15,
		})
	}
	for i := range t.cfg.OtherVenues {
		t.places = append(t.places, outlet{id: fmt.Sprintf("venue-%03d", i+1), name: fmt.Sprintf("%s %d", oneOf(t.rng, venueNames), i+1), kind: "venue"})
	}
	at := t.start
	for i := range t.places {
		p := &t.places[i]
		p.lat, p.lon = townLat+t.rng.NormFloat64()*.02, townLon+t.rng.NormFloat64()*.025
		lat, lon := p.lat, p.lon
		t.emit(at, sourceCatalogue, "Catalogue Entry Stated", nil, &wire.Entry{
			Type: p.kind, ItemID: p.id, Name: p.name, Lat: &lat, Lon: &lon, Radius: p.radius,
		})
	}
	for _, c := range campaigns {
		t.emit(at, sourceCatalogue, "Catalogue Entry Stated", nil, &wire.Entry{Type: "action", ItemID: c, Name: c, Category: []string{"newsletter"}})
	}
}

// emit adds an event; one after the end of the data is dropped, and reported so.
func (t *tracer) emit(at int64, source, name string, ids []mention, part any) bool {
	if at >= t.end {
		return false
	}
	e := event{at: at, arrive: at, source: source, name: name, part: part}
	if chance(t.rng, t.cfg.Late) {
		e.arrive += int64(t.rng.ExpFloat64() * t.cfg.LateDays * float64(dayMS))
	}
	for _, m := range ids {
		e.ids = append(e.ids, wire.Identifier{Namespace: m.namespace, Value: m.spelling})
		if m.user != nil {
			t.truth.own(m.namespace, m.canonical, m.user)
		}
		t.truth.meet(m.namespace, m.canonical)
	}
	t.events = append(t.events, e)
	return true
}

// anytime is a moment of the year in which people are awake.
func (t *tracer) anytime() int64 {
	day := t.start + t.rng.Int64N(max(1, (t.end-t.start)/dayMS))*dayMS
	return day - day%dayMS + 8*hourMS + t.rng.Int64N(13*hourMS)
}

// customer is how the shop knows a person: by account, else by an address that
// it was told.
func (t *tracer) customer(p *person) (mention, bool) {
	if len(p.users) > 0 {
		return own("user_id", p.users[0]), true
	}
	return t.told(p)
}

// told returns an address of a person that the shop was told.
func (t *tracer) told(p *person) (mention, bool) {
	for _, address := range p.emails {
		if t.known("email", address) {
			return own("email", address), true
		}
	}
	return mention{}, false
}

// known reports whether an identifier has appeared in an event.
func (t *tracer) known(namespace, value string) bool {
	return t.truth.seen[identifier{namespace, value}]
}

// normal draws around a mean.
func (t *tracer) normal(mean, deviation float64) float64 {
	return mean + deviation*t.rng.NormFloat64()
}

// moved returns a position some metres away.
func moved(lat, lon, east, north float64) (float64, float64) {
	return lat + north/metresDegree, lon + east/(metresDegree*math.Cos(lat*math.Pi/180))
}

// kindOf is the kind of the event with a typed part.
func kindOf(part any) wire.Kind {
	switch part.(type) {
	case *wire.Post:
		return wire.Social
	case *wire.Fix:
		return wire.Location
	case *wire.SupportContact:
		return wire.Support
	case *wire.Answer:
		return wire.Feedback
	case *wire.Reading:
		return wire.Sensor
	case *wire.Outreach:
		return wire.Contact
	case *wire.Entry:
		return wire.Catalogue
	}
	return wire.Behaviour
}

// attach puts the typed part in its place.
func attach(m *wire.Message, part any) {
	switch p := part.(type) {
	case *wire.Post:
		m.Social = p
	case *wire.Fix:
		m.Location = p
	case *wire.SupportContact:
		m.Support = p
	case *wire.Answer:
		m.Feedback = p
	case *wire.Reading:
		m.Sensor = p
	case *wire.Outreach:
		m.Contact = p
	case *wire.Entry:
		m.Catalogue = p
	}
}
