package api_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/profiles/matching"
)

// modelShelf has one model in workspace main.
type modelShelf struct{ err error }

// learntModel is a real one, of records of few names.
var learntModel = sync.OnceValue(func() *linkage.Model {
	t := &linkage.Table{Rows: 60}
	for c, name := range []string{"first_name", "last_name", "birthday"} {
		col := linkage.Column{Name: name, Values: []string{""}}
		for row := range t.Rows {
			person := row % 40
			if row >= 40 {
				person = row - 40 // the first twenty once more
			}
			col.Values = append(col.Values, []string{
				fmt.Sprintf("ana%c", 'a'+person%7), fmt.Sprintf("silva%c%c", 'a'+person%5, 'k'+person%8), fmt.Sprintf("19%02d-%02d-11", 50+person, 1+person%12),
			}[c])
			col.Codes = append(col.Codes, uint32(row+1))
		}
		t.Columns = append(t.Columns, col)
	}
	result, err := linkage.Link(context.Background(), t, linkage.Options{Seed: 1, Types: map[string]linkage.Type{
		"first_name": linkage.GivenName, "last_name": linkage.Surname, "birthday": linkage.Date,
	}})
	if err != nil {
		panic(err)
	}
	return result.Model
})

func (m *modelShelf) model() api.LinkageModel {
	l := learntModel()
	return api.LinkageModel{Version: l.Version, CreatedAt: noon, Records: uint64(l.Records), Candidates: uint64(l.Candidates), ExpectedMatches: l.ExpectedMatches, InForce: true}
}

func (m *modelShelf) List(_ context.Context, workspace string) ([]api.LinkageModel, error) {
	if m.err != nil || workspace != "main" {
		return nil, m.err
	}
	return []api.LinkageModel{m.model()}, nil
}

func (m *modelShelf) Get(_ context.Context, workspace, version string) (*api.LinkageModel, error) {
	got := m.model()
	if m.err == nil && (workspace != "main" || version != got.Version) {
		return nil, api.ErrNoModel
	}
	got.Card = matching.CardOf(learntModel())
	return &got, m.err
}

func TestModels(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	version := learntModel().Version
	for _, sc := range []scenario{
		{name: "list", path: "/v1/identity/models", key: "read-dev", status: 200, want: []string{`{"models":[{"version":"` + version + `"`, `"created_at":"2025-03-01T12:00:00Z"`, `"in_force":true`, `"records":60`}, not: []string{"card"}},
		{name: "list of another workspace", path: "/v1/identity/models", key: "read-other", status: 200, want: []string{`{"models":[]}`}, not: []string{version}},
		{name: "card", path: "/v1/identity/models/" + version, key: "read-dev", status: 200, want: []string{`"prior_bits":`, `"levels":[{"name":"exact","m":`, `"expectations":[{"bits":`, `"rules":[{"name":"all pairs"`, `"frequent_values":{`}, not: []string{"frequent_bits", "silva", "ana"}},
		{name: "unknown version", path: "/v1/identity/models/none", key: "read-dev", status: 404, want: []string{"model-not-found", "lists the versions"}},
		{name: "model of another workspace", path: "/v1/identity/models/" + version, key: "read-other", status: 404, want: []string{"model-not-found"}},
		{name: "as writer", path: "/v1/identity/models", key: "write-dev", status: 403, want: []string{"forbidden"}},
		{name: "as nobody", path: "/v1/identity/models/" + version, status: 401, want: []string{"unauthorized"}},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	f.models.err = errors.New("secret of the database")
	broken := scenario{path: "/v1/identity/models", key: "read-dev", status: 500, not: []string{"secret"}}
	broken.run(t, h)
}
