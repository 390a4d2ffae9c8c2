package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/segments"
)

// explainer answers with fixed results and notes what it was asked.
type explainer struct {
	err       error
	workspace string
	question  segments.Question
	of        *segments.Preview
	ds        []segments.Definition
	self      segments.ID // of the last estimate
}

func (e *explainer) Estimate(_ context.Context, workspace string, self segments.ID, _ segments.Definition) (*segments.Estimate, error) {
	e.workspace, e.self = workspace, self
	return &segments.Estimate{}, e.err
}

func (e *explainer) Explain(_ context.Context, workspace string, _ segments.Definition, of *segments.Preview, q segments.Question) (*segments.Explanation, error) {
	e.workspace, e.question, e.of = workspace, q, of
	if e.err != nil {
		return nil, e.err
	}
	from, out := 50.0, &segments.Explanation{Purpose: "marketing", Took: map[segments.Part]time.Duration{}}
	for _, part := range q.Parts {
		out.Took[part] = 1500 * time.Microsecond
		switch part {
		case segments.PartReach:
			out.Reach = []segments.ChannelReach{{Channel: segments.Channel{Name: "email", Namespace: identity.Email}, Addressable: 10, Granted: 5, Denied: 2}}
		case segments.PartOverlap:
			out.Overlap = []segments.SegmentOverlap{{Segment: "loyal", Members: 8, Of: 4, Both: 2}}
			if q.Purpose == "nothing" {
				out.Overlap = []segments.SegmentOverlap{}
			}
		default:
			if q.Purpose == "nothing" {
				out.Unanswered = []segments.Part{part}
				continue
			}
			out.Insights = &segments.Insights{
				Members: segments.Sampled{Looked: 20, All: 40}, Others: segments.Sampled{Looked: 50, All: 50},
				Features: []segments.Feature{
					{Kind: segments.FeatureTrait, Name: "country", Value: json.RawMessage(`"PT"`), Members: 10, Others: 5, Lift: 4.5, Bound: .5, Defining: true},
					{Kind: segments.FeatureScore, Name: "churn", From: &from, Members: 10, Others: 5, Lift: 4.5, Bound: .5},
					{Kind: segments.FeatureProduct, Name: "p1", Label: "Hat", Within: 90 * 24 * time.Hour, Members: 10, Others: 5, Lift: 4.5, Bound: .5},
				},
			}
		}
	}
	return out, nil
}

func (e *explainer) Intersect(_ context.Context, workspace string, ds []segments.Definition) (*segments.Intersections, error) {
	e.workspace, e.ds = workspace, ds
	if e.err != nil {
		return nil, e.err
	}
	return &segments.Intersections{
		AsOf: noon, Profiles: 100, Counts: []uint64{10, 6},
		Regions: []segments.Region{{In: 1, Members: 10, Only: 6}, {In: 2, Members: 6, Only: 2}, {In: 3, Members: 4, Only: 4}},
	}, nil
}

func TestPreviewExplains(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	post := func(body string, status int, want ...string) {
		t.Run(body, func(t *testing.T) {
			scenario{method: http.MethodPost, path: "/v1/segments/preview", key: "read-dev", body: `{"definition":` + definition + body + `}`, status: status, want: want}.run(t, h)
		})
	}
	const (
		reach    = `"reach":{"purpose":"marketing","channels":[{"channel":"email","namespace":"email","addressable":10,"granted":5,"denied":2,"unknown":3}]}`
		overlap  = `"overlap":[{"segment":"loyal","members":8,"both":2,"share_of_segment":0.25,"share_of_definition":0.5,"jaccard":0.2}]`
		insights = `"insights":{"members":{"looked":20,"all":40},"others":{"looked":50,"all":50},"features":[{"kind":"trait","name":"country","value":"PT","members":10,"others":5,"share_of_members":0.5,"share_of_others":0.1,"lift":4.5,"score":0.5,"defining":true},{"kind":"score","name":"churn","from":50,`
	)
	post(`,"include":["reach","overlap","insights"]`, 200, `"count":1`, reach, overlap, insights, `"label":"Hat","within_days":90`, `"took_ms":{"insights":1.5,"overlap":1.5,"reach":1.5}`)
	post(`,"include":["overlap"],"purpose":"news"`, 200, overlap)
	if f.explain.question.Purpose != "news" || f.explain.workspace != "main" || !f.explain.of.AsOf.Equal(noon) || f.explain.of.Count != 1 {
		t.Errorf("asked %+v of %+v in %s", f.explain.question, f.explain.of, f.explain.workspace)
	}
	post(`,"include":["overlap","insights"],"purpose":"nothing"`, 200, `"overlap":[]`, `"unanswered":["insights"]`)
	post(`,"include":["reach","reach"]`, 400, `"/include"`)
	post(`,"include":["everything"]`, 400, `"/include"`)
	post(`,"include":["reach"],"purpose":"a\nb"`, 400, `"/purpose"`)
	f.explain.question = segments.Question{}
	scenario{method: http.MethodPost, path: "/v1/segments/preview", key: "read-dev", body: `{"definition":` + definition + `}`, status: 200, not: []string{"reach", "overlap", "insights", "took_ms"}}.run(t, h)
	if f.explain.question.Parts != nil {
		t.Error("a preview that asks for nothing more was explained")
	}
	f.explain.err = fmt.Errorf("%w", segments.ErrTooExpensive)
	post(`,"include":["reach"]`, 422)
}

