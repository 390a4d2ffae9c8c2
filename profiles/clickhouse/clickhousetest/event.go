package clickhousetest

import (
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// Event is one event. MessageID must be unique. The strongest identifier
// decides to whom it belongs.
type Event struct {
	MessageID   string
	Kind        string // "behaviour" when empty
	Name        string
	Type        string
	Source      string // "web" when empty
	Time        time.Time
	Received    time.Time      // Time when it is zero
	Identifiers []string       // "namespace:value", normalised
	Properties  map[string]any // marshalled as JSON
	Traits      map[string]any // each becomes an observation
	Order       *Order         // for transactions
	Contact     *Contact       // for contacts
	Consents    []Consent      // stated by the event
	Fix         *Fix           // for locations
	Voice       *Voice         // for what customers say
}

// Contact is the typed part of a contact.
type Contact struct {
	Action, Channel, Campaign, ID, Subject string
}

// Consent is a statement of consent or refusal. Address is "namespace:value", or empty.
type Consent struct {
	Purpose, Channel, Address string
	Granted                   bool
}

// Fix is the typed part of a location.
type Fix struct{ Lat, Lon float64 }

// Voice is the typed part of what somebody said in social media, to support or in
// feedback. Score is the answer to the question of how likely they are to recommend.
type Voice struct {
	Medium, Direction string // social, support or feedback; inbound or outbound
	Sentiment, Score  *float64
}

// Order is the typed part of a transaction.
type Order struct {
	Type, ID, Status, Currency string
	Amount                     string // decimal
	Items                      []Item
}

// Item is a line of an order.
type Item struct {
	Product, Name, Quantity, Price string // the last two are decimals
	Category                       string
}

// Score is one row of the table of scores.
type Score struct {
	Profile          identity.ProfileID
	Name, Model      string
	AsOf, ComputedAt time.Time
	Value            float64
	Lower, Upper     float64
	Detail           string
}

// Group is a row of profile_groups.
type Group struct {
	Profile                   identity.ProfileID
	Time                      time.Time
	Stage, Persona, Name      string
	Recency, Frequency, Money uint8
	Model                     string
}
