package traitfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/traitfile"
)

const good = `
default = "most_frequent"
trust   = ["crm", "shop"]

[traits.country]
rule = "source_priority"

[traits.size]
rule    = "source_priority"
sources = ["erp"]

[traits.tags]
rule = "newest"

[computed."orders 90d"]
compute = "count"
event   = "Order Completed"
kind    = "transaction"
within  = "90d"
where   = [{ property = "revenue", op = "gte", value = 50 }, { property = "plan", op = "in", value = ["a", true, 1.5] }, { property = "x", op = "exists" }, { property = "y", value = "z" }]

[computed.quiet]
compute = "time_since"
unit    = "hours"

[computed.brands]
compute  = "unique_list"
property = "product.brand"
limit    = 3
`

func TestParse(t *testing.T) {
	f, err := traitfile.Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	want := profiles.DefaultRules()
	want.Default = profiles.TraitRule{Rule: profiles.MostFrequent}
	want.Traits["country"] = profiles.TraitRule{Rule: profiles.SourcePriority, Sources: []string{"crm", "shop"}}
	want.Traits["size"] = profiles.TraitRule{Rule: profiles.SourcePriority, Sources: []string{"erp"}}
	want.Traits["tags"] = profiles.TraitRule{Rule: profiles.Newest}
	want.Computed = f.Computed
	if d := cmp.Diff(want, f.Rules); d != "" {
		t.Errorf("rules (-want +got):\n%s", d)
	}
	computed := []profiles.ComputedTrait{
		{Name: "brands", Compute: profiles.ComputeUniqueList, Property: "product.brand", Limit: 3},
		{Name: "orders 90d", Compute: profiles.ComputeCount, Event: "Order Completed", Kind: "transaction", Within: 90 * 24 * time.Hour, Where: []profiles.Condition{
			{Property: "revenue", Op: "gte", Values: []any{50.0}},
			{Property: "plan", Op: "in", Values: []any{"a", true, 1.5}},
			{Property: "x", Op: "exists"},
			{Property: "y", Op: "eq", Values: []any{"z"}},
		}},
		{Name: "quiet", Compute: profiles.ComputeTimeSince, Unit: time.Hour},
	}
	if d := cmp.Diff(computed, f.Computed); d != "" {
		t.Errorf("computed (-want +got):\n%s", d)
	}
}

func TestFaultsOfFiles(t *testing.T) {
	for text, want := range map[string]string{
		`default = "best"`:                                                                                      `unknown survivorship rule "best"`,
		"[traits.a]\nrule = \"source_priority\"":                                                                "needs sources",
		"[traits.a]\nrules = \"newest\"":                                                                        "unknown key",
		"[computed.a]\ncompute = \"median\"":                                                                    `unknown computation "median"`,
		"[computed.a]\ncompute = \"sum\"":                                                                       "needs a property",
		"[computed.a]\ncompute = \"count\"\nproperty = \"x\"":                                                   "has no property",
		"[computed.a]\ncompute = \"count\"\nwithin = \"soon\"":                                                  "such as 30d",
		"[computed.a]\ncompute = \"count\"\nwithin = \"0d\"":                                                    "such as 30d",
		"[computed.a]\ncompute = \"count\"\nunit = \"days\"":                                                    "only time_since",
		"[computed.a]\ncompute = \"count\"\nwhere = [{ property = \"x\", op = \"like\", value = 1 }]":           `unknown operator "like"`,
		"[computed.a]\ncompute = \"count\"\nwhere = [{ property = \"x\", op = \"gt\", value = true }]":          "does not compare",
		"[computed.a]\ncompute = \"count\"\nwhere = [{ property = \"x\", op = \"eq\", value = 2026-01-01 }]":    "a value is a text",
		"[computed.a]\ncompute = \"count\"\nwhere = [{ property = \"x\", op = \"eq\", value = [\"a\",\"b\"] }]": "has one value",
		"default = ": "",
	} {
		if _, err := traitfile.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestRead(t *testing.T) {
	if f, err := traitfile.Read(""); err != nil || cmp.Diff(profiles.DefaultRules(), f.Rules) != "" || len(f.Computed) != 0 {
		t.Errorf("without a file: %+v, %v", f, err)
	}
	if f, err := traitfile.Read("../../deploy/traits.toml"); err != nil || len(f.Computed) != 4 {
		t.Errorf("the example of deploy: %+v, %v", f, err)
	}
	path := filepath.Join(t.TempDir(), "traits.toml")
	if _, err := traitfile.Read(path); err == nil {
		t.Error("a file that is not there is read")
	}
	if err := os.WriteFile(path, []byte("default = 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := traitfile.Read(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("an error without the path: %v", err)
	}
}
