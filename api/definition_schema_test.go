package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/segmentstest"
)

// beyond are the rules of definitions that the schema cannot say, by what their faults
// say.
var beyond = []string{
	"must be names joined by single dots", "must be later than from", "must be a whole number and a unit", "must be a date such as", "must be a time zone",
	"has no place at the first", "must not ask for more than it allows", "must be a number within",
}

// TestDefinitionSchema holds the schema of definitions against the parser: what one of
// them takes the other takes, for random definitions and for spoilt ones.
func TestDefinitionSchema(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("KINDRED_TEST_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("KINDRED_TEST_SEED=%d", seed)
	schemas.Lock()
	schema, err := schemas.compiler().Compile("kindred:openapi#/components/schemas/Definition")
	schemas.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	takes := func(form []byte) bool {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(form))
		return err == nil && schema.Validate(v) == nil
	}
	m := spoiler{segmentstest.New(seed, 6)}
	refused := 0
	for range 1000 {
		form, err := m.Definition().MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if !takes(form) {
			t.Fatalf("the schema refuses %s", form)
		}
		form = m.spoil(t, form)
		_, err = segments.Parse(form)
		var invalid *segments.Invalid
		switch {
		case err == nil && !takes(form):
			t.Fatalf("the schema alone refuses %s", form)
		case errors.As(err, &invalid):
			refused++
			said := func(f segments.Fault) bool {
				return !slices.ContainsFunc(beyond, func(rule string) bool { return strings.Contains(f.Detail, rule) })
			}
			if takes(form) && slices.ContainsFunc(invalid.Faults, said) {
				t.Fatalf("the schema takes %s: %v", form, err)
			}
		}
	}
	t.Logf("%d of 1000 spoilt definitions are refused", refused)
	if refused < 500 {
		t.Errorf("%d of 1000 spoilt definitions are refused", refused)
	}
}

// spoiler makes definitions wrong.
type spoiler struct{ segmentstest.Maker }

// spoil changes one thing in a definition.
func (m spoiler) spoil(t *testing.T, form []byte) []byte {
	t.Helper()
	var root any
	if err := json.Unmarshal(form, &root); err != nil {
		t.Fatal(err)
	}
	m.inside(root)
	out, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (m spoiler) inside(v any) {
	switch v := v.(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		name := names[m.IntN(len(names))]
		switch v[name].(type) {
		case map[string]any, []any:
			if m.IntN(4) > 0 {
				m.inside(v[name])
				return
			}
		}
		m.member(v, name)
	case []any:
		if i := m.IntN(len(v)); m.IntN(4) == 0 {
			v[i] = m.wrong()
		} else if _, ok := v[i].(map[string]any); ok {
			m.inside(v[i])
		} else {
			v[i] = m.wrong()
		}
	}
}

func (m spoiler) member(v map[string]any, name string) {
	switch m.IntN(3) {
	case 0:
		delete(v, name)
	case 1:
		v[m.One("value", "op", "within", "extra", "is", "where", "count", "event", "channel", "in", "each", "end", "pick", "currency", "optional")] = m.wrong()
	default:
		v[name] = m.wrong()
	}
}

func (m spoiler) wrong() any {
	return []any{nil, true, -1.5, "", "x", "gt", "30d", "granted", []any{}, []any{"x"}, []any{1.0, nil}, map[string]any{}, map[string]any{"gte": 1.0}, map[string]any{"gte": "1h"}, strings.Repeat("x", 2000)}[m.IntN(15)]
}
