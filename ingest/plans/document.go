package plans

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// document is a message that is held against schemas.
type document struct {
	value  map[string]any
	values int // objects, arrays, texts, numbers and so on, all counted
	bytes  int
}

// newDocument reads a message. Numbers keep their digits, but one of absurd
// length or exponent, which arithmetic without rounding could take hours over,
// becomes the nearest float.
func newDocument(text []byte) (*document, bool) {
	d := &document{bytes: len(text)}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if dec.Decode(&d.value) != nil {
		return nil, false
	}
	d.tame(d.value)
	return d, true
}

// tame counts the values below v and returns what takes its place.
func (d *document) tame(v any) any {
	d.values++
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = d.tame(x)
		}
	case []any:
		for i, x := range v {
			v[i] = d.tame(x)
		}
	case json.Number:
		if !plainNumber(string(v)) {
			f, _ := strconv.ParseFloat(string(v), 64)
			return max(-math.MaxFloat64, min(math.MaxFloat64, f))
		}
	}
	return v
}

// plainNumber reports whether exact arithmetic on a JSON number is cheap.
func plainNumber(s string) bool {
	if len(s) > 80 {
		return false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		return err == nil && -320 < e && e < 320
	}
	return true
}

// at walks down objects.
func (d *document) at(names ...string) any {
	var v any = d.value
	for _, name := range names {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// version is the version of the event that the message states, "" for none.
func (d *document) version() string {
	switch v := d.at("context", "protocols", "event_version").(type) {
	case string:
		return v
	case json.Number:
		return string(v)
	}
	return ""
}
