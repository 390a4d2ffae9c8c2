package api

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/profiles/forecast"
)

// Forecasts keeps the models of propensity of workspaces. Implementations are safe for
// concurrent use.
type Forecasts interface {
	// List returns the models of a workspace by name.
	List(ctx context.Context, workspace string) ([]forecast.Model, error)
	// Get returns a model, or forecast.ErrNoModel.
	Get(ctx context.Context, workspace, name string) (*forecast.Model, error)
	// Card returns the card of a version, of the one in use where it is empty, or
	// forecast.ErrNoModel.
	Card(ctx context.Context, workspace, name, version string) (*forecast.Card, error)
	// Change decides something of a model, and returns the revision when the decision
	// stands. It returns a *Refused, forecast.ErrNoModel or ErrPending as well.
	Change(ctx context.Context, workspace, actor, name string, change forecast.Change) (uint64, error)
}

const oneModel = "/v1/models/:model"

// forecastRoutes are the operations on models of propensity.
func (s *Server) forecastRoutes() []route {
	with := func(handle func(*gin.Context) error) func(*gin.Context) error {
		return func(c *gin.Context) error {
			if s.deps.Forecasts == nil {
				return noRoute()
			}
			return handle(c)
		}
	}
	return []route{
		{http.MethodGet, "/v1/models", RoleRead, with(s.listForecasts)},
		{http.MethodGet, oneModel, RoleRead, with(s.getForecast)},
		{http.MethodGet, oneModel + "/card", RoleRead, with(s.getForecastCard)},
		{http.MethodPut, oneModel, RoleAdmin, with(s.putForecast)},
		{http.MethodDelete, oneModel, RoleAdmin, with(s.deleteForecast)},
		{http.MethodPost, oneModel + "/train", RoleAdmin, with(s.trainForecast)},
		{http.MethodPost, oneModel + "/promote", RoleAdmin, with(s.promoteForecast)},
	}
}

type forecastResponse struct {
	Name        string            `json:"name"`
	Revision    uint64            `json:"revision"`
	ChangedAt   time.Time         `json:"changed_at"`
	ChangedBy   string            `json:"changed_by"`
	Description string            `json:"description"`
	Target      forecast.Target   `json:"target"`
	Horizon     string            `json:"horizon"`
	State       string            `json:"state"`
	Reason      string            `json:"reason"`
	Champion    string            `json:"champion"`
	Latest      string            `json:"latest"`
	TrainedAt   *time.Time        `json:"trained_at"`
	ScoredAt    *time.Time        `json:"scored_at"`
	Scored      uint64            `json:"scored_profiles"`
	Versions    []forecastVersion `json:"versions,omitempty"`   // not in lists
	Definition  json.RawMessage   `json:"definition,omitempty"` // not in lists
}

type forecastVersion struct {
	Version   string    `json:"version"`
	CreatedAt time.Time `json:"created_at"`
}

func shownForecast(m *forecast.Model, whole bool) forecastResponse {
	r := forecastResponse{
		Name: m.Name, Revision: m.Revision, ChangedAt: m.ChangedAt, ChangedBy: m.Actor, Description: m.Definition.Description,
		Target: m.Definition.Target, Horizon: m.Definition.Horizon, State: m.State, Reason: m.Reason,
		Champion: m.Champion, Latest: m.Latest, Scored: m.Scored,
	}
	if !m.TrainedAt.IsZero() {
		r.TrainedAt = &m.TrainedAt
	}
	if !m.ScoredAt.IsZero() {
		r.ScoredAt = &m.ScoredAt
	}
	if whole {
		r.Definition = m.Text
		for _, v := range m.Versions {
			r.Versions = append(r.Versions, forecastVersion{v.Version, v.CreatedAt.UTC()})
		}
	}
	return r
}

func (s *Server) listForecasts(c *gin.Context) error {
	list, err := s.deps.Forecasts.List(c.Request.Context(), workspaceOf(c))
	if err != nil {
		return err
	}
	answer := struct {
		Models []forecastResponse `json:"models"`
	}{make([]forecastResponse, len(list))}
	for i := range list {
		answer.Models[i] = shownForecast(&list[i], false)
	}
	return send(c, answer)
}

func (s *Server) getForecast(c *gin.Context) error {
	m, err := s.deps.Forecasts.Get(c.Request.Context(), workspaceOf(c), c.Param("model"))
	if err != nil {
		return err
	}
	return send(c, shownForecast(m, true))
}

func (s *Server) getForecastCard(c *gin.Context) error {
	card, err := s.deps.Forecasts.Card(c.Request.Context(), workspaceOf(c), c.Param("model"), c.Query("version"))
	if err != nil {
		return err
	}
	return send(c, card)
}

type forecastRequest struct {
	// Expected is a pointer, because a forgotten revision must not mean a new model.
	Expected   *uint64         `json:"expected_revision"`
	Definition json.RawMessage `json:"definition"`
}

func (s *Server) putForecast(c *gin.Context) error {
	var r forecastRequest
	if err := decode(c, &r); err != nil {
		return err
	}
	var faults []fault
	if r.Expected == nil {
		faults = append(faults, fault{"/expected_revision", "is missing: the revision that you have seen, 0 for a new model"})
	}
	if len(r.Definition) == 0 {
		faults = append(faults, fault{"/definition", "is missing"})
	}
	if len(faults) > 0 {
		return badRequest("the body is incomplete", faults...)
	}
	return s.changeForecast(c, forecast.Change{Kind: forecast.Put, Expected: *r.Expected, Definition: r.Definition})
}

func (s *Server) deleteForecast(c *gin.Context) error {
	expected, err := numberQuery(c, "expected_revision", 1, math.MaxInt64, 0)
	if err != nil {
		return err
	}
	if expected == 0 {
		return badRequest("the query parameter \"expected_revision\" is missing: the revision that you have seen")
	}
	return s.changeForecast(c, forecast.Change{Kind: forecast.Archive, Expected: expected})
}

// trainForecast answers at once: a training takes minutes, and the state tells of it.
func (s *Server) trainForecast(c *gin.Context) error {
	return s.changeForecast(c, forecast.Change{Kind: forecast.Train})
}

func (s *Server) promoteForecast(c *gin.Context) error {
	var r struct {
		Version string `json:"version"`
	}
	if err := decode(c, &r); err != nil {
		return err
	}
	if r.Version == "" {
		return badRequest("the body is incomplete", fault{"/version", "is missing: the version that is to score"})
	}
	return s.changeForecast(c, forecast.Change{Kind: forecast.Promote, Version: r.Version})
}

func (s *Server) changeForecast(c *gin.Context, change forecast.Change) error {
	revision, err := s.deps.Forecasts.Change(c.Request.Context(), workspaceOf(c), actorOf(c), c.Param("model"), change)
	if err != nil {
		return err
	}
	return send(c, changeResponse{revision})
}
