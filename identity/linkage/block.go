package linkage

import (
	"cmp"
	"context"
	"math/bits"
	"runtime"
	"slices"
)

// Split says what was done with a block that was too large to compare whole.
type Split struct {
	// Rule is the rule that made the block, Records its size.
	Rule    string `json:"rule"`
	Records int    `json:"records"`
	// By are the fields that it was split by, in their order.
	By []string `json:"by,omitempty"`
	// Skipped is the number of its pairs that this rule did not compare.
	Skipped int64 `json:"skipped"`
}

// candidate is a pair that was compared.
type candidate struct {
	a, b    int32
	pattern pattern
}

// blocks are the records in blocks. A pair is of the first rule under which both
// are in one block.
type blocks struct {
	corpus *corpus
	keys   []key
	rules  []rule
	// id holds for each record its block under each rule, side by side, 0 for in
	// none.
	id []uint32
	// members are the rows of each rule in order of their blocks.
	members [][]int32
	// hot are the hashes of the blocks of each rule that are split by the fields
	// in further.
	hot     []map[uint64]bool
	further [][]int
	splits  []Split
}

func (c *corpus) newBlocks(keys []key, rules []rule) *blocks {
	n := len(rules)
	b := &blocks{corpus: c, keys: keys, rules: rules, id: make([]uint32, c.rows*n), members: make([][]int32, n), hot: make([]map[uint64]bool, n)}
	for r := range rules {
		b.hot[r] = map[uint64]bool{}
		b.further = append(b.further, c.unused(keys, &rules[r]))
	}
	return b
}

// place puts every record into a block of each rule.
func (c *corpus) place(ctx context.Context, keys []key, rules []rule, workers int) (*blocks, error) {
	b := c.newBlocks(keys, rules)
	splits := make([][]Split, len(rules))
	placers := make([]placer, workers)
	err := divide(ctx, workers, len(rules), func(worker, r int) { splits[r] = b.placeRule(r, &placers[worker]) })
	if err != nil {
		return nil, err
	}
	for _, s := range splits {
		b.splits = append(b.splits, s...)
	}
	slices.SortStableFunc(b.splits, func(x, y Split) int { return cmp.Compare(y.Records, x.Records) })
	return b, nil
}

// unused returns the fields that a rule does not read, those with most values
// first: the ones by which its hot blocks are split.
func (c *corpus) unused(keys []key, r *rule) []int {
	var fields []int
	for f := range c.fields {
		if !slices.ContainsFunc(r.keys, func(k int) bool { return keys[k].field == f }) {
			fields = append(fields, f)
		}
	}
	slices.SortStableFunc(fields, func(x, y int) int {
		return cmp.Compare(len(c.fields[y].dict.values), len(c.fields[x].dict.values))
	})
	return fields
}

// hash is the block of a record under a rule: the hash of the rule's keys and,
// as long as that block is hot, of one more field after the other.
func (b *blocks) hash(r int, record []uint32) uint64 {
	h := blockHash(b.keys, &b.rules[r], record)
	for _, f := range b.further[r] {
		if h == 0 || !b.hot[r][h] {
			break
		}
		h = max(mix(h^b.corpus.fields[f].dict.hashes[record[f]]), 1)
	}
	return h
}

// hotOf returns the hashes of the hot blocks of a rule, ascending.
func (b *blocks) hotOf(r int) []uint64 {
	var list []uint64
	for h := range b.hot[r] {
		list = append(list, h)
	}
	slices.Sort(list)
	return list
}

// hashed is a record with its block.
type hashed struct {
	hash uint64
	row  int32
}

// placer is the room that placing by a rule takes, for one goroutine.
type placer struct {
	order, room []hashed
	once, twice []uint64
}

// inBlocks returns the records that may share a block of a rule, by block.
func (b *blocks) inBlocks(r int, p *placer) []hashed {
	c := b.corpus
	if p.once == nil {
		n := max(64, 1<<bits.Len(uint(4*c.rows)))
		p.order, p.room = make([]hashed, 0, c.rows), make([]hashed, c.rows)
		p.once, p.twice = make([]uint64, n/64), make([]uint64, n/64)
	}
	clear(p.once)
	clear(p.twice)
	p.order = p.order[:0]
	last := uint64(len(p.once) - 1)
	for row := range c.rows {
		if h := blockHash(b.keys, &b.rules[r], c.record(row)); h != 0 {
			p.order = append(p.order, hashed{h, int32(row)})
			at, bit := h>>32&last, uint64(1)<<(h&63)
			p.twice[at] |= p.once[at] & bit
			p.once[at] |= bit
		}
	}
	// Most records are alone with a key that says much: those need no sorting.
	n := 0
	for _, h := range p.order {
		p.order[n] = h
		n += one(p.twice[h.hash>>32&last]>>(h.hash&63)&1 == 1)
	}
	return sortByHash(p.order[:n], p.room)
}

// placeRule finds the blocks of a rule, splitting the hot ones until none is.
func (b *blocks) placeRule(r int, p *placer) []Split {
	order := b.inBlocks(r, p)
	b.members[r] = make([]int32, 0, len(order))
	var splits []Split
	next := uint32(1)
	eachBlock(order, func(block []hashed) {
		switch {
		case len(block) < 2:
		case len(block) <= hotBlock:
			next = b.keep(r, block, next)
		default:
			split := Split{Rule: b.rules[r].name, Records: len(block)}
			next = b.split(r, block, next, 0, &split)
			splits = append(splits, split)
		}
	})
	return splits
}

func eachBlock(order []hashed, do func([]hashed)) {
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && order[j].hash == order[i].hash {
			j++
		}
		do(order[i:j])
		i = j
	}
}

