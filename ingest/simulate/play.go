package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// player plays the visits of every household and collects their events.
type player struct {
	cfg        Config
	truth      *Truth
	start, end int64 // milliseconds since 1970
	products   []string
	addresses  []string   // everybody's, for those who mistype
	tablets    []*browser // of the store
	events     []event
}

// session is one visit while it is played.
type session struct {
	*player
	rng    *rand.Rand
	who    *person
	b      *browser
	now    int64
	late   int64
	source string
	name   string
	broken string // a placeholder sent as user_id by a broken page, or empty
	letter string // campaign that the visit came from
}

func (w *player) play(h *household) {
	for _, v := range h.visits {
		s := &session{player: w, rng: h.rng, who: v.who, now: v.at, source: sourceWeb}
		s.name = fmt.Sprintf("%08x", h.rng.Uint32())
		if chance(h.rng, w.cfg.Late) {
			s.late = int64(h.rng.ExpFloat64() * w.cfg.LateDays * float64(dayMS))
		}
		switch v.why {
		case atTablet:
			s.tablet(v)
		case toCall:
			s.call()
		case toGetCard:
			s.getCard(v.value)
		case toUseApp:
			s.useApp(v)
		default:
			s.web(v)
		}
	}
}

// mention is an identifier as it appears in an event. The truth learns of it
// when the event is emitted, not before.
type mention struct {
	namespace, spelling string
	canonical           string  // empty for a placeholder
	user                *person // who uses, and thus owns, it; nil where ownership is given
}

// own mentions something that belongs to whoever holds it, as it is written.
func own(namespace, value string) mention { return mention{namespace, value, value, nil} }

// spelled mentions it in another spelling.
func spelled(namespace, canonical, spelling string) mention {
	return mention{namespace, spelling, canonical, nil}
}

// used mentions something that belongs to whoever uses it.
func used(namespace, value string, user *person) mention {
	return mention{namespace, value, value, user}
}

// placeholder mentions a value that identifies nobody.
func placeholder(namespace, value string) mention { return mention{namespace, value, "", nil} }

// emit adds an event with the given identifiers beside those of the browser.
func (s *session) emit(e event, extra ...mention) {
	if s.now >= s.end {
		return
	}
	e.at, e.arrive, e.source, e.session, e.campaign = s.now, s.now+s.late, s.source, s.name, s.letter
	if s.b != nil {
		extra = append(extra, s.browserIDs()...)
	}
	for _, m := range extra {
		e.ids = append(e.ids, wire.Identifier{Namespace: m.namespace, Value: m.spelling})
		if m.canonical == "" {
			continue
		}
		if m.user != nil {
			s.truth.own(m.namespace, m.canonical, m.user)
		}
		s.truth.meet(m.namespace, m.canonical)
	}
	s.events = append(s.events, e)
	s.now += 5_000 + s.rng.Int64N(2*minuteMS)
}

// browserIDs are the identifiers that every event of a browser carries.
func (s *session) browserIDs() []mention {
	ids := []mention{used("anonymous_id", s.b.cookie, s.who)}
	if s.b.cookie == placeholderCookie {
		ids[0] = placeholder("anonymous_id", placeholderCookie)
	}
	if s.b.exposed {
		ids = append(ids, used("device", s.b.device, s.who))
	}
	switch {
	case s.b.user != "":
		ids = append(ids, own("user_id", s.b.user))
	case s.broken != "":
		ids = append(ids, placeholder("user_id", s.broken))
	}
	return ids
}

