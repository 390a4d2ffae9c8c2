package plans

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Limits of a schema.
const (
	maxSchema      = 64 << 10 // bytes
	maxSchemaDepth = 40
	maxNodes       = 5000   // sub-schemas and allowed values, references written out
	maxPatterns    = 20_000 // steps of all patterns, references written out
	saturated      = 1 << 30
)

// schema is a compiled JSON Schema with what it can cost.
type schema struct {
	compiled *jsonschema.Schema
	size
	named *names // members of "properties" that it knows
}

// size is what one look at a schema can cost: each of its nodes looks at each
// value at most once, each step of its patterns at each byte.
type size struct{ nodes, patterns int }

func (s *size) add(o size) {
	s.nodes = min(s.nodes+o.nodes, saturated)
	s.patterns = min(s.patterns+o.patterns, saturated)
}

// The keywords of draft 2020-12 by what stands in them. A keyword that is not
// here is refused: it is a slip of the pen, or reaches out of the schema.
const (
	oneSchema = iota + 1
	manySchemas
	namedSchemas
	plainValue
	values
)

var keywords = map[string]int{
	"not": oneSchema, "if": oneSchema, "then": oneSchema, "else": oneSchema, "items": oneSchema, "contains": oneSchema,
	"additionalProperties": oneSchema, "propertyNames": oneSchema, "unevaluatedItems": oneSchema, "unevaluatedProperties": oneSchema,
	"allOf": manySchemas, "anyOf": manySchemas, "oneOf": manySchemas, "prefixItems": manySchemas,
	"properties": namedSchemas, "patternProperties": namedSchemas, "dependentSchemas": namedSchemas, "$defs": namedSchemas,
	"enum": values,
	"type": plainValue, "const": plainValue, "multipleOf": plainValue, "maximum": plainValue, "exclusiveMaximum": plainValue,
	"minimum": plainValue, "exclusiveMinimum": plainValue, "maxLength": plainValue, "minLength": plainValue, "pattern": plainValue,
	"maxItems": plainValue, "minItems": plainValue, "uniqueItems": plainValue, "maxContains": plainValue, "minContains": plainValue,
	"maxProperties": plainValue, "minProperties": plainValue, "required": plainValue, "dependentRequired": plainValue,
	"$schema": plainValue, "$ref": plainValue, "$comment": plainValue, "title": plainValue, "description": plainValue,
	"default": plainValue, "examples": plainValue, "deprecated": plainValue, "readOnly": plainValue, "writeOnly": plainValue,
	"format": plainValue,
}

var formats = []string{"date", "date-time", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "uuid", "json-pointer"}

const draft = "https://json-schema.org/draft/2020-12/schema"

