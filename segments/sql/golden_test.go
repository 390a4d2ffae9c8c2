package sql_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/lifecycle"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden compares the SQL of each testdata/*.json with the file beside it.
// The expressions of the reading are the warehouse's business, so they are
// shown by name.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d definitions, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d, err := segments.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			q, err := sql.Compile(d, ruleTable(), "main", now, warehouse.Reading{})
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, strings.TrimSuffix(file, ".json")+".sql", q)
		})
	}
}

// TestExplainGolden does so with the queries that explain a definition.
func TestExplainGolden(t *testing.T) {
	d := segments.Definition{Root: segments.Event{Name: "View", Within: 24 * time.Hour}}
	list, err := sql.ExplainQueries(d, ruleTable(), now)
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range list {
		t.Run(name, func(t *testing.T) { compareGolden(t, filepath.Join("testdata", "explain_"+name+".sql"), q) })
	}
}

func compareGolden(t *testing.T, golden string, q sql.Query) {
	t.Helper()
	got := named(q.SQL) + "\n"
	for _, name := range slices.Sorted(maps.Keys(q.Parameters)) {
		got += fmt.Sprintf("-- %s = %s\n", name, q.Parameters[name])
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("SQL differs; run with -update if it should (-want +got):\n%s", diff)
	}
}

// named puts names where the warehouse's expressions stand.
func named(text string) string {
	owner, profile := warehouse.EventOwner("anchor_id", "time", "owner")
	return strings.NewReplacer(
		owner, "EventOwner(anchor_id, time)",
		profile, "EventProfile(owner)",
		warehouse.EventProfile("anchor_id", "time"), "EventProfile(anchor_id, time)",
		warehouse.AnchorProfile("identifier_id"), "AnchorProfile(identifier_id)",
		warehouse.IdentifierProfile("scores.profile_id"), "IdentifierProfile(scores.profile_id)",
		warehouse.IdentifierProfile("grouped_id"), "IdentifierProfile(grouped_id)",
	).Replace(text)
}

// TestNoValueInText looks for every value of a definition in its SQL.
func TestNoValueInText(t *testing.T) {
	secret := "it's a secret"
	s := segments.Scalar{Kind: segments.Text, Text: secret}
	var tests []segments.Node
	for _, op := range []segments.Op{segments.Eq, segments.Neq, segments.In, segments.Contains, segments.Gt, segments.Lte} {
		test := segments.Test{Op: op, Values: []segments.Scalar{s}}
		tests = append(tests, segments.Trait{Name: secret, Test: test},
			segments.Event{Name: secret, Kind: secret, Where: []segments.Property{{Path: []string{secret, secret}, Each: []string{secret}, Test: test}}})
	}
	period := segments.Period{From: now, Until: now.Add(98765 * time.Minute)}
	tests = append(tests, segments.Event{Name: secret, Period: period, Measure: segments.Measured{Aggregate: segments.Sum, Of: []string{secret}, Is: segments.Comparison{{Op: segments.Gt, Value: 98765.4321}}}},
		segments.Sequence{Span: 98765 * time.Second, Steps: []segments.Step{{Name: secret}, {Name: secret, Kind: secret, AtMost: 98765 * time.Second, Without: &segments.Exclusion{Name: secret}}}})
	tests = append(tests, segments.HasIdentifier{Namespace: "secret"}, segments.Score{Name: secret, Test: segments.Comparison{{Op: segments.Gt, Value: 98765.4321}}},
		segments.Transactions{Measure: segments.Orders, Currency: secret, Test: segments.Comparison{{Op: segments.Gt, Value: 98765.4321}}})
	test := segments.Test{Op: segments.Eq, Values: []segments.Scalar{s}}
	tests = append(tests, segments.Consent{Purpose: secret, Channel: secret, Is: segments.Granted}, segments.Holdout{Name: secret, Percent: segments.Comparison{{Op: segments.Gt, Value: 98765.4321}}},
		segments.InPersona{ID: secret}, segments.InStage{Stage: lifecycle.Stage(secret)},
		segments.Accounts{IDs: []string{secret}, Where: []segments.Trait{{Name: secret, Test: test}}}, segments.Trait{Name: "computed", Test: test})
	point := segments.Point{Lat: 98765.4321, Lon: 98765.4321}
	tests = append(tests, segments.Bought{Product: secret, Category: secret}, segments.Location{Place: segments.Place{Center: point, Km: 98765}}, segments.Location{Place: segments.Place{Polygon: []segments.Point{point, point, point}}},
		segments.Location{Place: segments.Place{Cell: 98765}, Period: period}, segments.Mood{In: segments.Medium(secret), Is: segments.Comparison{{Op: segments.Gt, Value: 98765}}})
	rules := profiles.DefaultRules()
	rules.Computed = []profiles.ComputedTrait{{Name: "computed", Compute: profiles.ComputeLast, Event: secret, Kind: secret, Property: "x", Where: []profiles.Condition{{Property: "x", Op: "in", Values: []any{secret, 98765.4321}}}}}
	rules.Default = profiles.TraitRule{Rule: profiles.SourcePriority, Sources: []string{secret}}
	q, err := sql.Compile(segments.Definition{Root: segments.All(tests)}, rules, secret, now, warehouse.Reading{})
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"secret", "98765", "2025"} {
		if strings.Contains(q.SQL, value) {
			t.Errorf("SQL holds the value %s:\n%s", value, named(q.SQL))
		}
	}
}
