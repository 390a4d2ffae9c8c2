package api

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/profiles"
)

// headerConsistency carries the token by which a caller reads its own writes. An
// answer of the intake has one for what it acknowledged; a read that sends it gets
// an answer in which all of that shows, or 503.
const headerConsistency = "X-Kindred-Consistency"

// contextFresh marks a request that has waited for its writes.
const contextFresh = "kindred.fresh"

// maxToken bounds a token in bytes.
const maxToken = 8 << 10

// Consistency waits until writes can be read. Implementations are safe for
// concurrent use.
type Consistency interface {
	// Await returns when everything up to positions, as the intake gave them, is
	// stored and attributed, or the error of ctx.
	Await(ctx context.Context, positions string) error
	// Fresh returns a store that reads past all caches: what it is asked after
	// this call, it answers from what is published by then.
	Fresh(workspace string) profiles.Store
}

// acknowledge sends the token of what was acknowledged; none where the intake
// gives no positions.
func (s *Server) acknowledge(c *gin.Context, positions string) {
	if positions == "" || s.deps.Consistency == nil {
		return
	}
	payload := []byte(positions)
	c.Header(headerConsistency, base64.RawURLEncoding.EncodeToString(append(s.cursorSum(c, consistencyScope, payload), payload...)))
}

var consistencyScope = cursorScope{"consistency"}

// positionsOf reads a token, which must be of this installation and workspace.
func (s *Server) positionsOf(c *gin.Context, token string) (string, error) {
	wrong := badRequest("the header " + headerConsistency + " must be one that the intake of this workspace has answered with")
	all, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(token) > maxToken || len(all) < 8 {
		return "", wrong
	}
	if string(all[:8]) != string(s.cursorSum(c, consistencyScope, all[8:])) {
		return "", wrong
	}
	return string(all[8:]), nil
}

// consistent lets a read begin when the writes of its token can be read.
func (s *Server) consistent(handle func(*gin.Context) error) func(*gin.Context) error {
	return func(c *gin.Context) error {
		token := c.GetHeader(headerConsistency)
		if token == "" {
			return handle(c)
		}
		if s.deps.Consistency == nil {
			return notVisible("this process cannot tell when writes can be read")
		}
		positions, err := s.positionsOf(c, token)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.Request.Context(), s.cfg.ConsistencyWait)
		defer cancel()
		if err := s.deps.Consistency.Await(ctx, positions); err != nil {
			if gone := c.Request.Context().Err(); errors.Is(gone, context.Canceled) {
				return gone
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				s.log.Error("await writes", "request_id", requestID(c), "error", err)
			}
			return notVisible("send the same request again, or leave the header out to read what there is")
		}
		c.Set(contextFresh, s.deps.Consistency.Fresh(workspaceOf(c)))
		return handle(c)
	}
}

// reading makes routes of reads consistent.
func (s *Server) reading(routes []route) []route {
	for i := range routes {
		routes[i].handle = s.consistent(routes[i].handle)
	}
	return routes
}

// store is what the request reads profiles from: past the cache when it demands to
// see its own writes, without those whose processing is restricted, and masked when its key may not see personal values.
func (s *Server) store(c *gin.Context) profiles.Store {
	store := s.deps.Profiles
	if fresh, ok := c.Get(contextFresh); ok {
		store = fresh.(profiles.Store)
	}
	if s.deps.Restrictions != nil {
		store = restrictedStore{store, s.deps.Restrictions}
	}
	if masks(c) {
		return maskedStore{store}
	}
	return store
}

func notVisible(detail string) *problem {
	return newProblem(http.StatusServiceUnavailable, "not-visible-yet", "The writes of the token cannot be read yet", detail)
}
