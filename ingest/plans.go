package ingest

import "context"

// Plans gives the tracking plans that ingest holds events against. The plans of
// one revision never change, and a planned range remembers its revision, so that
// a successor that does the range again comes to the same verdicts.
type Plans interface {
	// Revision is the latest one known, 0 when there are no plans.
	Revision() uint64
	// At returns the plans of a revision, waiting until it is known.
	At(ctx context.Context, revision uint64) (PlanSet, error)
}

// PlanSet holds events against the plans of one revision. It is safe for
// concurrent use.
type PlanSet interface {
	// Check returns what the event breaks; none in the ordinary case. A
	// violation with Block makes it a dead letter of reason plan_violation.
	Check(e *Event) []Violation
}

// Violation is one rule of a tracking plan that an event breaks.
type Violation struct {
	Plan    string // name of the plan
	Version string // version of the plan's event
	Pointer string // where in the event, as a JSON pointer, such as /properties/revenue
	Rule    string // keyword of JSON Schema, such as required or type
	Detail  string // names the rule and the value's type, never the value
	Block   bool
}
