package api

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// Check is one condition of readiness.
type Check struct {
	Name string // such as "clickhouse"
	// Check returns nil when the condition holds, and otherwise an error whose
	// text is shown to everyone who can reach /readyz: no secrets in it. It
	// returns when ctx ends.
	Check func(ctx context.Context) error
}

// healthResponse says that the process answers, and nothing more.
type healthResponse struct {
	Status string `json:"status"`
}

type readinessResponse struct {
	Status string          `json:"status"` // ready or not_ready
	Checks []checkResponse `json:"checks"`
}

type checkResponse struct {
	Name   string `json:"name"`
	Status string `json:"status"` // ok or failing
	Reason string `json:"reason,omitempty"`
}

func (s *Server) getHealth(c *gin.Context) error {
	c.JSON(http.StatusOK, healthResponse{Status: "ok"})
	return nil
}

// getReadiness answers 200 when every check passes and 503 with the reasons
// otherwise, and always 503 while the server drains.
func (s *Server) getReadiness(c *gin.Context) error {
	checks := s.ready.outcome(c.Request.Context(), s)
	response := readinessResponse{Status: "ready", Checks: checks}
	if s.draining.Load() {
		response.Checks = append(append([]checkResponse{}, checks...),
			checkResponse{Name: "drain", Status: "failing", Reason: "the server is stopping"})
	}
	status := http.StatusOK
	for _, check := range response.Checks {
		if check.Status != "ok" {
			response.Status, status = "not_ready", http.StatusServiceUnavailable
		}
	}
	body, err := json.Marshal(response)
	if err != nil {
		return err
	}
	c.Data(status, "application/json", body)
	return nil
}

// readiness shares the outcome of the checks between callers: the route is
// open to all, and must not be a way to load the stores.
type readiness struct {
	mu     sync.Mutex // Protects the fields below; held while checks run.
	at     time.Time
	checks []checkResponse
}

func (r *readiness) outcome(ctx context.Context, s *Server) []checkResponse {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := s.deps.Now()
	if r.checks != nil && now.Sub(r.at) < s.cfg.CheckEvery {
		return r.checks
	}
	// A caller that goes away must not make the checks fail for the others.
	r.checks = runChecks(context.WithoutCancel(ctx), s.deps.Checks, s.cfg.CheckTimeout)
	r.at = s.deps.Now()
	return r.checks
}

// runChecks runs all checks at once.
func runChecks(ctx context.Context, checks []Check, timeout time.Duration) []checkResponse {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	outcomes := make([]checkResponse, len(checks))
	var wait sync.WaitGroup
	for i, check := range checks {
		wait.Go(func() {
			outcomes[i] = checkResponse{Name: check.Name, Status: "ok"}
			if err := check.Check(ctx); err != nil {
				outcomes[i].Status, outcomes[i].Reason = "failing", err.Error()
			}
		})
	}
	wait.Wait()
	return outcomes
}
