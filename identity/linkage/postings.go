package linkage

import (
	"cmp"
	"slices"
)

// postings are the rows of each block of a rule. New ones lie in a map; when
// those are many they are sorted into a run, and runs of like size are merged:
// the logarithmic method of Bentley and Saxe (1980). A look-up asks every run,
// of which there are at most the logarithm of the rows, and no record waits for
// more than a merge.
type postings struct {
	fresh map[uint64][]int32
	count int
	runs  [][]hashed
}

// freshRows is the number of rows that are kept in the map.
const freshRows = 1 << 13

// add puts a row into a block.
func (p *postings) add(h uint64, row int32) {
	if p.fresh == nil {
		p.fresh = make(map[uint64][]int32, freshRows)
	}
	p.fresh[h] = append(p.fresh[h], row)
	if p.count++; p.count == freshRows {
		p.settle()
	}
}

// settle makes a run of the map.
func (p *postings) settle() {
	run := make([]hashed, 0, p.count)
	for h, rows := range p.fresh {
		for _, row := range rows {
			run = append(run, hashed{h, row})
		}
	}
	slices.SortFunc(run, compareHashed)
	clear(p.fresh)
	p.count = 0
	for len(p.runs) > 0 && len(p.runs[len(p.runs)-1]) < 2*len(run) {
		run = mergeRuns(p.runs[len(p.runs)-1], run)
		p.runs = p.runs[:len(p.runs)-1]
	}
	p.runs = append(p.runs, run)
}

func compareHashed(a, b hashed) int {
	return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.row, b.row))
}

func mergeRuns(a, b []hashed) []hashed {
	out := make([]hashed, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if compareHashed(a[0], b[0]) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// each calls do for the rows of a block, until it returns false.
func (p *postings) each(h uint64, do func(row int32) bool) {
	for _, run := range p.runs {
		at, _ := slices.BinarySearchFunc(run, h, func(e hashed, h uint64) int { return cmp.Compare(e.hash, h) })
		for ; at < len(run) && run[at].hash == h; at++ {
			if !do(run[at].row) {
				return
			}
		}
	}
	for _, row := range p.fresh[h] {
		if !do(row) {
			return
		}
	}
}

// atLeast reports whether a block has n rows or more, those counted that were
// removed.
func (p *postings) atLeast(h uint64, n int) bool {
	p.each(h, func(int32) bool { n--; return n > 0 })
	return n <= 0
}