func TestSegmentInsights(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	get := func(path string, status int, want ...string) {
		t.Run(path, func(t *testing.T) {
			scenario{path: "/v1/segments/" + path, key: "marketer-dev", status: status, want: want}.run(t, h)
		})
	}
	get("loyal/insights", 200, `"id":"loyal","revision":7,"count":1,"profiles":4,"share":0.25`, `"reach":{`, `"overlap":[{`, `"insights":{`)
	if diff := cmp.Diff(segments.Question{Parts: segments.Parts(), Self: "loyal"}, f.explain.question); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	get("loyal/insights?include=reach&purpose=news", 200, `"reach":{`)
	if diff := cmp.Diff(segments.Question{Parts: []segments.Part{segments.PartReach}, Purpose: "news", Self: "loyal"}, f.explain.question); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	get("loyal/insights?include=all", 400, `\"include\"`)
	get("other/insights", 404, "segment-not-found")
	get("overlap", 405)
}

func TestSegmentOverlap(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	post := func(body string, status int, want ...string) {
		t.Run(body, func(t *testing.T) {
			scenario{method: http.MethodPost, path: "/v1/segments/overlap", key: "read-dev", body: body, status: status, want: want}.run(t, h)
		})
	}
	post(`{"segments":[{"id":"loyal"},{"text":"country = \"PT\""}]}`, 200, `"profiles":100,"segments":[{"name":"loyal","count":10},{"name":"1","count":6}],"intersections":[{"in":["loyal"],"members":10,"only":6},{"in":["1"],"members":6,"only":2},{"in":["loyal","1"],"members":4,"only":4,"jaccard":0.3333333333333333}]`)
	if diff := cmp.Diff(segments.Definition{Root: segments.InSegment{ID: "loyal"}}, f.explain.ds[0]); diff != "" || f.explain.workspace != "main" {
		t.Errorf("intersected (-want +got):\n%s", diff)
	}
	post(`{"segments":[{"definition":`+definition+`,"name":"a"},{"definition":`+definition+`,"name":"b"}]}`, 200, `"in":["a","b"]`)
	post(`{"segments":[{"id":"loyal"}]}`, 400, `"/segments"`)
	post(`{"segments":[{"id":"loyal"},{"id":"loyal"}]}`, 400, `"/segments/1"`)
	post(`{"segments":[{"id":"loyal"},{"id":"A"}]}`, 400, `"/segments/1/id"`)
	post(`{"segments":[{"id":"loyal"},{"id":"b","name":"c"}]}`, 400, `"/segments/1"`)
	post(`{"segments":[{"id":"loyal"},{}]}`, 400, `"/segments/1/definition"`)
	post(`{"segments":[{"id":"loyal"},{"definition":{"all":[{"trait":"a"}]}}]}`, 400, `"/segments/1/definition/all/0"`)
	post(`{"segments":[{"id":"loyal"},{"text":"country = "}]}`, 400, `"/segments/1/text"`, `"column":11`)
	f.explain.err = &segments.Invalid{Faults: []segments.Fault{{Pointer: "/0/segment", Detail: "there is no live segment"}, {Pointer: "/1/all/0/segment", Detail: "there is no live segment"}}}
	post(`{"segments":[{"id":"loyal"},{"definition":{"all":[{"segment":"x"}]}}]}`, 400, `"/segments/0/id"`, `"/segments/1/definition/all/0/segment"`)
	f.explain.err = fmt.Errorf("%w", segments.ErrTooExpensive)
	post(`{"segments":[{"id":"a"},{"id":"b"}]}`, 422, "too-expensive")
}

func TestSegmentsThatReadTooMuch(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	large := &segments.TooLarge{Limit: 100, Estimate: segments.Estimate{Rows: 150, Bytes: 1500, Leaves: []segments.LeafEstimate{
		{Pointer: "/all/0", Rows: 70, Bytes: 700}, {Pointer: "/all/1", Rows: 80, Bytes: 800},
	}}}
	scenario{method: http.MethodPost, path: "/v1/segments/preview", key: "read-dev", body: `{"definition":` + definition + `}`, status: 200, want: []string{`"estimate":{"rows":10,"bytes":80,"leaves":[{"pointer":"/definition/trait","rows":10,"bytes":80}]}`}}.run(t, h)
	const put = `{"expected_revision":7,"definition":` + definition + `}`
	scenario{method: http.MethodPut, path: "/v1/segments/loyal", key: "admin-dev", body: put, status: 200}.run(t, h)
	if f.explain.self != "loyal" || f.explain.workspace != "main" {
		t.Errorf("estimated %q of %q", f.explain.self, f.explain.workspace)
	}
	f.preview.err, f.explain.err = large, large
	want := []string{`"type":"urn:kindred:problem:reads-too-much"`, `it would read 150 rows (1500 bytes); the setting segment-rows allows 100`, `"errors":[{"pointer":"/definition/all/1","detail":"asks for 80 rows (800 bytes), the most of all leaves"}]`}
	scenario{method: http.MethodPost, path: "/v1/segments/preview", key: "read-dev", body: `{"definition":` + definition + `}`, status: 422, want: want}.run(t, h)
	before := len(f.live.asked)
	scenario{method: http.MethodPut, path: "/v1/segments/loyal", key: "admin-dev", body: put, status: 422, want: want}.run(t, h)
	if len(f.live.asked) != before {
		t.Errorf("a segment was changed: %v", f.live.asked)
	}
	for i := range large.Leaves {
		large.Leaves[i].Pointer = "/1" + large.Leaves[i].Pointer
	}
	scenario{method: http.MethodPost, path: "/v1/segments/overlap", key: "read-dev", body: `{"segments":[{"id":"loyal"},{"definition":` + definition + `}]}`, status: 422, want: []string{`"/segments/1/definition/all/1"`}}.run(t, h)
}
