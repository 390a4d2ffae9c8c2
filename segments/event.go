package segments

import "time"

// Event tests a profile's events of one name: how many there are, a Measure of
// them, or what the first or the last of them says.
type Event struct {
	Name string
	// Kind restricts the events to one kind, such as "behaviour"; "" is any.
	Kind string
	// Count must hold for the number of events; one or more when empty and
	// nothing else is asked. It has no place beside Measure and Pick.
	Count Comparison
	// Within restricts the events to (now - Within, now]; 0 is all time.
	Within time.Duration
	// Period restricts the events to an absolute window as well.
	Period Period
	// Where must all hold for an event to count.
	Where []Property
	// Measure is compared in place of the number, where it asks anything.
	Measure Measured
	// Pick takes one event of those of the name, kind and windows, and asks
	// whether Where holds for it. "" counts all for which Where holds.
	Pick Pick
}

// Pick says which event decides.
type Pick string

// The picks, in the order of messages: by time, equal times by the hash of the
// message.
const (
	First Pick = "first"
	Last  Pick = "last"
)

// Period is an absolute window [From, Until); a zero time leaves it open.
type Period struct{ From, Until time.Time }

// Contains reports whether t lies in the period.
func (p Period) Contains(t time.Time) bool {
	return !t.Before(p.From) && (p.Until.IsZero() || t.Before(p.Until))
}

// Aggregate is a function of the numbers that a property has.
type Aggregate string

// The aggregates. Values that are no numbers, and numbers beyond ±1e15, are
// passed over; sums are exact to four decimal places (half to even). Without
// numbers the sum and the days are 0, and the others fail every comparison.
const (
	Sum     Aggregate = "sum"
	Average Aggregate = "average"
	Min     Aggregate = "min"
	Max     Aggregate = "max"
	Days    Aggregate = "days" // distinct days, in UTC, with an event; no property
)

// Measured compares an aggregate. The zero value asks nothing.
type Measured struct {
	Aggregate Aggregate
	Of        []string // path of the property; none for Days
	Is        Comparison
}

// Property tests one property of an event.
type Property struct {
	// Path leads through nested objects to the property. In JSON it is one text
	// with dots between the names, and \. for a dot within a name.
	Path []string
	// Each, where it is not empty, is the path within each element of the array
	// at Path; the test must hold for some element.
	Each []string
	Test Test
}

// Sequence holds for a profile with events that match its steps one after the
// other in the order of messages (by time, equal times by the hash of the
// message); any number of other events may lie between.
type Sequence struct {
	Steps []Step
	// Within and Period restrict all events, exclusions too, as in Event.
	Within time.Duration
	Period Period
	// Span bounds the time from the first event to the last; 0 does not.
	Span time.Duration
}

// Step is one event of a sequence.
type Step struct {
	Name, Kind string // as in Event
	Where      []Property
	// Optional steps may be left out. The next step's bounds count from the
	// last step that was taken. The first and the last step are not optional.
	Optional bool
	// AtLeast and AtMost bound the time since the step before; 0 does not.
	AtLeast, AtMost time.Duration
	// Without forbids events strictly between the step before and this one.
	Without *Exclusion
}

// Exclusion says which events must not lie between two steps.
type Exclusion struct {
	Name, Kind string
	Where      []Property
}
