package segments

import (
	"context"
	"errors"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// ErrTooExpensive says that a definition needs more time or memory than one
// preview may take.
var ErrTooExpensive = errors.New("definition is too expensive to preview")

// Previewer answers who is in a segment now, without storing it.
type Previewer interface {
	// Preview evaluates d over all profiles of the workspace and returns at
	// most sample members. It returns ErrTooExpensive when the limits of one
	// preview are met, and a *TooLarge before it begins where d would read too
	// much. Safe for concurrent use.
	Preview(ctx context.Context, workspace string, d Definition, sample int) (*Preview, error)
}

// Preview is the result of evaluating a definition once.
type Preview struct {
	AsOf     time.Time // the "now" of relative windows
	Count    uint64    // members
	Profiles uint64    // all profiles of the workspace
	// Sample are some members, the same ones for the same state; ids only, no
	// personal data.
	Sample []identity.ProfileID
	// SQL is the query that ran; Parameters are the values bound to its names.
	SQL        string
	Parameters map[string]string
	QueryID    string
	Estimate   Estimate // as it was told before it ran
	RowsRead   uint64
	BytesRead  uint64
	Elapsed    time.Duration // of the query, as the caller waited
}

// Share returns Count as a part of Profiles, 0 when there are none.
func (p *Preview) Share() float64 {
	if p.Profiles == 0 {
		return 0
	}
	return float64(p.Count) / float64(p.Profiles)
}
