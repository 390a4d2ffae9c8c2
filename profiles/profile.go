package profiles

import (
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/identity"
)

// Profile is the view of one person. All times are UTC with millisecond
// precision; slices are sorted as their fields say, so that equal states give
// equal profiles.
type Profile struct {
	ID identity.ProfileID
	// Identifiers holds at most Limits.Identifiers of them, by (first seen,
	// namespace, value); IdentifierCount says how many there are.
	Identifiers     []Identifier
	IdentifierCount int
	// Keys are the keys of all identifiers, the unlisted ones too, ascending.
	Keys []identity.Key
	// Former are the keys of identifiers that are another profile's now and move
	// between people, such as a recycled phone: what happened to them at an
	// earlier time is part of this view. Ascending.
	Former []identity.Key
	// Household is nil for a profile without one.
	Household *Household
	// Traits are the surviving values, by name.
	Traits []Trait
	// Activity counts the events attributed to the profile.
	Activity Activity
	// Orders sums the transactions, one entry per currency, by currency.
	Orders []OrderSummary
	// Scores are the newest of each name, by name.
	Scores []Score
	// Group is nil for a profile that no refresh has seen yet.
	Group *Group
	// Products are what was bought last, the latest first.
	Products []Product
	// Accounts are those that group events named with the profile, by id.
	Accounts []AccountLink
	// Channels sum up the messages that the brand sent, by channel.
	Channels []Channel
	// Recent are the newest events, newest first.
	Recent []Event
	// Answer is nil but for profiles that a cache holds.
	Answer *Answer
}

// Household are the profiles that were seen with the same landline or postal
// address, directly or through each other. It makes no two of them one.
type Household struct {
	ID       identity.HouseholdID
	Profiles []identity.ProfileID // the others, ascending
}

// Identifier is one identifier of the profile with its provenance. The value
// is personal data.
type Identifier struct {
	identity.Identifier
	Key       identity.Key
	FirstSeen time.Time // least event time
	LastSeen  time.Time // the day, at midnight UTC, of the greatest event time
	Sources   []string  // sorted
}

// Trait is a surviving value and where it comes from. The value is personal
// data.
type Trait struct {
	Name   string
	Value  json.RawMessage // JSON text, never null
	Rule   Rule            // the survivorship rule that chose the value
	Source string          // of the chosen observation; the newest one for rules that combine several
	Time   time.Time       // event time of that observation
}

// Activity counts events by kind, such as "behaviour" and "transaction".
type Activity struct {
	FirstSeen time.Time // zero without events
	LastSeen  time.Time
	Events    map[string]uint64
}

// Total returns the number of events of all kinds.
func (a Activity) Total() uint64 {
	var n uint64
	for _, c := range a.Events {
		n += c
	}
	return n
}

// OrderSummary sums the transactions of one currency. Amounts are before tax
// and shipping, with four decimal places, and are never added over currencies.
type OrderSummary struct {
	Currency   string // ISO 4217
	Orders     uint64 // distinct orders that are not cancelled
	Refunds    uint64 // distinct refunds
	Amount     decimal.Decimal
	Refunded   decimal.Decimal // zero or negative, as refunds are recorded
	FirstOrder time.Time       // zero without orders
	LastOrder  time.Time
}

// Revenue returns what remains after refunds.
func (s OrderSummary) Revenue() decimal.Decimal { return s.Amount.Add(s.Refunded) }

// Score is the newest value of one score: a calibrated probability, or an
// amount, with its interval.
type Score struct {
	Name         string
	ModelVersion string
	AsOf         time.Time // the state of the world that the score describes
	ComputedAt   time.Time
	Value        float64
	Lower, Upper float64
	Detail       json.RawMessage // model-specific JSON object, nil when there is none
}

// Group says what kind of customer a profile is.
type Group struct {
	// Stage is that of the lifecycle.
	Stage string
	// Persona is the id of the persona, PersonaName what it is called, and ModelVersion
	// that of the model; empty for none.
	Persona, PersonaName, ModelVersion string
	// Recency, Frequency and Money are quintiles, 5 the best; 0 for who never bought.
	Recency, Frequency, Money int
	Since                     time.Time // when any of these changed last
}

// Event is one entry of a timeline.
type Event struct {
	Position   Position // in a timeline
	MessageID  string
	Kind       string
	Name       string
	Type       string
	Source     string
	Time       time.Time
	Properties json.RawMessage // JSON object, nil when there is none
	// Detail is what the kind of the event has beyond properties, such as the
	// amount of an order: a JSON object. Only timelines have it.
	Detail json.RawMessage
	// Context and Identifiers, as namespace:value, are what else the event said.
	// Only timelines have them; both are personal.
	Context     json.RawMessage
	Identifiers []string
}

// Size estimates the bytes of memory that p holds, for caches bounded by size.
// It counts structures by their worst alignment, so it errs on the large side.
func (p *Profile) Size() int64 {
	const text = 16 // a string or slice header that its struct's figure leaves out
	n := 256 + 8*len(p.Keys) + 8*len(p.Former)
	if p.Household != nil {
		n += 48 + 8*len(p.Household.Profiles)
	}
	for _, i := range p.Identifiers {
		n += 160 + len(i.Namespace) + len(i.Value)
		for _, s := range i.Sources {
			n += text + len(s)
		}
	}
	for _, t := range p.Traits {
		n += 128 + len(t.Name) + len(t.Value) + len(t.Source) + len(t.Rule)
	}
	for kind := range p.Activity.Events {
		n += 48 + len(kind)
	}
	for _, o := range p.Orders {
		n += 240 + len(o.Currency)
	}
	for _, s := range p.Scores {
		n += 160 + len(s.Name) + len(s.ModelVersion) + len(s.Detail)
	}
	if g := p.Group; g != nil {
		n += 144 + len(g.Stage) + len(g.Persona) + len(g.PersonaName) + len(g.ModelVersion)
	}
	for i := range p.Products {
		q := &p.Products[i]
		n += 480 + len(q.ID) + len(q.Name) + len(q.Category) + 160*len(q.Spent)
	}
	for _, a := range p.Accounts {
		n += 96 + len(a.ID)
	}
	for _, c := range p.Channels {
		n += 176 + len(c.Channel) + 64*len(c.Messages)
	}
	for _, e := range p.Recent {
		n += 240 + len(e.MessageID) + len(e.Kind) + len(e.Name) + len(e.Type) + len(e.Source) + len(e.Properties)
	}
	return int64(n)
}
