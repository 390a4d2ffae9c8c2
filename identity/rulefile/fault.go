package rulefile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Fault is one reason why a text or a File is not a set of rules.
type Fault struct {
	// Line is the line of the text, from 1, or 0 where there is no text.
	Line int
	// Key is the path of the key, as "namespaces.email.limit"; empty for a text
	// that cannot be read at all.
	Key string
	// Rule says what has to hold. It never quotes a listed value.
	Rule string
}

// Error returns "line 3: namespaces.email.limit: must be ...".
func (f *Fault) Error() string {
	s := f.Rule
	if f.Key != "" {
		s = f.Key + ": " + s
	}
	if f.Line > 0 {
		s = fmt.Sprintf("line %d: %s", f.Line, s)
	}
	return s
}

// faults collects what is wrong.
type faults []*Fault

func (fs *faults) add(key, format string, args ...any) {
	*fs = append(*fs, &Fault{Key: key, Rule: fmt.Sprintf(format, args...)})
}

// join returns the faults in the order of the text, or nil.
func (fs faults) join() error {
	slices.SortStableFunc(fs, func(a, b *Fault) int { return cmp.Compare(a.Line, b.Line) })
	errs := make([]error, len(fs))
	for i, f := range fs {
		errs[i] = f
	}
	return errors.Join(errs...)
}

// suggest names the known key nearest to a wrong one, if one is near.
func suggest(wrong string, known []string) string {
	best, least := "", min(4, len(wrong)/2+2)
	for _, k := range known {
		if d := distance(wrong, k, least); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// distance is the Levenshtein distance of two names, or bound where their
// lengths alone make it no less.
func distance(a, b string, bound int) int {
	if max(len(a)-len(b), len(b)-len(a)) >= bound {
		return bound
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
