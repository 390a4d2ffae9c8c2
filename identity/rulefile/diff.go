package rulefile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// Diff says in plain words what changes from a to b, a line for each change, in
// the order of the text; nothing where they are equal. It names key paths,
// never a listed value of a namespace, which may be personal data: the lines
// may be logged.
func Diff(a, b File) []string {
	var d differ
	d.fields("", a.fields(), b.fields())
	d.fields("caps.", a.Caps.fields(), b.Caps.fields())
	d.fields("linkage.", a.Linkage.fields(), b.Linkage.fields())
	d.fields("default.", ruleFields(&a.Default), ruleFields(&b.Default))
	for _, ns := range union(a.Namespaces, b.Namespaces) {
		ra, inA := a.Namespaces[ns]
		rb, inB := b.Namespaces[ns]
		if !inA {
			ra = a.Default
			d.say("%s: is declared, and had the default rules", ns)
		}
		if !inB {
			rb = b.Default
			d.say("%s: is no longer declared, and has the default rules", ns)
		}
		d.fields(string(ns)+".", ruleFields(&ra), ruleFields(&rb))
	}
	for _, ns := range union(a.Blocked, b.Blocked) {
		ba, bb := a.Blocked[ns], b.Blocked[ns]
		d.values(string(ns), "are blocked in addition", "are no longer blocked in addition", ba.Add, bb.Add)
		d.values(string(ns), "are let through", "are no longer let through", ba.Remove, bb.Remove)
	}
	return d
}

type differ []string

func (d *differ) say(format string, args ...any) { *d = append(*d, fmt.Sprintf(format, args...)) }

// fields compares two equal lists of fields.
func (d *differ) fields(prefix string, a, b []field) {
	for i := range a {
		if la, ok := a[i].value.(*[]string); ok {
			d.sources(a[i].key, *la, *b[i].value.(*[]string))
			continue
		}
		from, to := words(a[i].key, a[i].value), words(b[i].key, b[i].value)
		if from != to {
			d.say("%s%s: from %s to %s", prefix, a[i].key, from, to)
		}
	}
}

// sources compares two sets of source names; their order means nothing.
func (d *differ) sources(key string, a, b []string) {
	if gone := missing(a, b); len(gone) > 0 {
		d.say("%s: no longer %s", key, strings.Join(gone, ", "))
	}
	if come := missing(b, a); len(come) > 0 {
		d.say("%s: now also %s", key, strings.Join(come, ", "))
	}
}

// values compares two sets of values without naming any.
func (d *differ) values(ns, come, gone string, a, b []string) {
	if n := len(missing(b, a)); n > 0 {
		d.say("%s: %d more values or patterns %s", ns, n, come)
	}
	if n := len(missing(a, b)); n > 0 {
		d.say("%s: %d values or patterns %s", ns, n, gone)
	}
}

// missing returns the texts of a that are not in b.
func missing(a, b []string) []string {
	have := make(map[string]bool, len(b))
	for _, v := range b {
		have[v] = true
	}
	var out []string
	for _, v := range a {
		if !have[v] {
			out = append(out, v)
		}
	}
	return out
}

// words writes a value for people; 0 is said in words where it means none.
func words(key string, place any) string {
	switch p := place.(type) {
	case *int:
		if *p == 0 && key == "limit" {
			return "no limit"
		}
		return fmt.Sprint(*p)
	case *bool:
		if *p {
			return "yes"
		}
		return "no"
	case *time.Duration:
		if *p == 0 {
			return "none"
		}
		return plainDuration(*p)
	case *Bits:
		return p.String() + " bits"
	case *string:
		if *p == "" {
			return "none"
		}
		return *p
	}
	panic("rulefile: a field of a type that no text has") // fields lists none
}

// plainDuration writes "30 days".
func plainDuration(d time.Duration) string {
	text := formatDuration(d)
	number, unit := text[:len(text)-1], text[len(text)-1:]
	word := map[string]string{"d": "day", "h": "hour", "m": "minute", "s": "second"}[unit]
	if number != "1" {
		word += "s"
	}
	return number + " " + word
}

// union returns the namespaces of both maps, sorted.
func union[V any](a, b map[identity.Namespace]V) []identity.Namespace {
	both := maps.Clone(a)
	if both == nil {
		return slices.Sorted(maps.Keys(b))
	}
	maps.Copy(both, b)
	return slices.Sorted(maps.Keys(both))
}
