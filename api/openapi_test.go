package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

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
		checkSchema(t, "problem", "#/components/schemas/Problem", body)
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
	case media != "text/plain" && media != "image/gif" && media != "application/toml" && media != "text/html" && media != "text/csv" && media != "application/x-ndjson" && media != "application/vnd.apache.parquet":
		checkSchema(t, pattern, placeOf(document(), "#", "paths", pattern, strings.ToLower(method), "responses", strconv.Itoa(answer.StatusCode), "content", media, "schema"), body)
	}
}

const statusClientGone = 499

// schemas compiles those of the document where they stand. Tests take turns.
var schemas = struct {
	sync.Mutex
	compiler func() *jsonschema.Compiler
}{compiler: sync.OnceValue(func() *jsonschema.Compiler {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("kindred:openapi", any(document())); err != nil {
		panic(err)
	}
	return c
})}

// checkSchema holds a body against the schema at a place of the document.
func checkSchema(t *testing.T, where, place string, body []byte) {
	t.Helper()
	schemas.Lock()
	schema, err := schemas.compiler().Compile("kindred:openapi" + place)
	schemas.Unlock()
	if err != nil {
		t.Fatalf("%s: %v", place, err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = schema.Validate(v)
	}
	if err != nil {
		t.Errorf("%s: %v\n%.500s", where, err, body)
	}
}

// placeOf is the reference of a member: its own where it is one.
func placeOf(v any, place string, names ...string) string {
	for _, name := range names {
		v = deref(v).(map[string]any)[name]
		place += "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(name)
		if ref, ok := v.(map[string]any)["$ref"].(string); ok {
			place = ref
		}
	}
	return place
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
