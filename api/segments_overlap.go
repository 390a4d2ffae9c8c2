package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/segments"
)

type overlapRequest struct {
	Segments []struct {
		ID         segments.ID     `json:"id"`
		Name       string          `json:"name"`
		Definition json.RawMessage `json:"definition"`
		Text       *string         `json:"text"`
	} `json:"segments"`
}

type intersectionAnswer struct {
	AsOf          time.Time              `json:"as_of"`
	Profiles      uint64                 `json:"profiles"`
	Segments      []countedSegment       `json:"segments"`
	Intersections []intersectionResponse `json:"intersections"`
}

type countedSegment struct {
	Name  string `json:"name"`
	Count uint64 `json:"count"`
}

type intersectionResponse struct {
	In      []string `json:"in"`
	Members uint64   `json:"members"`
	Only    uint64   `json:"only"`
	Jaccard float64  `json:"jaccard,omitempty"` // of two
}

// postSegmentOverlap answers POST /v1/segments/overlap.
func (s *Server) postSegmentOverlap(c *gin.Context) error {
	if s.deps.Explain == nil {
		return noRoute()
	}
	var r overlapRequest
	if err := decode(c, &r); err != nil {
		return err
	}
	names, ds, err := r.definitions()
	if err != nil {
		return err
	}
	found, err := s.deps.Explain.Intersect(c.Request.Context(), workspaceOf(c), ds)
	var invalid *segments.Invalid
	var large *segments.TooLarge
	switch {
	case errors.As(err, &invalid):
		faults := make([]fault, len(invalid.Faults))
		for i, f := range invalid.Faults {
			faults[i] = fault{r.pointer(f.Pointer), f.Detail}
		}
		return badRequest("a segment definition breaks rules", faults...)
	case errors.As(err, &large):
		return readsTooMuch(large, r.pointer(large.Largest().Pointer))
	}
	if err != nil {
		return err
	}
	return send(c, shownIntersections(found, names))
}

func shownIntersections(found *segments.Intersections, names []string) intersectionAnswer {
	answer := intersectionAnswer{AsOf: found.AsOf, Profiles: found.Profiles, Segments: make([]countedSegment, len(names)), Intersections: make([]intersectionResponse, len(found.Regions))}
	for i, name := range names {
		answer.Segments[i] = countedSegment{name, found.Counts[i]}
	}
	for n, region := range found.Regions {
		one := intersectionResponse{Members: region.Members, Only: region.Only}
		var either uint64
		for i, name := range names {
			if region.In>>i&1 == 1 {
				one.In = append(one.In, name)
				either += found.Counts[i]
			}
		}
		if len(one.In) == 2 {
			one.Jaccard = float64(region.Members) / float64(either-region.Members)
		}
		answer.Intersections[n] = one
	}
	return answer
}

// definitions reads what to intersect: live segments by their ids, and definitions,
// which have the names that the caller gives them or those of their places.
func (r overlapRequest) definitions() (names []string, ds []segments.Definition, err error) {
	if len(r.Segments) < 2 || len(r.Segments) > segments.MaxIntersected {
		return nil, nil, badRequest("the number of segments is out of range", fault{"/segments", fmt.Sprintf("must have 2 to %d of them", segments.MaxIntersected)})
	}
	for i, one := range r.Segments {
		at := fmt.Sprintf("/segments/%d", i)
		name := one.Name
		var d segments.Definition
		switch {
		case one.ID != "" && (one.Definition != nil || one.Text != nil || one.Name != ""):
			return nil, nil, badRequest("a segment is said twice", fault{at, "must have an id alone, or a definition or text"})
		case one.ID != "" && !one.ID.Valid():
			return nil, nil, badRequest("a segment cannot be named so", fault{at + "/id", "is no name of a segment"})
		case one.ID != "":
			name, d = string(one.ID), segments.Definition{Root: segments.InSegment{ID: string(one.ID)}}
		default:
			said, err := said(one.Definition, one.Text)
			if err != nil {
				return nil, nil, within(at, err)
			}
			if d = said.definition; name == "" {
				name = fmt.Sprint(i)
			}
		}
		if slices.Contains(names, name) || len(name) > segments.MaxNameBytes {
			return nil, nil, badRequest("names must tell the segments apart", fault{at, "has the name of another, or one that is too long"})
		}
		names, ds = append(names, name), append(ds, d)
	}
	return names, ds, nil
}

// within moves the faults of one definition to its place in a body.
func within(at string, err error) error {
	p := *problemOf(err)
	p.Errors = slices.Clone(p.Errors)
	for i := range p.Errors {
		p.Errors[i].Pointer = at + p.Errors[i].Pointer
	}
	p.TextErrors = slices.Clone(p.TextErrors)
	for i := range p.TextErrors {
		p.TextErrors[i].Pointer = at + p.TextErrors[i].Pointer
	}
	return &p
}

// pointer returns where in the body something stands that is told by the place of its
// definition.
func (r overlapRequest) pointer(of string) string {
	place, rest, _ := strings.Cut(strings.TrimPrefix(of, "/"), "/")
	at := "/segments/" + place
	i, err := strconv.Atoi(place)
	switch {
	case err != nil || i >= len(r.Segments):
		return at // Impossible: there is no such definition.
	case r.Segments[i].ID != "":
		return at + "/id"
	case r.Segments[i].Text != nil:
		return at + "/text"
	}
	return at + strings.TrimSuffix("/definition/"+rest, "/")
}
