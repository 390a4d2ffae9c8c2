package plans

import (
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// rule is one rule that a value breaks, in words without the value.
type rule struct{ Pointer, Rule, Detail string }

// maxPointer bounds a pointer, whose keys come from clients, in bytes.
const maxPointer = 300

// violationsOf flattens the validator's error. Of alternatives (anyOf, oneOf)
// none of which fits it says just that: what each of them misses confuses.
func violationsOf(e *jsonschema.ValidationError) []rule {
	at := pointer(e.InstanceLocation)
	one := func(name, format string, args ...any) []rule {
		return []rule{{at, name, fmt.Sprintf(format, args...)}}
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return each(k.Missing, at, "required", "is missing")
	case *kind.DependentRequired:
		return each(k.Missing, at, "dependentRequired", "is missing beside another property")
	case *kind.AdditionalProperties:
		return each(k.Properties, at, "additionalProperties", "is not allowed")
	case *kind.PropertyNames:
		return one("propertyNames", "has a key that is not allowed")
	case *kind.Type:
		return one("type", "is %s, must be %s", k.Got, strings.Join(k.Want, " or "))
	case *kind.Enum:
		return one("enum", "is %s and none of the %d allowed values", typeName(k.Got), len(k.Want))
	case *kind.Const:
		return one("const", "is %s and not the one allowed value", typeName(k.Got))
	case *kind.Format:
		return one("format", "is a string but no %s", k.Want)
	case *kind.Pattern:
		return one("pattern", "is a string that does not match the pattern")
	case *kind.AnyOf:
		return one("anyOf", "fits none of the alternatives")
	case *kind.OneOf:
		if len(k.Subschemas) > 0 {
			return one("oneOf", "fits more than one of the alternatives")
		}
		return one("oneOf", "fits none of the alternatives")
	case *kind.FalseSchema:
		return one("false", "is not allowed")
	case *kind.Not:
		return one("not", "is what the schema forbids")
	}
	if sized, ok := sizeRule(e.ErrorKind); ok {
		sized.Pointer = at
		return []rule{sized}
	}
	var out []rule
	for _, cause := range e.Causes {
		out = append(out, violationsOf(cause)...)
	}
	if len(out) == 0 {
		name := "schema"
		if path := e.ErrorKind.KeywordPath(); len(path) > 0 {
			name = path[0]
		}
		return one(name, "breaks the rule")
	}
	return out
}

// sizeRule words the rules about numbers, lengths and counts.
func sizeRule(k jsonschema.ErrorKind) (rule, bool) {
	count := func(name, what string, got, want int) (rule, bool) {
		return rule{Rule: name, Detail: fmt.Sprintf("has %d %s; the limit is %d", got, what, want)}, true
	}
	number := func(name, words, limit string) (rule, bool) {
		return rule{Rule: name, Detail: "is a number that is " + words + " " + limit}, true
	}
	switch k := k.(type) {
	case *kind.MinLength:
		return count("minLength", "characters", k.Got, k.Want)
	case *kind.MaxLength:
		return count("maxLength", "characters", k.Got, k.Want)
	case *kind.MinItems:
		return count("minItems", "items", k.Got, k.Want)
	case *kind.MaxItems:
		return count("maxItems", "items", k.Got, k.Want)
	case *kind.MinProperties:
		return count("minProperties", "members", k.Got, k.Want)
	case *kind.MaxProperties:
		return count("maxProperties", "members", k.Got, k.Want)
	case *kind.Minimum:
		return number("minimum", "less than", k.Want.RatString())
	case *kind.Maximum:
		return number("maximum", "more than", k.Want.RatString())
	case *kind.ExclusiveMinimum:
		return number("exclusiveMinimum", "not more than", k.Want.RatString())
	case *kind.ExclusiveMaximum:
		return number("exclusiveMaximum", "not less than", k.Want.RatString())
	case *kind.MultipleOf:
		return number("multipleOf", "no multiple of", k.Want.RatString())
	case *kind.UniqueItems:
		return rule{Rule: "uniqueItems", Detail: "has equal items"}, true
	case *kind.Contains:
		return rule{Rule: "contains", Detail: "has no item of the kind asked for"}, true
	}
	return rule{}, false
}

func each(names []string, at, keyword, detail string) []rule {
	out := make([]rule, len(names))
	for i, name := range names {
		out[i] = rule{bound(at + "/" + escape(name)), keyword, detail}
	}
	return out
}

func pointer(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString("/" + escape(t))
		if b.Len() > maxPointer {
			break
		}
	}
	return bound(b.String())
}

func bound(s string) string {
	if len(s) <= maxPointer {
		return s
	}
	return strings.ToValidUTF8(s[:maxPointer], "") + "…"
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "number"
}
