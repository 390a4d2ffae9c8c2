package simulate

import (
	"fmt"
	"strings"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// remark is something that customers say.
type remark struct {
	language, text string
	glad           int // -1, 0 or 1
}

// remarks are invented. English is most of them, as in the shop's own reviews.
var remarks = []remark{
	{"en", "Lovely little shop, the gifts arrived quickly and beautifully wrapped.", 1},
	{"en", "Great quality and really fair prices, I will order again!", 1},
	{"en", "My mother loved the lantern. Thank you so much.", 1},
	{"en", "Friendly staff who helped me to find the right present.", 1},
	{"en", "The parcel came two weeks late and one of the cups was broken.", -1},
	{"en", "Very disappointed, the colour is nothing like in the picture.", -1},
	{"en", "Nobody answers the phone and my refund has still not arrived.", -1},
	{"en", "Poor quality, it fell apart after a few days. Waste of money.", -1},
	{"en", "Do you have the white hanging heart in a larger size?", 0},
	{"en", "When does the store open on Sunday?", 0},
	{"fr", "Très belle boutique, les produits sont de bonne qualité et le personnel est accueillant.", 1},
	{"fr", "La livraison a pris trois semaines et personne ne répond à mes messages.", -1},
	{"de", "Sehr schöne Geschenke und eine schnelle Lieferung, vielen Dank.", 1},
	{"de", "Die Tasse war leider zerbrochen und niemand hat sich bei mir gemeldet.", -1},
	{"es", "La tienda es muy bonita y los precios son buenos.", 1},
	{"pt", "A encomenda chegou antes do prazo e veio muito bem embalada, obrigada.", 1},
	{"pt", "O produto não é como na fotografia e ainda não recebi o reembolso.", -1},
	{"it", "Il negozio è molto bello ma la consegna non è arrivata in tempo.", -1},
}

var (
	venueNames    = []string{"Café", "Bakery", "Bank", "Gym", "Cinema", "Station", "Park Kiosk", "Museum", "Pharmacy", "Market"}
	networks      = []string{"instagram", "facebook", "x", "tiktok"}
	supportTopics = []string{"delivery", "return", "payment", "product", "account"}
)

// remark draws what somebody says who is glad, angry or neither.
func (t *tracer) remark(glad int) remark {
	for {
		r := oneOf(t.rng, remarks)
		if r.glad == glad && (r.language == "en" || chance(t.rng, .6)) {
			return r
		}
	}
}

// mood is mostly good.
func (t *tracer) mood() int {
	switch x := t.rng.Float64(); {
	case x < .6:
		return 1
	case x < .85:
		return -1
	}
	return 0
}

// handle gives some people a handle that the shop comes to know: they link it in
// their account.
func (t *tracer) handle(p *person) string {
	if len(p.users) == 0 || !chance(t.rng, t.cfg.SocialLinked) {
		return ""
	}
	handle := "instagram/" + strings.ToLower(p.first) + "." + p.id
	t.truth.own("social", handle, p)
	t.emit(t.anytime(), sourceWeb, "Social Account Linked", []mention{own("user_id", p.users[0]), own("social", handle)}, linked{})
	return handle
}

// linked marks the event that links an account; it has no typed part.
type linked struct{}

// post plays what a person says about the shop in public and in private.
func (t *tracer) post(p *person, handle string) {
	if handle == "" {
		return
	}
	for n := range poisson(t.rng, t.cfg.Posts) {
		r := t.remark(t.mood())
		intent := map[int]string{-1: "complaint", 0: "question", 1: "praise"}[r.glad]
		visibility := "public"
		if chance(t.rng, .3) {
			visibility = "private"
		}
		at := t.anytime()
		thread := fmt.Sprintf("%s-%d", p.id, n)
		id := own("social", handle)
		said := t.emit(at, sourceSocial, "Social Post Received", []mention{id}, &wire.Post{
			Network: oneOf(t.rng, networks), PostID: thread + "-1", ThreadID: thread, Visibility: visibility, Intent: intent,
			AuthorType: "human", Author: strings.TrimPrefix(handle, "instagram/"), Text: r.text, Reactions: int64(poisson(t.rng, 2)),
		})
		if said && r.glad < 1 && chance(t.rng, .7) {
			t.emit(at+hourMS, sourceSocial, "Social Reply Sent", []mention{id}, &wire.Post{
				Network: "instagram", PostID: thread + "-2", ThreadID: thread, Direction: "outbound", Visibility: visibility,
				AuthorType: "human", Text: "We are sorry to hear that. Please send us the number of your order.",
			})
		}
	}
}

// help plays conversations with the help bot, some of which go on with a person.
func (t *tracer) help(p *person) {
	id, known := t.customer(p)
	if !known {
		return
	}
	for n := range poisson(t.rng, t.cfg.HelpBot) {
		at := t.anytime()
		caseID, topic := fmt.Sprintf("bot-%s-%d", p.id, n), oneOf(t.rng, supportTopics)
		r := t.remark(min(0, t.mood()))
		seconds := 20 + 60*t.rng.Float64()
		outcome := "resolved"
		switch x := t.rng.Float64(); {
		case x < .25:
			outcome = "escalated"
		case x < .4:
			outcome = "abandoned"
		}
		t.emit(at, sourceBot, "Support Message Received", []mention{id}, &wire.SupportContact{
			CaseID: caseID, Channel: "bot", AuthorType: "human", Status: "open", Topic: topic, Text: r.text,
		})
		t.emit(at+int64(1000*seconds), sourceBot, "Self-Service Ended", []mention{id}, &wire.SupportContact{
			CaseID: caseID, Channel: "bot", Direction: "outbound", AuthorType: "automated", SelfService: outcome, Topic: topic, ResponseSeconds: &seconds,
		})
		if outcome == "escalated" {
			wait := 300 + 3600*t.rng.ExpFloat64()
			t.emit(at+int64(1000*wait), sourceBot, "Support Reply Sent", []mention{id}, &wire.SupportContact{
				CaseID: caseID, Channel: "chat", Direction: "outbound", AuthorType: "human", Status: "solved", Topic: topic,
				Agent: fmt.Sprintf("agent-%d", 1+t.rng.IntN(5)), ResponseSeconds: &wait,
			})
		}
	}
}

// answer plays surveys after orders, and reviews of what was bought.
func (t *tracer) answer(p *person) {
	for i := range p.orders {
		if !chance(t.rng, t.cfg.Surveyed) {
			continue
		}
		o := &p.orders[i]
		at := o.Time.UnixMilli() + 5*dayMS + t.rng.Int64N(5*dayMS)
		id := []mention{own("user_id", o.user)}
		glad := t.mood()
		comment := ""
		if chance(t.rng, .5) {
			comment = t.remark(glad).text
		}
		wave := waveOf(at)
		switch t.rng.IntN(4) {
		case 0:
			score := float64(1 + t.rng.IntN(3) + 2*(glad+1)/2)
			t.emit(at, sourceSurvey, "Survey Answered", id, &wire.Answer{Instrument: "csat", Score: &score, Comment: comment, Survey: "after-order", Wave: wave})
		case 1:
			score := float64(2 + t.rng.IntN(3) + glad + 1)
			t.emit(at, sourceSurvey, "Survey Answered", id, &wire.Answer{Instrument: "ces", Score: &score, Comment: comment, Survey: "after-help", Wave: wave})
		case 2:
			if len(o.Products) == 0 {
				continue
			}
			score := float64(3 + 2*glad)
			t.emit(at, sourceReviews, "Review Written", id, &wire.Answer{Instrument: "review", Score: &score, Comment: t.remark(glad).text, Subject: oneOf(t.rng, o.Products)})
		default:
			score := float64(map[int]int{-1: t.rng.IntN(7), 0: 7 + t.rng.IntN(2), 1: 8 + t.rng.IntN(3)}[glad])
			t.emit(at, sourceSurvey, "Survey Answered", id, &wire.Answer{Instrument: "nps", Score: &score, Comment: comment, Survey: "relation", Wave: wave})
		}
	}
}

// waveOf names the month of a survey's wave.
func waveOf(ms int64) string { return at(ms).Format("2006-01") }

// mail plays the campaigns: what was sent, and what became of it.
func (t *tracer) mail(p *person) {
	rate := t.cfg.Newsletter
	if len(p.users) == 0 {
		rate = t.cfg.VisitorNewsletter
	}
	id, known := t.told(p)
	if !known || !chance(t.rng, rate) {
		return
	}
	for i, c := range campaigns {
		if !chance(t.rng, t.cfg.Mailed) {
			continue
		}
		at := t.start + int64(i+1)*(t.end-t.start)/int64(len(campaigns)+1) + t.rng.Int64N(2*hourMS)
		m := wire.Outreach{Channel: "email", Campaign: c, Template: c + "-v1", MessageID: c + "-" + p.id, Subject: "News for " + p.first}
		tell := func(after int64, name, action, detail string) {
			part := m
			part.Action, part.Detail = action, detail
			t.emit(at+after, sourceMail, name, []mention{id}, &part)
		}
		tell(0, "Email Sent", "sent", "")
		if chance(t.rng, .02) {
			tell(minuteMS, "Email Bounced", "bounced", "mailbox full")
			continue
		}
		tell(minuteMS, "Email Delivered", "delivered", "")
		if !chance(t.rng, .25) {
			continue
		}
		opened := t.rng.Int64N(2 * dayMS)
		tell(opened+2*minuteMS, "Email Opened", "opened", "")
		switch x := t.rng.Float64(); {
		case x < .2:
			m.Link = "https://shop.example/" + c
			tell(opened+3*minuteMS, "Email Clicked", "clicked", "")
		case x < .22:
			tell(opened+3*minuteMS, "Email Unsubscribed", "unsubscribed", "")
		}
	}
}
