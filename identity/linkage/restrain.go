package linkage

// limit is the most that records of one person may disagree in a field: at all,
// and beyond what counts as the same value misspelt. Learning from the records
// alone finds whatever kind of pair stands out: where nearly nobody is there
// twice that is housemates, namesakes or people of one city, and it would take
// them for one person. What sets one person apart from all of those is that name
// and date of birth mostly stay what they are, whatever else is said.
type limit struct {
	other, far float64
	// near is the last level that is not far, swapped one that never is; 0: none.
	near, swapped int
}

// limitOf is that of a type, where strangers disagree with a chance. What is said
// of one person is kept clear of: among records with half of all fields touched
// a name is another one in .08 to .17 of pairs, a date in .02 to .13. Addresses,
// phones and mail are new more often. Of numbers and words nothing is known
// beforehand but that disagreement never speaks for one person.
func limitOf(t Type, strangers float64) limit {
	l := limit{other: 1, far: 1, near: int(scales[t].near), swapped: int(scales[t].swapped)}
	switch t {
	case GivenName: // far are initials, too
		l.other, l.far = .15, .35
	case Surname:
		l.other, l.far = .15, .25
	case Date, Day, Month, Year:
		l.other, l.far = .15, .5
	case Generation:
		l.other = .1
	case Email, Phone, Postcode, House, Street, City:
		l.other, l.far = .4, .6
	}
	l.other = min(l.other, strangers)
	return l
}

// restrain keeps disagreement within its limits: what is beyond them goes to the
// other levels in proportion, which is the likeliest of what is allowed, so that
// learning still never makes the data less likely.
func restrain(m [][]float64, limits []limit) {
	for f, levels := range m {
		limits[f].restrain(levels)
	}
}

// restrain finds which of the two limits bind: either, or both.
func (l limit) restrain(levels []float64) {
	last := len(levels) - 1
	other, far := levels[last], 0.0
	for i := l.near + 1; i < last; i++ {
		if i != l.swapped {
			far += levels[i]
		}
	}
	near := 1 - other - far
	if other <= l.other && other+far <= l.far {
		return
	}
	toOther, toFar := l.other, far*(1-l.other)/(1-other)
	if other <= l.other || toOther+toFar > l.far {
		toOther, toFar = other*l.far/(other+far), far*l.far/(other+far)
		if toOther > l.other {
			toOther, toFar = l.other, l.far-l.other
		}
	}
	for i := int(exact); i < last; i++ {
		if i > l.near && i != l.swapped {
			levels[i] *= toFar / far
		} else {
			levels[i] *= (1 - toOther - toFar) / near
		}
	}
	levels[last] = toOther
}

// copied returns chances that can be changed without those of the argument.
func copied(m [][]float64) [][]float64 {
	out := make([][]float64, len(m))
	for f := range m {
		out[f] = append([]float64(nil), m[f]...)
	}
	return out
}
