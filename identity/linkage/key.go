package linkage

import (
	"context"
	"slices"
)

// key is a function of one value by which records are put into blocks.
type key struct {
	field int
	name  string
	// coarse keys are of use together with another only.
	coarse bool
	// whole keys are the value itself: who shares it shares every key of the
	// field.
	whole bool
	// part makes the key of a value.
	part func(v *value, text []byte) uint32
	// of is the hash of the key for each code of the field's dictionary; 0 where
	// the value has none.
	of []uint32
}

// hash32 hashes text (FNV-1a), never to 0.
func hash32[T string | []byte](kind byte, text T) uint32 {
	h := uint32(2166136261)
	h = (h ^ uint32(kind)) * 16777619
	for i := range len(text) {
		h = (h ^ uint32(text[i])) * 16777619
	}
	return max(h, 1)
}

// hash64 hashes text (FNV-1a, finished by mix).
func hash64(text string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return mix(h)
}

// part is a way to make a key of a value. Every value has a key of every part:
// where it lacks what the part takes, such as a third letter, the key is the
// whole value. Else Li and Ng would be found by the whole name only, which a
// rule of the first three letters is taken to contain.
type part struct {
	name   string
	coarse bool
	of     func(v *value, text []byte) uint32
}

// prefix is the first n letters of a text.
func prefix(n int, coarse bool, name string) part {
	return part{name, coarse, func(_ *value, text []byte) uint32 {
		return hash32('p', text[:min(n, len(text))])
	}}
}

// suffix is the last n letters of a text.
func suffix(n int, name string) part {
	return part{name, false, func(_ *value, text []byte) uint32 {
		return hash32('s', text[max(0, len(text)-n):])
	}}
}

// half is the first or the second half of a text.
func half(second bool, name string) part {
	return part{name, false, func(_ *value, text []byte) uint32 {
		n := len(text) / 2
		if n < 2 {
			n = len(text)
		}
		if second {
			return hash32('h', text[len(text)-n:])
		}
		return hash32('g', text[:n])
	}}
}

func whole(coarse bool) part {
	return part{"", coarse, func(_ *value, text []byte) uint32 { return hash32('w', text) }}
}

// dateKey is two parts of a date, or one.
func dateKey(name string, coarse, year, month, day bool) part {
	return part{name, coarse, func(v *value, _ []byte) uint32 {
		y, m, d := dateOf(v.code)
		h := uint64(name[0]) + uint64(len(name))<<8
		for _, p := range []struct {
			take bool
			is   int
		}{{year, y}, {month, m}, {day, d}} {
			if p.take {
				if p.is == 0 {
					return max(uint32(mix(v.code)), 1)
				}
				h = mix(h ^ uint64(p.is))
			}
		}
		return max(uint32(h), 1)
	}}
}

// parts are the keys of each type.
func parts(typ Type) []part {
	switch typ {
	case GivenName, Surname:
		return []part{
			whole(false),
			{"sound", false, func(v *value, text []byte) uint32 {
				if v.code == 0 {
					return hash32('n', text)
				}
				return max(uint32(mix(v.code)), 1)
			}},
			prefix(3, false, "first 3"), suffix(3, "last 3"), prefix(1, true, "initial"),
		}
	case Date:
		return []part{
			whole(false), dateKey("ym", false, true, true, false), dateKey("md", false, false, true, true),
			dateKey("yd", false, true, false, true), dateKey("y", true, true, false, false),
		}
	case Email:
		return []part{whole(false), {"local part", false, func(v *value, _ []byte) uint32 { return uint32(v.code >> 32) }}, prefix(5, false, "first 5"), suffix(8, "last 8")}
	case Phone:
		return []part{whole(false), prefix(5, false, "first 5"), suffix(5, "last 5")}
	case Postcode:
		return []part{whole(false), prefix(2, true, "first 2"), suffix(2, "last 2")}
	case Number:
		return []part{whole(false), half(false, "first half"), half(true, "second half")}
	case Street, Text, City:
		return []part{whole(false), prefix(5, false, "first 5"), suffix(5, "last 5")}
	}
	return []part{whole(true)}
}

// keys returns every key of every field, of no value yet.
func (c *corpus) keys() []key {
	var list []key
	for f := range c.fields {
		for _, p := range parts(c.fields[f].typ) {
			k := key{field: f, name: c.fields[f].name, coarse: p.coarse, whole: p.name == "", part: p.of}
			if p.name != "" {
				k.name += " (" + p.name + ")"
			}
			list = append(list, k)
		}
	}
	return list
}

// grow makes the key of the values that a dictionary has beside those it was made
// of.
func (k *key) grow(dict *dictionary) {
	if len(k.of) < len(dict.values) {
		k.of = slices.Grow(k.of, len(dict.values)-len(k.of))
	}
	for code := len(k.of); code < len(dict.values); code++ {
		of := uint32(0)
		if code > 0 {
			v := &dict.values[code]
			of = k.part(v, dict.letters(v))
		}
		k.of = append(k.of, of)
	}
}

// growKeys makes the keys of all values.
func (c *corpus) growKeys(ctx context.Context, keys []key, workers int) error {
	return divide(ctx, workers, len(keys), func(_, k int) { keys[k].grow(c.fields[keys[k].field].dict) })
}

// rule is one equality by which records become candidates: all its keys agree.
type rule struct {
	keys []int
	name string
	// eitherName marks the rule of both names in any order.
	eitherName bool
	// cost is the estimated number of pairs.
	cost float64
}

// blockHash is the hash of a record under a rule, 0 where it lacks a key.
func blockHash(keys []key, r *rule, record []uint32) uint64 {
	h := uint64(0)
	for i, k := range r.keys {
		part := keys[k].of[record[keys[k].field]]
		if part == 0 {
			return 0
		}
		h = r.fold(h, i, part)
	}
	return max(h, 1)
}

// fold adds the i-th key of a record to the hash of those before it.
func (r *rule) fold(h uint64, i int, part uint32) uint64 {
	if r.eitherName && i < 2 {
		return h + mix(uint64(part))
	}
	return mix(h ^ uint64(part))
}

// mix is the finaliser of MurmurHash3.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
