package mapping

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// The types that a value can be converted to; anything keeps its own.
const (
	asAnything = ""
	asText     = "text"
	asNumber   = "number"
	asInteger  = "integer"
	asDecimal  = "decimal"
	asBool     = "bool"
	asTime     = "time"
	asDate     = "date"
	asList     = "list"
)

// value is a compiled value: where it comes from and what it becomes.
type value struct {
	key      string
	line     int
	from     []*template
	fallback any
	required bool
	words    map[string]string
	lower    bool
	upper    bool
	split    string
	as       string
	numbers  numberForm
	truths   map[string]bool
	layouts  []layout
	zone     *time.Location
	keep     bool // text that is no date stays as it is
}

// valueWords are the keys of a table that says how a value is made.
var valueWords = []string{
	"from", "default", "required", "map", "case", "split", "as", "decimal", "thousands", "divide", "true", "false", "format", "zone", "keep",
}

// numberForm says how numbers are written in text.
type numberForm struct {
	decimal   byte   // the point
	thousands string // characters to leave out
	shift     int    // decimal places by which to divide
}

// compileValue reads a value that must become of type as.
func (l *loader) compileValue(key string, v any, as string) *value {
	out := &value{key: key, line: l.line(key), as: as, numbers: numberForm{decimal: '.'}, zone: time.UTC, layouts: []layout{{name: "rfc3339"}}}
	switch v := v.(type) {
	case string:
		out.from = []*template{l.template(key, v)}
	case bool, int64, float64, json.Number:
		out.fallback = scalar(v)
	case map[string]any:
		l.compileTable(l.tree(key, v), out)
	case []any:
		if as == asList {
			out.fallback = v
			break
		}
		l.fault(key, "must be text or a table, not a list")
	default:
		l.fault(key, "must be text or a table, not %s", typeName(v))
	}
	return out
}

// scalar gives numbers of a declaration the type that numbers of records have.
func scalar(v any) any {
	switch v := v.(type) {
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	case float64:
		return json.Number(strconv.FormatFloat(v, 'f', -1, 64))
	}
	return v
}

func (l *loader) template(key, text string) *template {
	t, err := parseTemplate(text)
	if err != nil {
		l.fault(key, "%s", err)
		return &template{parts: []segment{{}}}
	}
	return t
}

func (l *loader) compileTable(t *tree, out *value) {
	for _, text := range t.texts("from") {
		out.from = append(out.from, l.template(t.at("from"), text))
	}
	if v := t.take("default"); v != nil {
		out.fallback = scalar(v)
	}
	if len(out.from) == 0 && out.fallback == nil {
		l.fault(t.key, "needs from or default")
	}
	out.required = t.flag("required", false)
	l.compileWords(t, out)
	out.split = t.text("split")
	if as := t.text("as"); as != "" {
		switch {
		case as != asText && as != asNumber && as != asInteger && as != asDecimal && as != asBool && as != asTime && as != asDate:
			l.fault(t.at("as"), "must be text, number, integer, decimal, bool, time or date")
		case out.as != asAnything && out.as != as:
			l.fault(t.at("as"), "must be %s here, or left out", out.as)
		default:
			out.as = as
		}
	}
	if out.keep = t.flag("keep", false); out.keep && out.as != asDate {
		l.fault(t.at("keep"), "belongs to dates only")
	}
	l.compileNumbers(t, out)
	l.compileTimes(t, out)
	t.done()
}

func (l *loader) compileWords(t *tree, out *value) {
	if v := t.take("map"); v != nil {
		words := l.tree(t.at("map"), v)
		out.words = map[string]string{}
		for from, to := range words.members {
			text, ok := plain(scalar(to))
			if !ok && to != "" {
				l.fault(t.at("map")+"."+from, "must be text, a number or true or false")
			}
			out.words[from] = text
		}
	}
	switch t.text("case") {
	case "":
	case "lower":
		out.lower = true
	case "upper":
		out.upper = true
	default:
		l.fault(t.at("case"), "must be lower or upper")
	}
	out.truths = map[string]bool{"true": true, "yes": true, "y": true, "1": true, "on": true, "t": true, "false": false, "no": false, "n": false, "0": false, "off": false, "f": false}
	yes, no := t.texts("true"), t.texts("false")
	if len(yes)+len(no) > 0 {
		out.truths = map[string]bool{}
	}
	for _, w := range yes {
		out.truths[strings.ToLower(w)] = true
	}
	for _, w := range no {
		out.truths[strings.ToLower(w)] = false
	}
}

