package tablefile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Fold is the form in which names of columns are compared: without case,
// spaces, underscores, hyphens and dots.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '_' || r == '-' || r == '.' || unicode.IsSpace(r):
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// Find returns the place of the column that a user names, the exact one before
// one that differs in case, space or underscore. The error names the columns
// that there are, and the nearest.
func Find(columns []string, name string) (int, error) {
	if i := slices.Index(columns, name); i >= 0 {
		return i, nil
	}
	if i := slices.IndexFunc(columns, func(c string) bool { return Fold(c) == Fold(name) }); i >= 0 {
		return i, nil
	}
	text := fmt.Sprintf("no column %q; the columns are %s", name, quoteAll(columns))
	if near := nearest(columns, name); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	return -1, errors.New(text)
}

func quoteAll(names []string) string {
	const shown = 40
	var all []string
	for i, n := range names {
		if i == shown {
			all = append(all, fmt.Sprintf("and %d more", len(names)-shown))
			break
		}
		if n != "" {
			all = append(all, fmt.Sprintf("%q", n))
		}
	}
	return strings.Join(all, ", ")
}

// nearest returns the column whose name is most like one, or "" where none is.
func nearest(columns []string, name string) string {
	want := Fold(name)
	best, least := "", max(2, len(want)/2)+1
	for _, c := range columns {
		have := Fold(c)
		d := distance(want, have)
		if want != "" && have != "" && (strings.Contains(have, want) || strings.Contains(want, have)) {
			d = min(d, 2)
		}
		if d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is the number of edits between two names (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}

// dataLike says what sort of value a cell of a header looks like, or "".
func dataLike(cell string) string {
	digits, letters := 0, 0
	for _, r := range cell {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
		}
	}
	switch {
	case strings.Contains(cell, "@"):
		return "an e-mail address"
	case digits == 0 || letters > 0:
		return ""
	case digits >= 6 && strings.ContainsAny(cell, "-/."):
		return "a date"
	}
	return "a number"
}

// names returns the name of each column of a file, each another one: an empty
// name becomes "column 3", a doubled one "phone 2".
func names(path string, header []string) ([]string, []Warning) {
	var all []Warning
	out, taken := make([]string, len(header)), map[string]bool{}
	for i, name := range header {
		out[i] = name
		if name == "" {
			out[i] = fmt.Sprintf("column %d", i+1)
			all = append(all, Warning{Code: ColumnName, File: path, Column: out[i], Text: fmt.Sprintf("column %d has no name: it is called %q", i+1, out[i])})
		}
		for n := 2; taken[Fold(out[i])]; n++ {
			out[i] = fmt.Sprintf("%s %d", name, n)
		}
		if taken[Fold(name)] && name != "" {
			all = append(all, Warning{Code: ColumnName, File: path, Column: out[i], Text: fmt.Sprintf("two columns are named %q: the later one is called %q", name, out[i])})
		}
		taken[Fold(out[i])] = true
	}
	return out, all
}

// headerFault reports a first line that holds a record. Surer tells that
// something else speaks for it as well.
func headerFault(header []string, surer bool) error {
	kinds, cells := []string{}, 0
	for _, cell := range header {
		if cell != "" {
			cells++
		}
		if kind := dataLike(cell); kind != "" {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) == 0 || !surer && 2*len(kinds) < cells {
		return nil
	}
	shown := slices.Compact(slices.Sorted(slices.Values(kinds)))
	return fmt.Errorf("has no header: %d of the %d values of its first line look like data (%s); put a first line with the names of the columns before it, such as id,given_name,surname", len(kinds), cells, strings.Join(shown, ", "))
}
