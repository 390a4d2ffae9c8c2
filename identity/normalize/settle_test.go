package normalize

import (
	"errors"
	"strings"
	"testing"
)

type textOnly string

func (t textOnly) String() string { return string(t) }

// TestSettle: every text of a round gives the same one, and a text that never
// comes back gives an error.
func TestSettle(t *testing.T) {
	next := map[string]textOnly{"x": "b", "b": "c", "c": "a", "a": "b", "y": "y", "e": ""}
	parse := func(v string) (textOnly, error) { return next[v], nil }
	for raw, want := range map[string]textOnly{"x": "a", "a": "a", "b": "a", "c": "a", "y": "y"} {
		if got, err := settle(raw, parse); err != nil || got != want {
			t.Errorf("%q gives %q (%v), want %q", raw, got, err, want)
		}
	}
	if _, err := settle("e", parse); !errors.Is(err, ErrEmpty) {
		t.Error(err)
	}
	grow := func(v string) (textOnly, error) { return textOnly(v + "a"), nil }
	if _, err := settle("a", grow); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := settle(strings.Repeat("a", MaxLength), grow); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
}
