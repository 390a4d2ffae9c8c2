package linkage

import (
	"math"
	"slices"
)

// A kind is one way in which two records of different persons come to agree
// beyond chance: housemates share surname, street and telephone, neighbours the
// city and the postcode. Without kinds spouses would be one person on the
// strength of an address that all its columns repeat, because agreement there
// is no independent evidence. Mixtures of more than two classes are those of
// Larsen and Rubin, "Iterative Automated Record Linkage Using Mixture Models"
// (JASA 96, 2001).
type kind struct {
	name string
	// number is its place in kindsTried.
	number int
	// share is the share of all pairs that are of the kind.
	share float64
	// chance[f][l] is the chance of a level of a field.
	chance [][]float64
	// free[f] says that the field is learnt; the others are as among strangers,
	// but for what is assumed of twins and namesakes.
	free []bool
	// derived[f] says that all but equality is learnt.
	derived []bool
	// scales are those of the fields.
	scales []*scale
}

// Of every hundred pairs of housemates one pair are twins, and two have one
// given name: assumptions, because nothing in the records tells them from
// errors.
const (
	twins    = .01
	namesake = .02
)

// kindsTried are the kinds that are tried, in this order. Each names the types of
// fields that its pairs share, and those of which at least two must be there.
var kindsTried = []struct {
	name     string
	shares   map[Type]bool
	atHome   bool
	evidence map[Type]bool
	// derived is a field that people make of what the pairs share, so that it is
	// alike and never equal.
	derived Type
}{
	{
		name:     "neighbours",
		shares:   map[Type]bool{City: true, Postcode: true, Category: true},
		evidence: map[Type]bool{City: true, Postcode: true, Category: true},
	},
	{
		name:     "street",
		shares:   map[Type]bool{City: true, Postcode: true, Category: true, Street: true},
		evidence: map[Type]bool{Street: true, City: true, Postcode: true},
	},
	{
		name:     "household",
		shares:   map[Type]bool{Surname: true, Street: true, House: true, Email: true, Phone: true, City: true, Postcode: true, Category: true, Text: true},
		atHome:   true,
		evidence: map[Type]bool{Street: true, House: true, Email: true, Phone: true, Surname: true, Postcode: true},
	},
	{
		name:     "namesakes",
		shares:   map[Type]bool{GivenName: true, Surname: true},
		evidence: map[Type]bool{Email: true, Surname: true},
		derived:  Email,
	},
}

// kinds returns the kinds that the fields of a corpus can tell, by number of
// kindsTried.
func (c *corpus) kinds() []int {
	var list []int
	for i, k := range kindsTried {
		shared, own := 0, 0
		for f := range c.fields {
			switch t := c.fields[f].typ; {
			case k.evidence[t]:
				shared++
			case t == GivenName || t == Date || t == Number:
				own++
			}
		}
		if shared >= 2 && own > 0 {
			list = append(list, i)
		}
	}
	return list
}

// firstKind is where the learning of a kind starts.
func (c *corpus) firstKind(number int, ch *chance, share float64) *kind {
	tried := kindsTried[number]
	k := &kind{name: tried.name, number: number, share: share, free: make([]bool, len(c.fields))}
	for f := range c.fields {
		t := c.fields[f].typ
		k.free[f] = tried.shares[t]
		k.derived = append(k.derived, t == tried.derived)
		k.scales = append(k.scales, scales[t])
		switch {
		case k.derived[f]:
			k.chance = append(k.chance, alike(ch.u[f]))
		case k.free[f]:
			k.chance = append(k.chance, descending(len(scales[t].levels), .75))
		case tried.atHome:
			k.chance = append(k.chance, atHome(t, ch.u[f]))
		default:
			k.chance = append(k.chance, ch.u[f])
		}
	}
	return k
}

// refresh gives the fields that are as among strangers the chances of ch.
func (k *kind) refresh(c *corpus, ch *chance) *kind {
	fresh := *k
	fresh.chance = slices.Clone(k.chance)
	for f := range c.fields {
		switch {
		case k.derived[f]:
			fresh.chance[f] = slices.Clone(k.chance[f])
			reshape(fresh.chance[f], ch.u[f][exact])
		case k.free[f]:
		case kindsTried[k.number].atHome:
			fresh.chance[f] = atHome(c.fields[f].typ, ch.u[f])
		default:
			fresh.chance[f] = ch.u[f]
		}
	}
	return &fresh
}

// alike is where the learning of a derived field starts.
func alike(u []float64) []float64 {
	c := descending(len(u), .5)
	reshape(c, u[exact])
	return c
}

// reshape sets the chance of equality and leaves the others in proportion.
func reshape(c []float64, equal float64) {
	for l := int(exact) + 1; l < len(c); l++ {
		c[l] *= (1 - equal) / (1 - c[exact])
	}
	c[exact] = equal
}

// atHome are the chances of a personal field among housemates.
func atHome(t Type, u []float64) []float64 {
	same := 0.0
	switch t {
	case Date:
		same = twins
	case GivenName:
		same = namesake
	}
	h := make([]float64, len(u))
	for l := int(exact); l < len(u); l++ {
		h[l] = (1 - same) * u[l]
	}
	h[exact] += same
	return h
}

// leastShared is the least chance that two of a kind agree in a field that the
// kind shares. Below it the class would be something else that the records have
// in common, such as a language.
const leastShared = .5

// hold keeps the shared fields above leastShared: of all chances that are, the
// likeliest are those in proportion.
func (k *kind) hold() {
	for f, free := range k.free {
		if !free {
			continue
		}
		agree := 0.0
		for l := exact; l <= k.scales[f].near; l++ {
			agree += k.chance[f][l]
		}
		if agree >= leastShared {
			continue
		}
		for l := int(exact); l < len(k.chance[f]); l++ {
			if l <= int(k.scales[f].near) {
				k.chance[f][l] *= leastShared / agree
			} else {
				k.chance[f][l] *= (1 - leastShared) / (1 - agree)
			}
		}
	}
}

// parameters is the number of chances that a kind learns, its share included.
func (k *kind) parameters() float64 {
	n := 1
	for f, free := range k.free {
		if free || k.derived[f] {
			n += len(k.chance[f]) - 2
		}
	}
	return float64(n)
}

// worthIt decides by the Bayesian information criterion (Schwarz 1978) whether a
// model with one more kind says enough more to be believed: a kind must explain
// more than its number of parameters would by accident.
func worthIt(with, without *learnt, k *kind) bool {
	gain := last(with.likelihood) - last(without.likelihood)
	return gain > k.parameters()/2*math.Log(max(without.found, 10))
}

func last(x []float64) float64 { return x[len(x)-1] }
