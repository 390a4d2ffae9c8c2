package ingest

import (
	"context"
	"fmt"

	"github.com/kindred-cdp/kindred/identity"
)

// EvidencePublisher publishes evidence that is no event's, such as that a record
// is of a user, to the topic of evidence. It is safe for concurrent use if its
// writer is.
type EvidencePublisher struct{ writer MessageWriter }

// NewEvidencePublisher returns a publisher that writes with w.
func NewEvidencePublisher(w MessageWriter) *EvidencePublisher { return &EvidencePublisher{writer: w} }

// PublishEvidence publishes all, to the owner of each one's workspace, and returns
// when the broker has acknowledged it. Evidence is idempotent: publishing it again
// does no harm, and where an error leaves open what arrived it should be.
func (p *EvidencePublisher) PublishEvidence(ctx context.Context, all []identity.Evidence) error {
	messages := records(all)
	for from := 0; from < len(messages); from += evidenceAtOnce {
		if err := p.writer.WriteMessages(ctx, messages[from:min(from+evidenceAtOnce, len(messages))]...); err != nil {
			return fmt.Errorf("publish evidence: %w", err)
		}
	}
	return nil
}

// evidenceAtOnce is the number of messages in one call of the writer.
const evidenceAtOnce = 10_000
