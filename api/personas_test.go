package api_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/profiles/grouping"
	"github.com/kindred-cdp/kindred/profiles/lifecycle"
	"github.com/kindred-cdp/kindred/profiles/personas"
)

// groupKeeper has personas in workspace main, and notes the months that it is asked for.
type groupKeeper struct {
	err      error
	from, to time.Time
}

func (g *groupKeeper) Personas(_ context.Context, workspace string) (*grouping.Personas, error) {
	if g.err != nil || workspace != "main" {
		return &grouping.Personas{Refused: "no model has been fitted yet"}, g.err
	}
	return &grouping.Personas{
		Version: "personas-1", ComputedAt: noon, AsOf: noon,
		Cards: []grouping.Card{{Profiles: 12, Persona: personas.Persona{
			ID: "p3", Name: "Frequent buyers", Description: "12 people, 60 % of all.", Size: 10, Share: .6,
			Traits: []personas.Trait{{Feature: "purchases", Label: "days with a purchase", Mean: 5, Overall: 2, Deviation: 1.5}},
		}}},
		Candidates: []personas.Candidate{{Personas: 2, Silhouette: .5, Stability: .9, Smallest: .4}, {Personas: 3, Against: "stability 0.50 is below 0.80"}},
	}, nil
}

func (g *groupKeeper) Stages(context.Context, string) ([]grouping.StageSize, error) {
	return []grouping.StageSize{{Stage: lifecycle.Lead, Profiles: 7}, {Stage: lifecycle.AtRisk}}, g.err
}

func (g *groupKeeper) Transitions(_ context.Context, _ string, from, to time.Time) ([]grouping.Transition, error) {
	g.from, g.to = from, to
	return []grouping.Transition{
		{Month: from, To: "lead", Profiles: 3, Share: math.NaN()}, {Month: from, From: "lead", Profiles: 1, Share: .25}, {Month: from, From: "lead", To: "new", Profiles: 3, Share: .75},
	}, g.err
}

func TestGroups(t *testing.T) {
	f := newFixture()
	f.now = func() time.Time { return noon }
	h := f.server(t).Handler()
	for _, sc := range []scenario{
		{name: "personas", path: "/v1/personas", key: "read-dev", status: 200, want: []string{
			`"model_version":"personas-1"`, `{"id":"p3","name":"Frequent buyers","description":"12 people, 60 % of all.","profiles":12,"share":0.6,"traits":[{"feature":"purchases"`,
			`"against":"stability 0.50 is below 0.80"`,
		}, not: []string{"refused", "centre"}},
		{name: "marketers", path: "/v1/personas", key: "marketer-dev", status: 200, want: []string{`"p3"`}},
		{name: "no model", path: "/v1/personas", key: "read-other", status: 200, want: []string{`{"refused":"no model has been fitted yet","personas":[],"candidates":[]}`}},
		{name: "as writer", path: "/v1/personas", key: "write-dev", status: 403},
		{name: "as nobody", path: "/v1/lifecycle", status: 401},
		{name: "lifecycle", path: "/v1/lifecycle?from=2025-01&to=2025-02", key: "read-dev", status: 200, want: []string{
			`"stages":[{"stage":"lead","profiles":7},{"stage":"at_risk","profiles":0}]`, `{"month":"2025-01","from":null,"to":"lead","share":null,"profiles":3}`,
			`{"month":"2025-01","from":"lead","to":null,"share":0.25,"profiles":1}`,
		}},
		{name: "no month", path: "/v1/lifecycle?from=2025-13", key: "read-dev", status: 400, want: []string{`must be a month such as 2026-01`}},
		{name: "the wrong way round", path: "/v1/lifecycle?from=2025-03&to=2025-02", key: "read-dev", status: 400, want: []string{`must be a month before`}},
		{name: "too many", path: "/v1/lifecycle?from=1925-03&to=2025-02", key: "read-dev", status: 400, want: []string{`by 60 at most`}},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	scenario{path: "/v1/lifecycle", key: "read-dev", status: 200}.run(t, h)
	if from, to := f.groups.from.Format(time.DateOnly), f.groups.to.Format(time.DateOnly); from != "2024-04-01" || to != "2025-03-01" {
		t.Errorf("without bounds it is asked from %s to %s", from, to)
	}
	f.groups.err = errors.New("secret of the database")
	for _, path := range []string{"/v1/personas", "/v1/lifecycle"} {
		scenario{path: path, key: "read-dev", status: 500, not: []string{"secret"}}.run(t, h)
	}
}
