package linkage

import (
	"slices"
	"testing"
)

// What gists say is what the values say, whatever they leave open; and of most
// types they say something of many levels.
func TestGistsSayWhatValuesSay(t *testing.T) {
	r := random(t)
	for _, typ := range Types() {
		g, s := gists[typ], scales[typ]
		if s == nil || g.level == nil {
			continue
		}
		said, all := map[uint8]int{}, 0
		for range max(20, tries(t, 4000)/200) {
			d := lexicon(r, typ, 40)
			of := make([][]uint64, len(d.values))
			for i := 1; i < len(of); i++ {
				of[i] = make([]uint64, g.words)
				if g.words > 0 {
					g.of(d, &d.values[i], of[i])
				}
			}
			for i := 1; i < len(of); i++ {
				for j := 1; j < len(of); j++ {
					if i == j {
						continue
					}
					all++
					got := g.level(of[i], of[j])
					if want := s.of(d, &d.values[i], &d.values[j]); got != unsure && got != want {
						t.Fatalf("%s: %q and %q are at level %d, their gists say %d", typ, d.letters(&d.values[i]), d.letters(&d.values[j]), want, got)
					}
					said[got]++
				}
			}
		}
		delete(said, unsure)
		sum := 0
		for _, n := range said {
			sum += n
		}
		t.Logf("%s: gists tell %d of %d pairs, by level %v", typ, sum, all, said)
		if sum < all/20 {
			t.Errorf("%s: gists tell %d of %d pairs: nothing was tested", typ, sum, all)
		}
	}
}

// Dates of parts may hold months and days of any size: those have no gist.
func TestGistOfImpossibleDates(t *testing.T) {
	r := random(t)
	d := newDictionary()
	for range 300 {
		v, form, _ := dateValue(1980+r.IntN(3), pick(r, 0, 1, 12, 99, 100, 119, 1980, 9999), pick(r, 0, 1, 12, 31, 100, 9999))
		d.code(form, &v)
	}
	said := 0
	for i := 1; i < len(d.values); i++ {
		for j := 1; j < i; j++ {
			var a, b [1]uint64
			dateGist(d, &d.values[i], a[:])
			dateGist(d, &d.values[j], b[:])
			got, want := dateByGist(a[:], b[:]), dateLevel(d, &d.values[i], &d.values[j])
			if got != unsure && got != want {
				t.Fatalf("%q and %q are at level %d, their gists say %d", d.letters(&d.values[i]), d.letters(&d.values[j]), want, got)
			}
			said += one(got != unsure)
		}
	}
	if said == 0 {
		t.Error("gists tell nothing: nothing was tested")
	}
}

// Texts that a gist holds are as many edits apart as edits says.
func TestShortEdits(t *testing.T) {
	r := random(t)
	seen := [4]int{}
	for range tries(t, 20000) {
		width, longest := 8, 7
		if r.IntN(2) == 0 {
			width, longest = 4, 14
		}
		a := word(r, longest)
		b := word(r, longest)
		if r.IntN(3) > 0 {
			b = like(r, a)
			b = b[:min(len(b), longest)]
		}
		pack := func(text []byte) (p shortText) {
			for i := range text {
				if width == 4 {
					text[i] = '0' + text[i]%10
				}
				p.letters |= uint64(text[i]) & (1<<width - 1) << (width * i)
			}
			p.length = len(text)
			return p
		}
		x, y := pack(a), pack(b)
		want := edits(a, b, 2)
		seen[want]++
		if got := shortEdits(x, y, width); got != want {
			t.Fatalf("%q, %q: %d edits, want %d", a, b, got, want)
		}
		if got := shortEdits(y, x, width); got != want {
			t.Fatalf("%q, %q: %d edits the other way round, want %d", a, b, got, want)
		}
		if got := oneEdit(x, y, width); got != (want <= 1) {
			t.Fatalf("%q, %q: one edit %v, but %d", a, b, got, want)
		}
	}
	if slices.Contains(seen[:], 0) {
		t.Errorf("pairs by edits: %v: nothing was tested", seen)
	}
}

// Many pairs compared side by side have the patterns that each has alone.
func TestBatch(t *testing.T) {
	r := random(t)
	c := people(t, r, 700, false)
	one := newComparer(c)
	list := make([]candidate, 5*together+7)
	swapped := 0
	for range max(3, tries(t, 400)/100) {
		for i := range list {
			list[i] = candidate{a: int32(r.IntN(c.rows)), b: int32(r.IntN(c.rows))}
			if r.IntN(4) == 0 { // names in each other's place
				g, s := c.given, c.surname
				a, b := c.record(int(list[i].a)), c.record(int(list[i].b))
				b[g], b[s] = a[s], a[g]
				c.gists = nil
			}
		}
		if err := c.gistRows(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		newBatch(one).compare(list)
		for _, p := range list {
			if want := one.compare(int(p.a), int(p.b)); p.pattern != want {
				t.Fatalf("records %v and %v: pattern %x, alone %x", c.record(int(p.a)), c.record(int(p.b)), p.pattern, want)
			}
			if p.pattern.level(c.given) == scales[GivenName].swapped || p.pattern.level(c.surname) == scales[Surname].swapped {
				swapped++
			}
		}
	}
	if swapped == 0 {
		t.Error("no names were swapped: nothing was tested")
	}
}
