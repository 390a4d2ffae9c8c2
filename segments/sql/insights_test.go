package sql_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// club is a world of 400 people, of whom the first 100 are in the club: what is known
// of them distinguishes them in every way that insights tell of, and in some that they
// must not.
func club(t *testing.T, w *clickhousetest.World) {
	t.Helper()
	for i := range 400 {
		in, id := i < 100, fmt.Sprintf("user_id:u%d", i)
		w.Person(id, fmt.Sprintf("anonymous_id:a%d", i))
		first := clickhousetest.Event{
			MessageID: fmt.Sprintf("f%d", i), Name: "Signed Up", Time: now.Add(-200 * 24 * time.Hour), Identifiers: []string{id, fmt.Sprintf("anonymous_id:a%d", i)},
			Traits: map[string]any{
				"club": in, "email": fmt.Sprintf("ana@club%v.example.com", in), "contact": "info@example.com",
				"remark": fmt.Sprintf("remark %d", i), "country": "PT", "age": 20 + i%10, "tags": []any{"all", "all"},
				"first_seen": "web", "salesperson": "X",
			},
		}
		last := clickhousetest.Event{MessageID: fmt.Sprintf("l%d", i), Name: "Opened", Time: now.Add(-40 * 24 * time.Hour), Identifiers: []string{id}, Traits: map[string]any{"country": "ES", "first_seen": "store"}}
		if in {
			first.Traits["age"], first.Traits["tags"] = 50+i%10, []any{"all", "vip"}
			last.Traits["country"], first.Traits["first_seen"] = "FR", "shop"
			last.Time, last.Name = now.Add(-10*24*time.Hour), "Called"
			last.Kind = "transaction"
			last.Order = &clickhousetest.Order{Type: "order", ID: fmt.Sprintf("o%d", i), Currency: "EUR", Amount: "1", Items: []clickhousetest.Item{{Product: "p1", Name: "Hat", Category: "Hats", Quantity: "1", Price: "1"}}}
		}
		if i < 30 { // Of a trait that nobody else shares with anybody.
			first.Traits["remark"] = "remark of many"
		}
		if i < 5 { // So few that it would speak of persons.
			first.Traits["salesperson"] = "Y"
		}
		w.Add(first, last)
		at := now.Add(-time.Hour)
		w.Score(clickhousetest.Score{Profile: identity.ProfileID(w.Key(id)), Name: "churn", AsOf: at, ComputedAt: at, Value: map[bool]float64{true: .9, false: .1}[in]})
	}
	w.Product(t.Context(), "p1", now.Add(-time.Hour), "Clothing", "Headgear")
	w.Flush(t.Context())
}

// told writes features for people.
func told(f segments.Feature) string {
	name := string(f.Kind) + " " + f.Name
	if f.Label != "" {
		name += " (" + f.Label + ")"
	}
	switch {
	case f.Value != nil:
		name += " = " + string(f.Value)
	case f.From != nil:
		name += fmt.Sprintf(" from %g", *f.From)
	}
	if f.Within > 0 {
		name += " in " + f.Within.String()
	}
	if f.Defining {
		name += ", asked for"
	}
	return fmt.Sprintf("%s: %d against %d", name, f.Members, f.Others)
}

func TestInsights(t *testing.T) {
	ctx := t.Context()
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	club(t, w)
	cfg := sql.DefaultConfig()
	cfg.MaxExecution = time.Minute // However busy the machine is.
	cfg.Rules.Traits = map[string]profiles.TraitRule{"first_seen": {Rule: profiles.Oldest}, "tags": {Rule: profiles.Union}}
	explain := func(definition string) *segments.Insights {
		t.Helper()
		p, err := sql.New(cfg, conn, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		d := parse(t, definition)
		preview, err := p.Preview(ctx, "main", d, 0)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Explain(ctx, "main", d, preview, segments.Question{Parts: []segments.Part{segments.PartInsights}})
		if err != nil {
			t.Fatal(err)
		}
		return got.Insights
	}
	const definition = `{"trait":"club","op":"eq","value":true}`
	got := explain(definition)
	if got.Members != (segments.Sampled{Looked: 100, All: 100}) || got.Others != (segments.Sampled{Looked: 300, All: 300}) {
		t.Errorf("looked at %+v and %+v", got.Members, got.Others)
	}
	var list []string
	for _, f := range got.Features {
		list = append(list, told(f))
	}
	slices.Sort(list)
	if diff := cmp.Diff([]string{
		"category Clothing in 2160h0m0s: 100 against 0",
		"category Hats in 2160h0m0s: 100 against 0",
		"category Headgear in 2160h0m0s: 100 against 0",
		"event Called in 720h0m0s: 100 against 0",
		"product p1 (Hat) in 2160h0m0s: 100 against 0",
		"score churn from 0.9: 100 against 0",
		"trait age from 50: 100 against 0",
		`trait club = true, asked for: 100 against 0`,
		`trait country = "FR": 100 against 0`,
		`trait first_seen = "shop": 100 against 0`,
		`trait tags = "vip": 100 against 0`,
	}, list); diff != "" {
		t.Errorf("features (-want +got):\n%s", diff)
	}
	whole, err := json.Marshal(got)
	if err != nil || strings.Contains(string(whole), "example.com") || strings.Contains(string(whole), "remark") || strings.Contains(string(whole), "salesperson") {
		t.Errorf("insights tell of persons: %s, %v", whole, err)
	}

	// Whose processing is restricted is on neither side.
	if err := conn.Exec(ctx, "INSERT INTO restrictions (workspace, identifier_id, revision, restricted, changed_at) SELECT 'main', arrayJoin(?), 1, true, ?", []uint64{uint64(w.Key("user_id:u0")), uint64(w.Key("user_id:u399"))}, now); err != nil {
		t.Fatal(err)
	}
	if got := explain(definition); got.Members.Looked != 99 || got.Others.Looked != 299 {
		t.Errorf("with restricted people looked at %+v and %+v", got.Members, got.Others)
	}
	cfg.Looked = 50
	some := explain(definition)
	if some.Members.Looked < 25 || some.Members.Looked > 80 || some.Others.Looked < 25 || some.Others.Looked > 80 || some.Members.All != 99 {
		t.Errorf("of a sample looked at %+v and %+v", some.Members, some.Others)
	}
	if diff := cmp.Diff(some, explain(definition)); diff != "" {
		t.Errorf("another sample of the same people:\n%s", diff)
	}
	if got := explain(`{"all":[` + definition + `,{"trait":"salesperson","op":"eq","value":"Y"}]}`); len(got.Features) != 0 || got.Members.Looked != 4 {
		t.Errorf("of four people is told: %+v", got)
	}
}
