package api

import (
	"encoding/json"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/segments"
)

// Sample sizes of a preview.
const (
	defaultSample = 10
	maxSample     = 100
)

type previewRequest struct {
	// Definition stays text here, so that its own parser can point at faults.
	Definition json.RawMessage `json:"definition"`
	Text       *string         `json:"text"` // the definition as text, in its place
	Sample     *int            `json:"sample"`
	Include    []segments.Part `json:"include"`
	Purpose    string          `json:"purpose"` // of the reach
}

type previewResponse struct {
	Count      uint64               `json:"count"`
	Profiles   uint64               `json:"profiles"`
	Share      float64              `json:"share"`
	Sample     []identity.ProfileID `json:"sample"`
	AsOf       time.Time            `json:"as_of"`
	SQL        string               `json:"sql"`
	Parameters map[string]string    `json:"parameters"`
	ElapsedMS  float64              `json:"elapsed_ms"`
	RowsRead   uint64               `json:"rows_read"`
	BytesRead  uint64               `json:"bytes_read"`
	Warnings   []remark             `json:"warnings"`
	Estimate   estimateResponse     `json:"estimate"`
	explanation
}

// previewSegment answers POST /v1/segments/preview.
func (s *Server) previewSegment(c *gin.Context) error {
	var request previewRequest
	if err := decode(c, &request); err != nil {
		return err
	}
	sample := defaultSample
	if request.Sample != nil {
		sample = *request.Sample
	}
	if sample < 0 || sample > maxSample {
		return badRequest("the sample is out of range", fault{"/sample", "must be 0 to 100"})
	}
	question := segments.Question{Parts: request.Include, Purpose: request.Purpose}
	if wrong := s.checkQuestion(question); wrong != nil {
		return badRequest("the body asks for what cannot be told", fault{"/" + wrong.Pointer, wrong.Detail})
	}
	said, err := said(request.Definition, request.Text)
	if err != nil {
		return err
	}
	p, err := s.deps.Preview.Preview(c.Request.Context(), workspaceOf(c), said.definition, sample)
	if err != nil {
		return err
	}
	for _, id := range p.Sample {
		concerns(c, identity.Key(id))
	}
	more, err := s.explain(c, said.definition, p, question)
	if err != nil {
		return err
	}
	c.Header("X-Query-ID", p.QueryID)
	return send(c, previewResponse{
		Count: p.Count, Profiles: p.Profiles, Share: p.Share(),
		Sample: append([]identity.ProfileID{}, p.Sample...), AsOf: p.AsOf,
		SQL: p.SQL, Parameters: p.Parameters,
		ElapsedMS: float64(p.Elapsed.Microseconds()) / 1000, RowsRead: p.RowsRead, BytesRead: p.BytesRead,
		Warnings: s.warnings(c, said), Estimate: shownEstimate(p.Estimate), explanation: more,
	})
}
