package linkage

import (
	"cmp"
	"context"
	"slices"
)

// chance is how often records of two different persons agree, per field and
// level (u of Fellegi and Sunter), and how common each value is.
type chance struct {
	// u[f][l] sums to 1 over the levels from exact to else.
	u [][]float64
	// share[f][code] is the chance that one more person holds the value which a
	// person holds.
	share [][]float32
}

// sampledPairs is how many random pairs u is estimated from.
const sampledPairs = 1 << 20

// leastChance keeps a level that no random pair showed from being impossible.
const leastChance = 1e-6

// comparablePairs returns the number of pairs of a corpus that could match: all,
// or those across its two sources.
func (c *corpus) comparablePairs() float64 {
	n := float64(c.rows)
	if c.source == nil {
		return n * (n - 1) / 2
	}
	left := 0.0
	for _, s := range c.source {
		if s == 0 {
			left++
		}
	}
	return left * (n - left)
}

// patternCount is a pattern and the number of pairs that show it.
type patternCount struct {
	pattern pattern
	count   float64
}

// sortedCounts returns counts in the order of their patterns, so that sums over
// them are the same on every run.
func sortedCounts(counts map[pattern]int) []patternCount {
	list := make([]patternCount, 0, len(counts))
	for p, n := range counts {
		list = append(list, patternCount{p, float64(n)})
	}
	slices.SortFunc(list, func(a, b patternCount) int { return cmp.Compare(a.pattern, b.pattern) })
	return list
}

// sampleSlices is the number of streams a sample is drawn from: fixed, so that
// it is the same for any number of workers.
const sampleSlices = 16

// samplePairs counts the patterns of random pairs.
func samplePairs(ctx context.Context, cmp *comparer, pairs int, seed uint64, workers int) ([]patternCount, error) {
	c := cmp.corpus
	return tally(ctx, workers, sampleSlices, func(slice int, counts map[pattern]int) {
		r := stream(seed, "chance "+string(rune('a'+slice)))
		var list []candidate
		for range pairs / sampleSlices {
			a, b := r.IntN(c.rows), r.IntN(c.rows)
			if a != b && (c.source == nil || c.source[a] != c.source[b]) {
				list = append(list, candidate{a: int32(a), b: int32(b)})
			}
		}
		newBatch(cmp).compare(list)
		for i := range list {
			counts[list[i].pattern]++
		}
	})
}

// countPatterns counts the patterns of candidates.
func countPatterns(ctx context.Context, candidates [][]candidate, workers int) ([]patternCount, error) {
	return tally(ctx, workers, len(candidates), func(part int, counts map[pattern]int) {
		for i := range candidates[part] {
			counts[candidates[part][i].pattern]++
		}
	})
}

// tally sums what n pieces of work count.
func tally(ctx context.Context, workers, n int, count func(piece int, counts map[pattern]int)) ([]patternCount, error) {
	sums := make([]map[pattern]int, workers)
	for w := range sums {
		sums[w] = map[pattern]int{}
	}
	err := divide(ctx, workers, n, func(worker, piece int) { count(piece, sums[worker]) })
	for _, s := range sums[1:] {
		for p, n := range s {
			sums[0][p] += n
		}
	}
	return sortedCounts(sums[0]), err
}

// spread is how the values of each field are spread over persons.
type spread struct {
	// share is chance.share, same the chance that any two persons hold the same
	// value.
	share [][]float32
	same  []float64
}

// spread finds out who holds which value. person says for each record whose it
// is, as far as known, so that a person with ten records does not make their own
// name common; nil: each their own.
func (c *corpus) spread(ctx context.Context, person []int32, workers int) (*spread, error) {
	s := &spread{make([][]float32, len(c.fields)), make([]float64, len(c.fields))}
	order := byPerson(c.rows, person)
	err := divide(ctx, workers, len(c.fields), func(_, f int) {
		s.share[f], s.same[f] = c.shares(f, order, person)
	})
	return s, err
}

// chances estimates how different persons agree from a sample of random pairs,
// each counted as far as it is no match: match returns that probability, nil
// stands for never. Equality is not sampled but known: it is the sum over the
// values of the squares of their shares, which a sample of a million pairs
// cannot see where values are rare.
func (c *corpus) chances(sample []patternCount, match func(pattern) float64, s *spread) *chance {
	ch := &chance{share: s.share}
	tallies := make([][16]float64, len(c.fields))
	for _, p := range sample {
		n := p.count
		if match != nil {
			n *= 1 - match(p.pattern)
		}
		for f := range tallies {
			tallies[f][p.pattern.level(f)] += n
		}
	}
	for f := range c.fields {
		tally := tallies[f][:len(scales[c.fields[f].typ].levels)]
		ch.u = append(ch.u, levelChances(tally, s.same[f]))
	}
	c.chanceOfSwap(ch)
	return ch
}

