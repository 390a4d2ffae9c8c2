package linkage

import "math"

// weigher turns patterns and the rarity of equal values into weights, by a
// frozen model. Any number of goroutines may use it, as long as nobody adds
// values to the corpus.
type weigher struct {
	model  *Model
	corpus *corpus
	// levels[f][l] are the bits of a level; kinds the same for each kind.
	levels [][]float64
	kinds  []KindModel
	// rarity[f][code] is what equality of that very value weighs beyond equality
	// of any.
	rarity [][]float32
}

// weigher makes a weigher over the values of a corpus.
func (m *Model) weigher(c *corpus) *weigher {
	w := &weigher{model: m, corpus: c, kinds: m.Kinds}
	for f := range m.Fields {
		levels := make([]float64, 1, len(m.Fields[f].Levels)+1)
		for _, l := range m.Fields[f].Levels {
			levels = append(levels, l.Bits)
		}
		w.levels = append(w.levels, levels)
	}
	w.rarity = make([][]float32, len(m.Fields))
	w.grow()
	return w
}

// grow learns of values that came into the corpus's dictionaries.
func (w *weigher) grow() {
	for f := range w.rarity {
		fm := &w.model.Fields[f]
		hashes := w.corpus.fields[f].dict.hashes
		for code := len(w.rarity[f]); code < len(hashes); code++ {
			bits, ok := fm.Frequent[hashes[code]]
			if !ok {
				bits = fm.RareBits
			}
			w.rarity[f] = append(w.rarity[f], float32(bits))
		}
	}
}

// weight returns log2 of the odds that the pair of records is of one person
// against all else; a is one of the two.
func (w *weigher) weight(a []uint32, p pattern) float64 {
	var rare [maxFields]float64
	return w.match(a, p, &rare) - w.others(p, &rare)
}

// weightFrom is weight, or -Inf where that is below least; it is cheaper where
// most pairs are.
func (w *weigher) weightFrom(a []uint32, p pattern, least float64) float64 {
	var rare [maxFields]float64
	if match := w.match(a, p, &rare); match >= least { // others take off, they never add
		if bits := match - w.others(p, &rare); bits >= least {
			return bits
		}
	}
	return math.Inf(-1)
}

// match is log2 of the odds of one person against strangers. It fills in rare,
// what the rarity of equal values adds.
func (w *weigher) match(a []uint32, p pattern, rare *[maxFields]float64) float64 {
	match := w.model.Prior
	for f := range w.levels {
		l := p.level(f)
		match += w.levels[f][l]
		if l == exact {
			rare[f] = float64(w.rarity[f][a[f]])
			match += rare[f]
		}
	}
	return match
}

// others is log2 of one and the odds of every kind: what is to be taken off a
// weight because housemates, neighbours or namesakes would agree so as well.
func (w *weigher) others(p pattern, rare *[maxFields]float64) float64 {
	if len(w.kinds) == 0 {
		return 0
	}
	all := 1.0
	for i := range w.kinds {
		k := &w.kinds[i]
		bits := k.Prior
		for f := range k.Bits {
			bits += k.Bits[f][p.level(f)]
			if k.Shared[f] {
				bits += rare[f]
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
	var rare [maxFields]float64
	for f := range w.levels {
		l := p.level(f)
		step := Step{Field: w.model.Fields[f].Name, Level: scales[w.model.Fields[f].Type].levels[l], Bits: w.levels[f][l]}
		if l == exact {
			rare[f] = float64(w.rarity[f][a[f]])
			step.Rarity = rare[f]
		}
		out.Steps = append(out.Steps, step)
	}
	out.Others = -w.others(p, &rare)
	out.Probability = probability(out.Bits)
	return out
}
