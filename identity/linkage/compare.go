package linkage

// pattern is the levels of all fields of a pair, four bits each, the first field
// lowest.
type pattern uint64

func (p pattern) level(field int) uint8 { return uint8(p >> (4 * field) & 15) }

func (p pattern) with(field int, level uint8) pattern {
	shift := 4 * field
	return p&^(15<<shift) | pattern(level)<<shift
}

// comparer compares records of a corpus. Any number of goroutines may use one.
type comparer struct {
	corpus *corpus
	scales []*scale
}

func newComparer(c *corpus) *comparer {
	cmp := &comparer{corpus: c}
	for i := range c.fields {
		cmp.scales = append(cmp.scales, scales[c.fields[i].typ])
	}
	return cmp
}

// level returns how far two values of a field agree.
func (c *comparer) level(field int, x, y uint32) uint8 {
	if x == y {
		return exact
	}
	d := c.corpus.fields[field].dict
	return c.scales[field].of(d, &d.values[x], &d.values[y])
}

// compare returns the pattern of two records.
func (c *comparer) compare(a, b int) pattern {
	ra, rb := c.corpus.record(a), c.corpus.record(b)
	var p pattern
	for i, x := range ra {
		if y := rb[i]; x != 0 && y != 0 {
			p |= pattern(c.level(i, x, y)) << (4 * i)
		}
	}
	if c.corpus.given >= 0 {
		p = c.swap(p, ra, rb)
	}
	return p
}

// swap looks for the names of one record in the other's places, where they do
// not agree in their own. Two names swapped are one observation: it stands at
// the given name, and the surname counts as missing.
func (c *comparer) swap(p pattern, ra, rb []uint32) pattern {
	g, s := c.corpus.given, c.corpus.surname
	if c.agrees(g, p.level(g)) || c.agrees(s, p.level(s)) {
		return p
	}
	there, back := c.cross(ra[g], rb[s]), c.cross(rb[g], ra[s])
	switch {
	case there == missing && back == missing:
		return p
	case there != missing && back != missing:
		if c.agrees(s, there) && c.agrees(s, back) {
			return p.with(g, c.scales[g].swapped).with(s, missing)
		}
	case c.agrees(s, there) || c.agrees(s, back):
		return p.with(g, missing).with(s, c.scales[s].swapped)
	}
	return p
}

func (c *comparer) agrees(field int, level uint8) bool {
	return level != missing && level <= c.scales[field].near
}

// cross compares a given name with a surname: they share a dictionary.
func (c *comparer) cross(given, surname uint32) uint8 {
	if given == 0 || surname == 0 {
		return missing
	}
	return c.level(c.corpus.surname, given, surname)
}
