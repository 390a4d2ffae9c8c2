package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// ErrPending reports a change that was accepted and will be made, but was not in
// time. Sending it again would ask for it twice.
var ErrPending = errors.New("the change was accepted and is not made yet")

// ErrNoPlan and ErrNoLetter report what is not in the workspace.
var (
	ErrNoPlan   = errors.New("there is no such tracking plan")
	ErrNoLetter = errors.New("there is no such dead letter")
)

// Refused is a change that was not made.
type Refused struct {
	// Conflict says that something changed since the caller looked, or that the
	// state of the thing forbids it: look again. Otherwise the request breaks a
	// rule.
	Conflict bool
	Detail   string // names the field and the rule, never a value
	Faults   []PlacedFault
}

// PlacedFault points at one wrong part of a body.
type PlacedFault struct {
	Pointer string // RFC 6901
	Detail  string
}

// Error implements error.
func (r *Refused) Error() string { return r.Detail }

func (r *Refused) problem() *problem {
	if r.Conflict {
		return newProblem(http.StatusConflict, "conflict", "It has changed, or its state forbids it", r.Detail)
	}
	faults := make([]fault, len(r.Faults))
	for i, f := range r.Faults {
		faults[i] = fault(f)
	}
	return badRequest(r.Detail, faults...)
}

func pending() *problem {
	return newProblem(http.StatusServiceUnavailable, "pending", "The change is accepted and not made yet",
		"it will be made; look whether it was before you send it again")
}

// changeResponse is the answer to a change of a definition.
type changeResponse struct {
	Revision uint64 `json:"revision"`
}

// actorOf returns the name of the request's key, which is on record for
// everything that is decided with it.
func actorOf(c *gin.Context) string {
	key, ok := c.Get(contextKey)
	if !ok {
		return ""
	}
	return key.(Key).Name
}

// timeQuery reads a query parameter as RFC 3339.
func timeQuery(c *gin.Context, name string, otherwise time.Time) (time.Time, error) {
	text := c.Query(name)
	if text == "" {
		return otherwise, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 1970 || t.Year() > 2200 {
		return t, badRequest("the query parameter \"" + name + "\" must be a time such as 2026-01-31T12:00:00Z")
	}
	return t.UTC(), nil
}

// numberQuery reads a query parameter from low to high.
func numberQuery(c *gin.Context, name string, low, high, otherwise uint64) (uint64, error) {
	text := c.Query(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n < low || n > high {
		return 0, badRequest("the query parameter \"" + name + "\" must be a number from " + strconv.FormatUint(low, 10) + " to " + strconv.FormatUint(high, 10))
	}
	return n, nil
}

// listOf splits a query parameter at commas.
func listOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
