package ledger

import (
	"errors"
	"fmt"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// The range of DateTime64 in milliseconds, with a day to spare at both ends: a
// time outside it would be stored as another one, and a reload would differ.
var (
	minTime = time.Date(1900, 1, 2, 0, 0, 0, 0, time.UTC).UnixMilli()
	maxTime = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
)

const maxName = 200 // bytes of a workspace, source or rule

// decode reads one record of the evidence topic. Its errors name what is wrong
// and never a value.
func decode(d *identity.EvidenceDecoder, value []byte) (identity.Evidence, error) {
	e, err := d.Decode(value)
	if err != nil {
		return identity.Evidence{}, err
	}
	return e, validate(&e)
}

func validate(e *identity.Evidence) error {
	for _, s := range [...]struct{ name, value string }{
		{"workspace", e.Workspace}, {"source", e.Source}, {"rule", e.Rule},
	} {
		if s.value == "" || len(s.value) > maxName {
			return fmt.Errorf("%s must be 1 to %d bytes", s.name, maxName)
		}
	}
	if err := validateMembers(e); err != nil {
		return err
	}
	return validateSpan(e)
}

func validateMembers(e *identity.Evidence) error {
	n := len(e.Members)
	if n == 0 || n > identity.MaxMembers {
		return fmt.Errorf("evidence must have 1 to %d members", identity.MaxMembers)
	}
	for i, m := range e.Members {
		if err := m.Namespace.Validate(); err != nil {
			return fmt.Errorf("member %d: %w", i, err)
		}
		if m.Value == "" {
			return fmt.Errorf("member %d has an empty value", i)
		}
		if m.Key == 0 || identity.AnchorID(m.Key).IsSet() {
			return fmt.Errorf("member %d: key is not one of an identifier", i)
		}
		for _, o := range e.Members[:i] {
			if o.Key == m.Key {
				return fmt.Errorf("member %d: key appears twice", i)
			}
		}
	}
	if n == 1 && e.Anchor != identity.AnchorID(e.Members[0].Key) {
		return errors.New("anchor of one member must be its key")
	}
	if n > 1 && !e.Anchor.IsSet() {
		return errors.New("anchor of two or more members must be a set's")
	}
	return nil
}

// validateSpan checks what every merge of valid spans keeps: an event is
// received at or after its time, and both ends lie in one period.
func validateSpan(e *identity.Evidence) error {
	s := e.Span
	switch {
	case s.FirstEvent < minTime || s.FirstReceived > maxTime:
		return errors.New("span lies outside the years 1900 to 2261")
	case s.FirstEvent > s.FirstReceived || s.LastEvent > s.LastReceived:
		return errors.New("span has an event time after its received time")
	case s.LastEvent < identity.DayOfMillis(s.FirstEvent) || s.LastReceived < identity.DayOfMillis(s.FirstReceived):
		return errors.New("span ends before it begins")
	case s.LastReceived > identity.DayOfMillis(maxTime):
		return errors.New("span lies outside the years 1900 to 2261")
	case e.Period != identity.PeriodOfMillis(s.FirstEvent) || e.Period != identity.PeriodOf(dayTime(s.LastEvent)):
		return errors.New("span lies outside its period")
	}
	return nil
}

// dayTime returns the start of d.
func dayTime(d identity.Day) time.Time { return time.Unix(int64(d)*24*60*60, 0).UTC() }
