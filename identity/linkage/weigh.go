package linkage

import (
	"math"
	"runtime"
	"slices"
)

// weigher turns patterns and the rarity of equal values into weights, by a
// frozen model. Any number of goroutines may use it, as long as nobody adds
// values to the corpus.
type weigher struct {
	model  *Model
	corpus *corpus
	// match are the bits of the levels, kinds the same for each kind.
	match oddsTable
	kinds []kindTable
	// rarity[f][code] is what equality of that very value weighs beyond equality
	// of any; 0 for the missing one.
	rarity [][]float32
}

// kindTable is what a kind weighs, with the fields in which rarity counts.
type kindTable struct {
	oddsTable
	shared [maxFields]bool
}

// rarities are what the rarity of equal values of a pair adds, by field.
type rarities [maxFields]float32

// weigher makes a weigher over the values of a corpus.
func (m *Model) weigher(c *corpus) *weigher {
	w := m.blankWeigher(c)
	w.grow()
	return w
}

// weigher makes the weigher of a model over all records, field by field.
func (l *linker) weigher(m *Model) (*weigher, error) {
	w := m.blankWeigher(l.corpus)
	return w, divide(l.ctx, l.Workers, len(w.rarity), func(_, f int) { w.growField(f) })
}

// blankWeigher makes a weigher that knows no value yet.
func (m *Model) blankWeigher(c *corpus) *weigher {
	match := odds{prior: m.Prior}
	for f := range m.Fields {
		levels := make([]float64, 1, len(m.Fields[f].Levels)+1)
		for _, l := range m.Fields[f].Levels {
			levels = append(levels, l.Bits)
		}
		match.levels = append(match.levels, levels)
	}
	w := &weigher{model: m, corpus: c, match: *match.table(), rarity: make([][]float32, len(m.Fields))}
	for i := range m.Kinds {
		k := &m.Kinds[i]
		table := kindTable{oddsTable: *(&odds{k.Prior, k.Bits}).table()}
		copy(table.shared[:], k.Shared)
		w.kinds = append(w.kinds, table)
	}
	return w
}

// grow learns of values that came into the corpus's dictionaries.
func (w *weigher) grow() {
	for f := range w.rarity {
		w.growField(f)
	}
}

func (w *weigher) growField(f int) {
	fm := &w.model.Fields[f]
	hashes := w.corpus.fields[f].dict.hashes
	w.rarity[f] = slices.Grow(w.rarity[f], len(hashes)-len(w.rarity[f]))
	for code := len(w.rarity[f]); code < len(hashes); code++ {
		bits, ok := fm.Frequent[hashes[code]]
		if !ok {
			bits = fm.RareBits
		}
		if code == 0 {
			bits = 0
		}
		w.rarity[f] = append(w.rarity[f], float32(bits))
	}
}

// weight returns log2 of the odds that the pair of records is of one person
// against all else; a is one of the two.
func (w *weigher) weight(a []uint32, p pattern) float64 {
	var rare rarities
	return w.against(a, p, &rare) - w.others(p, &rare)
}

// against is log2 of the odds of one person against strangers. It fills in what
// the rarity of equal values adds.
func (w *weigher) against(a []uint32, p pattern, rare *rarities) float64 {
	bits := w.match.prior
	for f, code := range a {
		l := p & 15
		p >>= 4
		if l != pattern(exact) {
			code = 0
		}
		rare[f] = w.rarity[f][code]
		bits += w.match.levels[f][l]
		bits += float64(rare[f])
	}
	return bits
}

// others is log2 of one and the odds of every kind: what is to be taken off a
// weight because housemates, neighbours or namesakes would agree so as well.
func (w *weigher) others(p pattern, rare *rarities) float64 {
	all := 1.0
	for i := range w.kinds {
		k := &w.kinds[i]
		bits, left := k.prior, p
		for f := range k.levels[:k.fields] {
			bits += k.levels[f][left&15]
			left >>= 4
			if k.shared[f] {
				bits += float64(rare[f])
			}
		}
		if bits > -40 { // less does not move the sum
			all += exp2(bits)
		}
	}
	if all == 1 {
		return 0
	}
	return math.Log2(all)
}

// weighing is the room to weigh many pairs at a time, for one goroutine.
type weighing struct {
	bits [together]float64
	rare [together]rarities
}

// weigh calls do with the place and the weight of every pair of list of at least
// that weight. The weights are those of weight.
func (w *weigher) weigh(list []candidate, s *weighing, least float64, do func(i int, bits float64)) {
	for from := 0; from < len(list); from += together {
		part := list[from:min(from+together, len(list))]
		// What is far away is read for all pairs before anything is made of it.
		k, sum := len(w.corpus.fields), uint32(0)
		for i := range part {
			at := int(part[i].a) * k
			sum += w.corpus.codes[at] + w.corpus.codes[at+k-1]
		}
		runtime.KeepAlive(sum)
		for i := range part {
			s.bits[i] = w.against(w.corpus.record(int(part[i].a)), part[i].pattern, &s.rare[i])
		}
		for i := range part {
			if s.bits[i] < least { // others take off, they never add
				continue
			}
			if bits := s.bits[i] - w.others(part[i].pattern, &s.rare[i]); bits >= least {
				do(from+i, bits)
			}
		}
	}
}

// Waterfall is how the weight of a pair comes about: its parts sum to Bits.
type Waterfall struct {
	// Prior is the weight before anything is compared.
	Prior float64 `json:"prior_bits"`
	Steps []Step  `json:"steps"`
	// Others is what is taken off because records of different persons of one
	// household, street or name would agree so as well; 0 or less.
	Others float64 `json:"others_bits"`
	// Bits is log2 of the odds of one person, Probability the same as a
	// probability.
	Bits        float64 `json:"bits"`
	Probability float64 `json:"probability"`
}

// Step is what one field adds.
type Step struct {
	Field string `json:"field"`
	Level string `json:"level"`
	// Bits is log2(m/u) of the level; Rarity is added where the values are equal,
	// positive for rare ones.
	Bits   float64 `json:"bits"`
	Rarity float64 `json:"rarity_bits"`
}

// explain takes the weight of a pair apart.
func (w *weigher) explain(a []uint32, p pattern) Waterfall {
	out := Waterfall{Prior: w.model.Prior, Bits: w.weight(a, p)}
	var rare rarities
	w.against(a, p, &rare)
	for f := range w.model.Fields {
		l := p.level(f)
		out.Steps = append(out.Steps, Step{
			Field: w.model.Fields[f].Name, Level: scales[w.model.Fields[f].Type].levels[l],
			Bits: w.match.levels[f][l], Rarity: float64(rare[f]),
		})
	}
	out.Others = -w.others(p, &rare)
	out.Probability = probability(out.Bits)
	return out
}
