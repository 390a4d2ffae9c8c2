package rulefile

import (
	"math"
	"strconv"
)

// bitsOf reads a weight in bits; false where it is no number or finer than a
// hundredth.
func bitsOf(value any) (Bits, bool) {
	switch v := value.(type) {
	case int64:
		return Bits(v * 100), v <= math.MaxInt32 && v >= math.MinInt32
	case float64:
		hundredths := math.Round(v * 100)
		whole := math.Abs(v*100-hundredths) < 1e-6 && math.Abs(hundredths) <= math.MaxInt32
		return Bits(hundredths), whole
	}
	return 0, false
}

// String writes b in bits, as "7.25".
func (b Bits) String() string { return strconv.FormatFloat(float64(b)/100, 'f', -1, 64) }
