package warehouse_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// maskCorpus are values whose forms the masks tell apart, or nearly.
var maskCorpus = []string{
	"", "a", "ab", "abc", "abcd", "ana@example.com", "a@b@example.com", "@example.com", "ana@", "ana@example.com ", "write to ana@example.com",
	"çelik@exämple.com", "日本", "日本語で", "日@例え.jp", "+351911111199", "351 911 111 199", "(351) 911.111-199", "112", "1234567", "123456",
	"2020-03-01", "2020-03-01T10:00:00Z", "2020-03-011", "12/03/2020", "192.168.10.12", "-------", "+", "it's", `back\slash`, `"quoted"`, "line\nline", "tab\tx@y.z", "true", "null", "42",
	"Lisboa", "<b>", "%s", "crm/7", "o'neill@example.com",
}

// TestMasksAgree holds the masks of the views against those of package profiles.
func TestMasksAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	names := profiles.PersonalTraits()
	slices.Sort(names)
	sqlNames := warehouse.PersonalTraits()
	slices.Sort(sqlNames)
	if d := cmp.Diff(names, sqlNames); d != "" {
		t.Fatalf("names of personal traits, -profiles +warehouse:\n%s", d)
	}
	conn := warehousetest.NewTestDatabase(t)
	ctx := t.Context()
	identifiers, err := conn.PrepareBatch(ctx, "INSERT INTO identifiers (workspace, identifier_id, namespace, value)")
	if err != nil {
		t.Fatal(err)
	}
	traits, err := conn.PrepareBatch(ctx, "INSERT INTO trait_observations (workspace, anchor_id, trait, value)")
	if err != nil {
		t.Fatal(err)
	}
	var values []json.RawMessage
	for _, text := range maskCorpus {
		v, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	for _, raw := range []string{"1", "-1", "12345678", "123456789", "351911111199", "1234567890.5", "-123456789", "1e9", "true", "false", "null", `{"a":"ana@example.com"}`, `[1]`, `[]`, `{}`} {
		values = append(values, json.RawMessage(raw))
	}
	traitNames := []string{"email", "First Name", "address.zip", "city", "plan.", "Ümail", "phone_number", ""}
	wantIdentifiers, wantTraits := map[string]string{}, map[string]string{}
	for i, text := range maskCorpus {
		for j, ns := range []identity.Namespace{"email", "phone", "user_id"} {
			id := uint64(10*i + j + 1)
			if err := identifiers.Append("main", id, string(ns), text); err != nil {
				t.Fatal(err)
			}
			wantIdentifiers[fmt.Sprint(id)] = profiles.MaskIdentifier(identity.Identifier{Namespace: ns, Value: text})
		}
	}
	for i, value := range values {
		for _, name := range traitNames {
			if err := traits.Append("main", uint64(i+1), name, string(value)); err != nil {
				t.Fatal(err)
			}
			wantTraits[fmt.Sprint(i+1, " ", name)] = shown(t, profiles.MaskTrait(name, value))
		}
	}
	for _, send := range []func() error{identifiers.Send, traits.Send} {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	got := func(query string) map[string]string {
		rows, err := conn.Query(ctx, query)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		found := map[string]string{}
		for rows.Next() {
			var key, value string
			if err := rows.Scan(&key, &value); err != nil {
				t.Fatal(err)
			}
			found[key] = value
		}
		return found
	}
	if d := cmp.Diff(wantIdentifiers, got("SELECT toString(identifier_id), value_masked FROM identifiers_masked")); d != "" {
		t.Errorf("identifiers, -Go +SQL:\n%s", d)
	}
	if d := cmp.Diff(wantTraits, got("SELECT concat(toString(anchor_id), ' ', trait), value_masked FROM traits_masked")); d != "" {
		t.Errorf("traits, -Go +SQL:\n%s", d)
	}
}

// shown is a JSON value as the view has it: texts without their quotes.
func shown(t *testing.T, value json.RawMessage) string {
	t.Helper()
	var text string
	if json.Unmarshal(value, &text) == nil && len(value) > 0 && value[0] == '"' {
		return text
	}
	return string(value)
}
