package linkage

import (
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Split says what was done with a block that was too large to compare whole.
type Split struct {
	// Rule is the rule that made the block, Records its size.
	Rule    string `json:"rule"`
	Records int    `json:"records"`
	// By are the fields that it was split by.
	By []string `json:"by,omitempty"`
	// Skipped is the number of its pairs that were not compared.
	Skipped int64 `json:"skipped"`
}

// candidate is a pair that was compared.
type candidate struct {
	a, b    int32
	pattern pattern
}

// blocks are the records in blocks: id[rule][row], 0 for in none. A pair is of
// the first rule under which both are in one block.
type blocks struct {
	corpus *corpus
	keys   []key
	rules  []rule
	id     [][]uint32
	// members are the rows of each rule in order of their blocks.
	members [][]int32
	splits  []Split
}

// place puts every record into a block of each rule.
func (c *corpus) place(ctx context.Context, keys []key, rules []rule, workers int) (*blocks, error) {
	b := &blocks{corpus: c, keys: keys, rules: rules, id: make([][]uint32, len(rules)), members: make([][]int32, len(rules))}
	splits := make([][]Split, len(rules))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for r := range rules {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			splits[r] = b.placeRule(r)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, s := range splits {
		b.splits = append(b.splits, s...)
	}
	return b, nil
}

func (b *blocks) placeRule(r int) []Split {
	c := b.corpus
	order := make([]uint64, 0, c.rows) // hash, row
	for row := range c.rows {
		if h := c.blockHash(b.keys, &b.rules[r], row); h != 0 {
			order = append(order, uint64(h)<<32|uint64(row))
		}
	}
	order = radixSort(order)
	b.id[r] = make([]uint32, c.rows)
	b.members[r] = make([]int32, 0, len(order))
	var splits []Split
	next := uint32(1)
	var block []int32
	for i := 0; i < len(order); {
		j := i
		block = block[:0]
		for ; j < len(order) && order[j]>>32 == order[i]>>32; j++ {
			block = append(block, int32(uint32(order[j])))
		}
		i = j
		if len(block) < 2 {
			continue
		}
		if len(block) <= hotBlock {
			next = b.keep(r, block, next)
			continue
		}
		split := Split{Rule: b.rules[r].name, Records: len(block)}
		next = b.split(r, block, next, b.unused(r), &split)
		splits = append(splits, split)
	}
	return splits
}

// keep makes one block of rows.
func (b *blocks) keep(r int, rows []int32, next uint32) uint32 {
	for _, row := range rows {
		b.id[r][row] = next
	}
	b.members[r] = append(b.members[r], rows...)
	return next + 1
}

// unused returns the fields that a rule does not read, those with most values
// first.
func (b *blocks) unused(r int) []int {
	var fields []int
	for f := range b.corpus.fields {
		if !slices.ContainsFunc(b.rules[r].keys, func(k int) bool { return b.keys[k].field == f }) {
			fields = append(fields, f)
		}
	}
	slices.SortStableFunc(fields, func(x, y int) int {
		return cmp.Compare(len(b.corpus.fields[y].dict.values), len(b.corpus.fields[x].dict.values))
	})
	return fields
}

// split parts a block by the values of one more field, and its parts again. What
// no field parts is cut into runs of hotBlock records.
func (b *blocks) split(r int, rows []int32, next uint32, fields []int, s *Split) uint32 {
	if len(rows) <= hotBlock {
		if len(rows) > 1 {
			next = b.keep(r, rows, next)
		}
		return next
	}
	if len(fields) == 0 {
		for start := 0; start < len(rows); start += hotBlock {
			part := rows[start:min(start+hotBlock, len(rows))]
			s.Skipped += int64(len(part)) * int64(len(rows)-start-len(part))
			next = b.keep(r, part, next)
		}
		return next
	}
	f := fields[0]
	if name := b.corpus.fields[f].name; !slices.Contains(s.By, name) {
		s.By = append(s.By, name)
	}
	rows = slices.Clone(rows)
	code := func(row int32) uint32 { return b.corpus.record(int(row))[f] }
	slices.SortFunc(rows, func(x, y int32) int { return cmp.Or(cmp.Compare(code(x), code(y)), cmp.Compare(x, y)) })
	for i := 0; i < len(rows); {
		j := i
		for j < len(rows) && code(rows[j]) == code(rows[i]) {
			j++
		}
		s.Skipped += int64(j-i) * int64(len(rows)-j)
		next = b.split(r, rows[i:j], next, fields[1:], s)
		i = j
	}
	return next
}

// radixSort sorts by the upper 32 bits, keeping the order of equal ones.
func radixSort(a []uint64) []uint64 {
	tmp := make([]uint64, len(a))
	for shift := 32; shift < 64; shift += 11 {
		var counts [2048]int
		for _, x := range a {
			counts[x>>shift&2047]++
		}
		at := 0
		for i, n := range counts {
			counts[i] = at
			at += n
		}
		for _, x := range a {
			d := x >> shift & 2047
			tmp[counts[d]] = x
			counts[d]++
		}
		a, tmp = tmp, a
	}
	return a
}

// chunk is a run of whole blocks of one rule.
type chunk struct{ rule, from, to int }

// chunks cuts all rules into runs of about equal size.
func (b *blocks) chunks() []chunk {
	const size = 1 << 14
	var list []chunk
	for r, rows := range b.members {
		for from := 0; from < len(rows); {
			to := min(from+size, len(rows))
			for to < len(rows) && b.id[r][rows[to]] == b.id[r][rows[to-1]] {
				to++
			}
			list = append(list, chunk{r, from, to})
			from = to
		}
	}
	return list
}

// compareAll compares every pair of the blocks once. The result is in the order
// of the rules and the same for any number of workers.
func (b *blocks) compareAll(ctx context.Context, comparers []*comparer) ([][]candidate, error) {
	chunks := b.chunks()
	found := make([][]candidate, len(chunks))
	group, ctx := errgroup.WithContext(ctx)
	next := make(chan int)
	group.Go(func() error {
		defer close(next)
		for i := range chunks {
			select {
			case next <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for _, cmp := range comparers {
		group.Go(func() error {
			for i := range next {
				found[i] = b.compareChunk(cmp, chunks[i])
			}
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return found, nil
}

func (b *blocks) compareChunk(cmp *comparer, ch chunk) []candidate {
	var out []candidate
	rows, id, source := b.members[ch.rule], b.id[ch.rule], b.corpus.source
	for i := ch.from; i < ch.to; i++ {
		x := rows[i]
		for j := i + 1; j < ch.to && id[rows[j]] == id[x]; j++ {
			y := rows[j]
			if source != nil && source[x] == source[y] || b.earlier(ch.rule, x, y) {
				continue
			}
			out = append(out, candidate{min(x, y), max(x, y), cmp.compare(int(x), int(y))})
		}
	}
	return out
}

// earlier reports whether an earlier rule has the pair.
func (b *blocks) earlier(r int, x, y int32) bool {
	for _, id := range b.id[:r] {
		if v := id[x]; v != 0 && v == id[y] {
			return true
		}
	}
	return false
}
