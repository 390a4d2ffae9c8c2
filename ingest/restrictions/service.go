package restrictions

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/control"
)

// Service sends changes and tells what stands. It is safe for concurrent use.
type Service struct {
	client *control.Client
	list   *List
}

// NewService returns a service. The list sees its changes at once; those of other
// processes see them when they next look.
func NewService(client *control.Client, list *List) *Service { return &Service{client, list} }

// Restrict restricts whoever holds one of keys, on a ground or none.
func (s *Service) Restrict(ctx context.Context, workspace, actor, ground string, keys []identity.Key) error {
	if !knownGround(ground) {
		return fmt.Errorf("%w: the ground must be accuracy, unlawful, claims or objection", ErrRefused)
	}
	return s.change(ctx, KindRestrict, workspace, actor, Change{Keys: keys, Ground: ground})
}

// Release ends the restriction of those of keys that are restricted, and says whether
// there was one.
func (s *Service) Release(ctx context.Context, workspace, actor string, keys []identity.Key) (bool, error) {
	if err := s.list.Refresh(ctx); err != nil {
		return false, err
	}
	var own []identity.Key
	for _, k := range keys {
		switch r, err := s.list.Find(ctx, workspace, k); {
		case err != nil:
			return false, err
		case r != nil:
			own = append(own, k)
		}
	}
	if len(own) == 0 {
		return false, nil
	}
	return true, s.change(ctx, KindRelease, workspace, actor, Change{Keys: own})
}

func (s *Service) change(ctx context.Context, kind, workspace, actor string, body Change) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode change: %w", err)
	}
	o, err := s.client.Do(ctx, control.Command{Workspace: workspace, Kind: kind, Subject: newID(), Actor: actor, Body: text})
	switch {
	case err != nil:
		return err
	case o.Verdict != control.OK:
		return fmt.Errorf("%w: %s", ErrRefused, o.Detail)
	}
	return s.list.Refresh(ctx)
}
