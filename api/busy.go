package api

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Busy refuses what cannot be taken in as fast as it comes: 429, with the time
// after which to try again.
type Busy struct {
	After time.Duration
}

// Error implements error.
func (b Busy) Error() string { return fmt.Sprintf("busy; try again after %s", b.After) }

// seconds is the Retry-After header: whole seconds, at least one.
func (b Busy) seconds() string {
	return strconv.Itoa(max(1, int(math.Ceil(b.After.Seconds()))))
}

func tooManyRequests(b Busy) *problem {
	p := newProblem(http.StatusTooManyRequests, "busy", "Events come faster than they can be kept",
		"send the same request again after the seconds of Retry-After; message ids make that harmless")
	p.retryAfter = b.seconds()
	return p
}
