package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// maxBatch is the number of profiles in one look-up, and batchReads how many of
// them are asked for at a time: stores read together what is asked for together.
const (
	maxBatch   = 100
	batchReads = 64
)

type batchRequest struct {
	IDs []string `json:"ids"`
}

type batchResponse struct {
	Profiles []batchEntry `json:"profiles"`
}

// batchEntry answers one id of the request, in its place: the profile, or why
// there is none.
type batchEntry struct {
	Status  int              `json:"status"`
	Profile *profileResponse `json:"profile,omitempty"`
	Problem *problem         `json:"problem,omitempty"`
}

// postProfileBatch answers POST /v1/profiles/batch. An id that is wrong or finds
// nobody fails alone.
func (s *Server) postProfileBatch(c *gin.Context) error {
	var request batchRequest
	if err := decode(c, &request); err != nil {
		return err
	}
	if len(request.IDs) == 0 || len(request.IDs) > maxBatch {
		return badRequest("the number of ids is out of range", fault{"/ids", fmt.Sprintf("must have 1 to %d elements", maxBatch)})
	}
	entries := make([]batchEntry, len(request.IDs))
	group, ctx := errgroup.WithContext(c.Request.Context())
	group.SetLimit(batchReads)
	workspace, store := workspaceOf(c), s.store(c)
	for i, text := range request.IDs {
		group.Go(func() (err error) {
			entries[i], err = s.batchEntry(ctx, store, workspace, text)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return send(c, batchResponse{entries})
}

// batchEntry returns what an id finds. Faults of the id, and that it finds
// nobody, belong into the entry; others end the request.
func (s *Server) batchEntry(ctx context.Context, store profiles.Store, workspace, text string) (batchEntry, error) {
	p, err := s.find(ctx, store, workspace, text)
	var wrong *problem
	switch {
	case err == nil:
		r := newProfileResponse(p)
		return batchEntry{Status: 200, Profile: &r}, nil
	case errors.As(err, &wrong), errors.Is(err, profiles.ErrNotFound):
		p := problemOf(err)
		return batchEntry{Status: p.Status, Problem: p}, nil
	}
	return batchEntry{}, err
}

func (s *Server) find(ctx context.Context, store profiles.Store, workspace, text string) (*profiles.Profile, error) {
	var key identity.Key
	key, _, err := s.keyOf(workspace, text)
	if err != nil {
		return nil, err
	}
	return profiles.Find(ctx, store, workspace, key)
}
