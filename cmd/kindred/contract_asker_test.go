package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"
)

// asker makes requests from the document: of the first round those that it allows, of
// the others also some that it does not.
type asker struct {
	c       *contract
	r       *rand.Rand
	known   map[string][]string // what is there, by the names of parameters and members
	cursors []string            // of earlier answers, of any question
	version int64               // the newest revision that an answer has
	at      string              // path of the operation that is asked for
}

func newAsker(c *contract, seed uint64, letter string) *asker {
	people := []string{"email:" + plantedMail, "user_id:u-planted", "anonymous_id:a-planted", "user_id:u-second", "user_id:nobody"}
	return &asker{c: c, r: rand.New(rand.NewPCG(seed, 1)), known: map[string][]string{
		"/v1/profiles/{id}": people, "/v1/spaces/{space}/collections/{collection}/profiles/{id}": people,
		"/v1/privacy/erasure identifier": {"user_id:u-third"}, "/v1/events/{kind} kind": {"social"},
		"/v1/webhooks/{name} name": {"typeform"}, "/v1/privacy/access/{id}": {"user_id:u-second"}, "/v1/dead-letters/{id}": {letter},
		"identifier": people, "identifiers": people, "ids": people, "a": people[:2], "b": people[1:3], "from": people, "profile": people,
		"plan": {"web"}, "space": {"main"}, "collection": {"users"}, "key": {"write-dev"}, "trait": {"country"}, "value": {"PT", "u-second"},
		"pair": {"0000000000000001-0000000000000002"}, "namespace": {"email", "user_id"}, "source": {"web"}, "target": {"c-1"},
		"/v1/accounts/{id}": {"acme"}, "segment": {"loyal"}, "purpose": {"email"}, "currency": {"EUR"},
	}}
}

// pick takes one.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func (g *asker) chance(percent int) bool { return g.r.IntN(100) < percent }

// learn takes cursors and ids from an answer.
func (g *asker) learn(body []byte) {
	for _, m := range regexp.MustCompile(`"(next|cursor|after)":"([^"]{9,})"`).FindAllSubmatch(body, 3) {
		g.cursors = append(g.cursors, string(m[2]))
	}
	if m := regexp.MustCompile(`revision"?:? (\d+)`).FindSubmatch(body); m != nil {
		g.version, _ = strconv.ParseInt(string(m[1]), 10, 64)
	}
	if m := regexp.MustCompile(`"id":"([^"]+)","kind":"[a-z_]+","(?:status|state|outcome)`).FindSubmatch(body); m != nil {
		g.known["/v1/identity/commands/{id}"], g.known["target"] = []string{string(m[1])}, []string{string(m[1])}
	}
	if m := regexp.MustCompile(`"key":\{"id":"([0-9a-f]{16})"`).FindSubmatch(body); m != nil {
		g.known["/v1/keys/{id}"] = []string{string(m[1])}
	}
}

// request makes one of an operation.
func (g *asker) request(o operation, round int) contractRequest {
	odd := round > 0
	g.at = o.path
	ask := contractRequest{address: o.path, header: http.Header{}}
	query := url.Values{}
	parameters, _ := o.it["parameters"].([]any)
	for _, p := range parameters {
		name, in := g.c.member(p, "name").(string), g.c.member(p, "in").(string)
		required, _ := g.c.member(p, "required").(bool)
		schema := g.c.member(p, "schema")
		if !required && in != "path" && (!odd || g.chance(55)) {
			continue
		}
		text := g.parameter(o, name, schema, odd && g.chance(25))
		switch in {
		case "path":
			ask.address = strings.ReplaceAll(ask.address, "{"+name+"}", strings.ReplaceAll(url.PathEscape(text), "+", "%2B"))
		case "query":
			query.Add(name, text)
		case "header":
			ask.header.Set(name, strings.Map(printable, text))
		}
	}
	if o.path == "/v1/profiles" && !odd {
		query.Set("identifier", "email:planted")
	}
	if odd && g.chance(8) {
		query.Add(pick(g.r, []string{"nobody_knows", "limit", "cursor", "include", ""}), g.oddText())
	}
	if len(query) > 0 {
		ask.address += "?" + query.Encode()
	}
	if o.role != "" {
		ask.header.Set("Authorization", "Bearer "+o.role+"-dev")
		if odd && g.chance(6) {
			ask.header.Set("Authorization", pick(g.r, []string{"", "Bearer nobody", "Basic ???", "Bearer read-dev", "Basic cmVhZC1kZXY6"}))
		}
	}
	g.withBody(o, &ask, odd)
	return ask
}