// web plays a visit in one of the person's browsers.
func (s *session) web(v visit) {
	s.open()
	if chance(s.rng, s.cfg.Placeholder) && s.b.user == "" {
		s.broken = oneOf(s.rng, placeholderUsers)
	}
	if v.why == fromLetter {
		s.letter = oneOf(s.rng, campaigns)
		s.emit(event{act: letterClicked, page: "/letter"}, own("email", v.value))
	} else {
		s.emit(event{act: pageViewed, page: "/", referrer: oneOf(s.rng, referrers)})
	}
	s.lookAround(v)
	switch v.why {
	case toSubscribe:
		s.subscribe(v.value)
	case toOrder:
		s.signIn(v.order.user)
		s.emit(event{act: checkoutStarted, page: "/checkout", order: v.order.OrderID})
	case toLinkCard:
		s.signIn(oneOf(s.rng, s.who.users))
		s.emit(event{act: cardLinked, page: "/account/card"}, own("loyalty", v.value))
	case toBrowse:
		rate := s.cfg.LoginWhileBrowsing
		if !s.b.known {
			rate = s.cfg.LoginOnNewDevice
		}
		if len(s.who.users) > 0 && chance(s.rng, rate) {
			s.signIn(oneOf(s.rng, s.who.users))
			s.emit(event{act: pageViewed, page: "/account"})
		}
	}
	s.leave()
}

// open chooses the browser: mostly the usual one, now and then a private
// window, and sometimes the cookie of the last visit is gone.
func (s *session) open() {
	if chance(s.rng, s.cfg.PrivateBrowsing) {
		s.b = &browser{cookie: uuid(s.rng)}
		if chance(s.rng, s.cfg.Placeholder) {
			s.b.cookie = placeholderCookie
		}
		return
	}
	s.b = s.who.browsers[0]
	if !chance(s.rng, s.cfg.UsualBrowser) {
		s.b = oneOf(s.rng, s.who.browsers)
	}
	if chance(s.rng, s.cfg.CookieLoss) {
		s.newCookie()
	}
	if s.b.user != "" && !slices.Contains(s.who.users, s.b.user) && chance(s.rng, s.cfg.SignOutOther) {
		s.signOut()
	}
}

func (s *session) newCookie() {
	if s.who.cookies >= s.cfg.MaxCookies {
		return
	}
	s.who.cookies++
	s.b.cookie, s.b.user = uuid(s.rng), ""
}

func (s *session) lookAround(v visit) {
	views := 1 + poisson(s.rng, .7)
	for i := range views {
		product := oneOf(s.rng, s.products)
		if v.order != nil && len(v.order.Products) > 0 {
			product = v.order.Products[i%len(v.order.Products)]
		}
		s.emit(event{act: productViewed, page: "/product/" + product, product: product})
		if v.why == toOrder && chance(s.rng, .4) || chance(s.rng, .1) {
			s.emit(event{act: productAdded, page: "/product/" + product, product: product})
		}
	}
}

// signIn logs the person in unless the browser remembers them; another account
// that it remembers is logged out first.
func (s *session) signIn(user string) {
	if s.b.user == user {
		return
	}
	if s.b.user != "" {
		s.signOut()
	}
	s.b.user, s.b.known, s.broken = user, true, ""
	e := event{act: signedIn, page: "/login", who: s.who, account: true}
	s.who.told = s.who.told || s.now < s.end
	var ids []mention
	if chance(s.rng, s.cfg.EmailAtLogin) {
		e.email = s.spell(s.who.emails[0])
		ids = append(ids, spelled("email", s.who.emails[0], e.email))
	}
	if s.who.phone != "" && chance(s.rng, s.cfg.PhoneAtLogin) {
		e.phone = s.dial(s.who.phone)
		ids = append(ids, spelled("phone", s.who.phone, e.phone))
	}
	s.emit(e, ids...)
}

func (s *session) signOut() {
	s.emit(event{act: signedOut, page: "/logout"})
	s.b.user = ""
	if chance(s.rng, s.cfg.ResetOnLogout) {
		s.newCookie()
	}
}

func (s *session) leave() {
	if s.b.user != "" && chance(s.rng, s.cfg.Logout) {
		s.signOut()
	}
}

// useApp plays a visit in the app, which is logged in after its first use.
func (s *session) useApp(v visit) {
	s.source, s.b = sourceApp, s.who.app
	s.emit(event{act: screenViewed, page: "/app"})
	if s.b.user == "" && chance(s.rng, s.cfg.LoginOnNewDevice) {
		s.signIn(s.who.users[0])
	}
	s.lookAround(v)
}
