package profiles

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/identity"
)

// ErrTooExpensive says that a question would read more than it may.
var ErrTooExpensive = errors.New("the question would read too much")

// History reads what a whole view holds the newest of, page by page.
// Implementations are safe for concurrent use. Every method takes a present id, as
// Store.Resolve returns it, and returns ErrNotFound when it was merged away since;
// what it returns belongs to the caller.
type History interface {
	// Timeline returns events of every kind, newest first unless q says otherwise.
	Timeline(ctx context.Context, workspace string, id identity.ProfileID, q TimelineQuery) ([]Event, error)
	// Contacts returns the messages that the brand sent and what became of them,
	// newest first.
	Contacts(ctx context.Context, workspace string, id identity.ProfileID, q PageQuery) ([]Contact, error)
	// Products returns what was bought, latest first.
	Products(ctx context.Context, workspace string, id identity.ProfileID, q PageQuery) ([]Product, error)
	// AllIdentifiers returns every identifier in the order of Profile.Identifiers.
	AllIdentifiers(ctx context.Context, workspace string, id identity.ProfileID) ([]Identifier, error)
}

// Position is a place in a list that is ordered by time and then by a key, so
// that a page begins after what another one ended with, whatever was added since.
type Position struct {
	Time time.Time // zero: the beginning
	Key  string
}

// PageQuery asks for a page.
type PageQuery struct {
	After Position
	Limit int
}

// TimelineQuery asks for a page of a timeline.
type TimelineQuery struct {
	PageQuery
	// Kinds, Names and Sources restrict the events to any of theirs; none is all.
	Kinds, Names, Sources []string
	// Except leaves out events of these names.
	Except []string
	// From and To restrict the time of the event, From inclusive and To not; zero
	// is no restriction.
	From, To time.Time
	// Ascending puts the oldest first.
	Ascending bool
}

// Contact is a message that the brand sent, and what became of it.
type Contact struct {
	Position  Position // Time is that of the first thing known of it
	MessageID string   // of the message sent; empty when its sender gave none
	Channel   string
	Campaign  string
	Template  string
	Subject   string // personal
	Source    string
	// Actions are when each thing happened first: sent, delivered, opened, ….
	Actions map[string]time.Time
}

// Channel sums up the contacts over one channel.
type Channel struct {
	Channel string
	// Messages counts distinct messages by what happened to them.
	Messages map[string]uint64
	First    time.Time
	Last     time.Time
	// Answered is when the customer last opened, clicked or replied; zero for never.
	Answered time.Time
}

// Product is what a customer bought of one product.
type Product struct {
	Position Position // Time is that of the last purchase
	ID       string
	Name     string
	Category string
	Orders   uint64 // distinct orders that stand
	// Bought and Returned are quantities; Held is what of the orders was not
	// given back.
	Bought, Returned, Held decimal.Decimal
	// Subscribed says that the newest word of a subscription to it is no end.
	Subscribed bool
	// Spent is before tax and shipping and less what was refunded, by currency.
	Spent map[string]decimal.Decimal
	First time.Time // first purchase

	order *purchase // counted last
}

// AccountLink says that events named a profile and an account together.
type AccountLink struct {
	ID     string
	First  time.Time
	Last   time.Time
	Events uint64
}

// Account is a group of people, such as a company: what group events said of it.
type Account struct {
	ID     string
	Traits []AccountTrait // by name
	First  time.Time
	Last   time.Time
	// Members is a page of the profiles that belong to it, by id.
	Members []AccountMember
}

// AccountTrait is the newest value of a trait of an account.
type AccountTrait struct {
	Name   string
	Value  json.RawMessage
	Source string
	Time   time.Time
}

// AccountMember is a profile that belongs to an account.
type AccountMember struct {
	ID     identity.ProfileID
	First  time.Time
	Last   time.Time
	Events uint64
}

// ErrNoAccount says that no group event of the workspace named the account.
var ErrNoAccount = errors.New("account not found")

// Accounts reads accounts. Implementations are safe for concurrent use.
type Accounts interface {
	// Account returns an account with up to limit of its members after an id, or
	// ErrNoAccount.
	Account(ctx context.Context, workspace, id string, after identity.ProfileID, limit int) (*Account, error)
}

// Searcher finds profiles. Implementations are safe for concurrent use and
// bound what a search reads: beyond it they return ErrTooExpensive.
type Searcher interface {
	// ByPrefix returns identifiers that begin with a text, of any namespace when
	// ns is empty, with the present profile of each, in the order of their values.
	ByPrefix(ctx context.Context, workspace string, ns identity.Namespace, prefix string, q SearchQuery) ([]Match, error)
	// ByTrait returns profiles of whom one of values, JSON texts, was once said
	// as a trait, in an order of its own. Whether it survives is for Load to say.
	ByTrait(ctx context.Context, workspace, trait string, values []string, q SearchQuery) ([]Match, error)
}

// SearchQuery asks for a page of what a search finds, after the Place of the
// last match of the page before.
type SearchQuery struct {
	After string
	Limit int
}

// Match is a profile that a search found, and by what.
type Match struct {
	Profile    identity.ProfileID // 0 for what is nobody's, such as the value of a household
	Identifier identity.Identifier
	Place      string
}
