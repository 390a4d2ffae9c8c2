package personas

import (
	"math"
	"math/rand/v2"
	"testing"
)

// By hand: of 0 and 1 against 10 and 11 the widths are 9.5/10.5, 8.5/9.5 and the
// same again. A point that is alone counts 0.
func TestSilhouette(t *testing.T) {
	f := func(values []float64, labels []int, k int, want float64) {
		t.Helper()
		if got := Silhouette(values, 1, labels, k); math.Abs(got-want) > 1e-12 {
			t.Errorf("silhouette of %v as %v is %v, want %v", values, labels, got, want)
		}
	}
	f([]float64{0, 1, 10, 11}, []int{0, 0, 1, 1}, 2, (9.5/10.5+8.5/9.5)/2)
	f([]float64{0, 1, 10}, []int{0, 0, 1}, 2, (9./10+8./9)/3)
	f([]float64{0, 10, 1, 11}, []int{0, 0, 1, 1}, 2, ((5.5*1-10)/10+(5.5*1-10)/10)/2*1)
	f([]float64{5, 5, 5}, []int{0, 0, 1}, 2, 0)
	f([]float64{1, 2, 3}, []int{0, 0, 0}, 1, 0)
}

// The values of the documentation of scikit-learn's adjusted_rand_score, and of
// the example of Hubert and Arabie's index in Yeung and Ruzzo (2001): a table of
// (1 1 0 / 1 2 1 / 0 0 4) has .313.
func TestAdjustedRand(t *testing.T) {
	f := func(a, b []int, want float64) {
		t.Helper()
		for _, got := range []float64{AdjustedRand(a, b), AdjustedRand(b, a)} {
			if math.Abs(got-want) > 5e-4 {
				t.Errorf("adjusted Rand index of %v and %v is %v, want %v", a, b, got, want)
			}
		}
	}
	f([]int{0, 0, 1, 1}, []int{0, 0, 1, 1}, 1)
	f([]int{0, 0, 1, 1}, []int{1, 1, 0, 0}, 1)
	f([]int{0, 0, 1, 2}, []int{0, 0, 1, 1}, .5714)
	f([]int{0, 0, 0, 0}, []int{0, 1, 2, 3}, 0)
	f([]int{0, 0, 1, 1}, []int{0, 1, 0, 1}, -.5)
	f([]int{0, 0, 1, 1, 1, 1, 2, 2, 2, 2}, []int{0, 1, 0, 1, 1, 2, 2, 2, 2, 2}, .313)
	f([]int{0}, []int{0}, 1)
}

// The matching is the best of all, by trying all.
func TestMatchIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for range 300 {
		rows, columns := random.IntN(5), random.IntN(5)
		costs := make([][]float64, rows)
		for i := range costs {
			for range columns {
				costs[i] = append(costs[i], 1.6*random.Float64())
			}
		}
		var least func(i, taken int) float64
		least = func(i, taken int) float64 {
			if i == rows {
				return 0
			}
			sum := 1 + least(i+1, taken)
			for c := range columns {
				if taken&(1<<c) == 0 && costs[i][c] <= 1 {
					sum = min(sum, costs[i][c]+least(i+1, taken|1<<c))
				}
			}
			return sum
		}
		got, taken := 0.0, map[int]bool{}
		for i, c := range match(costs, columns) {
			switch {
			case c < 0:
				got++
			case taken[c]:
				t.Fatalf("%v: column %d twice", costs, c)
			default:
				got, taken[c] = got+costs[i][c], true
			}
		}
		if want := least(0, 0); math.Abs(got-want) > 1e-9 {
			t.Fatalf("%v: matched for %v, best is %v", costs, got, want)
		}
	}
}

func TestRFMLeavesOutWhatIsNoNumber(t *testing.T) {
	grades, unusable := RFM([]Customer{{1, 1, 1}, {math.NaN(), 1, 1}, {2, math.Inf(1), 1}})
	if unusable != 2 || grades[0] != (Grades{3, 3, 3}) || grades[1] != (Grades{}) || grades[2] != (Grades{}) {
		t.Errorf("%v, %d unusable", grades, unusable)
	}
	if grades, unusable := RFM(nil); len(grades) != 0 || unusable != 0 {
		t.Errorf("of nobody: %v, %d", grades, unusable)
	}
	// Without ties every quintile has a fifth.
	var many []Customer
	for i := range 1000 {
		many = append(many, Customer{float64(i), float64(i), float64(i * 7 % 1000)})
	}
	grades, _ = RFM(many)
	var sizes [3][6]int
	for _, g := range grades {
		sizes[0][g.Recency]++
		sizes[1][g.Frequency]++
		sizes[2][g.Money]++
	}
	for _, s := range sizes {
		if s != [6]int{0, 200, 200, 200, 200, 200} {
			t.Errorf("sizes of quintiles: %v", s)
		}
	}
}
