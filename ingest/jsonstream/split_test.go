package jsonstream_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/jsonstream"
)

// parts describes what a stream is cut into.
func parts(r io.Reader, lines bool) (out []string) {
	s := jsonstream.New(r, 20, 3, lines)
	for {
		p, err := s.Next()
		var damage *jsonstream.Damage
		switch {
		case errors.Is(err, io.EOF):
			return out
		case errors.As(err, &damage):
			return append(out, "damage: "+damage.Detail)
		case err != nil:
			return append(out, "error: "+err.Error())
		}
		text := fmt.Sprintf("%d %s", p.Line, p.Raw)
		if p.Cut {
			text += " cut"
		}
		if p.Deep {
			text += " deep"
		}
		out = append(out, text)
	}
}

func TestNext(t *testing.T) {
	f := func(text string, lines bool, want ...string) {
		t.Helper()
		// Byte by byte as well: no cut may depend on how the bytes come.
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
			if diff := cmp.Diff(want, parts(r, lines)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", text, diff)
			}
		}
	}
	f("", false)
	f(`[{"a":"]"},1 ,"x"]`, false, `1 {"a":"]"}`, "2 1", `3 "x"`)
	f(`{"a":1}{"b":2} 3`, false, `1 {"a":1}`, `2 {"b":2}`, "3 3")
	f("\n{\"a\":1}\r\n\n7\n", true, `2 {"a":1}`, "4 7")
	f(`["`+strings.Repeat("x", 30)+`",1]`, false, `1 "`+strings.Repeat("x", 19)+" cut", "2 1")
	f(strings.Repeat("x", 30)+"\n1\n", true, "1 "+strings.Repeat("x", 20)+" cut", "2 1")
	f(`[[[[[]]]],1]`, false, "1 [[[[]]]] deep", "2 1")
	f(`[1 2]`, false, "1 1", "damage: a comma or the end of the array is missing")
	f(`[1,]`, false, "1 1", "damage: an element of the array is missing")
	f(`[1`, false, "1 1", "damage: the array is cut off")
	f(`[1]x`, false, "1 1", "damage: something follows the array")
	f(`{"a":"\"}"`, false, `1 {"a":"\"}"`)
	broken := io.MultiReader(strings.NewReader("[1,"), iotest.ErrReader(errors.New("reset")))
	if diff := cmp.Diff([]string{"1 1", "error: reset"}, parts(broken, false)); diff != "" {
		t.Errorf("a reader that fails: %s", diff)
	}
}
