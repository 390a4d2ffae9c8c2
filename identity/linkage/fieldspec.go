package linkage

import (
	"strings"

	"github.com/kindred-cdp/kindred/identity/normalize"
)

// spec says how a field is read from the columns of a record.
type spec struct {
	name string
	typ  Type
	// columns are the names of the columns it is read from, parts what each of
	// them holds: year, month and day of a date, or the name of which this is a
	// part.
	columns []string
	parts   []Type
	// monthFirst says how dates that end with the year are read.
	monthFirst bool
}

func plain(name string, typ Type, monthFirst bool) spec {
	return spec{name: name, typ: typ, columns: []string{name}, parts: []Type{typ}, monthFirst: monthFirst && typ == Date}
}

// read returns the value of a field from those of its columns; ok is false where
// they say nothing.
func (s *spec) read(values []string) (r reading, form string, ok bool) {
	switch {
	case s.typ == Generation && s.parts[0] != Generation:
		for _, v := range values {
			if g := generationIn(v); g != "" {
				return canonical(Generation, 0, g)
			}
		}
		return r, "", false
	case len(s.parts) > 1:
		return s.readParts(values)
	case s.parts[0] == Name && s.typ != Name:
		return s.readName(values[0])
	}
	order := normalize.DayFirst
	if s.monthFirst {
		order = normalize.MonthFirst
	}
	return canonical(s.typ, order, values[0])
}

// readName reads a part of a whole name. What says nothing as a whole says
// nothing in parts: "N/A" is nobody's initials.
func (s *spec) readName(whole string) (r reading, form string, ok bool) {
	if _, _, ok := canonical(Name, 0, whole); !ok {
		return r, "", false
	}
	n, err := normalize.Name(whole)
	if err != nil {
		return r, "", false
	}
	if s.typ == GivenName {
		return canonical(GivenName, 0, n.Given)
	}
	return canonical(Surname, 0, strings.Join(append(n.Particles, n.Surname), " "))
}

// readParts puts a date together.
func (s *spec) readParts(values []string) (r reading, form string, ok bool) {
	whole := uint64(0)
	for i, v := range values {
		if v == "" {
			continue
		}
		if part, _, ok := canonicalPart(s.parts[i], strings.TrimSpace(v)); ok {
			whole |= part.code
		}
	}
	y, m, d := dateOf(whole)
	if whole == 0 || nobodysDate(y, m, d) {
		return r, "", false
	}
	return dateValue(y, m, d)
}

// generations are the words after a name that tell a father from a son.
var generations = map[string]string{
	"jr": "2", "junior": "2", "jnr": "2", "ii": "2", "2nd": "2", "sr": "1", "senior": "1", "snr": "1", "iii": "3", "3rd": "3", "iv": "4",
}

// generationIn returns the generation that a name ends with, or "".
func generationIn(name string) string {
	if len(name) < 4 || !strings.ContainsAny(name, " ,") {
		return ""
	}
	folded, err := normalize.Text(name)
	if err != nil {
		return ""
	}
	return generations[strings.Trim(folded[strings.LastIndexAny(folded, " ,")+1:], ".")]
}

// withoutGeneration cuts it off.
func withoutGeneration(folded string) string {
	if at := strings.LastIndexAny(folded, " ,"); at > 0 && generations[strings.Trim(folded[at+1:], ".")] != "" {
		return strings.TrimRight(folded[:at], " ,.")
	}
	return folded
}
