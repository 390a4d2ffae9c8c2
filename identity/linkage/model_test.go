package linkage_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/synthetic"
)

// modelOf trains a model and returns its JSON.
func modelOf(t *testing.T, config synthetic.Config) (*linkage.Model, string) {
	t.Helper()
	table, _ := invented(t, config, 900, 20)
	r, err := linkage.Link(t.Context(), table, linkage.Options{Budget: 20000}.Sampling(1<<15))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r.Model)
	if err != nil {
		t.Fatal(err)
	}
	return r.Model, string(text)
}

// A model is the same after it was written and read, to the byte and the last
// bit of every weight, and holds no value of a record.
func TestModelRoundTrip(t *testing.T) {
	for _, config := range []synthetic.Config{synthetic.FebrlLike(), synthetic.CRM()} {
		m, text := modelOf(t, config)
		var read linkage.Model
		if err := json.Unmarshal([]byte(text), &read); err != nil {
			t.Fatal(err)
		}
		if err := read.Validate(); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(&read)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text, string(again)); diff != "" {
			t.Fatal(diff)
		}
		if len(m.Version) != 16 || read.Version != m.Version {
			t.Errorf("versions %q and %q", m.Version, read.Version)
		}
		table, _ := invented(t, config, 900, 20)
		for _, c := range table.Columns {
			for _, v := range c.Values {
				if len(v) > 12 && strings.Contains(text, v) {
					t.Fatalf("the model holds the value %q", v)
				}
			}
		}
	}
}

// tampered are changes that the version tells.
var tampered = map[string]func(m *linkage.Model){
	"prior":             func(m *linkage.Model) { m.Prior += 1e-9 },
	"a level":           func(m *linkage.Model) { m.Fields[0].Levels[0].Bits++ },
	"rarity":            func(m *linkage.Model) { m.Fields[1].RareBits++ },
	"a frequent value":  func(m *linkage.Model) { m.Fields[1].Frequent[7] = 3 },
	"a kind":            func(m *linkage.Model) { m.Kinds[0].Prior++ },
	"a kind's level":    func(m *linkage.Model) { m.Kinds[0].Bits[0][1]++ },
	"a rule":            func(m *linkage.Model) { m.Rules = m.Rules[1:] },
	"a hot block":       func(m *linkage.Model) { m.Rules[0].Hot = append(m.Rules[0].Hot, 7) },
	"the columns":       func(m *linkage.Model) { m.Fields[0].Columns[0] = "x" },
	"the version":       func(m *linkage.Model) { m.Version = strings.Repeat("0", 16) },
	"no fields":         func(m *linkage.Model) { m.Fields = nil },
	"17 fields":         func(m *linkage.Model) { m.Fields = append(append(m.Fields, m.Fields...), m.Fields...) },
	"a type":            func(m *linkage.Model) { m.Fields[0].Type = "shoe" },
	"a level too few":   func(m *linkage.Model) { m.Fields[0].Levels = m.Fields[0].Levels[1:] },
	"a kind too narrow": func(m *linkage.Model) { m.Kinds[0].Bits = m.Kinds[0].Bits[1:] },
}

// senseless are changes that would make no index, whatever the version says.
var senseless = map[string]func(m *linkage.Model){
	"no parts":           func(m *linkage.Model) { m.Fields[0].Parts = nil },
	"a part too many":    func(m *linkage.Model) { m.Fields[0].Parts = append(m.Fields[0].Parts, linkage.Year) },
	"no columns":         func(m *linkage.Model) { m.Fields[0].Columns, m.Fields[0].Parts = nil, nil },
	"a kind's levels":    func(m *linkage.Model) { m.Kinds[0].Bits[0] = m.Kinds[0].Bits[0][:2] },
	"a key beyond":       func(m *linkage.Model) { m.Rules[0].Keys = []int{1000} },
	"a key before":       func(m *linkage.Model) { m.Rules[0].Keys = []int{-1} },
	"a field beyond":     func(m *linkage.Model) { m.Rules[0].Further = []int{99} },
	"a field before":     func(m *linkage.Model) { m.Rules[0].Further = []int{-1} },
	"a rule of one name": func(m *linkage.Model) { m.Rules[0].Further = nil; m.Rules[0].Keys = append(m.Rules[0].Keys, 77) },
}

// Whatever weights depend on cannot be changed without the version telling, and
// what was changed with its version is refused where it makes no sense.
func TestModelTampered(t *testing.T) {
	_, text := modelOf(t, synthetic.FebrlLike())
	for name, change := range tampered {
		var m linkage.Model
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		change(&m)
		if err := m.Validate(); err == nil {
			t.Errorf("%s was changed, and the model is valid", name)
		}
	}
	for name, change := range senseless {
		var m linkage.Model
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		change(&m)
		m.Version = m.Hash()
		if _, err := linkage.NewIndex(&m); err == nil {
			t.Errorf("%s: an index takes the model", name)
		}
	}
}
