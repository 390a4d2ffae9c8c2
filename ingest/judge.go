package ingest

import (
	"context"
	"fmt"
	"strings"
)

// Violated is one rule that a new event of a batch broke, whether it was stored
// or became a dead letter.
type Violated struct {
	Event *Event
	Violation
}

// Value returns the JSON of the message as it came, which is what tracking plans
// are held against. It must not be changed.
func (e *Event) Value() []byte { return e.raw }

// noPlans is the plan set of a pipeline without plans.
type noPlans struct{}

func (noPlans) Check(*Event) []Violation { return nil }

// revision is that of the tracking plans which a new range is held against.
func (p *Pipeline) revision() uint64 {
	if p.deps.Plans == nil {
		return 0
	}
	return p.deps.Plans.Revision()
}

// plansAt returns the plans of the revision that a range was planned with.
func (p *Pipeline) plansAt(ctx context.Context, revision uint64) (set PlanSet, err error) {
	if revision == 0 || p.deps.Plans == nil {
		return noPlans{}, nil
	}
	err = p.retry(ctx, "read tracking plans", func() (err error) {
		set, err = p.deps.Plans.At(ctx, revision)
		return err
	})
	return set, err
}

// judge holds a new event against the plans. It returns the event with what it
// breaks, or the dead letter that it becomes when a plan blocks it. The letter is
// known by id and body, so that an event which is sent again is kept once.
func (p *Pipeline) judge(r decoded, plans PlanSet) decoded {
	if r.event == nil {
		return r
	}
	var why []string
	for _, v := range plans.Check(r.event) {
		r.broken = append(r.broken, Violated{r.event, v})
		if v.Block {
			why = append(why, fmt.Sprintf("plan %s, version %q: %s at %q: %s", v.Plan, v.Version, v.Rule, v.Pointer, v.Detail))
		}
	}
	if len(why) == 0 {
		return r
	}
	e := r.event
	lo, hi := p.decoder.keyer(e.Workspace).Message("blocked", string(e.Kind), e.Source, e.ID, fmt.Sprint(e.BodyHash))
	r.event, r.letter = nil, &DeadLetter{
		Workspace: e.Workspace, Received: e.Received, Source: e.Source, Reason: ReasonPlan, Detail: strings.Join(why, "; "),
		MessageID: e.ID, Position: e.Position, Value: e.raw, Headers: map[string]string{},
		Hash: Hash{lo, hi}, BodyHash: e.BodyHash,
	}
	return r
}

// mode says what a violation led to.
func (v Violation) mode() string {
	if v.Block {
		return "block"
	}
	return "warn"
}
