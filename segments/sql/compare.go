package sql

import (
	"strings"

	"github.com/kindred-cdp/kindred/segments"
)

// test is the condition that the JSON text raw, an SQL expression that is ”
// for no value, passes a test. It is 0 or 1, never NULL.
func (c *compiler) test(raw string, t segments.Test) string {
	exists := raw + " NOT IN ('', 'null')"
	switch t.Op {
	case segments.Exists:
		return exists
	case segments.Eq:
		return c.equals(raw, t.Values[0])
	case segments.Neq:
		return exists + " AND NOT (" + c.equals(raw, t.Values[0]) + ")"
	case segments.In:
		return c.in(raw, t.Values)
	case segments.Contains:
		return c.contains(raw, t.Values[0])
	}
	v := t.Values[0]
	if v.Kind == segments.Number {
		return asNumber(raw) + " " + operators[t.Op] + " " + c.number(v.Number)
	}
	return isText(raw) + " AND " + asText(raw) + " " + operators[t.Op] + " " + c.text(v.Text)
}

// JSON texts tell their type by their first byte, and a number is what parses
// as one; not a number compares as false with everything.
func isText(raw string) string   { return "startsWith(" + raw + ", '\"')" }
func asText(raw string) string   { return "JSONExtractString(" + raw + ")" }
func asNumber(raw string) string { return "toFloat64OrDefault(" + raw + ", nan)" }

func (c *compiler) equals(raw string, v segments.Scalar) string {
	switch v.Kind {
	case segments.Number:
		return asNumber(raw) + " = " + c.number(v.Number)
	case segments.Bool:
		if v.Bool {
			return raw + " = 'true'"
		}
		return raw + " = 'false'"
	}
	return isText(raw) + " AND " + asText(raw) + " = " + c.text(v.Text)
}

// in compares with all values of one type at once.
func (c *compiler) in(raw string, values []segments.Scalar) string {
	var texts, numbers []string
	var parts []string
	seen := map[bool]bool{}
	for _, v := range values {
		switch {
		case v.Kind == segments.Text:
			texts = append(texts, v.Text)
		case v.Kind == segments.Number:
			numbers = append(numbers, formatNumber(v.Number))
		case !seen[v.Bool]:
			seen[v.Bool] = true
			parts = append(parts, c.equals(raw, v))
		}
	}
	if len(texts) > 0 {
		parts = append(parts, isText(raw)+" AND has("+c.bind("Array(String)", textArray(texts))+", "+asText(raw)+")")
	}
	if len(numbers) > 0 {
		parts = append(parts, "has("+c.bind("Array(Float64)", "["+strings.Join(numbers, ",")+"]")+", "+asNumber(raw)+")")
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// contains looks for an element of an array, and for a part of a text when the
// value is one.
func (c *compiler) contains(raw string, v segments.Scalar) string {
	element := "startsWith(" + raw + ", '[') AND arrayExists(x -> " + c.equals("x", v) + ", JSONExtractArrayRaw(" + raw + "))"
	if v.Kind != segments.Text {
		return element
	}
	return "(" + isText(raw) + " AND position(" + asText(raw) + ", " + c.text(v.Text) + ") > 0 OR " + element + ")"
}
