package api

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/segments"
)

// estimateResponse is what a definition reads, as it is told before it runs.
type estimateResponse struct {
	Rows   uint64         `json:"rows"`
	Bytes  uint64         `json:"bytes"`
	Leaves []leafResponse `json:"leaves"`
}

type leafResponse struct {
	Pointer string `json:"pointer"`
	Rows    uint64 `json:"rows"`
	Bytes   uint64 `json:"bytes"`
}

func shownEstimate(e segments.Estimate) estimateResponse {
	out := estimateResponse{Rows: e.Rows, Bytes: e.Bytes, Leaves: make([]leafResponse, len(e.Leaves))}
	for i, leaf := range e.Leaves {
		out.Leaves[i] = leafResponse{"/definition" + leaf.Pointer, leaf.Rows, leaf.Bytes}
	}
	return out
}

// readsTooMuch is the problem of a definition that is refused before it runs, at the
// leaf that asks for the most.
func readsTooMuch(e *segments.TooLarge, at string) *problem {
	p := newProblem(http.StatusUnprocessableEntity, "reads-too-much", "The definition would read too much",
		fmt.Sprintf("it would read %d rows (%d bytes); the setting segment-rows allows %d", e.Rows, e.Bytes, e.Limit))
	p.Errors = []fault{{at, fmt.Sprintf("asks for %d rows (%d bytes), the most of all leaves", e.Largest().Rows, e.Largest().Bytes)}}
	return p
}

// affordable refuses a definition that would read too much each time that it is
// evaluated over all profiles.
func (s *Server) affordable(c *gin.Context, d segments.Definition) error {
	if s.deps.Estimate == nil {
		return nil
	}
	_, err := s.deps.Estimate.Estimate(c.Request.Context(), workspaceOf(c), segments.ID(c.Param("segment")), d)
	return err
}
