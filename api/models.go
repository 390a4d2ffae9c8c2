package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/profiles/matching"
)

// Models knows the models of linkage of a workspace. Implementations are safe for
// concurrent use.
type Models interface {
	// List returns the models, the newest first, without their cards.
	List(ctx context.Context, workspace string) ([]LinkageModel, error)
	// Get returns a model with its card, or ErrNoModel.
	Get(ctx context.Context, workspace, version string) (*LinkageModel, error)
}

// ErrNoModel reports a version that no model of the workspace has.
var ErrNoModel = errors.New("there is no such model of linkage")

// LinkageModel is what was learnt of how records of one person agree.
type LinkageModel struct {
	Version   string    `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	Records   uint64    `json:"records"`
	// Candidates are the pairs that were compared, ExpectedMatches those of one
	// person that it expects among them.
	Candidates      uint64  `json:"candidates"`
	ExpectedMatches float64 `json:"expected_matches"`
	// InForce says that the rules of identity name it.
	InForce bool `json:"in_force"`
	// Card has every number of the model but those of single values.
	Card *matching.Card `json:"card,omitempty"` // not in lists
}

// modelRoutes are the operations on models of linkage.
func (s *Server) modelRoutes() []route {
	with := func(handle func(*gin.Context) error) func(*gin.Context) error {
		return func(c *gin.Context) error {
			if s.deps.Models == nil {
				return noRoute()
			}
			return handle(c)
		}
	}
	return []route{
		{http.MethodGet, "/v1/identity/models", RoleRead, with(s.listModels)},
		{http.MethodGet, "/v1/identity/models/:version", RoleRead, with(s.getModel)},
	}
}

func (s *Server) listModels(c *gin.Context) error {
	list, err := s.deps.Models.List(c.Request.Context(), workspaceOf(c))
	if err != nil {
		return err
	}
	return send(c, struct {
		Models []LinkageModel `json:"models"`
	}{append([]LinkageModel{}, list...)})
}

func (s *Server) getModel(c *gin.Context) error {
	m, err := s.deps.Models.Get(c.Request.Context(), workspaceOf(c), c.Param("version"))
	if err != nil {
		return err
	}
	return send(c, m)
}
