package api

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
)

// Plans keeps tracking plans. Implementations are safe for concurrent use.
type Plans interface {
	// List returns the live plans of a workspace by name.
	List(ctx context.Context, workspace string) ([]Plan, error)
	// Get returns one live plan, or ErrNoPlan.
	Get(ctx context.Context, workspace, name string) (*Plan, error)
	// Put makes or changes a plan and returns its revision when the change
	// stands: an event that comes in a second later is held against it. expected
	// is the revision that the caller has seen, 0 for a new plan. It returns a
	// *Refused or ErrPending as well.
	Put(ctx context.Context, workspace, actor, name string, expected uint64, definition json.RawMessage) (uint64, error)
	// Archive ends a plan, like Put.
	Archive(ctx context.Context, workspace, actor, name string, expected uint64) (uint64, error)
	// Try holds a message against the live plans, or against a definition
	// alone when it is not empty, and stores nothing.
	Try(ctx context.Context, workspace, kind string, message, definition json.RawMessage) ([]PlanViolation, error)
	// Violations sums up what broke a plan since a time, at most limit rules.
	Violations(ctx context.Context, workspace, plan string, since time.Time, limit int) ([]PlanBroken, error)
}

// Plan is one tracking plan as it stands.
type Plan struct {
	Name       string
	Revision   uint64
	ChangedAt  time.Time
	Actor      string
	Definition json.RawMessage
	Events     int
}

// PlanViolation is one rule that a message breaks.
type PlanViolation struct {
	Plan    string `json:"plan"`
	Version string `json:"version"`
	Pointer string `json:"pointer"`
	Rule    string `json:"rule"`
	Detail  string `json:"detail"`
	Block   bool   `json:"block"`
}

// PlanBroken counts one rule that events broke.
type PlanBroken struct {
	Event    string    `json:"event"`
	Version  string    `json:"version"`
	Source   string    `json:"source"`
	Rule     string    `json:"rule"`
	Pointer  string    `json:"pointer"`
	Detail   string    `json:"detail"`
	Mode     string    `json:"mode"`
	Count    uint64    `json:"count"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Examples []string  `json:"examples"` // message ids
}

// planRoutes are the operations on tracking plans.
func (s *Server) planRoutes() []route {
	with := func(handle func(*gin.Context) error) func(*gin.Context) error {
		return func(c *gin.Context) error {
			if s.deps.Plans == nil {
				return noRoute()
			}
			return handle(c)
		}
	}
	return []route{
		{http.MethodGet, "/v1/plans", RoleRead, with(s.listPlans)},
		{http.MethodPost, "/v1/plans/check", RoleRead, with(s.checkPlans)},
		{http.MethodGet, "/v1/plans/:plan", RoleRead, with(s.getPlan)},
		{http.MethodPut, "/v1/plans/:plan", RoleAdmin, with(s.putPlan)},
		{http.MethodDelete, "/v1/plans/:plan", RoleAdmin, with(s.deletePlan)},
		{http.MethodGet, "/v1/plans/:plan/violations", RoleRead, with(s.getPlanViolations)},
	}
}

type planResponse struct {
	Name       string          `json:"name"`
	Revision   uint64          `json:"revision"`
	ChangedAt  time.Time       `json:"changed_at"`
	ChangedBy  string          `json:"changed_by"`
	Events     int             `json:"events"`
	Definition json.RawMessage `json:"definition,omitempty"` // not in lists
}

func (s *Server) listPlans(c *gin.Context) error {
	list, err := s.deps.Plans.List(c.Request.Context(), workspaceOf(c))
	if err != nil {
		return err
	}
	answer := struct {
		Plans []planResponse `json:"plans"`
	}{make([]planResponse, len(list))}
	for i, p := range list {
		answer.Plans[i] = planResponse{Name: p.Name, Revision: p.Revision, ChangedAt: p.ChangedAt, ChangedBy: p.Actor, Events: p.Events}
	}
	return send(c, answer)
}

func (s *Server) getPlan(c *gin.Context) error {
	p, err := s.deps.Plans.Get(c.Request.Context(), workspaceOf(c), c.Param("plan"))
	if err != nil {
		return err
	}
	return send(c, planResponse{p.Name, p.Revision, p.ChangedAt, p.Actor, p.Events, p.Definition})
}

type planRequest struct {
	// Expected is a pointer, because a forgotten revision must not mean a new
	// plan.
	Expected   *uint64         `json:"expected_revision"`
	Definition json.RawMessage `json:"definition"`
}

func (s *Server) putPlan(c *gin.Context) error {
	var r planRequest
	if err := decode(c, &r); err != nil {
		return err
	}
	var faults []fault
	if r.Expected == nil {
		faults = append(faults, fault{"/expected_revision", "is missing: the revision that you have seen, 0 for a new plan"})
	}
	if len(r.Definition) == 0 {
		faults = append(faults, fault{"/definition", "is missing"})
	}
	if len(faults) > 0 {
		return badRequest("the body is incomplete", faults...)
	}
	revision, err := s.deps.Plans.Put(c.Request.Context(), workspaceOf(c), actorOf(c), c.Param("plan"), *r.Expected, r.Definition)
	if err != nil {
		return err
	}
	return send(c, changeResponse{revision})
}

func (s *Server) deletePlan(c *gin.Context) error {
	expected, err := numberQuery(c, "expected_revision", 1, math.MaxInt64, 0)
	if err != nil {
		return err
	}
	if expected == 0 {
		return badRequest("the query parameter \"expected_revision\" is missing: the revision that you have seen")
	}
	revision, err := s.deps.Plans.Archive(c.Request.Context(), workspaceOf(c), actorOf(c), c.Param("plan"), expected)
	if err != nil {
		return err
	}
	return send(c, changeResponse{revision})
}

type planCheckRequest struct {
	Kind       string          `json:"kind"`
	Event      json.RawMessage `json:"event"`
	Definition json.RawMessage `json:"definition"`
}

type planCheckResponse struct {
	Stored     bool            `json:"stored"` // whether the event would be, or become a dead letter
	Violations []PlanViolation `json:"violations"`
}

func (s *Server) checkPlans(c *gin.Context) error {
	r := planCheckRequest{Kind: "behaviour"}
	if err := decode(c, &r); err != nil {
		return err
	}
	if len(r.Event) == 0 || r.Event[0] != '{' {
		return badRequest("the body is incomplete", fault{"/event", "must be the JSON object of a message"})
	}
	broken, err := s.deps.Plans.Try(c.Request.Context(), workspaceOf(c), r.Kind, r.Event, r.Definition)
	if err != nil {
		return err
	}
	blocks := func(v PlanViolation) bool { return v.Block }
	return send(c, planCheckResponse{Stored: !slices.ContainsFunc(broken, blocks), Violations: append([]PlanViolation{}, broken...)})
}

// violationWindow is how far back violations are summed up without a since.
const violationWindow = 7 * 24 * time.Hour

func (s *Server) getPlanViolations(c *gin.Context) error {
	since, err := timeQuery(c, "since", s.deps.Now().UTC().Add(-violationWindow))
	if err != nil {
		return err
	}
	limit, err := numberQuery(c, "limit", 1, 1000, 100)
	if err != nil {
		return err
	}
	list, err := s.deps.Plans.Violations(c.Request.Context(), workspaceOf(c), c.Param("plan"), since, int(limit))
	if err != nil {
		return err
	}
	return send(c, struct {
		Since      time.Time    `json:"since"`
		Violations []PlanBroken `json:"violations"`
	}{since, append([]PlanBroken{}, list...)})
}
