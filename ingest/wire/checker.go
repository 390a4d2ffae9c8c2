package wire

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// checker collects faults. A sound message costs no allocation.
type checker struct{ faults []Fault }

func (c *checker) add(pointer, code, rule string) {
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, Fault{Pointer: pointer, Code: code, Detail: "field \"" + FieldName(pointer) + "\" " + rule})
	}
}

func (c *checker) addf(pointer, code, format string, args ...any) {
	c.add(pointer, code, fmt.Sprintf(format, args...))
}

// wrong refuses text by its rule, and says of the text only how long it is.
func (c *checker) wrong(pointer, value, rule string) {
	if value == "" {
		c.add(pointer, CodeMissing, rule+", not empty")
		return
	}
	c.addf(pointer, CodeField, "%s, not text of %d bytes", rule, len(value))
}

func (c *checker) required(pointer, value string, limit int) {
	if value == "" {
		c.add(pointer, CodeMissing, "is required")
	}
	c.limit(pointer, value, limit)
}

func (c *checker) limit(pointer, value string, limit int) {
	if len(value) > limit {
		c.addf(pointer, CodeField, "has %d bytes; the limit is %d", len(value), limit)
	}
}

// oneOf requires one of the words; an empty one among them makes it optional.
func (c *checker) oneOf(pointer, value string, words ...string) {
	if slices.Contains(words, value) {
		return
	}
	if words[0] == "" {
		words = words[1:]
	}
	last := len(words) - 1
	rule := "must be " + strings.Join(words[:last], ", ") + " or " + words[last]
	if value == "" {
		c.add(pointer, CodeMissing, "is required; it "+rule)
		return
	}
	c.wrong(pointer, value, rule)
}

// between requires a number within bounds, or none. It refuses NaN too.
func (c *checker) between(pointer string, value *float64, low, high float64) {
	if value != nil && !(*value >= low && *value <= high) {
		c.addf(pointer, CodeField, "must be a number from %v to %v", low, high)
	}
}

func (c *checker) amount(pointer, value string) {
	if !isAmount(value) {
		c.add(pointer, CodeField, "is not a decimal number within ±10^14")
	}
}

// language requires the shape of a BCP 47 tag, or nothing.
func (c *checker) language(pointer, value string) {
	if value == "" {
		return
	}
	length := 0
	ok := len(value) <= 35
	for i := range len(value) {
		switch b := value[i]; {
		case b == '-':
			ok = ok && length > 0
			length = 0
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
			length++
			ok = ok && length <= 8
		default:
			ok = false
		}
	}
	if !ok || length == 0 {
		c.wrong(pointer, value, "must be a language tag such as en or pt-BR")
	}
}

// FieldName returns the usual spelling of a JSON pointer in messages to people:
// "/transaction/items/0/price" is transaction.items[0].price.
func FieldName(pointer string) string {
	var b strings.Builder
	for i, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if part != "" && part[0] >= '0' && part[0] <= '9' {
			b.WriteString("[" + part + "]")
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	return b.String()
}

// index returns the pointer of a field of an entry of a list.
func index(list string, i int, field string) string {
	p := list + "/" + strconv.Itoa(i)
	if field != "" {
		p += "/" + field
	}
	return p
}

func namespace(s string) bool {
	if s == "" || len(s) > MaxWord || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		if b := s[i]; b != '_' && (b < 'a' || b > 'z') && (b < '0' || b > '9') {
			return false
		}
	}
	return true
}

func lowerWord(s string) bool { return namespace(strings.ReplaceAll(s, "-", "_")) }

func currency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i := range 3 {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}
