package text

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/kindred-cdp/kindred/segments"
)

// Format writes a definition as text, which Parse reads back to an equal one. Equal
// definitions have equal texts.
func Format(d segments.Definition) (string, error) {
	form, err := d.MarshalJSON()
	if err != nil {
		return "", fmt.Errorf("write segment text: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(form))
	decoder.UseNumber()
	var root map[string]any
	if err := decoder.Decode(&root); err != nil {
		return "", fmt.Errorf("write segment text: %w", err)
	}
	w := &writer{}
	w.tree(root, false)
	if w.unknown != "" {
		return "", fmt.Errorf("write segment text: no words for a leaf with %s", w.unknown)
	}
	return w.b.String(), nil
}

// writer writes the JSON form of a definition, with a space between words.
type writer struct {
	b       strings.Builder
	glued   bool   // the next word has no space before it
	unknown string // members of a leaf that has no words
}

func (w *writer) put(texts ...string) {
	for _, s := range texts {
		if w.b.Len() > 0 && !w.glued && s != ")" && s != "," && s != "[]." {
			w.b.WriteByte(' ')
		}
		w.b.WriteString(s)
		w.glued = s == "(" || s == "[]."
	}
}

// tree writes a node; inner ones that join others stand in parentheses.
func (w *writer) tree(m map[string]any, inner bool) {
	for member, with := range map[string]string{"all": "and", "any": "or"} {
		parts, ok := m[member].([]any)
		if !ok {
			continue
		}
		switch {
		case len(parts) == 1:
			w.put(member)
			w.glued = true
			w.put("(")
		case inner:
			w.put("(")
		}
		for i, part := range parts {
			if i > 0 {
				w.put(with)
			}
			w.tree(part.(map[string]any), len(parts) > 1)
		}
		if inner || len(parts) == 1 {
			w.put(")")
		}
		return
	}
	if part, ok := m["not"].(map[string]any); ok {
		w.put("not")
		w.tree(part, true)
		return
	}
	w.leaf(m)
}

func (w *writer) leaf(m map[string]any) {
	switch {
	case m["trait"] != nil:
		if name := m["trait"].(string); !bare(name) || words[name] {
			w.put("trait")
		}
		w.name(m["trait"])
		w.test(m)
	case m["event"] != nil:
		w.event(m)
	case m["sequence"] != nil:
		w.sequence(m)
	case m["identifier"] != nil:
		w.put("has")
		w.name(m["identifier"])
	case m["score"] != nil:
		w.put("score")
		w.name(m["score"])
		if end, ok := m["end"].(string); ok {
			w.put(end)
		}
		w.test(m)
	case m["consent"] != nil:
		w.put("consent")
		w.name(m["consent"])
		if m["channel"] != nil {
			w.put("by")
			w.name(m["channel"])
		}
		w.put(m["is"].(string))
	default:
		w.counted(m)
	}
}

// counted writes the leaves that bound a number of something.
func (w *writer) counted(m map[string]any) {
	for _, measure := range []string{"orders", "refunds", "revenue"} {
		if m[measure] != nil {
			w.put(measure)
			if m["currency"] != nil {
				w.name(m["currency"])
			}
			w.bounds(m[measure], literal, "")
			w.window(m)
			return
		}
	}
	for _, member := range []string{"segment", "persona", "stage"} {
		if m[member] != nil {
			w.put(member)
			w.name(m[member])
			return
		}
	}
	switch {
	case m["holdout"] != nil:
		w.put("holdout")
		w.name(m["holdout"])
		w.bounds(m["percent"], literal, "%")
	case m["household"] != nil:
		w.put("household")
		w.bounds(m["household"], literal, "")
	case m["accounts"] != nil:
		w.put("accounts")
		w.bounds(m["accounts"], literal, "")
		if m["in"] != nil {
			w.put("in")
			w.list(m["in"])
		}
		w.where(m, "trait")
	case m["location"] != nil:
		w.location(m)
	case m["bought"] != nil:
		w.put("bought")
		for _, member := range []string{"product", "category"} {
			if m[member] != nil {
				w.put(member)
				w.name(m[member])
			}
		}
		w.bounds(m["bought"], literal, "")
		w.put("times")
		w.window(m)
	case m["nps"] != nil:
		w.put("nps", m["nps"].(string))
		w.window(m)
	case m["sentiment"] != nil:
		w.put("sentiment")
		if in, ok := m["in"].(string); ok {
			w.put("of", in)
		}
		w.bounds(m["sentiment"], literal, "")
		w.window(m)
	default:
		for member := range m {
			w.unknown += member + " "
		}
	}
}

// name writes a name bare where it can be.
func (w *writer) name(v any) {
	if s := v.(string); bare(s) && (!words[s] || nouns[s]) {
		w.put(s)
	} else {
		w.put(quote(s))
	}
}

func quote(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // Never fails: strings, numbers and booleans.
	return strings.TrimSuffix(b.String(), "\n")
}

func literal(v any) string { return quote(v) }

// span writes a duration or a time as it is.
func span(v any) string { return v.(string) }

// tests are the operators of JSON with their signs, in the order of bounds.
var tests = []struct{ op, sign string }{{"eq", "="}, {"neq", "!="}, {"gt", ">"}, {"gte", ">="}, {"lt", "<"}, {"lte", "<="}}

func (w *writer) bounds(v any, write func(any) string, unit string) {
	m := v.(map[string]any)
	for _, t := range tests {
		if m[t.op] != nil {
			w.put(t.sign, write(m[t.op])+unit)
		}
	}
}

func (w *writer) test(m map[string]any) {
	op := m["op"].(string)
	for _, t := range tests {
		if t.op == op {
			w.put(t.sign, literal(m["value"]))
			return
		}
	}
	w.put(op)
	switch op {
	case "in":
		w.list(m["value"])
	case "contains":
		w.put(literal(m["value"]))
	}
}

func (w *writer) list(v any) {
	w.put("(")
	for i, item := range v.([]any) {
		if i > 0 {
			w.put(",")
		}
		w.put(literal(item))
	}
	w.put(")")
}
