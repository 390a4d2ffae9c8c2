package linkage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// Options steer Link. The zero value is the default configuration, the one for
// every file.
type Options struct {
	// Types declares what columns hold, by name; what is not declared is
	// inferred.
	Types map[string]Type
	// Seed makes the samples; the same seed gives the same result.
	Seed uint64
	// Workers is the number of goroutines, 0 for one per processor. It does not
	// change the result.
	Workers int
	// Budget is the number of pairs that may be compared; 0 stands for 8 per
	// record and at least 4 million.
	Budget int
	// Progress, if set, is told what begins. It is called by one goroutine.
	Progress func(step string)
	// Clock, if set, tells the time for Result.Seconds.
	Clock func() time.Time

	// sampled is the number of random pairs, 0 for sampledPairs.
	sampled int
}

func (o *Options) budget(rows int) float64 {
	if o.Budget > 0 {
		return float64(o.Budget)
	}
	return max(4e6, 8*float64(rows))
}

// ErrFewRecords reports a table without two records that could be compared.
var ErrFewRecords = errors.New("there are no two records to compare")

// linker is one run of Link.
type linker struct {
	Options
	ctx      context.Context
	corpus   *corpus
	comparer *comparer
	keys     []key
	sample   []patternCount
	// comparable is the number of pairs that could match.
	comparable float64
	spread     *spread
	chance     *chance
	learnt     *learnt
	candidates [][]candidate
	// compared counts the pairs that were candidates at any time.
	compared int64
	// counts are those of the patterns of the candidates.
	counts  []patternCount
	blocks  *blocks
	current string
	began   time.Time
	seconds map[string]float64
}

// Link compares the records of a table and joins those of one person. It
// returns ErrNothingToCompare, ErrFewRecords, an error that joins every fault of
// the declared types, or the error of ctx.
func Link(ctx context.Context, t *Table, o Options) (*Result, error) {
	l := &linker{Options: o, ctx: ctx, seconds: map[string]float64{}}
	if l.Workers == 0 {
		l.Workers = runtime.GOMAXPROCS(0)
	}
	l.step("read values")
	var err error
	if l.corpus, err = readTable(ctx, t, o.Types, l.Workers); err != nil {
		return nil, err
	}
	l.comparable = l.corpus.comparablePairs()
	if l.comparable < 1 {
		return nil, ErrFewRecords
	}
	l.comparer = newComparer(l.corpus)
	if err := l.train(); err != nil {
		return nil, fmt.Errorf("learn from the records: %w", err)
	}
	return l.resolve()
}

// step says what begins, and notes how long what ends has taken; "" ends.
func (l *linker) step(name string) {
	at := l.now()
	if l.current != "" {
		l.seconds[l.current] += at.Sub(l.began).Seconds()
	}
	l.current, l.began = name, at
	if l.Progress != nil && name != "" {
		l.Progress(name)
	}
}

func (l *linker) now() time.Time {
	if l.Clock == nil {
		return time.Time{}
	}
	return l.Clock()
}

// train finds the candidates and what their agreement weighs.
func (l *linker) train() error {
	l.step("sample")
	var err error
	if l.sample, err = samplePairs(l.ctx, l.comparer, cmp.Or(l.sampled, sampledPairs), l.Seed, l.Workers); err != nil {
		return err
	}
	if l.spread, err = l.corpus.spread(l.ctx, nil, l.Workers); err != nil {
		return err
	}
	l.chance = l.corpus.chances(l.sample, nil, l.spread)
	if err := l.block(); err != nil {
		return err
	}
	l.fit()
	return nil
}

// fit learns from the candidates, then again with chances that know which pairs
// of the sample are matches.
func (l *linker) fit() {
	if l.learnt == nil {
		share := min(.1, float64(l.corpus.rows)/4/l.comparable)
		l.learnt = l.learn(firstModel(l.corpus, l.chance, share, l.corpus.kinds()), false)
	}
	l.meet()
	l.findKinds()
	l.meet()
	l.learnt = l.learn(l.learnt.model, false)
}

// meet estimates anew how strangers agree, now that it is known which pairs of
// the sample are none.
func (l *linker) meet() {
	l.chance = l.corpus.chances(l.sample, l.match(), l.spread)
	known := *l.learnt
	known.model = &model{m: l.learnt.m, person: l.learnt.person}
	for _, k := range l.learnt.kinds {
		known.model.kinds = append(known.model.kinds, k.refresh(l.corpus, l.chance))
	}
	l.learnt = &known
}

