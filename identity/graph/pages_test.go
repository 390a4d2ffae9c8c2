package graph

import "testing"

// TestPages: elements keep their places and values when many pages come at once, and a
// place that was given back is given out again, empty.
func TestPages(t *testing.T) {
	var p pages[[9]uint64]
	const n = (manyPages + 3) * pageSize
	for i := ref(1); i <= n; i++ {
		x := p.add()
		if x != i || *p.at(x) != [9]uint64{} {
			t.Fatalf("place %d is %d, and holds %v", i, x, *p.at(x))
		}
		p.at(x)[8] = uint64(i)
	}
	if p.end() != n+1 || len(p.page) <= manyPages+3 {
		t.Errorf("%d places end at %d, on %d pages", n, p.end(), len(p.page))
	}
	for i := ref(1); i <= n; i++ {
		if got := p.at(i)[8]; got != uint64(i) {
			t.Fatalf("place %d holds %d", i, got)
		}
	}
	p.remove(7)
	if x := p.add(); x != 7 || *p.at(x) != [9]uint64{} {
		t.Errorf("place %d was given out, and holds %v", x, *p.at(x))
	}
}

// TestLarge: it is room like any other, of any size.
func TestLarge(t *testing.T) {
	for _, n := range []int{0, 1, largePage - 1, 5 * largePage} {
		s := Large[byte](n)
		if len(s) != 0 || cap(s) < n {
			t.Fatalf("%d of %d, want none of %d", len(s), cap(s), n)
		}
		for i, b := range s[:n] {
			if b != 0 {
				t.Fatalf("byte %d of %d is %d", i, n, b)
			}
			s[:n][i] = 1
		}
	}
}