// compile checks the limits of a schema and compiles it.
func compile(text []byte) (*schema, []Fault) {
	if len(text) > maxSchema {
		return nil, []Fault{{"", fmt.Sprintf("has %d bytes; the limit is %d", len(text), maxSchema)}}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var doc any
	if err := dec.Decode(&doc); err != nil {
		return nil, []Fault{{"", "is not JSON"}}
	}
	w := &walk{defs: map[string]any{}, sizes: map[string]size{}}
	if top, ok := doc.(map[string]any); ok {
		w.defs, _ = top["$defs"].(map[string]any)
	}
	s := &schema{size: w.schema(doc, "", 0)}
	if len(w.faults) == 0 && (s.nodes > maxNodes || s.patterns > maxPatterns) {
		w.fail("", "has %d parts and %d steps of patterns with all references written out; the limits are %d and %d", s.nodes, s.patterns, maxNodes, maxPatterns)
	}
	if len(w.faults) > 0 {
		return nil, w.faults
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(nothing{})
	const name = "kindred:plan"
	err := c.AddResource(name, doc)
	if err == nil {
		s.compiled, err = c.Compile(name)
	}
	if err != nil {
		return nil, schemaFaults(err)
	}
	s.named = namesOf(doc, w.defs)
	return s, nil
}

// nothing loads no schema: not from the network, not from files.
type nothing struct{}

func (nothing) Load(string) (any, error) { return nil, errors.New("a schema may not refer to others") }

// schemaFaults words the compiler's error by places and rules.
func schemaFaults(err error) []Fault {
	var invalid *jsonschema.SchemaValidationError
	var broken *jsonschema.ValidationError
	if errors.As(err, &invalid) && errors.As(invalid.Err, &broken) {
		var out []Fault
		for _, v := range violationsOf(broken) {
			out = append(out, Fault{v.Pointer, v.Rule + ": " + v.Detail})
		}
		return out
	}
	return []Fault{{"", "is not a JSON Schema of draft 2020-12"}}
}

// walk goes through a schema before anything is compiled.
type walk struct {
	defs   map[string]any
	sizes  map[string]size // of definitions that were walked
	open   []string        // definitions being walked: to meet one again is recursion
	faults []Fault
}

func (w *walk) fail(at, format string, args ...any) {
	if len(w.faults) < 20 {
		w.faults = append(w.faults, Fault{at, fmt.Sprintf(format, args...)})
	}
}

// schema returns the size of a schema with its references written out.
func (w *walk) schema(v any, at string, depth int) size {
	if _, is := v.(bool); is {
		return size{nodes: 1}
	}
	object, ok := v.(map[string]any)
	if !ok {
		w.fail(at, "must be a schema: an object, true or false")
		return size{}
	}
	if depth > maxSchemaDepth {
		w.fail(at, "is nested more than %d deep", maxSchemaDepth)
		return size{}
	}
	s := size{nodes: 1}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		member, here := object[key], at+"/"+escape(key)
		switch keywords[key] {
		case oneSchema:
			s.add(w.schema(member, here, depth+1))
		case manySchemas:
			list, _ := member.([]any)
			for i, sub := range list {
				s.add(w.schema(sub, fmt.Sprintf("%s/%d", here, i), depth+1))
			}
		case namedSchemas:
			s.add(w.named(key, member, here, depth))
		case values:
			list, _ := member.([]any)
			s.nodes += len(list)
			w.literal(member, here, depth)
		case plainValue:
			s.add(w.plain(key, member, here, depth))
		default:
			if !strings.HasPrefix(key, "x-") {
				w.fail(here, "is no keyword that plans may use: %s", allowedNote(key))
			}
		}
	}
	return s
}

func allowedNote(key string) string {
	switch key {
	case "$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary", "id":
		return "a schema refers to its own $defs only"
	case "definitions":
		return "draft 2020-12 calls it $defs"
	case "contentSchema", "contentEncoding", "contentMediaType":
		return "contents are not looked into"
	}
	return "see draft 2020-12; names of your own begin with x-"
}

func (w *walk) named(key string, member any, at string, depth int) (s size) {
	object, _ := member.(map[string]any)
	if key == "$defs" && at != "/$defs" {
		w.fail(at, "must stand at the top")
		return s
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		here := at + "/" + escape(name)
		switch key {
		case "$defs": // Counts where it is used, but must be sound in any case.
			w.definition(name, here, depth)
			continue
		case "patternProperties":
			s.patterns = min(s.patterns+w.pattern(name, here), saturated)
		}
		s.add(w.schema(object[name], here, depth+1))
	}
	return s
}

func (w *walk) definition(name, at string, depth int) size {
	if s, done := w.sizes[name]; done {
		return s
	}
	if slices.Contains(w.open, name) {
		w.fail(at, "refers to itself")
		return size{}
	}
	v, ok := w.defs[name]
	if !ok {
		w.fail(at, "refers to a definition that is not there")
		return size{}
	}
	w.open = append(w.open, name)
	s := w.schema(v, "/$defs/"+escape(name), depth+1)
	w.open = w.open[:len(w.open)-1]
	w.sizes[name] = s
	return s
}

func (w *walk) plain(key string, member any, at string, depth int) (s size) {
	text, isText := member.(string)
	switch key {
	case "$ref":
		name, ok := strings.CutPrefix(text, "#/$defs/")
		if !ok || strings.ContainsAny(name, "/~%") {
			w.fail(at, "must be #/$defs/NAME: nothing else is followed")
			return s
		}
		return w.definition(name, at, depth)
	case "$schema":
		if strings.TrimSuffix(text, "#") != draft {
			w.fail(at, "must be %s", draft)
		}
	case "pattern":
		if isText {
			s.patterns = w.pattern(text, at)
		}
	case "format":
		if !slices.Contains(formats, text) {
			w.fail(at, "must be one of %s", strings.Join(formats, ", "))
		}
	default:
		w.literal(member, at, depth)
	}
	return s
}

// literal checks the numbers and the depth of a value within a schema.
func (w *walk) literal(v any, at string, depth int) {
	if depth > maxSchemaDepth {
		w.fail(at, "is nested more than %d deep", maxSchemaDepth)
		return
	}
	switch v := v.(type) {
	case json.Number:
		if !plainNumber(string(v)) {
			w.fail(at, "is a number with too many digits")
		}
	case []any:
		for i, x := range v {
			w.literal(x, fmt.Sprintf("%s/%d", at, i), depth+1)
		}
	case map[string]any:
		for k, x := range v {
			w.literal(x, at+"/"+escape(k), depth+1)
		}
	}
}

func escape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
}

// broken returns the rules that a document breaks. A fault of the validator must
// not stop the partition for ever at one message: it is a broken rule as well.
func (s *schema) broken(doc *document) (rules []rule) {
	defer func() {
		if recover() != nil {
			rules = []rule{{"", ruleUnchecked, "is a message that the validator cannot hold against the schema"}}
		}
	}()
	err := s.compiled.Validate(doc.value)
	var broken *jsonschema.ValidationError
	if !errors.As(err, &broken) {
		return nil
	}
	return violationsOf(broken)
}
