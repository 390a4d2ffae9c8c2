package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/segments"
)

// maxPurpose is the length of a purpose in bytes.
const maxPurpose = 100

// explanation are the parts that were asked for; the others are not in the answer.
type explanation struct {
	Reach      *reachResponse            `json:"reach,omitempty"`
	Overlap    []overlapResponse         `json:"overlap,omitzero"`
	Insights   *insightsResponse         `json:"insights,omitempty"`
	Unanswered []segments.Part           `json:"unanswered,omitempty"`
	TookMS     map[segments.Part]float64 `json:"took_ms,omitempty"`
}

type reachResponse struct {
	Purpose  string            `json:"purpose"`
	Channels []reachedResponse `json:"channels"`
}

// reachedResponse counts the members with an address: each has granted, has denied or
// has stated nothing.
type reachedResponse struct {
	Channel     string             `json:"channel"`
	Namespace   identity.Namespace `json:"namespace"`
	Addressable uint64             `json:"addressable"`
	Granted     uint64             `json:"granted"`
	Denied      uint64             `json:"denied"`
	Unknown     uint64             `json:"unknown"`
}

type overlapResponse struct {
	Segment           segments.ID `json:"segment"`
	Members           uint64      `json:"members"`
	Both              uint64      `json:"both"`
	ShareOfSegment    float64     `json:"share_of_segment"`
	ShareOfDefinition float64     `json:"share_of_definition"`
	Jaccard           float64     `json:"jaccard"`
}

type insightsResponse struct {
	Members  sampledResponse   `json:"members"`
	Others   sampledResponse   `json:"others"`
	Features []featureResponse `json:"features"`
}

type sampledResponse struct {
	Looked uint64 `json:"looked"`
	All    uint64 `json:"all"`
}

type featureResponse struct {
	Kind         segments.FeatureKind `json:"kind"`
	Name         string               `json:"name"`
	Label        string               `json:"label,omitempty"`
	Value        json.RawMessage      `json:"value,omitempty"`
	From         *float64             `json:"from,omitempty"`
	To           *float64             `json:"to,omitempty"`
	WithinDays   int                  `json:"within_days,omitempty"`
	Members      uint64               `json:"members"`
	Others       uint64               `json:"others"`
	ShareMembers float64              `json:"share_of_members"`
	ShareOthers  float64              `json:"share_of_others"`
	Lift         float64              `json:"lift"`
	Score        float64              `json:"score"`
	Defining     bool                 `json:"defining"`
}

// checkQuestion returns what is wrong with a question: the member and the rule; nil when
// nothing is.
func (s *Server) checkQuestion(q segments.Question) *fault {
	if len(q.Parts) > 0 && s.deps.Explain == nil {
		return &fault{"include", "must be empty: there is nobody here who answers"}
	}
	for i, part := range q.Parts {
		if !slices.Contains(segments.Parts(), part) || slices.Index(q.Parts, part) != i {
			return &fault{"include", "must be of reach, overlap and insights, each once"}
		}
	}
	if len(q.Purpose) > maxPurpose || strings.ContainsAny(q.Purpose, "\x00\n") {
		return &fault{"purpose", fmt.Sprintf("must be a name of at most %d bytes", maxPurpose)}
	}
	return nil
}

// explain answers a question of a definition that was previewed.
func (s *Server) explain(c *gin.Context, d segments.Definition, of *segments.Preview, q segments.Question) (out explanation, err error) {
	if len(q.Parts) == 0 {
		return out, nil
	}
	e, err := s.deps.Explain.Explain(c.Request.Context(), workspaceOf(c), d, of, q)
	if err != nil {
		return out, err
	}
	out.Unanswered, out.TookMS = e.Unanswered, map[segments.Part]float64{}
	for part, took := range e.Took {
		out.TookMS[part] = float64(took.Microseconds()) / 1000
	}
	if e.Reach != nil {
		out.Reach = &reachResponse{Purpose: e.Purpose}
		for _, r := range e.Reach {
			out.Reach.Channels = append(out.Reach.Channels, reachedResponse{r.Channel.Name, r.Namespace, r.Addressable, r.Granted, r.Denied, r.Unknown()})
		}
	}
	if e.Overlap != nil {
		out.Overlap = make([]overlapResponse, len(e.Overlap))
		for i, o := range e.Overlap {
			out.Overlap[i] = overlapResponse{o.Segment, o.Members, o.Both, o.ShareOfSegment(), o.ShareOfDefinition(), o.Jaccard()}
		}
	}
	if e.Insights != nil {
		out.Insights = shownInsights(e.Insights)
	}
	return out, nil
}

func shownInsights(of *segments.Insights) *insightsResponse {
	out := &insightsResponse{Members: sampledResponse(of.Members), Others: sampledResponse(of.Others), Features: make([]featureResponse, len(of.Features))}
	for i, f := range of.Features {
		out.Features[i] = featureResponse{
			Kind: f.Kind, Name: f.Name, Label: f.Label, Value: f.Value, From: f.From, To: f.To, WithinDays: int(f.Within / (24 * time.Hour)),
			Members: f.Members, Others: f.Others, ShareMembers: float64(f.Members) / float64(of.Members.Looked), ShareOthers: float64(f.Others) / float64(of.Others.Looked),
			Lift: f.Lift, Score: f.Bound, Defining: f.Defining,
		}
	}
	return out
}

// insightsAnswer is what there is to know of a segment as it stands.
type insightsAnswer struct {
	ID       segments.ID `json:"id"`
	Revision uint64      `json:"revision"`
	Count    uint64      `json:"count"`
	Profiles uint64      `json:"profiles"`
	Share    float64     `json:"share"`
	AsOf     time.Time   `json:"as_of"`
	explanation
}

// getSegmentInsights answers GET /v1/segments/{segment}/insights: the definition is
// evaluated now, which for a segment that fares well gives its members.
func (s *Server) getSegmentInsights(c *gin.Context) error {
	if s.deps.Explain == nil {
		return noRoute()
	}
	q := segments.Question{Parts: segments.Parts(), Purpose: c.Query("purpose"), Self: segments.ID(c.Param("segment"))}
	if asked := listOf(c.Query("include")); asked != nil {
		q.Parts = nil
		for _, part := range asked {
			q.Parts = append(q.Parts, segments.Part(part))
		}
	}
	if wrong := s.checkQuestion(q); wrong != nil {
		return badRequest("the query parameter \"" + wrong.Pointer + "\" " + wrong.Detail)
	}
	g, err := s.segmentOf(c)
	if err != nil {
		return err
	}
	d, err := segments.Parse(g.Definition)
	if err != nil {
		return err
	}
	p, err := s.deps.Preview.Preview(c.Request.Context(), workspaceOf(c), d, 0)
	if err != nil {
		return err
	}
	more, err := s.explain(c, d, p, q)
	if err != nil {
		return err
	}
	return send(c, insightsAnswer{ID: g.ID, Revision: g.Revision, Count: p.Count, Profiles: p.Profiles, Share: p.Share(), AsOf: p.AsOf, explanation: more})
}
