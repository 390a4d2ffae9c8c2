package linkage

import (
	"cmp"
	"context"
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
func (c *corpus) enumerate(ctx context.Context, keys []key, budget float64, workers int) ([]rule, error) {
	list := c.conceivable(keys)
	sample := c.sampleKeys(keys)
	costers := make([]coster, workers)
	err := divide(ctx, workers, len(list), func(worker, r int) { list[r].cost = costers[worker].cost(sample, &list[r]) })
	list = slices.DeleteFunc(list, func(r rule) bool { return r.cost <= 0 || r.cost > budget })
	slices.SortStableFunc(list, func(a, b rule) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), strings.Compare(a.name, b.name))
	})
	return list, err
}

// conceivable are all rules, without their costs.
func (c *corpus) conceivable(keys []key) []rule {
	var list []rule
	for i := range keys {
		if !keys[i].coarse {
			list = append(list, rule{keys: []int{i}, name: keys[i].name})
		}
		for j := i + 1; j < len(keys); j++ {
			if keys[i].field != keys[j].field {
				list = append(list, rule{keys: []int{i, j}, name: keys[i].name + " and " + keys[j].name})
			}
		}
	}
	if c.given >= 0 {
		list = append(list, c.conceivableNames(keys)...)
	}
	return list
}

// conceivableNames are both names by sound in any order, alone and with a key of
// another field.
func (c *corpus) conceivableNames(keys []key) []rule {
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
		return nil
	}
	name := "names in any order (sound)"
	list := []rule{{keys: []int{given, surname}, name: name, eitherName: true}}
	for i := range keys {
		if keys[i].field != c.given && keys[i].field != c.surname {
			list = append(list, rule{keys: []int{given, surname, i}, name: name + " and " + keys[i].name, eitherName: true})
		}
	}
	return list
}

// keySample holds the keys of the records from which costs are estimated: the
// first ones of a fixed shuffle.
type keySample struct {
	// of are those of each key, record by record.
	of       [][]uint32
	scale    float64
	twoFiles bool
}

func (c *corpus) sampleKeys(keys []key) *keySample {
	n := min(c.rows, costSample)
	rows := stream(1, "cost").Perm(c.rows)[:n]
	slices.Sort(rows)
	s := &keySample{of: make([][]uint32, len(keys)), scale: float64(c.rows) / float64(n), twoFiles: c.source != nil}
	for k := range keys {
		s.of[k] = make([]uint32, n)
		for i, row := range rows {
			s.of[k][i] = keys[k].of[c.record(row)[keys[k].field]]
		}
	}
	return s
}

// coster estimates the number of pairs of a rule from a sample. It is used by one
// goroutine.
type coster struct{ slots []costSlot }

// costSlot counts the records of a block.
type costSlot struct{ hash, count uint32 }

