package segments

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// boundOps are the operators of comparisons with a number.
var boundOps = []Op{Eq, Neq, Gt, Gte, Lt, Lte}

// testOps are the operators of tests.
var testOps = []Op{Eq, Neq, In, Contains, Exists, Gt, Gte, Lt, Lte}

func joinOps(ops []Op) string {
	s := make([]string, len(ops))
	for i, op := range ops {
		s[i] = string(op)
	}
	return strings.Join(s, ", ")
}

// test reads op and value.
func (p *parser) test(at string, o object) Test {
	op, ok := o.get("op")
	if !ok {
		p.add(at, "must have \"op\": one of %s", joinOps(testOps))
		return Test{}
	}
	t := Test{Op: Op(op.text)}
	if op.kind != isString || !slices.Contains(testOps, t.Op) {
		p.add(join(at, "op"), "must be one of %s", joinOps(testOps))
		return t
	}
	value, ok := o.get("value")
	at = join(at, "value")
	switch {
	case t.Op == Exists && ok:
		p.add(at, "has no place with exists")
	case t.Op == Exists:
	case !ok:
		p.add(at, "is missing")
	case t.Op == In:
		t.Values = p.scalars(at, value)
	default:
		s, good := p.scalar(at, value)
		if good && s.Kind == Bool && t.Op != Eq && t.Op != Neq && t.Op != Contains {
			p.add(at, "must be a number or a string for %s", t.Op)
		}
		t.Values = []Scalar{s}
	}
	return t
}

func (p *parser) scalars(at string, v jsonValue) []Scalar {
	if v.kind != isArray || len(v.items) == 0 || len(v.items) > MaxList {
		p.add(at, "must be an array of 1 to %d values", MaxList)
		return nil
	}
	values := make([]Scalar, 0, len(v.items))
	for i, item := range v.items {
		s, _ := p.scalar(fmt.Sprintf("%s/%d", at, i), item)
		values = append(values, s)
	}
	return values
}

func (p *parser) scalar(at string, v jsonValue) (Scalar, bool) {
	switch v.kind {
	case isString:
		if len(v.text) > MaxTextBytes {
			p.add(at, "must not be longer than %d bytes", MaxTextBytes)
			return Scalar{}, false
		}
		return Scalar{Kind: Text, Text: v.text}, true
	case isNumber:
		n, ok := p.number(at, v)
		return Scalar{Kind: Number, Number: n}, ok
	case isBool:
		return Scalar{Kind: Bool, Bool: v.truth}, true
	}
	p.add(at, "must be a string, a number or a boolean, is %s", v.kind)
	return Scalar{}, false
}

func (p *parser) number(at string, v jsonValue) (float64, bool) {
	if v.kind != isNumber {
		p.add(at, "must be a number, is %s", v.kind)
		return 0, false
	}
	n, err := strconv.ParseFloat(v.text, 64)
	if err != nil || math.IsInf(n, 0) {
		p.add(at, "must be a number within the range of a 64-bit float")
		return 0, false
	}
	return n + 0, true // +0 turns -0 into 0.
}

// comparison reads bounds such as {"gte": 2, "lt": 5}.
func (p *parser) comparison(at string, v jsonValue) Comparison {
	if v.kind != isObject || len(v.members) == 0 {
		p.add(at, "must be an object of bounds such as {\"gte\": 2}")
		return nil
	}
	names := make([]string, len(boundOps))
	for i, op := range boundOps {
		names[i] = string(op)
	}
	o := p.object(at, v, names...)
	c := make(Comparison, 0, len(o.members))
	for _, m := range o.members {
		n, _ := p.number(join(at, m.name), m.value)
		c = append(c, Bound{Op: Op(m.name), Value: n})
	}
	// The order of members means nothing, so equal comparisons are equal.
	slices.SortStableFunc(c, func(a, b Bound) int { return strings.Compare(string(a.Op), string(b.Op)) })
	return c
}

// units are the units of a window.
var units = map[byte]time.Duration{
	'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
}

// MaxWithin is the longest window.
const MaxWithin = 3660 * 24 * time.Hour

// within reads a window such as "30d"; 0 when there is none.
func (p *parser) within(at string, o object) time.Duration { return p.duration(at, o, "within") }

func (p *parser) duration(at string, o object, member string) time.Duration {
	v, ok := o.get(member)
	if !ok {
		return 0
	}
	if d, ok := parseWindow(v); ok {
		return d
	}
	p.add(join(at, member), "must be a whole number and a unit m, h, d or w, at most 3660d, such as \"30d\"")
	return 0
}

func parseWindow(v jsonValue) (time.Duration, bool) {
	if v.kind != isString || len(v.text) < 2 || len(v.text) > 8 {
		return 0, false
	}
	last := len(v.text) - 1
	unit, ok := units[v.text[last]]
	n, err := strconv.ParseUint(v.text[:last], 10, 32)
	if !ok || err != nil || n == 0 || n > uint64(MaxWithin/unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}
