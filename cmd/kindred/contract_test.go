package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// contract is the document of the API with the schemas compiled that it has for bodies.
type contract struct {
	document map[string]any
	compiler *jsonschema.Compiler
}

const contractName = "kindred:openapi"

func readContract(t *testing.T) *contract {
	t.Helper()
	text, err := os.ReadFile("../../api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(contractName, document); err != nil {
		t.Fatal(err)
	}
	return &contract{document.(map[string]any), c}
}

// resolve follows references.
func (c *contract) resolve(v any) any {
	for {
		m, _ := v.(map[string]any)
		ref, ok := m["$ref"].(string)
		if !ok {
			return v
		}
		v = c.document
		for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			v = v.(map[string]any)[name]
		}
	}
}

// member walks down from a value by names, through references.
func (c *contract) member(v any, names ...string) any {
	for _, name := range names {
		m, _ := c.resolve(v).(map[string]any)
		v = m[name]
	}
	return c.resolve(v)
}

// validate holds JSON against the schema at a place of the document.
func (c *contract) validate(place []string, body []byte) error {
	at, v := "", any(c.document)
	for _, name := range place {
		if ref, ok := v.(map[string]any)["$ref"].(string); ok {
			at, v = strings.TrimPrefix(ref, "#"), c.resolve(v)
		}
		at += "/" + strings.NewReplacer("~", "~0", "/", "~1", "%", "%25", "{", "%7B", "}", "%7D").Replace(name)
		v = v.(map[string]any)[name]
	}
	schema, err := c.compiler.Compile(contractName + "#" + at)
	if err != nil {
		return fmt.Errorf("schema %s: %w", at, err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return schema.Validate(value)
}

// operation is one of the document.
type operation struct {
	method, path, role string
	it                 map[string]any
}

func (o operation) String() string { return strings.ToUpper(o.method) + " " + o.path }

func (c *contract) operations() (list []operation) {
	for path, item := range c.document["paths"].(map[string]any) {
		for method, it := range item.(map[string]any) {
			o := operation{method: method, path: path, it: it.(map[string]any)}
			o.role, _ = o.it["x-kindred-role"].(string)
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b operation) int { return strings.Compare(a.String(), b.String()) })
	return list
}

// broken says how an answer breaks the contract, "" when it keeps it.
func (c *contract) broken(o operation, answer *http.Response, body []byte) string {
	if answer.StatusCode == http.StatusInternalServerError {
		return "it is a 500"
	}
	status := strconv.Itoa(answer.StatusCode)
	response, ok := c.member(o.it, "responses", status).(map[string]any)
	if !ok {
		return "the status is not documented"
	}
	content, _ := c.member(response, "content").(map[string]any)
	if len(content) == 0 {
		if len(body) > 0 {
			return "it has a body, and none is documented"
		}
		return ""
	}
	media, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil || content[media] == nil {
		return fmt.Sprintf("the content type %q is none of %v", answer.Header.Get("Content-Type"), slices.Collect(maps.Keys(content)))
	}
	if !strings.HasSuffix(media, "json") {
		return ""
	}
	if err := c.validate([]string{"paths", o.path, o.method, "responses", status, "content", media, "schema"}, body); err != nil {
		return err.Error()
	}
	return ""
}

// contractRounds is how many requests each operation gets: few, or one in 25 of
// KINDRED_TEST_COUNT, as requests to a running process are dear.
func contractRounds(t *testing.T) int {
	t.Helper()
	const few = 4
	text := os.Getenv("KINDRED_TEST_COUNT")
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("KINDRED_TEST_COUNT: %v", err)
	}
	return min(max(n/25, few), 200)
}

// TestContract asks a running Kindred what the document lists, in the ways that the
// document allows and in others: it never answers 500, nor anything else that is not
// documented, and never takes what the document forbids.
func TestContract(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	t.Parallel()
	c, rounds := readContract(t), contractRounds(t)
	seed := uint64(1)
	if n, err := strconv.ParseUint(os.Getenv("KINDRED_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("KINDRED_TEST_SEED=%d", seed)
	k := startKindred(t, "KINDRED_ERASURE_WAIT=0", "KINDRED_WEBHOOKS=../../deploy/webhooks/typeform.toml", "TYPEFORM_SECRET=of-the-test")
	k.plant("main", "write-dev", "admin-dev")
	k.identify(map[string]any{"type": "group", "messageId": "g1", "userId": "u-second", "groupId": "acme", "traits": map[string]any{"plan": "gold"}},
		map[string]any{"type": "identify", "messageId": "i1", "userId": "u-third"})
	if status, body := k.askAs("admin", http.MethodPut, "/v1/segments/loyal", map[string]any{"expected_revision": 0, "text": "did Viewed"}); status != http.StatusOK {
		t.Fatalf("a segment is answered %d: %s", status, body)
	}
	g := newAsker(c, seed, k.letter("admin-dev"))
	client := &http.Client{Timeout: time.Minute}
	said, kept, operations := map[string]bool{}, map[string]bool{}, c.operations()
	for round := range rounds {
		g.r.Shuffle(len(operations), func(i, j int) { operations[i], operations[j] = operations[j], operations[i] })
		for _, o := range operations {
			ask := g.request(o, round)
			request, err := http.NewRequestWithContext(t.Context(), strings.ToUpper(o.method), "http://"+k.api+ask.address, strings.NewReader(ask.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header = ask.header
			answer, err := client.Do(request)
			if err != nil {
				t.Errorf("%v: %v\n%s", o, err, ask)
				continue
			}
			body, err := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if err != nil {
				t.Errorf("%v: %v", o, err)
			}
			g.learn(body)
			kept[o.String()] = kept[o.String()] || answer.StatusCode < 300
			broken := c.broken(o, answer, body)
			if broken == "" && answer.StatusCode < 300 && ask.forbidden != "" {
				broken = "it takes what the document forbids: " + ask.forbidden
			}
			if key := o.String() + strconv.Itoa(answer.StatusCode) + broken; broken != "" && !said[key] && len(said) < 60 {
				said[key] = true
				t.Errorf("%v answers %d: %s\n%s\n%.600s", o, answer.StatusCode, broken, ask, body)
			}
		}
	}
	var never []string
	for _, o := range operations {
		if !kept[o.String()] {
			never = append(never, o.String())
		}
	}
	t.Logf("%d of %d operations were done; not %v", len(operations)-len(never), len(operations), never)
	if len(never) > len(operations)/2 {
		t.Errorf("%d of %d operations never did what they are for", len(never), len(operations))
	}
}

// contractRequest is a request.
type contractRequest struct {
	address, body string
	header        http.Header
	forbidden     string // how its body breaks the document, "" where it keeps it or may break it
}

func (a contractRequest) String() string {
	header, _ := json.Marshal(a.header)
	return fmt.Sprintf("%.500s %s %.800q", a.address, header, a.body)
}