func (l *linker) learn(start *model, fixed bool) *learnt {
	guess := firstModel(l.corpus, l.chance, start.person, start.numbers())
	return learn(l.counts, l.chance, start, guess, l.comparable, fixed)
}

// findKinds begins with every kind that the fields can tell, so that what is
// learnt of one person is not mixed with what housemates share, and leaves out
// those that are not worth it. What is learnt of one person stays fixed while a
// kind is left out: free, it would learn to be that kind. Kinds that were left
// out before come back where other candidates speak for them.
func (l *linker) findKinds() {
	start := &model{m: l.learnt.m, person: l.learnt.person, kinds: l.learnt.kinds}
	for _, k := range l.corpus.kinds() {
		if !slices.Contains(start.numbers(), k) {
			start.kinds = append(start.kinds[:len(start.kinds):len(start.kinds)], l.corpus.firstKind(k, l.chance, start.person/4))
		}
	}
	l.learnt = l.learn(start, false)
	for i := 0; i < len(l.learnt.kinds); {
		left := &model{m: l.learnt.m, person: l.learnt.person, kinds: slices.Delete(slices.Clone(l.learnt.kinds), i, i+1)}
		if without := l.learn(left, true); worthIt(l.learnt, without, l.learnt.kinds[i]) {
			i++
		} else {
			l.learnt = without
		}
	}
}

// match returns the probability of a match by pattern.
func (l *linker) match() func(pattern) float64 {
	w := l.learnt.weights(l.chance)
	return func(p pattern) float64 { return probability(w.of(p)) }
}

// block chooses the rules and compares their pairs.
func (l *linker) block() error {
	budget := l.budget(l.corpus.rows)
	if l.comparable <= budget {
		return l.compare([]rule{{name: "all pairs"}})
	}
	l.step("choose rules")
	l.keys = l.corpus.keys()
	if err := l.corpus.growKeys(l.ctx, l.keys, l.Workers); err != nil {
		return err
	}
	list, err := l.corpus.enumerate(l.ctx, l.keys, budget, l.Workers)
	if err != nil {
		return err
	}
	if err := l.compare(seeds(list, l.keys, l.corpus.rows)); err != nil {
		return err
	}
	l.fit()
	const imagined = 4000
	l.step("choose rules")
	im := l.corpus.imagine(l.exemplars(), l.learnt.weights(l.chance), l.Seed, imagined)
	chosen := l.corpus.choose(list, l.keys, im, budget)
	return l.compare(chosen)
}

func (l *linker) compare(rules []rule) error {
	l.step("block")
	if len(rules) == 1 && rules[0].keys == nil {
		l.blocks = l.corpus.oneBlock()
	} else {
		var err error
		if l.blocks, err = l.corpus.place(l.ctx, l.keys, rules, l.Workers); err != nil {
			return err
		}
		l.blocks.splits = append(l.blocks.splits, l.blocks.uncompared()...)
	}
	var err error
	if l.candidates, err = l.blocks.pairs(l.ctx, l.Workers); err != nil {
		return err
	}
	l.step("compare")
	if err := l.comparer.compareAll(l.ctx, l.candidates, l.Workers); err != nil {
		return err
	}
	for _, part := range l.candidates {
		l.compared += int64(len(part))
	}
	l.step("learn")
	l.counts, err = countPatterns(l.ctx, l.candidates, l.Workers)
	return err
}

// oneBlock puts all records into one block.
func (c *corpus) oneBlock() *blocks {
	b := c.newBlocks(nil, []rule{{name: "all pairs"}})
	rows := make([]hashed, c.rows)
	for i := range rows {
		rows[i].row = int32(i)
	}
	b.keep(0, rows, 1)
	return b
}

// exemplars are pairs that are probably matches, at most 10 000, evenly taken.
func (l *linker) exemplars() []likely {
	const most = 10000
	match := l.match()
	var list []likely
	for _, part := range l.candidates {
		for i := range part {
			if c := part[i]; match(c.pattern) > .5 {
				list = append(list, likely(c))
			}
		}
	}
	r := stream(l.Seed, "exemplars")
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:min(len(list), most)]
}