// byPerson returns the records with those of one person side by side.
func byPerson(rows int, person []int32) []int32 {
	if person == nil {
		return nil
	}
	at := make([]int32, rows+1)
	for _, p := range person {
		at[p+1]++
	}
	for p := range rows {
		at[p+1] += at[p]
	}
	order := make([]int32, rows)
	for row, p := range person {
		order[at[p]] = int32(row)
		at[p]++
	}
	return order
}

// holding is how one value is spread over persons. A person with ten records of
// whom seven say Ana and three say Anna holds each in that part.
type holding struct {
	// persons hold it, in any part; sum and squares are of their parts.
	persons      int32
	sum, squares float32
}

// shares returns for each value the chance that another person than one who
// holds it does so too, and the chance that any two hold the same one.
func (c *corpus) shares(f int, order, person []int32) (share []float32, same float64) {
	held := make([]holding, len(c.fields[f].dict.values))
	total := c.hold(f, order, person, held)
	once, twice := 0.0, 0.0
	for _, h := range held {
		same += float64(h.sum)*float64(h.sum) - float64(h.squares)
		switch h.persons {
		case 1:
			once++
		case 2:
			twice++
		}
	}
	// Of a value that one person is known to hold, how many more hold it? By the
	// estimate of Good and Turing (1953): twice those held by two, for each held
	// by one.
	more := min(1, (2*twice+1)/(once+1))
	share = make([]float32, len(held))
	for code, h := range held {
		if h.persons > 0 {
			share[code] = float32((float64(h.sum-h.squares/h.sum) + more) / total)
		}
	}
	return share, (same + more) / (total*max(total-1, 1) + 1)
}

// hold fills in who holds which value and returns the number of persons who hold
// any.
func (c *corpus) hold(f int, order, person []int32, held []holding) (total float64) {
	k := len(c.fields)
	if person == nil {
		for row := range c.rows {
			if code := c.codes[row*k+f]; code != 0 {
				h := &held[code]
				h.persons, h.sum, h.squares = h.persons+1, h.sum+1, h.squares+1
				total++
			}
		}
		return total
	}
	var codes []uint32
	for i := 0; i < c.rows; {
		codes = codes[:0]
		owner := person[order[i]]
		for ; i < c.rows && person[order[i]] == owner; i++ {
			if code := c.codes[int(order[i])*k+f]; code != 0 {
				codes = append(codes, code)
			}
		}
		if len(codes) == 0 {
			continue
		}
		total++
		slices.Sort(codes)
		for j := 0; j < len(codes); {
			e := j
			for e < len(codes) && codes[e] == codes[j] {
				e++
			}
			part := float32(e-j) / float32(len(codes))
			h := &held[codes[j]]
			h.persons, h.sum, h.squares = h.persons+1, h.sum+part, h.squares+part*part
			j = e
		}
	}
	return total
}

// levelChances spreads what is not equal over the other levels as the sample
// has it, one half added to each so that none is impossible.
func levelChances(tally []float64, same float64) []float64 {
	u := make([]float64, len(tally))
	rest := 0.0
	for l := int(exact) + 1; l < len(tally); l++ {
		rest += tally[l] + .5
	}
	u[exact] = min(max(same, leastChance), .999)
	for l := int(exact) + 1; l < len(tally); l++ {
		u[l] = max((1-u[exact])*(tally[l]+.5)/rest, leastChance)
	}
	return u
}

// chanceOfSwap sets the chance of swapped names, which no sample of this size
// sees where names are many: that of two names being equal by chance.
func (c *corpus) chanceOfSwap(ch *chance) {
	if c.given < 0 {
		return
	}
	cross := 0.0
	for code, p := range ch.share[c.given] {
		cross += float64(p) * float64(ch.share[c.surname][code])
	}
	g, s := scales[GivenName].swapped, scales[Surname].swapped
	ch.u[c.given][g] = max(ch.u[c.given][g], cross*cross, leastChance)
	ch.u[c.surname][s] = max(ch.u[c.surname][s], 2*cross, leastChance)
}
