package rulefile

import (
	"math"
	"strconv"
	"time"
)

// units are the units of a duration in text, the longest first. Months and
// years are not here: their length depends on the date.
var units = []struct {
	suffix string
	length time.Duration
}{{"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// formatDuration writes whole seconds in the longest unit that divides them.
func formatDuration(d time.Duration) string {
	for _, u := range units {
		if d != 0 && d%u.length == 0 {
			return strconv.FormatInt(int64(d/u.length), 10) + u.suffix
		}
	}
	return "0s"
}

// parseDuration reads a whole number and one unit, as "30d".
func parseDuration(s string) (time.Duration, bool) {
	for _, u := range units {
		if len(s) < 2 || s[len(s)-1:] != u.suffix {
			continue
		}
		n, err := strconv.ParseInt(s[:len(s)-1], 10, 64)
		if err != nil || n > math.MaxInt64/int64(u.length) || n < -(math.MaxInt64/int64(u.length)) {
			return 0, false
		}
		return time.Duration(n) * u.length, true
	}
	return 0, false
}
