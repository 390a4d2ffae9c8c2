package rulefile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// legend opens a written file; whoever opens it first sees what the keys mean.
const legend = `# The rules of identity. A change takes a higher version.
#
# untrusted, trusted   sources whose event times and claims are not, or are, believed; in
#                      neither list, only those of public API keys are not
# rename               trusted sources whose alias events rename a user id: both ids are one
#                      person, as if linked by a command whose id is that of the message
# linkage.model        version of the model whose scored pairs of records count; "" is none
# linkage.review, link least weight that counts, and at which profiles join, in bits:
#                      log2 of the odds of a match; 0 is even odds, 7 is 128 to 1 (.992)
# rank                 strength of a namespace; 0 is the strongest
# principal            its identifiers are persons, who never share a profile
# limit, limit_window  identifiers of one profile, first seen within the window; 0 is none
# moving_gap           a hole in the evidence after which the identifier has another owner
# fan_out_up, _down    neighbours as strong or stronger, or weaker, beyond which it links no one
# household            links households, never persons; fan_out_up then counts profiles
# trusted_claims       pairs that only untrusted sources claim are void
# shieldable           a trusted pair to a principal protects it from untrusted ones
# blocked.<namespace>  add, remove: values, or patterns with * and ?, that link no one

`

// Format writes f in TOML, with every key, so that its meaning does not change
// with the defaults of a release. Parse reads back an equal File.
func Format(f File) []byte {
	var b bytes.Buffer
	b.WriteString(legend)
	write := func(path []string, fields []field) {
		if len(path) > 0 {
			keys := make([]string, len(path))
			for i, key := range path {
				keys[i] = tomlKey(key)
			}
			fmt.Fprintf(&b, "\n[%s]\n", strings.Join(keys, "."))
		}
		for _, f := range fields {
			fmt.Fprintf(&b, "%s = %s\n", f.key, tomlValue(f.value))
		}
	}
	walk(f, write)
	return b.Bytes()
}

// FormatJSON writes f in JSON, with every key, indented. Parse reads back an
// equal File.
func FormatJSON(f File) []byte {
	root := &object{}
	walk(f, func(path []string, fields []field) {
		o := root
		for _, key := range path {
			o = o.child(key)
		}
		for _, f := range fields {
			o.add(f.key, jsonValue(f.value))
		}
	})
	var compact, b bytes.Buffer
	root.write(&compact)
	// Texts that are not UTF-8 were replaced by then, so this is valid JSON.
	_ = json.Indent(&b, compact.Bytes(), "", "  ")
	b.WriteByte('\n')
	return b.Bytes()
}

// MarshalJSON implements json.Marshaler with FormatJSON.
func (f File) MarshalJSON() ([]byte, error) { return FormatJSON(f), nil }

// UnmarshalJSON implements json.Unmarshaler with Parse; lines count from the
// start of the value.
func (f *File) UnmarshalJSON(text []byte) error {
	parsed, err := Parse(text)
	if err == nil {
		*f = parsed
	}
	return err
}

// walk visits the tables of f in the order of the text.
func walk(f File, visit func(path []string, fields []field)) {
	visit(nil, f.fields())
	visit([]string{capsTable}, f.Caps.fields())
	visit([]string{linkageTable}, f.Linkage.fields())
	visit([]string{defaultTable}, ruleFields(&f.Default))
	for _, ns := range f.byStrength() {
		rule := f.Namespaces[ns]
		visit([]string{namespacesTable, string(ns)}, ruleFields(&rule))
	}
	for _, ns := range slices.Sorted(maps.Keys(f.Blocked)) {
		if b := f.Blocked[ns]; len(b.Add)+len(b.Remove) > 0 {
			visit([]string{blockedTable, string(ns)}, b.fields())
		}
	}
}

// tomlValue writes the value of a field.
func tomlValue(place any) string {
	switch p := place.(type) {
	case *string:
		return tomlText(*p)
	case *time.Duration:
		return tomlText(formatDuration(*p))
	case *[]string:
		return tomlList(*p)
	case *bool:
		return fmt.Sprint(*p)
	case *int:
		return fmt.Sprint(*p)
	case *Bits:
		return p.String()
	}
	panic("rulefile: a field of a type that no text has") // fields lists none
}

// tomlList writes a list, one text a line where there are several.
func tomlList(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	var b strings.Builder
	b.WriteByte('[')
	for i, v := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		if len(list) > 1 {
			b.WriteString("\n  ")
		}
		b.WriteString(tomlText(v))
	}
	if len(list) > 1 {
		b.WriteString(",\n")
	}
	b.WriteByte(']')
	return b.String()
}

// tomlKey writes a key, in quotes where TOML needs them.
func tomlKey(key string) string {
	if isBare(key) {
		return key
	}
	return tomlText(key)
}

// tomlText writes a basic string of TOML 1.0.
func tomlText(v string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range v {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r >= 0x7f && r < 0xa0:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// jsonValue returns what encoding/json writes for a field.
func jsonValue(place any) any {
	switch p := place.(type) {
	case *time.Duration:
		return formatDuration(*p)
	case *[]string:
		return append([]string{}, *p...) // an empty list, never null
	case *Bits:
		return json.Number(p.String())
	}
	return place
}

// object is a JSON object that keeps the order of its keys.
type object struct {
	keys   []string
	values []any
}

func (o *object) add(key string, value any) {
	o.keys, o.values = append(o.keys, key), append(o.values, value)
}

// child returns the object under key.
func (o *object) child(key string) *object {
	if i := slices.Index(o.keys, key); i >= 0 {
		return o.values[i].(*object) // walk never names a table as a field
	}
	c := &object{}
	o.add(key, c)
	return c
}

func (o *object) write(b *bytes.Buffer) {
	b.WriteByte('{')
	for i, key := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		writeJSON(b, key)
		b.WriteByte(':')
		if c, ok := o.values[i].(*object); ok {
			c.write(b)
		} else {
			writeJSON(b, o.values[i])
		}
	}
	b.WriteByte('}')
}

// writeJSON writes a text, a number, a boolean or a list of texts, for which
// encoding cannot fail, and leaves < and > readable.
func writeJSON(b *bytes.Buffer, v any) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	b.Truncate(b.Len() - 1) // the encoder's line feed
}
