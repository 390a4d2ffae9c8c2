package linkage

import (
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
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
const leastChance = 1e-9

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
func samplePairs(ctx context.Context, c *corpus, comparers []*comparer, seed uint64) ([]patternCount, error) {
	tallies := make([]map[pattern]int, len(comparers))
	group, ctx := errgroup.WithContext(ctx)
	for w := range comparers {
		tallies[w] = map[pattern]int{}
		group.Go(func() error {
			for s := w; s < sampleSlices; s += len(comparers) {
				if err := ctx.Err(); err != nil {
					return err
				}
				r := stream(seed, "chance "+string(rune('a'+s)))
				for range sampledPairs / sampleSlices {
					a, b := r.IntN(c.rows), r.IntN(c.rows)
					if a != b && (c.source == nil || c.source[a] != c.source[b]) {
						tallies[w][comparers[w].compare(a, b)]++
					}
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, t := range tallies[1:] {
		for p, n := range t {
			tallies[0][p] += n
		}
	}
	return sortedCounts(tallies[0]), nil
}

// chances estimates how different persons agree from a sample of random pairs,
// each counted as far as it is no match: match returns that probability, nil
// stands for never. Equality is not sampled but known: it is the sum over the
// values of the squares of their shares, which a sample of a million pairs
// cannot see where values are rare. person says for each record whose it is, as
// far as known, so that a person with ten records does not make their own name
// common; nil: each their own.
func (c *corpus) chances(sample []patternCount, match func(pattern) float64, person []int32) *chance {
	ch := &chance{}
	order := byPerson(c.rows, person)
	for f := range c.fields {
		tally := make([]float64, len(scales[c.fields[f].typ].levels))
		for _, s := range sample {
			n := s.count
			if match != nil {
				n *= 1 - match(s.pattern)
			}
			tally[s.pattern.level(f)] += n
		}
		share, same := c.shares(f, order, person)
		ch.share = append(ch.share, share)
		ch.u = append(ch.u, levelChances(tally, same))
	}
	c.chanceOfSwap(ch)
	return ch
}

// byPerson returns the records with those of one person side by side.
func byPerson(rows int, person []int32) []int32 {
	if person == nil {
		return nil
	}
	order := make([]int32, rows)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(person[a], person[b]), cmp.Compare(a, b))
	})
	return order
}

// shares returns for each value the chance that another person than one who
// holds it does so too, and the chance that any two hold the same one.
func (c *corpus) shares(f int, order, person []int32) (share []float32, same float64) {
	k := len(c.fields)
	counts := make([]float64, len(c.fields[f].dict.values))
	last := make([]int32, len(counts)) // the last person counted for a value, plus 1
	total := 0.0
	for i := range c.rows {
		row, owner := i, int32(i)
		if person != nil {
			row = int(order[i])
			owner = person[row]
		}
		code := c.codes[row*k+f]
		if code == 0 || last[code] == owner+1 {
			continue
		}
		last[code] = owner + 1
		counts[code]++
		total++
	}
	once, twice := 0.0, 0.0
	for _, n := range counts {
		same += n * (n - 1)
		switch n {
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
	share = make([]float32, len(counts))
	for code, n := range counts {
		if n > 0 {
			share[code] = float32((n - 1 + more) / total)
		}
	}
	return share, (same + more) / (total*max(total-1, 1) + 1)
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
