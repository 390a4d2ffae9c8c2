package normalize

import (
	_ "embed" // The dictionary is part of the program: one version, one meaning.
	"slices"
	"strings"
	"sync"
	"unicode"
)

//go:embed nicknames.txt
var nicknameText string

// nicknames maps a folded given name to the groups that hold it, ascending. It
// is read once, at the first look-up, and never changes.
var nicknames = sync.OnceValue(func() map[string][]int {
	groups := map[string][]int{}
	id := 0
	for line := range strings.Lines(nicknameText) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for name := range strings.SplitSeq(line, "|") {
			name = strings.TrimSpace(name)
			groups[name] = append(groups[name], id)
		}
		id++
	}
	return groups
})

// NicknameGroups returns the numbers of the groups of the nickname dictionary
// that hold a given name, ascending, or nil. A group is one full name with the
// forms that people use for it; a short form is in many. The dictionary is of
// names used in the United States. The caller must not change the result.
func NicknameGroups(given string) []int {
	return nicknames()[givenForm(given)]
}

// givenForm folds given names as the dictionary writes them, or returns "" for
// what has no letter.
func givenForm(given string) string {
	v, err := foldText(given)
	if err != nil || strings.IndexFunc(v, unicode.IsLetter) < 0 {
		return ""
	}
	return strings.Join(strings.FieldsFunc(strings.ReplaceAll(v, "'", ""), func(r rune) bool {
		return r == '.' || isNameBreak(r)
	}), " ")
}

// SameName reports whether two given names are equal when folded, or are forms
// of one name (Bob, Robert). That is not transitive, because Al is Albert and
// Alan: it compares two names, and never makes a class of names.
func SameName(a, b string) bool {
	a, b = givenForm(a), givenForm(b)
	if a == "" || b == "" {
		return false
	}
	have := nicknames()[b]
	return a == b || slices.ContainsFunc(nicknames()[a], func(g int) bool {
		_, found := slices.BinarySearch(have, g)
		return found
	})
}
