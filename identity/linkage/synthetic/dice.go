package synthetic

import (
	"math/bits"
	"math/rand/v2"
	"slices"
)

// dice draws at random, in integers only: floating point may be fused
// differently on another machine.
type dice struct{ source *rand.PCG }

func newDice(seed, stream uint64) *dice { return &dice{rand.NewPCG(seed, stream)} }

// below returns a number in [0, n).
func (d *dice) below(n int) int {
	high, _ := bits.Mul64(d.source.Uint64(), uint64(n))
	return int(high)
}

// between returns a number in [low, high].
func (d *dice) between(low, high int) int { return low + d.below(high-low+1) }

// percent reports true in n of 100 draws.
func (d *dice) percent(n int) bool { return d.below(100) < n }

// million is the unit of configured shares.
const million = 1_000_000

// parts reports true in n of a million draws.
func (d *dice) parts(n int) bool { return n > 0 && d.below(million) < n }

func pick[T any](d *dice, from []T) T { return from[d.below(len(from))] }

// weighted returns the place of one of the weights, by weight.
func (d *dice) weighted(weights []int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	at := d.below(total)
	for i, w := range weights {
		if at < w {
			return i
		}
		at -= w
	}
	return len(weights) - 1
}

// skew draws ranks by Zipf's law, flattened at the top as names are: the weight
// of rank r is 1/(r + shift).
type skew struct{ upTo []uint64 }

func newSkew(n, shift int) skew {
	s := skew{make([]uint64, n)}
	sum := uint64(0)
	for r := range s.upTo {
		sum += 1_000_000_000 / uint64(r+shift)
		s.upTo[r] = sum
	}
	return s
}

func (s skew) draw(d *dice) int {
	at, _ := bits.Mul64(d.source.Uint64(), s.upTo[len(s.upTo)-1])
	i, found := slices.BinarySearch(s.upTo, at)
	if found {
		i++ // upTo[i] is the first number of the next rank.
	}
	return i
}
