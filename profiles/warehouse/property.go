package warehouse

import "strings"

// PropertyKind is the SQL type that a property is read as.
type PropertyKind int

// The kinds of properties. Most are NULL where the property is missing, null or
// not of that kind; numbers and booleans written as text count as such.
const (
	PropertyText    PropertyKind = iota // Nullable(String): texts as they are, other values as JSON
	PropertyNumber                      // Nullable(Float64)
	PropertyDecimal                     // Nullable(Decimal(18, 4)), for amounts
	PropertyBool                        // Nullable(Bool): numbers are true unless zero
	PropertyTime                        // Nullable(DateTime64(3, 'UTC')): ISO 8601 text or Unix seconds
	PropertyList                        // Array(String), empty where it is no list
	PropertyExists                      // Bool: whether it is there, null included
	PropertyJSON                        // String: the value as JSON text, empty where it is not there
)

// Property returns the SQL expression that reads one property from a column
// that holds a JSON object: properties, traits or context of events. path names
// the key, with a dot between the keys of nested objects ("address.city") and
// \. for a dot within a key. It enters the expression as escaped constants
// whatever it holds, so a path from a user is safe. column is an identifier
// from code.
func Property(column, path string, kind PropertyKind) string {
	arguments := column
	for _, key := range splitPath(path) {
		arguments += ", " + constant(key)
	}
	switch kind {
	case PropertyNumber:
		return "JSONExtract(" + arguments + ", 'Nullable(Float64)')"
	case PropertyDecimal:
		return "JSONExtract(" + arguments + ", 'Nullable(Decimal(18, 4))')"
	case PropertyBool:
		return "JSONExtract(" + arguments + ", 'Nullable(Bool)')"
	case PropertyTime:
		return "parseDateTime64BestEffortOrNull(JSONExtract(" + arguments + ", 'Nullable(String)'), 3, 'UTC')"
	case PropertyList:
		return "JSONExtract(" + arguments + ", 'Array(String)')"
	case PropertyExists:
		return "JSONHas(" + arguments + ")"
	case PropertyJSON:
		return "JSONExtractRaw(" + arguments + ")"
	default:
		return "JSONExtract(" + arguments + ", 'Nullable(String)')"
	}
}

// numberColumns are the numeric properties of events that have a column of their own.
var numberColumns = map[string]string{
	"price": "number_price", "quantity": "number_quantity", "revenue": "number_revenue",
	"total": "number_total", "value": "number_value", "position": "number_position",
}

// NumberColumn returns the column of events that holds a property of the first level as a
// Float64, NaN where it is no number, where there is such a column. The other numbers are
// in the map numbers alone.
func NumberColumn(name string) (column string, ok bool) {
	column, ok = numberColumns[name]
	return column, ok
}

// splitPath cuts a path at its dots; a backslash makes the next byte a part of
// the key.
func splitPath(path string) []string {
	var keys []string
	var key strings.Builder
	for i := 0; i < len(path); i++ {
		switch {
		case path[i] == '\\' && i+1 < len(path):
			i++
			key.WriteByte(path[i])
		case path[i] == '.':
			keys = append(keys, key.String())
			key.Reset()
		default:
			key.WriteByte(path[i])
		}
	}
	return append(keys, key.String())
}

// constant writes s as a string literal in which the driver finds nothing to
// bind: it takes ?, $1, @name and {name:Type} for parameters even in literals.
func constant(s string) string {
	return strings.NewReplacer("?", `\x3F`, "$", `\x24`, "@", `\x40`, "{", `\x7B`, ":", `\x3A`).Replace(quote(s))
}
