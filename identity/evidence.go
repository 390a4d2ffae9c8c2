package identity

import (
	"time"
)

// Period is a calendar quarter of event time: year×4 + quarter (0 to 3). It is
// the unit in which evidence expires.
type Period int32

// PeriodOf returns the quarter of t in UTC.
func PeriodOf(t time.Time) Period {
	year, month, _ := t.UTC().Date()
	return Period(year*4 + (int(month)-1)/3)
}

// PeriodOfMillis returns the quarter of a time in milliseconds since 1970 UTC.
func PeriodOfMillis(ms int64) Period { return PeriodOf(time.UnixMilli(ms)) }

// Day is a number of days since 1970-01-01 UTC.
type Day int32

// DayOf returns the day of t in UTC.
func DayOf(t time.Time) Day { return DayOfMillis(t.UnixMilli()) }

// DayOfMillis returns the day of a time in milliseconds since 1970, rounding
// towards the past before it.
func DayOfMillis(ms int64) Day {
	const day = 24 * 60 * 60 * 1000
	d := ms / day
	if ms%day < 0 {
		d--
	}
	return Day(d)
}

// Span is what one source says of one identifier or pair in one period. Every
// field is a minimum or a maximum, so that spans merge without order. Times are
// milliseconds since 1970 UTC.
type Span struct {
	FirstEvent    int64 `json:"first_event"`    // least event time
	FirstReceived int64 `json:"first_received"` // least received time
	LastEvent     Day   `json:"last_event"`     // last day of event time
	LastReceived  Day   `json:"last_received"`  // last day of received time
}

// Merge returns the least span that covers s and o.
func (s Span) Merge(o Span) Span {
	return Span{
		FirstEvent:    min(s.FirstEvent, o.FirstEvent),
		FirstReceived: min(s.FirstReceived, o.FirstReceived),
		LastEvent:     max(s.LastEvent, o.LastEvent),
		LastReceived:  max(s.LastReceived, o.LastReceived),
	}
}

// Covers reports whether o adds nothing to s: their merge is s.
func (s Span) Covers(o Span) bool {
	return s.FirstEvent <= o.FirstEvent && s.FirstReceived <= o.FirstReceived &&
		s.LastEvent >= o.LastEvent && s.LastReceived >= o.LastReceived
}

// Witness names the event behind a span's first event time, as an example for
// explanations.
type Witness struct {
	Time      int64  `json:"time"`
	MessageID string `json:"message_id"`
}

// Evidence says that the members of an anchor were seen together by a source
// in a period. It is what ingest publishes on the evidence topic: idempotent,
// commutative, and a function of events alone.
type Evidence struct {
	Workspace string   `json:"workspace"`
	Anchor    AnchorID `json:"anchor,string"`
	Members   []Member `json:"members"` // 1 to MaxMembers, as Keyer.Members returns them
	Source    string   `json:"source"`
	Period    Period   `json:"period"`
	Rule      string   `json:"rule"` // what made it: RuleEvent, RuleAlias, …
	Span      Span     `json:"span"`
	Witness   Witness  `json:"witness"`
}

// The rules that make evidence.
const (
	RuleEvent = "event" // an event that carries the identifiers
	// RuleAlias is an event that says of two identifiers that they are one person:
	// what that means is for the rules of identity to say.
	RuleAlias = "alias"
)

// Sighting is the part of evidence that the graph reads: keys and namespaces
// without values. A sighting of k members stands for k identifier sightings and
// for all k(k-1)/2 pairs.
type Sighting struct {
	Anchor  AnchorID
	Members []Node
	Source  string
	Period  Period
	Span    Span
}

// Node is an identifier as the graph sees it.
type Node struct {
	Key       Key
	Namespace Namespace
	// Blocked says that Rules.Blocked holds for the value; it is computed where
	// the value is known, because the graph never sees values.
	Blocked bool
}

// Sighting drops what the graph does not read.
func (e Evidence) Sighting() Sighting {
	s := Sighting{Anchor: e.Anchor, Source: e.Source, Period: e.Period, Span: e.Span}
	s.Members = make([]Node, len(e.Members))
	for i, m := range e.Members {
		s.Members[i] = Node{Key: m.Key, Namespace: m.Namespace}
	}
	return s
}
