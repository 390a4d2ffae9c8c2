package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/kindred-cdp/kindred/api"
)

// document reads openapi.json once.
var document = sync.OnceValue(func() map[string]any {
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		panic(err)
	}
	var d map[string]any
	if err := json.Unmarshal(text, &d); err != nil {
		panic(err)
	}
	return d
})

// at walks down a JSON value by member names, through references.
func at(v any, names ...string) any {
	for _, name := range names {
		m, ok := deref(v).(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return deref(v)
}

func deref(v any) any {
	for {
		m, ok := v.(map[string]any)
		if !ok {
			return v
		}
		ref, ok := m["$ref"].(string)
		if !ok {
			return v
		}
		var target any = document()
		for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			target = target.(map[string]any)[name]
		}
		v = target
	}
}

// patternOf finds the document's path of a request path.
func patternOf(path string) string {
	if at(document(), "paths", path) != nil {
		return path
	}
	parts := strings.Split(path, "/")
	for pattern := range at(document(), "paths").(map[string]any) {
		if fits(strings.Split(pattern, "/"), parts) {
			return pattern
		}
	}
	return ""
}

// fits reports whether the segments of a path are those of a pattern, of which
// {name} stands for any. No path of the document fits two patterns.
func fits(pattern, path []string) bool {
	if len(pattern) != len(path) {
		return false
	}
	for i, p := range pattern {
		before, after, parameter := strings.Cut(p, "{")
		_, after, _ = strings.Cut(after, "}")
		if !parameter && p != path[i] || parameter && (len(path[i]) <= len(before)+len(after) || !strings.HasPrefix(path[i], before) || !strings.HasSuffix(path[i], after)) {
			return false
		}
	}
	return true
}

// checkDocumented holds an answer against the document: its status is listed,
// and its body fits the schema. Every answer of every test comes by here.
func checkDocumented(t *testing.T, method, path string, answer *http.Response, body []byte) {
	t.Helper()
	pattern := patternOf(path)
	operation := at(document(), "paths", pattern, strings.ToLower(method))
	if operation == nil || answer.StatusCode == statusClientGone {
		// Not an operation: what is left is a problem that any path can have.
		if !slices.Contains([]int{404, 405, 414, statusClientGone}, answer.StatusCode) {
			t.Errorf("%s %s is no documented operation and answers %d", method, pattern, answer.StatusCode)
		}
		checkSchema(t, "problem", at(document(), "components", "schemas", "Problem"), body)
		return
	}
	response := at(operation, "responses", strconv.Itoa(answer.StatusCode))
	if response == nil {
		t.Errorf("%s %s answers %d, which is not documented", method, pattern, answer.StatusCode)
		return
	}
	media, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";")
	schema := at(response, "content", media, "schema")
	switch {
	case schema == nil:
		t.Errorf("%s %s answers %d with %q, which is not documented", method, pattern, answer.StatusCode, media)
	case media != "text/plain" && media != "image/gif" && media != "application/toml" && media != "text/html":
		checkSchema(t, pattern, schema, body)
	}
}

const statusClientGone = 499

func checkSchema(t *testing.T, where string, schema any, body []byte) {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Errorf("%s: body is not JSON: %v", where, err)
		return
	}
	for _, fault := range validate(where, schema, v) {
		t.Error(fault)
	}
}

// validate knows as much of JSON Schema as the document's answers use.
func validate(where string, schema, v any) []string {
	s, _ := deref(schema).(map[string]any)
	var faults []string
	if choices, ok := s["oneOf"].([]any); ok {
		for _, choice := range choices {
			faults = append(faults, validate(where, choice, v)...)
			if len(validate(where, choice, v)) == 0 {
				return nil
			}
		}
		return faults
	}
	if kind, ok := s["type"].(string); ok && kind != typeOf(v) && (kind != "number" || typeOf(v) != "integer") {
		return []string{fmt.Sprintf("%s: is %s, want %s", where, typeOf(v), kind)}
	}
	if list, ok := s["enum"].([]any); ok && !slices.Contains(list, v) {
		faults = append(faults, fmt.Sprintf("%s: %v is not in %v", where, v, list))
	}
	switch v := v.(type) {
	case map[string]any:
		properties, _ := s["properties"].(map[string]any)
		required, _ := s["required"].([]any)
		for _, name := range required {
			if _, ok := v[name.(string)]; !ok {
				faults = append(faults, fmt.Sprintf("%s: lacks %s", where, name))
			}
		}
		for name, member := range v {
			switch sub, known := properties[name]; {
			case known:
				faults = append(faults, validate(where+"/"+name, sub, member)...)
			case s["additionalProperties"] == false:
				faults = append(faults, fmt.Sprintf("%s: %s is not documented", where, name))
			case s["additionalProperties"] != nil:
				faults = append(faults, validate(where+"/"+name, s["additionalProperties"], member)...)
			}
		}
	case []any:
		for i, item := range v {
			faults = append(faults, validate(fmt.Sprintf("%s/%d", where, i), s["items"], item)...)
		}
	}
	return faults
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// TestRoutesAndDocumentAgree compares what the server routes with what the
// document lists, both ways, with roles.
func TestRoutesAndDocumentAgree(t *testing.T) {
	s := newFixture().server(t)
	routed := map[string]string{}
	for _, r := range s.Operations() {
		routed[r.Method+" "+r.Path] = string(r.Role)
		if r.Role == "" || r.Role == api.RoleWrite {
			continue
		}
		// What answers have of people is said in both, or a marketer may not ask.
		if shows, _ := at(document(), "paths", r.Path, strings.ToLower(r.Method), "x-kindred-personal").(string); shows != r.Shows {
			t.Errorf("%s %s shows %q of people, documented: %q; name it in accessRules and as x-kindred-personal (none, masked or whole)", r.Method, r.Path, r.Shows, shows)
		}
	}
	documented := map[string]string{}
	for pattern, item := range at(document(), "paths").(map[string]any) {
		for method, operation := range item.(map[string]any) {
			role, _ := at(operation, "x-kindred-role").(string)
			if security, ok := at(operation, "security").([]any); role == "" && (!ok || len(security) > 0) {
				t.Errorf("%s %s has neither a role nor empty security", method, pattern)
			}
			documented[strings.ToUpper(method)+" "+pattern] = role
		}
	}
	for operation, role := range routed {
		if got, ok := documented[operation]; !ok || got != role {
			t.Errorf("%s for %q is routed, documented: %v for %q", operation, role, ok, got)
		}
	}
	for operation := range documented {
		if _, ok := routed[operation]; !ok {
			t.Errorf("%s is documented and not routed", operation)
		}
	}
}

// TestReferencesResolve finds references to nowhere and schemas that nobody uses.
func TestReferencesResolve(t *testing.T) {
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				used[ref] = true
				if deref(v) == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, member := range v {
				walk(member)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(document())
	for kind, things := range at(document(), "components").(map[string]any) {
		for name := range things.(map[string]any) {
			if kind != "securitySchemes" && !used["#/components/"+kind+"/"+name] {
				t.Errorf("%s %s is not used", kind, name)
			}
		}
	}
}