// cost is the number of pairs in blocks, those beyond hotBlock counted as split.
func (e *coster) cost(s *keySample, r *rule) float64 {
	if e.slots == nil {
		e.slots = make([]costSlot, 4*costSample)
	}
	clear(e.slots)
	mask := uint32(len(e.slots) - 1)
	total := 0.0
	for row := range s.of[r.keys[0]] {
		full := uint64(0)
		for i, k := range r.keys {
			part := s.of[k][row]
			if full = r.fold(full, i, part); part == 0 {
				full = 0
				break
			}
		}
		if full == 0 {
			continue
		}
		h := uint32(full >> 32)
		slot := h * 2654435769 & mask
		for e.slots[slot].count != 0 && e.slots[slot].hash != h {
			slot = (slot + 1) & mask
		}
		// The n-th record of a block meets the n-1 before it.
		total += min(float64(e.slots[slot].count)*s.scale, hotBlock)
		e.slots[slot] = costSlot{h, e.slots[slot].count + 1}
	}
	total *= s.scale
	if s.twoFiles {
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

// likely is a pair that is most probably a match, for choosing rules.
type likely struct {
	a, b    int32
	pattern pattern
}

// imagined are matches as they would be if every field went wrong independently
// of the others: row i of pairs[f] are two records that show field f of match i.
// The matches that the first rules found are the easy ones, which share what
// those rules ask for; these are not.
type imagined struct{ pairs [][][2]int32 }

// imagine draws n matches, each field from a pair that would be a match without
// that field's evidence, and one in ten from two strangers: what no known pair
// shows may go wrong as well.
func (c *corpus) imagine(pairs []likely, w *weights, seed uint64, n int) *imagined {
	const sure = 3 // bits that the other fields must give
	const wrong, enough = .1, 30
	im := &imagined{}
	for f := range c.fields {
		var from [][2]int32
		for _, p := range pairs {
			if w.of(p.pattern)-w.match.levels[f][p.pattern.level(f)] >= sure {
				from = append(from, [2]int32{p.a, p.b})
			}
		}
		if len(from) < enough { // the other fields alone never say enough
			from = from[:0]
			for _, p := range pairs {
				from = append(from, [2]int32{p.a, p.b})
			}
		}
		drawn := make([][2]int32, n)
		if len(from) > 0 {
			r := stream(seed, "imagine "+c.fields[f].name)
			for i := range drawn {
				drawn[i] = from[r.IntN(len(from))]
				if r.Float64() < wrong {
					drawn[i][1] = from[r.IntN(len(from))][1]
				}
			}
		}
		im.pairs = append(im.pairs, drawn)
	}
	return im
}

// choose takes the rules that find most of the imagined matches for their cost,
// until the budget is spent. A match that is found already counts less each
// time: more ways to it are better than one, because a person who moved has all
// of an address wrong at once. A rule that another one contains is dropped.
func (c *corpus) choose(list []rule, keys []key, im *imagined, budget float64) []rule {
	const most, again = 24, .3
	finds := c.finds(list, keys, im)
	worth := make([]float64, len(im.pairs[0]))
	for i := range worth {
		worth[i] = 1
	}
	offset := budget / most
	taken := make([]bool, len(list))
	var chosen []int
	for len(chosen) < most {
		best := bestRule(list, finds, worth, offset, func(i int) bool {
			return !taken[i] && list[i].cost <= budget && !slices.ContainsFunc(chosen, func(j int) bool { return list[j].contains(&list[i], keys) })
		})
		if best < 0 {
			break
		}
		taken[best] = true
		budget -= list[best].cost
		for _, e := range finds[best] {
			worth[e] *= again
		}
		chosen = slices.DeleteFunc(chosen, func(i int) bool {
			if !list[best].contains(&list[i], keys) {
				return false
			}
			budget += list[i].cost
			for _, e := range finds[i] {
				worth[e] /= again
			}
			return true
		})
		chosen = append(chosen, best)
	}
	rules := make([]rule, len(chosen))
	for i, r := range chosen {
		rules[i] = list[r]
	}
	return rules
}

// bestRule returns the allowed rule that finds most for its cost, -1 for none
// that finds enough.
func bestRule(list []rule, finds [][]int32, worth []float64, offset float64, allowed func(i int) bool) int {
	best, bestRatio := -1, 0.0
	for i := range list {
		if !allowed(i) {
			continue
		}
		gain := 0.0
		for _, e := range finds[i] {
			gain += worth[e]
		}
		if ratio := gain / (list[i].cost + offset); gain > .0005*float64(len(worth)) && ratio > bestRatio {
			best, bestRatio = i, ratio
		}
	}
	return best
}

// contains reports whether every pair of other is one of r: r asks for less.
func (r *rule) contains(other *rule, keys []key) bool {
	if r.eitherName || other.eitherName {
		return false
	}
	for _, k := range r.keys {
		if !slices.ContainsFunc(other.keys, func(o int) bool { return o == k || keys[o].whole && keys[o].field == keys[k].field }) {
			return false
		}
	}
	return true
}

// finds returns which imagined matches each rule finds.
func (c *corpus) finds(list []rule, keys []key, im *imagined) [][]int32 {
	n := len(im.pairs[0])
	agree := make([][]bool, len(keys))
	for k := range keys {
		agree[k] = make([]bool, n)
		f := keys[k].field
		for i, pair := range im.pairs[f] {
			if pair[0] != pair[1] {
				x, y := keys[k].of[c.record(int(pair[0]))[f]], keys[k].of[c.record(int(pair[1]))[f]]
				agree[k][i] = x != 0 && x == y
			}
		}
	}
	finds := make([][]int32, len(list))
	for r := range list {
		for i := range n {
			all := true
			for _, k := range list[r].keys {
				all = all && agree[k][i]
			}
			if all {
				finds[r] = append(finds[r], int32(i))
			}
		}
	}
	return finds
}
