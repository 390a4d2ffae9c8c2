package normalize

import (
	"fmt"
	"slices"
)

// settle reads text, and reads again what was written of it, until that is what
// was read: one form may uncover another, as a title another title. Where the
// writing comes back to an earlier one without standing still, the least of the
// round is taken, so that every text of the round gives the same, and reading
// the result gives the result. It returns ErrEmpty, ErrTooLong, what parse
// returns, and ErrInvalid where there is no end in sight.
func settle[T fmt.Stringer](raw string, parse func(string) (T, error)) (T, error) {
	var none T
	texts, values := []string{raw}, []T{none} // values[i] was written as texts[i]
	for len(texts) <= 2*passes {
		v, err := parse(texts[len(texts)-1])
		if err != nil {
			return none, err
		}
		text := v.String()
		switch {
		case text == "":
			return none, ErrEmpty
		case len(text) > MaxLength:
			return none, ErrTooLong
		}
		if at := slices.Index(texts, text); at >= 0 {
			values[at] = v
			round := texts[at:]
			return values[at+slices.Index(round, slices.Min(round))], nil
		}
		texts, values = append(texts, text), append(values, v)
	}
	return none, ErrInvalid // No known text needs more than five passes.
}
