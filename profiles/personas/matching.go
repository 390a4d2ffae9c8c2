package personas

import (
	"fmt"
	"math"
	"slices"
)

// maxKnown bounds the former personas that a model can match, because the matching
// looks at every subset of them.
const maxKnown = 14

// leastRadius is what counts as the radius of a group whose members are all alike.
const leastRadius = .1

// identify gives personas the ids of those of before that they go on from, and new
// ids to the others.
func (m *Model) identify(before *Model, maxDrift float64) {
	var known []Persona
	if before != nil {
		known = append(slices.Clone(before.Personas), before.Retired...)
		known = known[:min(len(known), maxKnown)]
	}
	costs := make([][]float64, len(m.Personas))
	for i, p := range m.Personas {
		for _, k := range known {
			limit := maxDrift * max(leastRadius, p.Radius, k.Radius)
			costs[i] = append(costs[i], m.distance(p, k)/limit)
		}
	}
	taken := make([]bool, len(known))
	for i, k := range match(costs, len(known)) {
		if k >= 0 {
			m.Personas[i].ID, taken[k] = known[k].ID, true
			continue
		}
		m.Issued++
		m.Personas[i].ID = fmt.Sprintf("p%d", m.Issued)
	}
	var gone []Persona
	for k, p := range known {
		if !taken[k] {
			gone = append(gone, p)
		}
	}
	m.Retired = nil
	m.retire(gone)
}

// retire remembers personas that are gone, before those that went earlier.
func (m *Model) retire(gone []Persona) {
	all := append(slices.Clone(gone), m.Retired...)
	m.Retired = all[:min(len(all), maxKnown-maxPersonas)]
}

// distance is that of two middles by feature, in the columns of the model that both
// know; infinite where they share less than half of them.
func (m *Model) distance(p, known Persona) float64 {
	sum, shared := 0.0, 0
	for _, c := range m.Columns {
		if raw, ok := known.Raw[c.Name]; ok {
			here, there := c.pulled(p.Raw[c.Name], m.Clip), c.pulled(raw, m.Clip)
			sum += (here - there) * (here - there)
			shared++
		}
	}
	if 2*shared < len(m.Columns) || shared == 0 {
		return math.Inf(1)
	}
	return math.Sqrt(sum / float64(shared))
}

// match pairs rows with columns, each with one at most, so that the sum of the
// costs is least, where a row without a column costs 1 and a pair that costs more
// is none. It is exact: it goes through the rows with every subset of columns that
// may be taken by then. It returns the column of each row, or -1.
func match(costs [][]float64, columns int) []int {
	subsets := 1 << columns
	least := make([]float64, subsets)
	for s := 1; s < subsets; s++ {
		least[s] = math.Inf(1)
	}
	chosen := make([][]int8, len(costs))
	for i, row := range costs {
		next := make([]float64, subsets)
		chosen[i] = make([]int8, subsets)
		for s := range next {
			next[s], chosen[i][s] = least[s]+1, -1
			for c := range columns {
				if s&(1<<c) == 0 || !(row[c] <= 1) {
					continue
				}
				if sum := least[s&^(1<<c)] + row[c]; sum < next[s] {
					next[s], chosen[i][s] = sum, int8(c)
				}
			}
		}
		least = next
	}
	at := 0
	for s := range least {
		if least[s] < least[at] {
			at = s
		}
	}
	matched := make([]int, len(costs))
	for i := len(costs) - 1; i >= 0; i-- {
		matched[i] = int(chosen[i][at])
		if matched[i] >= 0 {
			at &^= 1 << matched[i]
		}
	}
	return matched
}
