package normalize

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSameName(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"Robert", "bob", true},
		{"BOB", "Robert", true},
		{"Élizabeth", "Liz", true},
		{"William", "Bill", true},
		{"Ana", "ana", true},
		{"Ana", "Anna ", false},
		{"Al", "Albert", true},
		{"Al", "Alan", true},
		{"Albert", "Alan", false}, // both are Al
		{"K.C.", "Casey", true},
		{"k c", "kasey", true},
		{"Robert", "Albert", false},
		{"Nan", "Nancy", true}, // and yet no identifier: NaN is what programs write
		{"", "", false},
		{"?", "!", false},
		{"Σωτήρης", "Sotiris", true},
	} {
		if got := SameName(c.a, c.b); got != c.want {
			t.Errorf("SameName(%q, %q) is %v", c.a, c.b, got)
		}
	}
}

// TestDictionary: every line is folded already, so that a look-up finds it, and
// groups are numbered in order.
func TestDictionary(t *testing.T) {
	if n := len(nicknames()); n < 1900 {
		t.Errorf("%d names", n)
	}
	for name, groups := range nicknames() {
		if folded, err := foldText(name); err != nil || folded != name || strings.ContainsAny(name, ".',") {
			t.Errorf("%q is not folded: %q (%v)", name, folded, err)
		}
		if !slices.IsSorted(groups) || len(slices.Compact(slices.Clone(groups))) != len(groups) {
			t.Errorf("%q: groups %v", name, groups)
		}
		if !slices.Equal(NicknameGroups(strings.ToUpper(name)), groups) {
			t.Errorf("%q is not found in capitals", name)
		}
	}
}

func TestSameNameIsSymmetric(t *testing.T) {
	var names []string
	for name := range nicknames() {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SampledFrom(names).Draw(t, "a"), rapid.SampledFrom(names).Draw(t, "b")
		if SameName(a, b) != SameName(b, a) || !SameName(a, a) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}
