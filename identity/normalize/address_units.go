package normalize

import (
	"slices"
	"strings"
)

// cutBox takes the number of a post office box out of words.
func cutBox(words []string) (box string, rest []string) {
	for i := range words {
		for _, mark := range boxWords {
			end := i + len(mark)
			if end < len(words) && slices.Equal(words[i:end], mark) && strings.ContainsAny(words[end], "0123456789") {
				return words[end], slices.Concat(words[:i], words[end+1:])
			}
		}
	}
	return "", words
}

// cutUnits takes the parts of a building out of words.
func cutUnits(words []string) (units, rest []string) {
	for i := 0; i < len(words); i++ {
		w, next := words[i], ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		floor, isFloor := ordinal(w)
		switch {
		case isFloor && (unitWords[next] == "floor" || next == "floor"):
			units = append(units, "floor "+floor)
			i++
		case unitWords[w] != "" && isUnitNumber(next):
			if n, ok := ordinal(next); ok {
				next = n
			}
			units = append(units, unitWords[w]+" "+next)
			i++
		case w == "rc" && (i > 0 || len(words) <= 2):
			units = append(units, w)
		case isUnitNumber(w) && len(w) <= 3 && sides[next] != "" && (i > 0 || isFloor || len(words) == 2):
			if isFloor {
				w = floor
			}
			units = append(units, "floor "+w, sides[next])
			i++
		case isFloor && strings.HasSuffix(w, "o"): // the º of "3º" folds to an o
			units = append(units, "floor "+floor)
			if shape(next) == "a" && i+2 == len(words) {
				units = append(units, "unit "+next)
				i++
			}
		case sides[w] != "" && (len(units) > 0 || len(words) == 1):
			units = append(units, sides[w])
		default:
			rest = append(rest, w)
		}
	}
	return units, rest
}

// isUnitNumber reports what names a part of a building: a number with at most
// a letter, a letter, or a letter with a number.
func isUnitNumber(w string) bool {
	form := shape(w)
	return form == "a" || len(w) <= 6 && strings.Contains(form, "9") && len(strings.Trim(form, "9")) <= 2 &&
		form != "9aa" && form != "aa9a" // halves of British postcodes
}

// ordinal reads "2nd", "3rd", "1er", "3o" as a number.
func ordinal(w string) (string, bool) {
	digits := strings.TrimRightFunc(w, func(r rune) bool { return r < '0' || r > '9' })
	switch w[len(digits):] {
	case "st", "nd", "rd", "th", "er", "e", "eme", "o":
		return digits, len(digits) > 0 && len(digits) < 3 && allDigits(digits)
	}
	return "", false
}
