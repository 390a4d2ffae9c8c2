package ingest

import (
	"context"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// Erased tells what was erased, so that what was received before stays out when it
// comes again: read from the start of a topic, or forwarded late. Implementations are
// safe for concurrent use.
type Erased interface {
	// Refresh learns of every erasure that somebody was told of before the call.
	Refresh(ctx context.Context) error
	// Until returns until when what was received of an identifier, by its key, or of a
	// set, by its anchor, is erased; 0 for not at all. Both mix in the workspace.
	Until(id uint64) Millis
}

// nothingErased is Erased of a pipeline without one.
type nothingErased struct{}

func (nothingErased) Refresh(context.Context) error { return nil }
func (nothingErased) Until(uint64) Millis           { return 0 }

// spent reports whether an erasure takes e: an identifier that is erased was of one
// person alone, and so was what happened to it.
func (p *Pipeline) spent(e *Event) bool {
	return slices.ContainsFunc(e.Members, func(m identity.Member) bool {
		return e.Received <= p.deps.Erased.Until(uint64(m.Key))
	})
}

// withoutErased returns the records that no erasure takes. Who does a range again may
// know of more erasures than who began it, and then some tables have what others have
// not; whoever rewrites them for the erasure finds it in all of them.
func (p *Pipeline) withoutErased(records []decoded) []decoded {
	return slices.DeleteFunc(records, func(d decoded) bool {
		gone := d.event != nil && p.spent(d.event)
		if gone {
			p.metrics.erased.Inc()
		}
		return gone
	})
}
