package sql_test

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/siphash"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments"
)

// person evaluates the leaves of what a profile is.
func (o *oracle) person(p *person, n segments.Node) bool {
	switch n := n.(type) {
	case segments.Consent:
		return o.stance(p, n.Purpose, n.Channel) == n.Is
	case segments.Holdout:
		place := siphash.Sum64(siphash.Key{}, []byte(n.Name+"/"+p.id.String())) % 10000
		return n.Percent.Holds(float64(place) / 100)
	case segments.Household:
		mates := 0
		for _, home := range o.households {
			if mine, ok := o.households[p.id]; ok && home == mine {
				mates++
			}
		}
		return n.Profiles.Holds(float64(mates))
	case segments.InPersona:
		return o.group(p).Persona == n.ID
	case segments.InStage:
		return o.group(p).Stage == string(n.Stage)
	case segments.Accounts:
		return n.Count.Holds(float64(o.accounts(p, n)))
	}
	return o.place(p, n)
}

// group is what stands of a profile: its own newest row, and where that says nothing
// the newest of those of ids that are a part of it.
func (o *oracle) group(p *person) clickhousetest.Group {
	newest := map[identity.ProfileID]clickhousetest.Group{}
	for _, g := range o.groups {
		if o.world.Profile(identity.Key(g.Profile)) == p.id && !g.Time.Before(newest[g.Profile].Time) {
			newest[g.Profile] = g
		}
	}
	var best clickhousetest.Group
	for id, g := range newest {
		if g.Stage != "" && (id == p.id || newest[p.id].Stage == "" && g.Time.After(best.Time)) {
			best = g
		}
	}
	return best
}

// stance follows each channel and each address through all that was said in order.
func (o *oracle) stance(p *person, purpose, channel string) segments.Stance {
	type said struct {
		clickhousetest.Consent
		by clickhousetest.Event
	}
	var all []said
	for _, e := range p.events {
		for _, c := range e.Consents {
			if c.Purpose == purpose && (channel == "" || c.Channel == "" || c.Channel == channel) {
				all = append(all, said{c, e})
			}
		}
	}
	slices.SortFunc(all, func(a, b said) int {
		refusal := map[bool]int{true: 0, false: 1}
		return cmp.Or(a.by.Time.Compare(b.by.Time), refusal[a.Granted]-refusal[b.Granted])
	})
	if len(all) == 0 {
		return segments.Unknown
	}
	channels, stance := []string{channel}, segments.Denied
	if channel == "" {
		channels = those(all, func(s said) string { return s.Channel })
	}
	for _, c := range channels {
		here := slices.DeleteFunc(slices.Clone(all), func(s said) bool { return s.Channel != "" && s.Channel != c })
		for _, address := range those(here, func(s said) string { return s.Address }) {
			granted := false
			for _, s := range here {
				if s.Address == "" || s.Address == address {
					granted = s.Granted
				}
			}
			if granted {
				stance = segments.Granted
			}
		}
	}
	return stance
}

// those returns the names that are not empty, or the empty one where there are none.
func those[T any](list []T, name func(T) string) []string {
	var names []string
	for _, x := range list {
		if n := name(x); n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return []string{""}
	}
	return names
}

func (o *oracle) accounts(p *person, n segments.Accounts) int {
	mine := map[string]bool{}
	for _, e := range p.events {
		if e.Type == "group" {
			mine[e.Properties["groupId"].(string)] = true
		}
	}
	count := 0
	for id := range mine {
		ok := len(n.IDs) == 0 || slices.Contains(n.IDs, id)
		for _, w := range n.Where {
			var newest *clickhousetest.Event
			for i, e := range o.events {
				if traits, _ := e.Properties["traits"].(map[string]any); e.Type == "group" && e.Properties["groupId"] == id {
					if _, says := traits[w.Name]; says && (newest == nil || o.later(e, *newest)) {
						newest = &o.events[i]
					}
				}
			}
			ok = ok && newest != nil && passes(newest.Properties["traits"].(map[string]any)[w.Name], w.Test)
		}
		if ok {
			count++
		}
	}
	return count
}

// computed works out the traits that the table of rules declares.
func (o *oracle) computed(p *person, name string) any {
	var of []clickhousetest.Event
	path, event, within, kind := []string{"size"}, "", time.Duration(0), ""
	switch name {
	case "computed_count", "computed_last":
		event = "View"
	case "computed_any":
		kind, within = "transaction", 48*time.Hour
	case "computed_sum":
		event, path = "Buy", []string{"amount"}
	case "computed_average":
		event, path, within = "View", []string{"amount"}, 72*time.Hour
	case "computed_first":
		event, path = "it's", []string{"deep", "er"}
	case "computed_unique_list", "computed_time_since":
		event = "Buy"
	}
	for _, e := range p.events {
		amount, _ := e.Properties["amount"].(float64)
		if (event == "" || e.Name == event) && (kind == "" || e.Kind == kind) && !e.Time.After(o.now) && o.inWindow(e.Time, within) && (name != "computed_count" || amount > .5) {
			of = append(of, e)
		}
	}
	slices.SortFunc(of, func(a, b clickhousetest.Event) int {
		if o.later(a, b) {
			return 1
		}
		return -1
	})
	switch name {
	case "computed_count", "computed_any":
		return float64(len(of))
	case "computed_time_since":
		if len(of) == 0 {
			return nil
		}
		return float64(o.now.Sub(of[len(of)-1].Time) / time.Hour)
	}
	var values []any
	for _, e := range of {
		if v := dig(e.Properties, path); v != nil {
			values = append(values, v)
		}
	}
	return reduced(name, values, func(v any) time.Time {
		var last time.Time
		for _, e := range of {
			if text(dig(e.Properties, path)) == text(v) {
				last = e.Time
			}
		}
		return last
	})
}

// reduced makes one value of those of a property in the order of their events.
func reduced(name string, values []any, last func(any) time.Time) any {
	sum, numbers := new(big.Rat), int64(0)
	counts, distinct := map[string]int{}, []any{}
	for _, v := range values {
		if x, ok := v.(float64); ok {
			exact, _ := new(big.Rat).SetString(fmt.Sprint(x))
			sum.Add(sum, exact)
			numbers++
		}
		if counts[text(v)]++; counts[text(v)] == 1 {
			distinct = append(distinct, v)
		}
	}
	slices.SortFunc(distinct, func(a, b any) int {
		often := 0
		if name == "computed_most_frequent" {
			often = counts[text(b)] - counts[text(a)]
		}
		return cmp.Or(often, last(b).Compare(last(a)), cmp.Compare(text(a), text(b)))
	})
	switch {
	case name == "computed_sum":
		x, _ := sum.Float64()
		return x
	case name == "computed_average" && numbers > 0: // Cut to four places.
		whole := new(big.Rat).Mul(sum, big.NewRat(10000, numbers))
		cut := new(big.Int).Quo(whole.Num(), whole.Denom())
		x, _ := new(big.Rat).SetFrac(cut, big.NewInt(10000)).Float64()
		return x
	case len(values) == 0 || name == "computed_average":
		return nil
	case name == "computed_first":
		return values[0]
	case name == "computed_last":
		return values[len(values)-1]
	case name == "computed_most_frequent":
		return distinct[0]
	}
	return distinct[:min(2, len(distinct))]
}
