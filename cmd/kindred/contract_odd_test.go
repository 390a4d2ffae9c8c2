package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// oddText is what nobody should send as text.
func (g *asker) oddText() string {
	return pick(g.r, []string{
		"", " ", "\x00", "a\x00b", "\xff\xfe", "\u202egnp", "e\u0301", "😀", "\ufeffx", "ﬃ", "İ", "null", "-1", "0", "1e999", "NaN",
		"9223372036854775808", "18446744073709551616", "-0", "00", "true", "[]", "{}", "'; DROP TABLE events; --", "%", "%zz", "../..", "..",
		"email:", ":", "email:x", "user_id:" + strings.Repeat("é", 700), strings.Repeat("a", 3000), "2026-13-45T00:00:00Z", "0000-01-01T00:00:00Z",
		"9999-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59Z", "2500-01-01T00:00:00Z", "2026-05-04", "nobody_knows:1", "a,b,,", "\r\nX-Odd: 1",
		"0000000000000000", "ffffffffffffffff", strings.Repeat("0", 32), "\U0010ffff", "AAAAAAAAAAAA", "e30",
	})
}

// oddValue is of any type.
func (g *asker) oddValue() any {
	return pick(g.r, []any{
		nil, true, -1, 0, 1.5, json.Number("1e308"), json.Number("1e999"), json.Number("-9223372036854775809"), json.Number("18446744073709551615"),
		json.Number("0.1000000000000000055511151231257827"), json.Number("-0.0"), json.Number("12345678901234567890123456789.12345"),
		[]any{},
		[]any{nil},
		map[string]any{},
		map[string]any{"": ""},
		[]any{[]any{[]any{}}},
		map[string]any{"a": map[string]any{"b": []any{1}}},
		g.oddText(), g.oddText(), g.oddText(), g.oddText(), strings.Repeat("long ", 20_000),
	})
}

// changed is a value with one or two of its parts made otherwise: of another type, gone,
// or with one more member.
func (g *asker) changed(v any) any {
	for range 1 + g.r.IntN(2) {
		v = g.change(v)
	}
	return v
}

func (g *asker) change(v any) any {
	switch v := v.(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		switch {
		case len(names) == 0 || g.chance(12):
			v[pick(g.r, []string{"nobody_knows", "", "id", "workspace", "a/b~c", "ä"})] = g.oddValue()
		case g.chance(15):
			delete(v, pick(g.r, names))
		default:
			name := pick(g.r, names)
			v[name] = g.change(v[name])
		}
		return v
	case []any:
		if len(v) > 0 && g.chance(70) {
			i := g.r.IntN(len(v))
			v[i] = g.change(v[i])
			return v
		}
		if len(v) > 0 && g.chance(30) {
			return append(v, slices.Repeat(v[:1], 3000)...)
		}
	}
	return g.oddValue()
}

// spoiled is a text that may not be JSON any more.
func (g *asker) spoiled(text string) string {
	cut := g.r.IntN(len(text) + 1)
	return pick(g.r, []string{
		"", "null", "[]", `"text"`, "1", "{", "\ufeff" + text, text[:cut], text + text, text + "}", text[:cut] + "\xff" + text[cut:],
		text[:cut] + `\ud800` + text[cut:], strings.Repeat("[", 20_000), strings.Repeat(`{"all":[`, 2000), "\x00", " \n\t" + text + " ",
		`{"id":1,"id":"2"}`, `{"__proto__":{}}`, strings.Repeat(" ", 100_000) + text,
	})
}
