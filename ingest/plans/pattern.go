package plans

import (
	"regexp/syntax"
)

const (
	maxPattern      = 1000 // bytes
	maxPatternSteps = 2000
)

// pattern returns the number of steps of a pattern's program: what RE2 does for
// each byte of a text, at most.
func (w *walk) pattern(text, at string) int {
	if len(text) > maxPattern {
		w.fail(at, "is a pattern of %d bytes; the limit is %d", len(text), maxPattern)
		return 0
	}
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		w.fail(at, "is no pattern of RE2, which has neither look-around nor back references")
		return 0
	}
	steps := stepsOf(re)
	if steps > maxPatternSteps {
		w.fail(at, "is a pattern of more than %d steps with its repetitions written out", maxPatternSteps)
	}
	return steps
}

// stepsOf counts before the repetitions are written out, because writing them
// out is what takes the memory.
func stepsOf(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n = min(n+stepsOf(sub), saturated)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, saturated)
}
