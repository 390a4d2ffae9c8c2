package linkage

import "context"

// A gist is what a record keeps of a value beside its code: so much that most
// strangers are told apart without looking their values up, which lie anywhere in
// memory. Each type has its own.
type gist struct {
	// words is the number of words of a gist.
	words int
	// of writes the gist of a value.
	of func(d *dictionary, v *value, out []uint64)
	// level is that of two different values, or unsure where their gists do not
	// tell. It is never another one than scale.of says.
	level func(a, b []uint64) uint8
}

// unsure is no level: it stands for one that only the values tell.
const unsure uint8 = 255

// gists are those of the types. A type that has none is compared by its values.
var gists = map[Type]gist{
	GivenName:  {1, nameGist, givenByGist},
	Surname:    {1, nameGist, surnameByGist},
	Date:       {1, dateGist, dateByGist},
	Email:      {3, emailGist, emailByGist},
	Phone:      {1, digitsGist, phoneByGist},
	Number:     {1, digitsGist, numberByGist},
	Postcode:   {1, shortGist, postcodeByGist},
	House:      {1, shortGist, houseByGist},
	Street:     {1, textGist, textByGist},
	City:       {1, textGist, textByGist},
	Text:       {1, textGist, textByGist},
	Category:   {0, nil, otherByGist},
	Generation: {0, nil, otherByGist},
	Day:        {0, nil, otherByGist},
	Month:      {0, nil, otherByGist},
}

func otherByGist(_, _ []uint64) uint8 { return 2 }

// letterClass puts letters into 40 classes: a to z, 0 to 9, and four that all
// others share. What one text has of them and the other has not is never more
// than strange says.
func letterClass(c byte) int {
	switch {
	case c >= 'a' && c <= 'z':
		return int(c - 'a')
	case c >= '0' && c <= '9':
		return 26 + int(c-'0')
	}
	return 36 + int(c&3)
}

// classesOf is the set of classes of a text, those from last on as one.
func classesOf(text []byte, last int) uint64 {
	set := uint64(0)
	for _, c := range text {
		set |= 1 << min(letterClass(c), last)
	}
	return set
}

// firstClasses packs the classes of the first n letters, 1 for the first class
// and 0 for no letter.
func firstClasses(text []byte, n, width, last int) uint64 {
	packed := uint64(0)
	for i, c := range text[:min(n, len(text))] {
		packed |= uint64(min(letterClass(c), last)+1) << (width * i)
	}
	return packed
}

// likeness is what m(a+b)/ab must be, in parts of 65 536, so that texts of a and
// b letters of which m match have a similarity of Jaro and Winkler, by the number
// of equal letters at their beginning: 3(s-p/10)/(1-p/10)-1, less what rounding
// may take.
type likeness [5]int

func likenessFor(similarity float64) (of likeness) {
	for p := range of {
		more := float64(p) / 10
		of[p] = int(65536*(3*(similarity-more)/(1-more)-1)) - 2
	}
	return of
}

var (
	likeness80 = likenessFor(.80)
	likeness90 = likenessFor(.90)
	likeness92 = likenessFor(.92)
)

// inReach reports whether two texts may be so similar: of la and lb letters, inA
// and inB of which the other has not, and no more than p of which are equal at the
// beginning.
func (of *likeness) inReach(la, lb, inA, inB, p int) bool {
	m := min(la-inA, lb-inB)
	return m > 0 && m*(la+lb)<<16 >= of[p]*la*lb
}

// layout is where the gists of a corpus's fields stand in those of a record.
type layout struct {
	of    []gist
	at    []int
	words int
}

func (c *corpus) layOut() {
	c.layout = layout{}
	for f := range c.fields {
		g := gists[c.fields[f].typ]
		c.layout.of = append(c.layout.of, g)
		c.layout.at = append(c.layout.at, c.layout.words)
		c.layout.words += g.words
	}
}

// gist returns the gists of a record.
func (c *corpus) gist(row int) []uint64 {
	k := c.layout.words
	return c.gists[row*k : row*k+k : row*k+k]
}

// gistRow adds the gists of the last record.
func (c *corpus) gistRow() {
	at := len(c.gists)
	c.gists = append(c.gists, make([]uint64, c.layout.words)...)
	record := c.record(c.rows - 1)
	for f, g := range c.layout.of {
		if code := record[f]; code != 0 && g.words > 0 {
			d := c.fields[f].dict
			g.of(d, &d.values[code], c.gists[at+c.layout.at[f]:])
		}
	}
}

// gistRows makes the gists of all records, each value's once.
func (c *corpus) gistRows(ctx context.Context, workers int) error {
	c.layOut()
	k := c.layout.words
	values := make([][]uint64, len(c.fields))
	err := divide(ctx, workers, len(c.fields), func(_, f int) {
		g, d := c.layout.of[f], c.fields[f].dict
		values[f] = make([]uint64, g.words*len(d.values))
		for code := 1; code < len(d.values) && g.words > 0; code++ {
			g.of(d, &d.values[code], values[f][code*g.words:])
		}
	})
	if err != nil {
		return err
	}
	const size = 1 << 12
	c.gists = make([]uint64, c.rows*k)
	return divide(ctx, workers, (c.rows+size-1)/size, func(_, piece int) {
		for row := piece * size; row < min((piece+1)*size, c.rows); row++ {
			to := c.gist(row)
			for f, code := range c.record(row) {
				words := c.layout.of[f].words
				copy(to[c.layout.at[f]:], values[f][int(code)*words:int(code)*words+words])
			}
		}
	})
}
