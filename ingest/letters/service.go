package letters

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/control"
)

// Service is what the API and the commands use: the store, and actions that
// wait until they are done. It is safe for concurrent use.
type Service struct {
	*Store
	client *control.Client
}

// NewService returns a service that sends actions through client.
func NewService(store *Store, client *control.Client) *Service {
	return &Service{Store: store, client: client}
}

// Act sends a request about listed letters and waits until it is done. A single
// letter that was refused is an error that wraps ErrConflict.
func (s *Service) Act(ctx context.Context, workspace, actor, kind string, r Request) (*Done, error) {
	if detail := r.check(kind); detail != "" {
		return nil, fmt.Errorf("%w: %s", ErrRefused, detail)
	}
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	subject := fmt.Sprintf("%d letters", len(r.Letters))
	if len(r.Letters) == 1 {
		subject = r.Letters[0]
	}
	o, err := s.client.Do(ctx, control.Command{Workspace: workspace, Kind: kind, Subject: subject, Actor: actor, Body: body})
	if err != nil {
		return nil, err
	}
	switch o.Verdict {
	case control.OK:
	case control.Conflict:
		if o.Detail == ErrNotFound.Error() {
			return nil, ErrNotFound
		}
		return nil, fmt.Errorf("%w: %s", ErrConflict, o.Detail)
	default:
		return nil, fmt.Errorf("%w: %s", ErrRefused, o.Detail)
	}
	done := new(Done)
	if err := json.Unmarshal(o.Body, done); err != nil {
		return nil, fmt.Errorf("read outcome: %w", err)
	}
	return done, nil
}

// Bulk is a request about all letters of a filter.
type Bulk struct {
	Filter Filter // without a state it means open and failed letters
	Limit  int    // 1 to MaxLetters; the oldest come first
	DryRun bool
	Reason string
	NewID  bool
}

// BulkDone is what a bulk request has done, or would do.
type BulkDone struct {
	Matched uint64   // letters of the filter
	Letters []string // those of them in question
	Done             // zero after a dry run
}

// ActAll does one thing to the letters of a filter. A dry run lists them and does
// nothing.
func (s *Service) ActAll(ctx context.Context, workspace, actor, kind string, b Bulk) (*BulkDone, error) {
	if b.Limit < 1 || b.Limit > MaxLetters {
		return nil, fmt.Errorf("%w: field \"limit\" must be 1 to %d", ErrRefused, MaxLetters)
	}
	if len(b.Filter.Statuses) == 0 {
		b.Filter.Statuses = []string{Open, Failed}
	}
	ids, matched, err := s.IDs(ctx, workspace, b.Filter, b.Limit)
	if err != nil {
		return nil, err
	}
	out := &BulkDone{Matched: matched, Letters: ids}
	if b.DryRun || len(ids) == 0 {
		return out, nil
	}
	done, err := s.Act(ctx, workspace, actor, kind, Request{Letters: ids, Reason: b.Reason, NewID: b.NewID})
	if err != nil {
		return nil, err
	}
	out.Done = *done
	return out, nil
}

// bigOf returns the number of a hash, as the driver wants a UInt128.
func bigOf(h ingest.Hash) *big.Int {
	n := new(big.Int).SetUint64(h[1])
	return n.Or(n.Lsh(n, 64), new(big.Int).SetUint64(h[0]))
}