// keep makes one block of records.
func (b *blocks) keep(r int, block []hashed, next uint32) uint32 {
	n := len(b.rules)
	for _, h := range block {
		b.id[int(h.row)*n+r] = next
		b.members[r] = append(b.members[r], h.row)
	}
	return next + 1
}

// split parts a block by the values of one more field, and its parts again. What
// no field parts is cut into runs of hotBlock records.
func (b *blocks) split(r int, block []hashed, next uint32, depth int, s *Split) uint32 {
	if depth == len(b.further[r]) {
		for start := 0; start < len(block); start += hotBlock {
			part := block[start:min(start+hotBlock, len(block))]
			s.Skipped += int64(len(part)) * int64(len(block)-start-len(part))
			next = b.keep(r, part, next)
		}
		return next
	}
	f := b.further[r][depth]
	if name := b.corpus.fields[f].name; !slices.Contains(s.By, name) {
		s.By = append(s.By, name)
	}
	b.hot[r][block[0].hash] = true
	parts := make([]hashed, len(block))
	for i, h := range block {
		parts[i] = hashed{max(mix(h.hash^b.corpus.fields[f].dict.hashes[b.corpus.record(int(h.row))[f]]), 1), h.row}
	}
	slices.SortFunc(parts, func(x, y hashed) int { return cmp.Or(cmp.Compare(x.hash, y.hash), cmp.Compare(x.row, y.row)) })
	rest := int64(len(parts))
	eachBlock(parts, func(part []hashed) {
		rest -= int64(len(part))
		s.Skipped += int64(len(part)) * rest
		switch {
		case len(part) < 2:
		case len(part) <= hotBlock:
			next = b.keep(r, part, next)
		default:
			next = b.split(r, part, next, depth+1, s)
		}
	})
	return next
}

// sortByHash sorts by the upper 33 bits of the hash and then mends the order of
// the few that share them, keeping the order of rows in a block. It needs as much
// room again, and the result lies in either.
func sortByHash(a, room []hashed) []hashed {
	tmp := room[:len(a)]
	for shift := 31; shift < 64; shift += 11 {
		var counts [2048]int
		for i := range a {
			counts[a[i].hash>>shift&2047]++
		}
		at := 0
		for i, n := range counts {
			counts[i] = at
			at += n
		}
		for i := range a {
			d := a[i].hash >> shift & 2047
			tmp[counts[d]] = a[i]
			counts[d]++
		}
		a, tmp = tmp, a
	}
	for i := 0; i < len(a); {
		j, mixed := i+1, false
		for ; j < len(a) && a[j].hash>>31 == a[i].hash>>31; j++ {
			mixed = mixed || a[j].hash != a[i].hash
		}
		if mixed {
			slices.SortStableFunc(a[i:j], func(x, y hashed) int { return cmp.Compare(x.hash, y.hash) })
		}
		i = j
	}
	return a
}

// chunk is a run of whole blocks of one rule.
type chunk struct{ rule, from, to int }

// chunks cuts all rules into runs of about equal size.
func (b *blocks) chunks() []chunk {
	const size = 1 << 13
	n := len(b.rules)
	var list []chunk
	for r, rows := range b.members {
		for from := 0; from < len(rows); {
			to := min(from+size, len(rows))
			for to < len(rows) && b.id[int(rows[to])*n+r] == b.id[int(rows[to-1])*n+r] {
				to++
			}
			list = append(list, chunk{r, from, to})
			from = to
		}
	}
	return list
}

// pairs lists every pair of the blocks once, in the order of the rules and the
// same for any number of workers.
func (b *blocks) pairs(ctx context.Context, workers int) ([][]candidate, error) {
	chunks := b.chunks()
	found, rooms := make([][]candidate, len(chunks)), make([][]candidate, workers)
	err := divide(ctx, workers, len(chunks), func(worker, i int) {
		rooms[worker] = b.pairsOf(chunks[i], rooms[worker][:0])
		found[i] = slices.Clone(rooms[worker])
	})
	return found, err
}

// pairsOf lists the pairs of a chunk, those of an earlier rule and of one source
// left out.
func (b *blocks) pairsOf(ch chunk, out []candidate) []candidate {
	b.readAhead(ch)
	rows, source, n := b.members[ch.rule], b.corpus.source, len(b.rules)
	for i := ch.from; i < ch.to; i++ {
		x := rows[i]
		idX := b.id[int(x)*n : int(x)*n+ch.rule+1]
		for j := i + 1; j < ch.to; j++ {
			y := rows[j]
			idY := b.id[int(y)*n : int(y)*n+ch.rule+1]
			if idY[ch.rule] != idX[ch.rule] {
				break
			}
			if source != nil && source[x] == source[y] || earlier(idX[:ch.rule], idY[:ch.rule]) {
				continue
			}
			out = append(out, candidate{a: min(x, y), b: max(x, y)})
		}
	}
	return out
}

// readAhead reads a word of every line that pairsOf will, so that it does not
// wait for one after the other.
func (b *blocks) readAhead(ch chunk) {
	const line = 16
	n, sum := len(b.rules), uint32(0)
	for _, row := range b.members[ch.rule][ch.from:ch.to] {
		for at := int(row) * n; at < int(row)*n+ch.rule; at += line {
			sum += b.id[at]
		}
		sum += b.id[int(row)*n+ch.rule]
	}
	runtime.KeepAlive(sum) // else all of it is left out
}

// earlier reports whether an earlier rule has both records in one block.
func earlier(x, y []uint32) bool {
	for i, id := range x {
		if id != 0 && id == y[i] {
			return true
		}
	}
	return false
}
