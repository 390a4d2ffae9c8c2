package api

import (
	"context"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// masks reports whether the request's key sees personal values masked.
func masks(c *gin.Context) bool {
	key, ok := c.Get(contextKey)
	return !ok || key.(Key).Role == RoleMarketer
}

// maskedStore loads profiles with their personal values masked.
type maskedStore struct{ profiles.Store }

// Load implements profiles.Store.
func (m maskedStore) Load(ctx context.Context, workspace string, id identity.ProfileID) (*profiles.Profile, error) {
	p, err := m.Store.Load(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	return p.Masked(), nil
}
