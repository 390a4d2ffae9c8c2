package simulate

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// action is what happened.
type action uint8

const (
	pageViewed action = iota
	screenViewed
	productViewed
	productAdded
	checkoutStarted
	signedIn
	signedOut
	subscribed
	letterClicked
	called
	cardIssued
	cardLinked
)

// actions gives each action its form on the wire.
var actions = [...]struct {
	kind       wire.Kind
	call, name string
}{
	pageViewed:      {wire.Behaviour, "page", "Page Viewed"},
	screenViewed:    {wire.Behaviour, "screen", "Screen Viewed"},
	productViewed:   {wire.Behaviour, "track", "Product Viewed"},
	productAdded:    {wire.Behaviour, "track", "Product Added"},
	checkoutStarted: {wire.Behaviour, "track", "Checkout Started"},
	signedIn:        {wire.Behaviour, "identify", "Signed In"},
	signedOut:       {wire.Behaviour, "track", "Signed Out"},
	subscribed:      {wire.Behaviour, "identify", "Newsletter Subscribed"},
	letterClicked:   {wire.Behaviour, "track", "Newsletter Clicked"},
	called:          {wire.Support, "", "Support Case Opened"},
	cardIssued:      {wire.Behaviour, "identify", "Loyalty Card Issued"},
	cardLinked:      {wire.Behaviour, "identify", "Loyalty Card Linked"},
}

// The sources. All are trusted: they write to Kafka themselves.
const (
	sourceWeb    = "web"
	sourceApp    = "app"
	sourceLetter = "newsletter"
	sourceTablet = "store-tablet"
	sourceCall   = "call-centre"
)

// event is one event before it is encoded. Times are milliseconds since 1970.
type event struct {
	at, arrive int64
	act        action
	source     string
	ids        []wire.Identifier // as the source sends them: not canonical
	who        *person           // whose traits the event states, or nil
	account    bool              // they are those of an account
	email      string            // the address among the traits, as typed
	phone      string            // the number among them, as written
	page       string
	referrer   string
	campaign   string
	product    string
	order      string
	session    string
	// name and part are those of a trace, which has no action.
	name string
	part any
}

// kind is the kind of event, which names its topic.
func (e *event) kind() wire.Kind {
	if e.part != nil {
		return kindOf(e.part)
	}
	return actions[e.act].kind
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// message returns the event's message. A client that tried again sends the same
// message with a later sending time.
func (e *event) message(id string, retry time.Duration) (wire.Message, error) {
	if e.part != nil {
		m := wire.Message{ID: id, Name: e.name, Source: e.source, Time: at(e.at), Identifiers: e.ids}
		attach(&m, e.part)
		if e.kind() == wire.Behaviour {
			m.Type, m.OriginalTime, m.SentTime = "identify", at(e.at), at(e.arrive).Add(retry)
		}
		return m, nil
	}
	form := actions[e.act]
	m := wire.Message{ID: id, Name: form.name, Type: form.call, Source: e.source, Time: at(e.at), Identifiers: e.ids}
	if form.kind == wire.Behaviour {
		m.OriginalTime, m.SentTime = at(e.at), at(e.arrive).Add(retry)
	}
	if e.act == called {
		m.Support = &wire.SupportContact{CaseID: "case-" + id, Channel: "phone", AuthorType: "human", Status: "open"}
	}
	var err error
	if p := (properties{e.product, e.order, e.channel()}); p != (properties{}) {
		m.Properties, err = encode(p, err)
	}
	if e.who != nil {
		t := traits{FirstName: e.who.first, LastName: e.who.last, Email: e.email, Phone: e.phone, Country: e.who.country}
		if e.account {
			e.who.account(&t)
		}
		m.Traits, err = encode(t, err)
	}
	if e.page != "" {
		c := situation{Page: page{"https://shop.example" + e.page, e.referrer}, SessionID: e.session}
		if e.campaign != "" {
			c.Campaign = &campaign{e.campaign}
		}
		m.Context, err = encode(c, err)
	}
	return m, err
}

func (e *event) channel() string {
	if e.act == called {
		return "phone"
	}
	return ""
}

// The free objects of a message.
type (
	properties struct {
		ProductID string `json:"product_id,omitempty"`
		OrderID   string `json:"order_id,omitempty"`
		Channel   string `json:"channel,omitempty"`
	}
	traits struct {
		FirstName string   `json:"firstName"`
		LastName  string   `json:"lastName"`
		Email     string   `json:"email,omitempty"`
		Phone     string   `json:"phone,omitempty"`
		Birthday  string   `json:"birthday,omitempty"`
		Address   *address `json:"address,omitempty"`
		Country   string   `json:"country,omitempty"`
	}
	situation struct {
		Page      page      `json:"page"`
		Campaign  *campaign `json:"campaign,omitempty"`
		SessionID string    `json:"sessionId"`
	}
	page struct {
		URL      string `json:"url"`
		Referrer string `json:"referrer,omitempty"`
	}
	campaign struct {
		Name string `json:"name"`
	}
)

// encode returns the JSON of v, or nothing after an earlier error.
func encode(v any, earlier error) (json.RawMessage, error) {
	if earlier != nil {
		return nil, earlier
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return text, nil
}

// messageID returns the id of the n-th message of a run.
func messageID(run string, n int) string { return run + "-" + strconv.FormatInt(int64(n), 36) }
