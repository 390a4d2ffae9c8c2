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
		return c.numeric(asNumber(raw), t)
	}
	return isText(raw) + " AND " + asText(raw) + " " + operators[t.Op] + " " + c.text(v.Text)
}

// ofNumbers reports whether a test is of the value as a number alone.
func ofNumbers(t segments.Test) bool {
	switch t.Op {
	case segments.Exists, segments.Neq, segments.Contains:
		return false
	}
	for _, v := range t.Values {
		if v.Kind != segments.Number {
			return false
		}
	}
	return true
}

// numeric is the condition that a number passes such a test.
func (c *compiler) numeric(number string, t segments.Test) string {
	switch t.Op {
	case segments.Eq:
		return number + " = " + c.number(t.Values[0].Number)
	case segments.In:
		return c.among(number, t.Values)
	}
	return number + " " + operators[t.Op] + " " + c.number(t.Values[0].Number)
}

// among is the condition that a number is one of some.
func (c *compiler) among(number string, values []segments.Scalar) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = formatNumber(v.Number)
	}
	return "has(" + c.bind("Array(Float64)", "["+strings.Join(texts, ",")+"]") + ", " + number + ")"
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
	var texts []string
	var numbers []segments.Scalar
	var parts []string
	seen := map[bool]bool{}
	for _, v := range values {
		switch {
		case v.Kind == segments.Text:
			texts = append(texts, v.Text)
		case v.Kind == segments.Number:
			numbers = append(numbers, v)
		case !seen[v.Bool]:
			seen[v.Bool] = true
			parts = append(parts, c.equals(raw, v))
		}
	}
	if len(texts) > 0 {
		parts = append(parts, isText(raw)+" AND has("+c.bind("Array(String)", textArray(texts))+", "+asText(raw)+")")
	}
	if len(numbers) > 0 {
		parts = append(parts, c.among(asNumber(raw), numbers))
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
