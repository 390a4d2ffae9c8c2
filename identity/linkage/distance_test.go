package linkage

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The values are those of Winkler, "String Comparator Metrics and Enhanced
// Decision Rules" (1990), table 1, and of the tables in his report 1994/5.
func TestJaroWinklerPublished(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"martha", "marhta", .961},
		{"dwayne", "duane", .840},
		{"dixon", "dicksonx", .813},
		{"shackleford", "shackelford", .982},
		{"dunningham", "cunnigham", .896},
		{"nichleson", "nichulson", .956},
		{"jones", "johnson", .832},
		{"massey", "massie", .933},
		{"abroms", "abrams", .922},
		{"jeraldine", "geraldine", .926},
		{"michelle", "michael", .921},
		{"julies", "julius", .933},
		{"tanya", "tonya", .880},
		{"sean", "susan", .805},
		{"jon", "john", .933},
		{"jon", "jan", .800},
		{"", "", 0},
		{"a", "", 0},
		{"a", "a", 1},
		{"abc", "xyz", 0},
	} {
		if got := jaroWinkler([]byte(c.a), []byte(c.b)); math.Abs(got-c.want) > .0006 {
			t.Errorf("%s, %s: %.4f, want %.3f", c.a, c.b, got, c.want)
		}
	}
}

// word draws a text of few letters, so that they repeat and transpose.
func word(r *rand.Rand, longest int) []byte {
	b := make([]byte, r.IntN(longest+1))
	for i := range b {
		b[i] = "abcd1\xe9\xc1"[r.IntN(3+r.IntN(5))]
	}
	return b
}

// like returns b, or a changed a few times.
func like(r *rand.Rand, a []byte) []byte {
	b := append([]byte{}, a...)
	for range r.IntN(4) {
		b = []byte(slip(r, string(b)))
	}
	return b[:min(len(b), longest)]
}

// slowEdits is the recursion of optimal string alignment as it is written in
// books.
func slowEdits(a, b []byte) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func TestEditsAgainstBruteForce(t *testing.T) {
	r := random(t)
	for range tries(t, 20000) {
		letters := pick(r, 12, 12, 12, 12, 64)
		a := word(r, letters)
		b := word(r, letters)
		if r.IntN(2) == 0 {
			b = like(r, a)
		}
		most := r.IntN(letters + 2)
		want := min(slowEdits(a, b), most+1)
		if got := edits(a, b, most); got != want {
			t.Fatalf("edits(%q, %q, %d) = %d, want %d", a, b, most, got, want)
		}
		if back := edits(b, a, most); back != want {
			t.Fatalf("edits(%q, %q, %d) = %d the other way round, want %d", b, a, most, back, want)
		}
	}
}

// slowJaroWinkler follows the definition letter by letter, without sets of bits.
func slowJaroWinkler(a, b []byte) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	window := max(0, max(len(a), len(b))/2-1)
	taken := make([]bool, len(b))
	var inA, inB []byte
	for i, c := range a {
		for j := range b {
			if !taken[j] && b[j] == c && j >= i-window && j <= i+window {
				taken[j] = true
				inA = append(inA, c)
				break
			}
		}
	}
	for j, c := range b {
		if taken[j] {
			inB = append(inB, c)
		}
	}
	if len(inA) == 0 {
		return 0
	}
	moved := 0.0
	for i := range inA {
		if inA[i] != inB[i] {
			moved += .5
		}
	}
	m := float64(len(inA))
	jaro := (m/float64(len(a)) + m/float64(len(b)) + (m-moved)/m) / 3
	prefix := 0.0
	for i := 0; i < min(4, len(a), len(b)) && a[i] == b[i]; i++ {
		prefix++
	}
	return jaro + prefix*.1*(1-jaro)
}

func TestJaroWinklerAgainstBruteForce(t *testing.T) {
	r := random(t)
	for range tries(t, 20000) {
		a := word(r, 64)
		b := word(r, 64)
		if r.IntN(2) == 0 {
			b = like(r, a)
		}
		got, want := jaroWinkler(a, b), slowJaroWinkler(a, b)
		if math.Abs(got-want) > 1e-12 || got < 0 || got > 1 {
			t.Fatalf("%q, %q: %v, want %v", a, b, got, want)
		}
		if back := jaroWinkler(b, a); back != got {
			t.Fatalf("%q, %q: %v, the other way round %v", a, b, got, back)
		}
	}
}

// What a bound rejects, the exact function would have rejected.
func TestBoundsRejectNothing(t *testing.T) {
	r := random(t)
	kept, rejected := 0, 0
	for range tries(t, 20000) {
		a := word(r, 20)
		b := word(r, 20)
		if r.IntN(2) == 0 {
			b = like(r, a)
		}
		inA, inB := strange(maskOf(a), maskOf(b))
		if n := slowEdits(a, b); max(inA, inB) > n {
			t.Fatalf("%q, %q: %d and %d strange letters, but %d edits", a, b, inA, inB, n)
		}
		exactly := jaroWinkler(a, b)
		for _, least := range []float64{.7, .8, .9, .92, exactly} {
			switch {
			case similarAtLeast(a, b, inA, inB, least):
				kept++
			case exactly >= least && exactly > 0:
				t.Fatalf("%q, %q: rejected at %v, similarity is %v", a, b, least, exactly)
			default:
				rejected++
			}
		}
	}
	if kept < 10 || rejected < 10 {
		t.Errorf("%d kept and %d rejected: nothing was tested", kept, rejected)
	}
}

func TestPhonetic(t *testing.T) {
	same := func(names ...string) {
		t.Helper()
		for _, n := range names[1:] {
			if phonetic([]byte(n)) != phonetic([]byte(names[0])) {
				t.Errorf("%s and %s sound alike", names[0], n)
			}
		}
	}
	other := func(a, b string) {
		t.Helper()
		if phonetic([]byte(a)) == phonetic([]byte(b)) {
			t.Errorf("%s and %s do not sound alike", a, b)
		}
	}
	same("smith", "smyth", "smithe", "smitt")
	same("meyer", "meier", "maier", "mayer", "mair")
	same("schmidt", "schmitt", "schmid", "szmidt")
	same("philip", "filip", "phillip")
	same("stephen", "steven", "stefan")
	same("catherine", "katherine", "cathrin")
	same("ann", "anne", "ana", "anna")
	same("jackson", "jakson", "jacson")
	same("thomas", "tomas")
	same("rodriguez", "rodrigues")
	same("kowalski", "kowalsky")
	same("pereira", "perreira")
	other("smith", "jones")
	other("martin", "morgan")
	other("иван", "пётр")
	if phonetic(nil) != 0 {
		t.Error("no letters have no sound")
	}
}

func TestLettersAreBounded(t *testing.T) {
	long := make([]byte, 0, 300)
	for range 100 {
		long = append(long, "é"...)
	}
	if n := len(letters(string(long))); n != longest {
		t.Errorf("%d letters, want %d", n, longest)
	}
	if a, b := letters("müller"), letters("muller"); edits(a, b, 3) != 1 {
		t.Errorf("an umlaut is %d edits", edits(a, b, 3))
	}
}
