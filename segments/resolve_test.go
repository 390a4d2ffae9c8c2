package segments

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shelf is a Library of texts.
type shelf map[string]string

func (s shelf) Definition(_ context.Context, workspace, id string) (Definition, bool, error) {
	text, ok := s[id]
	if workspace != "main" || !ok {
		return Definition{}, false, nil
	}
	if text == "broken" {
		return Definition{}, false, errors.New("no connection")
	}
	d, err := Parse([]byte(text))
	return d, true, err
}

// TestResolve has a row per way in which segments name each other.
func TestResolve(t *testing.T) {
	leaf, twice := `{"identifier":"email"}`, func(id string) string { return `{"any":[{"segment":"` + id + `"},{"segment":"` + id + `"}]}` }
	library := shelf{
		"a": leaf, "b": `{"not":{"segment":"a"}}`, "lost": `{"all":[{"segment":"gone"}]}`, "broken": "broken",
		"me": `{"segment":"you"}`, "you": `{"segment":"me"}`, "self": `{"not":{"segment":"self"}}`,
		"2": twice("a"), "4": twice("2"), "8": twice("4"), "16": twice("8"), "32": twice("16"), "64": twice("32"), "128": twice("64"),
		"deep": strings.Repeat(`{"not":`, 15) + `{"segment":"deep2"}` + strings.Repeat(`}`, 15), "deep2": strings.Repeat(`{"not":`, 15) + `{"segment":"a"}` + strings.Repeat(`}`, 15),
	}
	f := func(self, text, want string) {
		t.Helper()
		d, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Resolve(t.Context(), library, "main", self, d)
		var invalid *Invalid
		switch {
		case errors.As(err, &invalid):
			if err.Error() != "segment definition: "+want {
				t.Errorf("%s: %v, want %s", text, err, want)
			}
			return
		case err != nil:
			t.Errorf("%s: %v", text, err)
			return
		}
		expected, err := Parse([]byte(want))
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s %v", text, diff, err)
		}
	}
	f("", leaf, leaf)
	f("", `{"segment":"a"}`, leaf)
	f("new", `{"all":[{"segment":"a"},{"not":{"segment":"b"}}]}`, `{"all":[`+leaf+`,{"not":{"not":`+leaf+`}}]}`)
	f("", `{"any":[`+leaf+`,{"segment":"nobody"}]}`, `/any/1/segment: there is no live segment "nobody"`)
	f("", `{"not":{"segment":"lost"}}`, `/not/segment: there is no live segment "gone", which "lost" names`)
	f("a", `{"all":[{"segment":"b"}]}`, `/all/0/segment: leads back to where it came from: a → b → a`)
	f("self", `{"segment":"self"}`, `/segment: leads back to where it came from: self → self`)
	f("", `{"segment":"me"}`, `/segment: leads back to where it came from: me → you → me`)
	f("", `{"all":[{"segment":"x"},{"segment":"y"}]}`, `/all/0/segment: there is no live segment "x"; /all/1/segment: there is no live segment "y"`)
	f("", `{"segment":"64"}`, `/: has more than 60 leaves with those of the segments that it names`)
	f("", `{"segment":"128"}`, `/: has more than 60 leaves with those of the segments that it names`)
	d, _ := Parse([]byte(`{"segment":"deep"}`))
	if got, err := Resolve(t.Context(), library, "main", "", d); err != nil || len(got.Leaves()) != 1 {
		t.Errorf("deeper than one definition may be: %v, %v", got, err)
	}
	d, _ = Parse([]byte(`{"segment":"broken"}`))
	if _, err := Resolve(t.Context(), library, "main", "", d); err == nil || errors.As(err, new(*Invalid)) {
		t.Errorf("library that cannot be read: %v", err)
	}
	var invalid *Invalid
	if _, err := Resolve(t.Context(), nil, "main", "", d); !errors.As(err, &invalid) {
		t.Errorf("no library: %v", err)
	}
}
