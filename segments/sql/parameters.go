package sql

import (
	"strconv"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/segments"
)

// bind adds a parameter, or takes the one that is equal, and returns its place in the
// SQL: equal conditions have equal texts.
func (c *compiler) bind(kind, value string) string {
	if c.bound == nil {
		c.bound = map[string]string{}
	}
	place, ok := c.bound[kind+" "+value]
	if !ok {
		name := "p" + strconv.Itoa(len(c.parameters))
		c.parameters[name] = value
		place = "{" + name + ":" + kind + "}"
		c.bound[kind+" "+value] = place
	}
	return place
}

// text binds a String. The server unescapes it as it does tab-separated values.
func (c *compiler) text(s string) string { return c.bind("String", textEscaper.Replace(s)) }

var textEscaper = strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\0`)

func (c *compiler) number(x float64) string { return c.bind("Float64", formatNumber(x)) }

// moment binds a time in milliseconds.
func (c *compiler) moment(t time.Time) string {
	return c.bind("DateTime64(3, 'UTC')", t.UTC().Format("2006-01-02 15:04:05.000"))
}

// nowMoment is the parameter of now, which all windows share.
func (c *compiler) nowMoment() string {
	c.parameters["now"] = c.now.UTC().Format("2006-01-02 15:04:05.000")
	return "{now:DateTime64(3, 'UTC')}"
}

// within is the condition that a time column lies in the window, with its lead
// of AND; all time has none.
func (c *compiler) within(column string, window time.Duration) string {
	if window == 0 {
		return ""
	}
	return " AND " + column + " > " + c.moment(c.now.Add(-window)) + " AND " + column + " <= " + c.nowMoment()
}

func formatNumber(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// comparison is the condition that an expression satisfies every bound.
func (c *compiler) comparison(expression string, bounds segments.Comparison) string {
	parts := make([]string, len(bounds))
	for i, b := range bounds {
		parts[i] = expression + " " + operators[b.Op] + " " + c.number(b.Value)
	}
	return strings.Join(parts, " AND ")
}

// operators are the comparisons in SQL.
var operators = map[segments.Op]string{
	segments.Eq: "=", segments.Neq: "!=", segments.Gt: ">", segments.Gte: ">=", segments.Lt: "<", segments.Lte: "<=",
}

// textArray writes an Array(String) in the text form of the server.
func textArray(values []string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\'')
		b.WriteString(arrayEscaper.Replace(v))
		b.WriteByte('\'')
	}
	b.WriteByte(']')
	return b.String()
}

// arrayEscaper escapes what ends or alters a quoted text within an array.
var arrayEscaper = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\0`)
