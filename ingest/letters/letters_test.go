package letters_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/ingest/letters"
)

// What breaks a rule is refused before anything is asked of the store or of the
// owner of commands: neither is there.
func TestRefusals(t *testing.T) {
	s := letters.NewService(letters.NewStore(nil), nil)
	id := strings.Repeat("0a", 16)
	many := make([]string, letters.MaxLetters+1)
	for i := range many {
		many[i] = fmt.Sprintf("%032x", i)
	}
	request := func(name, want, kind string, r letters.Request) {
		t.Helper()
		if _, err := s.Act(t.Context(), "main", "ana", kind, r); !errors.Is(err, letters.ErrRefused) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want it refused for %q", name, err, want)
		}
	}
	request("no letters", "letters", letters.KindReplay, letters.Request{})
	request("too many", "letters", letters.KindReplay, letters.Request{Letters: many})
	request("not an id", "letters[1]", letters.KindReplay, letters.Request{Letters: []string{id, "hunter2"}})
	request("upper case", "lower case", letters.KindReplay, letters.Request{Letters: []string{strings.ToUpper(id)}})
	request("twice", "letters[1]", letters.KindDiscard, letters.Request{Letters: []string{id, id}})
	request("long reason", "reason", letters.KindDiscard, letters.Request{Letters: []string{id}, Reason: strings.Repeat("x", 1001)})
	request("empty note", "reason", letters.KindNote, letters.Request{Letters: []string{id}})
	request("edit of two", "one letter", letters.KindEdit, letters.Request{Letters: many[:2], Value: json.RawMessage(`{}`)})
	request("edit into nothing", "value", letters.KindEdit, letters.Request{Letters: []string{id}})
	request("edit into text", "value", letters.KindEdit, letters.Request{Letters: []string{id}, Value: json.RawMessage(`"hunter2"`)})
	request("huge edit", "value", letters.KindEdit, letters.Request{Letters: []string{id}, Value: json.RawMessage(`{"a":"` + strings.Repeat("x", letters.MaxValue) + `"}`)})
	request("replay with a value", "value", letters.KindReplay, letters.Request{Letters: []string{id}, Value: json.RawMessage(`{}`)})

	filter := func(name, want string, f letters.Filter) {
		t.Helper()
		_, _, err := s.List(t.Context(), "main", f, "", 10)
		_, sum := s.Summary(t.Context(), "main", f)
		_, bulk := s.ActAll(t.Context(), "main", "ana", letters.KindReplay, letters.Bulk{Filter: f, Limit: 10})
		for _, err := range []error{err, sum, bulk} {
			if !errors.Is(err, letters.ErrRefused) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want it refused for %q", name, err, want)
			}
		}
	}
	filter("kind", "kind", letters.Filter{Kind: "behavior"})
	filter("status", "status", letters.Filter{Statuses: []string{"opened"}})
	filter("long source", "source", letters.Filter{Source: strings.Repeat("x", 201)})
	filter("year", "since", letters.Filter{Since: time.Date(1, 2, 3, 0, 0, 0, 0, time.UTC)})
	filter("far year", "until", letters.Filter{Until: time.Date(9999, 2, 3, 0, 0, 0, 0, time.UTC)})
	for _, limit := range []int{0, -1, 501} {
		if _, _, err := s.List(t.Context(), "main", letters.Filter{}, "", limit); !errors.Is(err, letters.ErrRefused) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	for _, cursor := range []string{"x", "!!!", "MTIz", "MTIzLmFi", strings.Repeat("A", 100)} {
		if _, _, err := s.List(t.Context(), "main", letters.Filter{}, cursor, 1); !errors.Is(err, letters.ErrRefused) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
	if _, err := s.ActAll(t.Context(), "main", "ana", letters.KindReplay, letters.Bulk{Limit: letters.MaxLetters + 1}); !errors.Is(err, letters.ErrRefused) {
		t.Errorf("a bulk of too many: %v", err)
	}
	for _, id := range []string{"", "x", strings.Repeat("g", 32), strings.Repeat("0", 33)} {
		if _, err := s.Get(t.Context(), "main", id); !errors.Is(err, letters.ErrNotFound) {
			t.Errorf("letter %q: %v", id, err)
		}
	}
}
