package simulate

import "strings"

// subscribe types an address into the newsletter form.
func (s *session) subscribe(address string) {
	s.source = sourceLetter
	if chance(s.rng, s.cfg.Placeholder) {
		s.emit(event{act: subscribed, page: "/newsletter"}, placeholder("email", oneOf(s.rng, placeholderMails)))
		return
	}
	e := event{act: subscribed, page: "/newsletter", who: s.who}
	var id mention
	switch {
	case chance(s.rng, s.cfg.WrongAddress):
		id = own("email", oneOf(s.rng, s.addresses))
	case chance(s.rng, s.cfg.Typo):
		id = used("email", s.mistype(address), s.who)
	default:
		id = spelled("email", address, s.spell(address))
	}
	e.email = id.spelling
	s.emit(e, id)
	s.source = sourceWeb
}

// spell returns an address as people type it: the same one, though.
func (s *session) spell(address string) string {
	switch s.rng.IntN(20) {
	case 0:
		return strings.ToUpper(address[:1]) + address[1:]
	case 1:
		return " " + address
	case 2:
		return strings.ToUpper(address)
	}
	return address
}

// mistype returns another address: two letters swapped, one lost or doubled.
// The truth owns it to whoever typed it, and to its real owner if it has one.
func (s *session) mistype(address string) string {
	local, domain, _ := strings.Cut(address, "@")
	i := 1 + s.rng.IntN(len(local)-2)
	switch s.rng.IntN(3) {
	case 0:
		local = local[:i] + local[i+1:i+2] + local[i:i+1] + local[i+2:]
	case 1:
		local = local[:i] + local[i+1:]
	default:
		local = local[:i] + local[i:i+1] + local[i:]
	}
	return local + "@" + domain
}

// call is a call to the call centre: the number, and what the agent asks for.
func (s *session) call() {
	s.source = sourceCall
	id := spelled("phone", s.who.phone, s.dial(s.who.phone))
	if chance(s.rng, s.cfg.Placeholder) {
		id = placeholder("phone", oneOf(s.rng, placeholderPhones))
	}
	ids := []mention{id}
	switch x := s.rng.Float64(); {
	case x < s.cfg.StaffEmail:
		s.truth.own("email", staffEmail, nil) // The shop's, thus nobody's.
		ids = append(ids, own("email", staffEmail))
		if len(s.who.users) > 0 {
			ids = append(ids, own("user_id", s.who.users[0]))
		}
	case x < .35 && len(s.who.users) > 0:
		ids = append(ids, own("user_id", s.who.users[0]))
	case x < .85:
		address := s.address(s.rng, s.who)
		ids = append(ids, spelled("email", address, s.spell(address)))
	case x < .95 && len(s.who.cards) > 0:
		ids = append(ids, own("loyalty", s.who.cards[0]))
	}
	s.emit(event{act: called}, ids...)
}

// dial returns a number as telephone systems and people write it.
func (s *session) dial(e164 string) string {
	area, rest := e164[2:5], e164[5:]
	switch s.rng.IntN(4) {
	case 0:
		return "+1 " + area + " " + rest[:3] + " " + rest[3:]
	case 1:
		return "+1 (" + area + ") " + rest[:3] + "-" + rest[3:]
	}
	return e164
}

// getCard hands out a loyalty card in the store: the assistant asks for an
// address or a number, on the store's tablet or at the till.
func (s *session) getCard(card string) {
	s.source = sourceTablet
	if chance(s.rng, .5) {
		s.b = oneOf(s.rng, s.tablets)
	}
	e := event{act: cardIssued, who: s.who}
	ids := []mention{own("loyalty", card)}
	if s.who.phone != "" && chance(s.rng, .5) {
		ids = append(ids, spelled("phone", s.who.phone, s.dial(s.who.phone)))
	}
	if len(ids) == 1 || chance(s.rng, .7) {
		e.email = s.address(s.rng, s.who)
		ids = append(ids, own("email", e.email))
	}
	s.emit(e, ids...)
}

// tablet is a login on the tablet that everybody in the store uses.
func (s *session) tablet(v visit) {
	s.source, s.b = sourceTablet, oneOf(s.rng, s.tablets)
	s.b.user = ""
	s.emit(event{act: screenViewed, page: "/store"})
	if chance(s.rng, s.cfg.TabletSignup) {
		s.emit(event{act: subscribed, page: "/newsletter", who: s.who, email: s.who.emails[0]}, own("email", s.who.emails[0]))
	}
	s.signIn(v.order.user)
	s.lookAround(visit{order: v.order})
	s.emit(event{act: signedOut, page: "/logout"})
	s.b.user = ""
}

// bots fetch pages. Nobody owns their cookies.
func (w *player) bots(seed uint64) {
	for n := range w.cfg.Bots {
		rng := stream(seed, 10+uint64(n))
		s := &session{player: w, rng: rng, source: sourceWeb, now: w.start + rng.Int64N(w.end-w.start)}
		device := ""
		if n%2 == 1 {
			device = uuid(rng)
		}
		for range w.cfg.BotPages {
			e := event{act: pageViewed, page: "/product/" + oneOf(rng, w.products)}
			cookie := uuid(rng)
			w.truth.own("anonymous_id", cookie, nil)
			ids := []mention{own("anonymous_id", cookie)}
			if device != "" {
				w.truth.own("device", device, nil)
				ids = append(ids, own("device", device))
			}
			s.emit(e, ids...)
		}
	}
}