func (l *loader) compileNumbers(t *tree, out *value) {
	if d := t.text("decimal"); d == "," {
		out.numbers.decimal = ','
	} else if d != "" && d != "." {
		l.fault(t.at("decimal"), "must be a point or a comma")
	}
	out.numbers.thousands = t.text("thousands")
	if strings.ContainsAny(out.numbers.thousands, "0123456789-"+string(out.numbers.decimal)) {
		l.fault(t.at("thousands"), "must not hold digits, the minus sign or the decimal character")
	}
	switch n := t.take("divide").(type) {
	case nil:
	case int64, json.Number:
		for text := fmt.Sprint(n); text != "1"; text = text[:len(text)-1] {
			if !strings.HasSuffix(text, "0") || len(text) > 10 {
				l.fault(t.at("divide"), "must be a power of ten such as 100")
				break
			}
			out.numbers.shift++
		}
	default:
		l.fault(t.at("divide"), "must be a power of ten, not %s", typeName(n))
	}
}

func (l *loader) compileTimes(t *tree, out *value) {
	if zone := t.text("zone"); zone != "" {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			l.fault(t.at("zone"), "must be a zone of the IANA list, such as Europe/Lisbon")
			loc = time.UTC
		}
		out.zone = loc
	}
	if formats := t.texts("format"); len(formats) > 0 {
		out.layouts = out.layouts[:0]
		for _, f := range formats {
			lay, err := parseLayout(f)
			if err != nil {
				l.fault(t.at("format"), "%s", err)
			}
			out.layouts = append(out.layouts, lay)
		}
	}
}

// eval returns the value in a scope, nil when it is missing.
func (v *value) eval(s *scope) (any, *Fault) {
	var got any
	for _, t := range v.from {
		if got = t.value(s); got != nil {
			break
		}
	}
	if text, ok := got.(string); ok {
		if text = strings.TrimSpace(text); text == "" || s.env.null(text) {
			got = nil
		} else {
			got = text
		}
	}
	if got == nil {
		if got = v.fallback; got == nil {
			if v.required {
				return nil, v.faultf(wire.CodeMissing, "is required")
			}
			return nil, nil
		}
		return v.convert(got)
	}
	if v.words != nil {
		text, ok := plain(got)
		to, found := v.words[text]
		if !found {
			to, found = v.words["*"]
		}
		if !ok || !found {
			return nil, v.faultf(wire.CodeField, "is none of the words of its map; it is %s", kindOf(got))
		}
		if to == "" {
			return nil, nil
		}
		got = to
	}
	return v.convert(got)
}

func (v *value) faultf(code, format string, args ...any) *Fault {
	return &Fault{Rule: v.key, Line: v.line, Code: code, Detail: fmt.Sprintf(format, args...)}
}

func (v *value) convert(got any) (any, *Fault) {
	switch v.as {
	case asAnything:
		return got, nil
	case asTime:
		return v.time(got)
	case asDate:
		return v.date(got)
	case asList:
		return v.list(got)
	case asBool:
		if b, ok := got.(bool); ok {
			return b, nil
		}
		text, _ := plain(got)
		b, ok := v.truths[strings.ToLower(text)]
		if !ok {
			return nil, v.faultf(wire.CodeField, "must be true or false in one of its words, not %s", kindOf(got))
		}
		return b, nil
	}
	text, ok := plain(got)
	if !ok {
		return nil, v.faultf(wire.CodeField, "must be %s, not %s", v.as, kindOf(got))
	}
	if v.as == asText {
		switch {
		case v.lower:
			text = strings.ToLower(text)
		case v.upper:
			text = strings.ToUpper(text)
		}
		return text, nil
	}
	n, ok := v.numbers.read(text)
	if !ok {
		return nil, v.faultf(wire.CodeField, "must be a %s, not %s", v.as, kindOf(got))
	}
	return v.number(n, got)
}

func (v *value) number(n json.Number, got any) (any, *Fault) {
	switch v.as {
	case asNumber:
		f, err := n.Float64()
		if err != nil {
			return nil, v.faultf(wire.CodeField, "is out of the range of numbers")
		}
		return f, nil
	case asInteger:
		text, fraction, _ := strings.Cut(string(n), ".")
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil || strings.Trim(fraction, "0") != "" {
			return nil, v.faultf(wire.CodeField, "must be a whole number, not %s", kindOf(got))
		}
		return i, nil
	}
	return n, nil
}

// list reads a list of texts, or text with separators.
func (v *value) list(got any) (any, *Fault) {
	var out []string
	items, ok := got.([]any)
	if !ok {
		text, ok := plain(got)
		if !ok {
			return nil, v.faultf(wire.CodeField, "must be a list, not %s", kindOf(got))
		}
		items = []any{text}
		if v.split != "" {
			items = items[:0]
			for _, part := range strings.Split(text, v.split) {
				items = append(items, strings.TrimSpace(part))
			}
		}
	}
	for _, item := range items {
		text, ok := plain(item)
		if !ok {
			return nil, v.faultf(wire.CodeField, "must be a list of texts, with %s in it", kindOf(item))
		}
		if text != "" {
			out = append(out, text)
		}
	}
	return out, nil
}
