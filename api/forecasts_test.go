package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/profiles/features"
	"github.com/kindred-cdp/kindred/profiles/forecast"
	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// forecastKeeper has one model in workspace main.
type forecastKeeper struct {
	err  error
	seen []forecast.Change
}

func (k *forecastKeeper) model() forecast.Model {
	text := `{"target":{"ready":"churn"},"horizon":"30d"}`
	d, err := forecast.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return forecast.Model{
		Name: "churn30", Revision: 4, ChangedAt: noon, Actor: "ana", Definition: d, Text: json.RawMessage(text), State: forecast.StateReady,
		Champion: "logistic-1", Latest: "logistic-1", TrainedAt: noon, Versions: []forecast.Version{{Version: "logistic-1", CreatedAt: noon}},
	}
}

func (k *forecastKeeper) List(_ context.Context, workspace string) ([]forecast.Model, error) {
	if workspace != "main" {
		return nil, k.err
	}
	return []forecast.Model{k.model()}, k.err
}

func (k *forecastKeeper) Get(_ context.Context, workspace, name string) (*forecast.Model, error) {
	m := k.model()
	if workspace != "main" || name != m.Name {
		return nil, forecast.ErrNoModel
	}
	return &m, k.err
}

func (k *forecastKeeper) Card(ctx context.Context, workspace, name, version string) (*forecast.Card, error) {
	if _, err := k.Get(ctx, workspace, name); err != nil || version != "" && version != "logistic-1" {
		return nil, forecast.ErrNoModel
	}
	return &forecast.Card{
		Model: name, Version: "logistic-1", CreatedAt: noon, Champion: true, Target: forecast.Target{Ready: forecast.Churn}, Horizon: "30d", Gap: "0d",
		Knowledge: features.Received, Identity: "as it was", Moments: []forecast.Moment{{AsOf: noon, Use: "test", Rows: 100, Positives: 60}},
		Family: propensity.Logistic, Calibration: "none", Features: []propensity.Weight{{Feature: "orders_30d", Share: 1}},
		Excluded: []propensity.Exclusion{}, Leaks: []propensity.Leak{}, Baselines: map[string]propensity.Baseline{"base_rate": {}}, Limits: []string{"one"}, Intervals: map[string]propensity.Interval{"auc": {.6, .7}},
		Check: &forecast.Check{At: noon, Realised: &forecast.Realised{AsOf: noon, Version: "logistic-1"}},
	}, k.err
}

func (k *forecastKeeper) Change(_ context.Context, workspace, actor, name string, c forecast.Change) (uint64, error) {
	if k.err != nil {
		return 0, k.err
	}
	if workspace != "main" || name != "churn30" && c.Kind != forecast.Put {
		return 0, forecast.ErrNoModel
	}
	if c.Kind != forecast.Put && c.Kind != forecast.Train && c.Expected == 3 || actor == "" {
		return 0, &api.Refused{Conflict: true, Detail: "the model is at revision 4"}
	}
	k.seen = append(k.seen, c)
	return 5, nil
}

func TestForecasts(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	const one = "/v1/models/churn30"
	for _, sc := range []scenario{
		{name: "list", path: "/v1/models", key: "read-dev", status: 200, want: []string{`"name":"churn30"`, `"state":"ready"`, `"champion":"logistic-1"`, `"scored_at":null`}, not: []string{"definition", "versions"}},
		{name: "list of another workspace", path: "/v1/models", key: "read-other", status: 200, want: []string{`{"models":[]}`}},
		{name: "model", path: one, key: "marketer-dev", status: 200, want: []string{`"definition":{"target":{"ready":"churn"},"horizon":"30d"}`, `"versions":[{"version":"logistic-1"`}},
		{name: "unknown", path: "/v1/models/none", key: "read-dev", status: 404, want: []string{"model-not-found", "GET /v1/models"}},
		{name: "of another workspace", path: one, key: "read-other", status: 404, want: []string{"model-not-found"}},
		{name: "card", path: one + "/card", key: "read-dev", status: 200, want: []string{`"knowledge":"received"`, `"realised":{"as_of"`, `"limits":["one"]`}},
		{name: "card of a version", path: one + "/card?version=logistic-1", key: "read-dev", status: 200, want: []string{`"version":"logistic-1"`}},
		{name: "card of no version", path: one + "/card?version=x", key: "read-dev", status: 404, want: []string{"model-not-found"}},
		{name: "put", method: "PUT", path: "/v1/models/new", key: "admin-dev", body: `{"expected_revision":0,"definition":{"target":{"ready":"purchase"},"horizon":"30d"}}`, status: 200, want: []string{`"revision":5`}},
		{name: "put half", method: "PUT", path: one, key: "admin-dev", body: `{}`, status: 400, want: []string{"/expected_revision", "/definition"}},
		{name: "put as reader", method: "PUT", path: one, key: "read-dev", body: `{}`, status: 403},
		{name: "train", method: "POST", path: one + "/train", key: "admin-dev", status: 200, want: []string{`"revision":5`}},
		{name: "train nothing", method: "POST", path: "/v1/models/none/train", key: "admin-dev", status: 404, want: []string{"model-not-found"}},
		{name: "promote", method: "POST", path: one + "/promote", key: "admin-dev", body: `{"version":"logistic-1"}`, status: 200, want: []string{`"revision":5`}},
		{name: "promote what", method: "POST", path: one + "/promote", key: "admin-dev", body: `{}`, status: 400, want: []string{"/version"}},
		{name: "delete unseen", method: "DELETE", path: one, key: "admin-dev", status: 400, want: []string{"expected_revision"}},
		{name: "delete too late", method: "DELETE", path: one + "?expected_revision=3", key: "admin-dev", status: 409, want: []string{"conflict"}},
		{name: "delete", method: "DELETE", path: one + "?expected_revision=4", key: "admin-dev", status: 200, want: []string{`"revision":5`}},
		{name: "nobody", path: "/v1/models", status: 401},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	var kinds []string
	for _, c := range f.foretell.seen {
		kinds = append(kinds, c.Kind)
	}
	if want := []string{forecast.Put, forecast.Train, forecast.Promote, forecast.Archive}; !cmp.Equal(kinds, want) {
		t.Errorf("changes are %v, want %v", kinds, want)
	}
	f.foretell.err = errors.New("secret of the database")
	broken := scenario{path: "/v1/models", key: "read-dev", status: 500, not: []string{"secret"}}
	broken.run(t, h)
}
