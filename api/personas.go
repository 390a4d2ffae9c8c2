package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/grouping"
	"github.com/kindred-cdp/kindred/profiles/lifecycle"
	"github.com/kindred-cdp/kindred/profiles/personas"
)

// Groups tells what kinds of customers a workspace has. Implementations are safe for
// concurrent use.
type Groups interface {
	// Personas returns the personas of the model that stands; of a workspace without one
	// it says so in Refused.
	Personas(ctx context.Context, workspace string) (*grouping.Personas, error)
	// Stages counts the profiles in each stage of the lifecycle.
	Stages(ctx context.Context, workspace string) ([]grouping.StageSize, error)
	// Transitions returns who went from which stage to which in each month from the one
	// of from to that of to.
	Transitions(ctx context.Context, workspace string, from, to time.Time) ([]grouping.Transition, error)
}

// groupRoutes are the operations on personas and stages.
func (s *Server) groupRoutes() []route {
	with := func(handle func(*gin.Context) error) func(*gin.Context) error {
		return func(c *gin.Context) error {
			if s.deps.Groups == nil {
				return noRoute()
			}
			return handle(c)
		}
	}
	return []route{
		{http.MethodGet, "/v1/personas", RoleRead, with(s.getPersonas)},
		{http.MethodGet, "/v1/lifecycle", RoleRead, with(s.getLifecycle)},
	}
}

type personasResponse struct {
	Version    string               `json:"model_version,omitempty"`
	ComputedAt time.Time            `json:"computed_at,omitzero"`
	AsOf       time.Time            `json:"as_of,omitzero"`
	Refused    string               `json:"refused,omitempty"`
	Personas   []cardResponse       `json:"personas"`
	Candidates []personas.Candidate `json:"candidates"`
}

type cardResponse struct {
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	Description string           `json:"description"`
	Profiles    uint64           `json:"profiles"`
	Share       float64          `json:"share"`
	Traits      []personas.Trait `json:"traits"`
}

// getPersonas answers GET /v1/personas.
func (s *Server) getPersonas(c *gin.Context) error {
	found, err := s.deps.Groups.Personas(c.Request.Context(), workspaceOf(c))
	if err != nil {
		return err
	}
	r := personasResponse{
		Version: found.Version, ComputedAt: found.ComputedAt, AsOf: found.AsOf, Refused: found.Refused,
		Personas: make([]cardResponse, len(found.Cards)), Candidates: append([]personas.Candidate{}, found.Candidates...),
	}
	for i, p := range found.Cards {
		r.Personas[i] = cardResponse{p.ID, p.Name, p.Description, p.Profiles, p.Share, p.Traits}
	}
	return send(c, r)
}

type lifecycleResponse struct {
	Stages      []stageResponse      `json:"stages"`
	Transitions []transitionResponse `json:"transitions"`
}

type stageResponse struct {
	Stage    lifecycle.Stage `json:"stage"`
	Profiles uint64          `json:"profiles"`
}

type transitionResponse struct {
	Month    string   `json:"month"`
	From     *string  `json:"from"`  // null for who was in none
	To       *string  `json:"to"`    // null for who is in none
	Share    *float64 `json:"share"` // null where from is
	Profiles uint64   `json:"profiles"`
}

const (
	monthLayout = "2006-01"
	maxMonths   = 60
)

// getLifecycle answers GET /v1/lifecycle, of the last twelve months unless it is told.
func (s *Server) getLifecycle(c *gin.Context) error {
	from, to, err := s.months(c)
	if err != nil {
		return err
	}
	stages, err := s.deps.Groups.Stages(c.Request.Context(), workspaceOf(c))
	if err != nil {
		return err
	}
	list, err := s.deps.Groups.Transitions(c.Request.Context(), workspaceOf(c), from, to)
	if err != nil {
		return err
	}
	r := lifecycleResponse{Stages: make([]stageResponse, len(stages)), Transitions: make([]transitionResponse, len(list))}
	for i, stage := range stages {
		r.Stages[i] = stageResponse(stage)
	}
	for i, t := range list {
		one := transitionResponse{Month: t.Month.Format(monthLayout), From: &t.From, To: &t.To, Share: &t.Share, Profiles: t.Profiles}
		if t.From == "" {
			one.From, one.Share = nil, nil
		}
		if t.To == "" {
			one.To = nil
		}
		r.Transitions[i] = one
	}
	return send(c, r)
}

// months reads the bounds of a query.
func (s *Server) months(c *gin.Context) (from, to time.Time, err error) {
	to = s.deps.Now().UTC()
	read := func(name string, into *time.Time) {
		if text, ok := c.GetQuery(name); ok && err == nil {
			if *into, err = time.Parse(monthLayout, text); err != nil {
				err = badRequest("the query parameter \"" + name + "\" must be a month such as 2026-01")
			}
		}
	}
	read("to", &to)
	to = time.Date(to.Year(), to.Month(), 1, 0, 0, 0, 0, time.UTC)
	from = to.AddDate(0, -11, 0)
	read("from", &from)
	if err == nil && (from.After(to) || from.AddDate(0, maxMonths, 0).Before(to)) {
		err = badRequest("\"from\" must be a month before \"to\", by 60 at most")
	}
	return from, to, err
}

type personaResponse struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	ModelVersion string `json:"model_version"`
}

type rfmResponse struct {
	Recency   int `json:"recency"`
	Frequency int `json:"frequency"`
	Money     int `json:"money"`
}

// group fills in the members of a profile that its group has; those that it has not
// stay away.
func (r *profileResponse) group(g *profiles.Group) {
	if g == nil {
		return
	}
	r.Stage = g.Stage
	if g.Persona != "" {
		r.Persona = &personaResponse{g.Persona, g.PersonaName, g.ModelVersion}
	}
	if g.Recency > 0 {
		r.RFM = &rfmResponse{g.Recency, g.Frequency, g.Money}
	}
}
