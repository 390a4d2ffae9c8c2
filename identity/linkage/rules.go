package linkage

import (
	"cmp"
	"slices"
	"strings"
)

// hotBlock is the size beyond which a block is split by another field.
const hotBlock = 300

// costSample is the number of records from which the cost of a rule is
// estimated.
const costSample = 1 << 16

// enumerate returns every rule that might be used: single keys, keys of two
// different fields, and names in any order, each with its estimated cost and
// none beyond the budget.
func (c *corpus) enumerate(keys []key, budget float64) []rule {
	var list []rule
	coster := newCoster(c, keys)
	try := func(r rule) {
		if r.cost = coster.cost(&r); r.cost > 0 && r.cost <= budget {
			list = append(list, r)
		}
	}
	for i := range keys {
		if !keys[i].coarse {
			try(rule{keys: []int{i}, name: keys[i].name})
		}
		for j := i + 1; j < len(keys); j++ {
			if keys[i].field != keys[j].field {
				try(rule{keys: []int{i, j}, name: keys[i].name + " and " + keys[j].name})
			}
		}
	}
	if c.given >= 0 {
		c.enumerateNames(keys, try)
	}
	slices.SortStableFunc(list, func(a, b rule) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), strings.Compare(a.name, b.name))
	})
	return list
}

// enumerateNames tries both names by sound in any order, alone and with a key of
// another field.
func (c *corpus) enumerateNames(keys []key, try func(rule)) {
	given, surname := -1, -1
	for i := range keys {
		if strings.HasSuffix(keys[i].name, "(sound)") {
			switch keys[i].field {
			case c.given:
				given = i
			case c.surname:
				surname = i
			}
		}
	}
	if given < 0 || surname < 0 {
		return
	}
	name := "names in any order (sound)"
	try(rule{keys: []int{given, surname}, name: name, eitherName: true})
	for i := range keys {
		if keys[i].field != c.given && keys[i].field != c.surname {
			try(rule{keys: []int{given, surname, i}, name: name + " and " + keys[i].name, eitherName: true})
		}
	}
}

// coster estimates the number of pairs of a rule from a sample of records: the
// first ones of a fixed shuffle.
type coster struct {
	corpus *corpus
	keys   []key
	rows   []int
	scale  float64
	hashes []uint32
	counts []int32
	slots  []uint32
}

func newCoster(c *corpus, keys []key) *coster {
	n := min(c.rows, costSample)
	rows := stream(1, "cost").Perm(c.rows)[:n]
	slices.Sort(rows)
	return &coster{
		corpus: c, keys: keys, rows: rows, scale: float64(c.rows) / float64(n),
		hashes: make([]uint32, 0, n), counts: make([]int32, 4*costSample), slots: make([]uint32, 4*costSample),
	}
}

// cost is the number of pairs in blocks, those beyond hotBlock counted as split.
func (e *coster) cost(r *rule) float64 {
	e.hashes = e.hashes[:0]
	for _, row := range e.rows {
		if h := e.corpus.blockHash(e.keys, r, row); h != 0 {
			e.hashes = append(e.hashes, h)
		}
	}
	clear(e.counts)
	mask := uint32(len(e.slots) - 1)
	total := 0.0
	for _, h := range e.hashes {
		slot := h * 2654435769 & mask
		for e.counts[slot] != 0 && e.slots[slot] != h {
			slot = (slot + 1) & mask
		}
		e.slots[slot] = h
		// The n-th record of a block meets the n-1 before it.
		total += min(float64(e.counts[slot])*e.scale, hotBlock)
		e.counts[slot]++
	}
	total *= e.scale
	if e.corpus.source != nil {
		total /= 2
	}
	return total
}

// seeds are the rules that find the first pairs to learn from: the cheapest that
// are selective, no two of one round with a field in common, so that every field
// is free in some of them.
func seeds(list []rule, keys []key, rows int) []rule {
	const rounds, perRecord = 3, 1.0
	var chosen []rule
	taken := map[string]bool{}
	for range rounds {
		used := map[int]bool{}
		for _, r := range list {
			if r.cost > perRecord*float64(rows) || r.cost < .01*float64(rows) && r.cost < 100 || taken[r.name] || slices.ContainsFunc(r.keys, func(k int) bool { return used[keys[k].field] }) {
				continue
			}
			taken[r.name] = true
			chosen = append(chosen, r)
			for _, k := range r.keys {
				used[keys[k].field] = true
			}
		}
	}
	return chosen
}

// exemplar is a pair that is most probably a match, for choosing rules.
type exemplar struct {
	a, b int32
	p    float64
}

// choose takes the rules that find most exemplars for their cost, until the
// budget is spent. An exemplar that n rules found already counts 2^-n: the
// matches to be found are not those that are known, and the more ways lead to a
// pair the fewer errors hide another like it.
func (c *corpus) choose(list []rule, keys []key, exemplars []exemplar, budget float64) []rule {
	const most = 20
	worth := make([]float64, len(exemplars))
	total := 0.0
	for i, e := range exemplars {
		worth[i] = e.p
		total += e.p
	}
	finds := make([][]int32, len(list))
	for i := range list {
		finds[i] = c.finds(&list[i], keys, exemplars)
	}
	taken := make([]bool, len(list))
	var chosen []rule
	for len(chosen) < most {
		best, bestRatio := -1, 0.0
		for i := range list {
			if taken[i] || list[i].cost > budget {
				continue
			}
			gain := 0.0
			for _, e := range finds[i] {
				gain += worth[e]
			}
			if ratio := gain / (list[i].cost + .05*float64(c.rows)); gain > .0005*total && ratio > bestRatio {
				best, bestRatio = i, ratio
			}
		}
		if best < 0 {
			break
		}
		taken[best] = true
		budget -= list[best].cost
		chosen = append(chosen, list[best])
		for _, e := range finds[best] {
			worth[e] /= 2
		}
	}
	return chosen
}

func (c *corpus) finds(r *rule, keys []key, exemplars []exemplar) []int32 {
	var found []int32
	for i, e := range exemplars {
		if h := c.blockHash(keys, r, int(e.a)); h != 0 && h == c.blockHash(keys, r, int(e.b)) {
			found = append(found, int32(i))
		}
	}
	return found
}