func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return '?'
	}
	return r
}

// parameter makes the text of one.
func (g *asker) parameter(o operation, name string, schema any, odd bool) string {
	if odd {
		if len(g.cursors) > 0 && (name == "cursor" || name == "next" || name == "after") && g.chance(70) {
			return pick(g.r, g.cursors) // Mostly of another question.
		}
		if text := g.oddText(); strings.Trim(text, ".") != "" {
			return text
		}
		return "%2e%00"
	}
	if before, _, of := strings.Cut(o.path, "{id}"); of && name == "id" && g.known[before+"{id}"] != nil {
		return pick(g.r, g.known[before+"{id}"])
	}
	if list := g.names(name); list != nil && g.chance(85) {
		return pick(g.r, list)
	}
	v := g.value(name, schema, 0)
	if list, ok := v.([]any); ok {
		v = strings.Trim(fmt.Sprint(list...), "[]")
	}
	if v == "" {
		return "x"
	}
	return fmt.Sprint(v)
}

// withBody adds a body of one of the types that the operation takes, or of another.
func (g *asker) withBody(o operation, ask *contractRequest, odd bool) {
	content, _ := g.c.member(o.it, "requestBody", "content").(map[string]any)
	if len(content) == 0 {
		return
	}
	var types []string
	for media := range content {
		types = append(types, media)
	}
	slices.Sort(types)
	media := types[0]
	if odd {
		media = pick(g.r, types)
	}
	ask.header.Set("Content-Type", media)
	schema := g.c.member(content[media], "schema")
	var value any
	if example := g.c.member(content[media], "example"); example != nil && (!odd || g.chance(40)) {
		value = g.example(example)
	} else {
		value = g.value("", schema, 0)
	}
	if odd && g.chance(60) {
		value = g.changed(value)
	}
	text, err := json.Marshal(value)
	if err != nil {
		text = []byte("{}")
	}
	if s, ok := value.(string); ok && media != "application/json" {
		text = []byte(s)
	}
	ask.body = string(text)
	if odd && g.chance(15) {
		ask.body = g.spoiled(ask.body)
	}
	// Tracking takes anything, and says what became of it in its answer.
	if _, tracking := o.it["requestBody"].(map[string]any)["$ref"]; media == "application/json" && !tracking {
		said, err := json.Marshal(withoutNull(value))
		if err == nil && ask.body == string(text) {
			err = g.c.validate([]string{"paths", o.path, o.method, "requestBody", "content", media, "schema"}, said)
			if err != nil {
				ask.forbidden = err.Error()
			}
		}
	}
	if odd && g.chance(8) {
		ask.header.Set("Content-Type", pick(g.r, []string{"", "application/xml", "application/json; charset=utf-16", "multipart/form-data", "text/plain", "/;", "application/x-www-form-urlencoded"}))
	}
	if odd && g.chance(5) {
		ask.header.Set("Content-Encoding", pick(g.r, []string{"gzip", "zstd", "br", "identity", "?"}))
	}
}

// example is one of the document with what is there in place of the names that it has.
func (g *asker) example(v any) (e any) {
	text, _ := json.Marshal(v)
	_ = json.Unmarshal(text, &e)
	members, _ := e.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if list, ok := members[name].([]any); ok && len(list) > 0 {
			start, there := g.r.IntN(8), g.names(name)
			for i := range list {
				if _, text := list[i].(string); text && there != nil {
					list[i] = there[(start+i)%len(there)]
				}
			}
			continue
		}
		if _, text := members[name].(string); text && g.names(name) != nil {
			members[name] = pick(g.r, g.names(name))
		} else if name == "expected_revision" {
			members[name] = g.version
		}
	}
	return e
}

