package mapping

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// plain returns the text of a scalar.
func plain(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return string(v), true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}

// kindOf names the type of a record's value, and of its content only how long
// it is.
func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("text of %d bytes", len(v))
	case bool:
		return "true or false"
	case json.Number, float64, int64:
		return "a number"
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	case map[string]any, *Row:
		return "an object"
	}
	return "nothing"
}