// withoutNull leaves out members that are null: they count as missing.
func withoutNull(v any) any {
	switch v := v.(type) {
	case map[string]any:
		left := map[string]any{}
		for name, member := range v {
			if member != nil {
				left[name] = withoutNull(member)
			}
		}
		return left
	case []any:
		left := make([]any, len(v))
		for i := range v {
			left[i] = withoutNull(v[i])
		}
		return left
	}
	return v
}

// names are what is there of a name in the operation.
func (g *asker) names(name string) []string {
	if list := g.known[g.at+" "+name]; list != nil {
		return list
	}
	return g.known[name]
}

// value makes what a schema allows.
func (g *asker) value(name string, schema any, depth int) any {
	s, _ := g.c.resolve(schema).(map[string]any)
	if list, ok := s["oneOf"].([]any); ok {
		return g.value(name, pick(g.r, list), depth+1)
	}
	if list, ok := s["enum"].([]any); ok {
		return pick(g.r, list)
	}
	kind, _ := s["type"].(string)
	if kinds, ok := s["type"].([]any); ok {
		kind = pick(g.r, kinds).(string)
	}
	switch kind {
	case "object":
		return g.object(s, depth)
	case "array":
		list := []any{}
		for range whole(s["minItems"], 0) + int64(g.r.IntN(3)) {
			list = append(list, g.value(name, s["items"], depth+1))
		}
		return list
	case "string":
		return g.text(name, s)
	case "integer":
		least := whole(s["minimum"], 0)
		if strings.HasSuffix(name, "revision") {
			return max(least, g.version)
		}
		return least + g.r.Int64N(min(whole(s["maximum"], least+50)-least, 50)+1)
	case "number":
		return float64(whole(s["minimum"], 0)) + float64(g.r.IntN(100))/100
	case "boolean":
		return g.chance(50)
	case "null":
		return nil
	}
	if there := g.names(name); there != nil && g.chance(70) {
		return pick(g.r, there)
	}
	return pick(g.r, []any{"text", 1.5, true, nil, []any{"a"}, map[string]any{"b": "c"}})
}

func whole(v any, otherwise int64) int64 {
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return i
		}
	}
	return otherwise
}

func (g *asker) object(s map[string]any, depth int) any {
	o := map[string]any{}
	properties, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	names := make([]string, 0, len(properties))
	for name := range properties {
		names = append(names, name)
	}
	slices.Sort(names) // A seed gives the same requests again.
	for _, name := range names {
		if slices.Contains(required, any(name)) || depth < 5 && g.chance(35) {
			o[name] = g.value(name, properties[name], depth+1)
		}
	}
	if len(o) == 0 && len(names) > 0 && whole(s["minProperties"], 0) > 0 {
		o[names[0]] = g.value(names[0], properties[names[0]], depth+1)
	}
	return o
}

func (g *asker) text(name string, s map[string]any) string {
	if list := g.names(name); len(list) > 0 && g.chance(85) {
		return pick(g.r, list)
	}
	switch format, _ := s["format"].(string); format {
	case "date-time":
		return pick(g.r, []string{"2026-05-04T09:00:00Z", "2026-05-04T09:00:00.123+05:30", "2020-02-29T23:59:59Z"})
	case "date":
		return "2026-05-04"
	}
	if pattern, ok := s["pattern"].(string); ok {
		return rapid.StringMatching(pattern).Example(int(g.r.Int32()))
	}
	text := pick(g.r, []string{"ana", "a b", "ünï", "x-1", "Order Completed", "30d"})
	if most := whole(s["maxLength"], 1000); int64(len(text)) > most {
		return text[:most]
	}
	return text
}
