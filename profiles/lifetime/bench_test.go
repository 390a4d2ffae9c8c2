package lifetime

import "testing"

// BenchmarkFit fits the CDNOW sample (2357 customers) and the whole of it
// (23 570); "customers/s" is what scales.
func BenchmarkFit(b *testing.B) {
	for _, test := range []struct {
		name      string
		customers []Customer
		kind      Kind
	}{
		{"bgnbd/2357", sample(b).summarize(calibrationEnd), BGNBD},
		{"mbgnbd/2357", sample(b).summarize(calibrationEnd), MBGNBD},
		{"paretonbd/2357", sample(b).summarize(calibrationEnd), ParetoNBD},
		{"bgnbd/23570", master(b).summarize(calibrationEnd), BGNBD},
		{"bgnbd/1M", million(b), BGNBD},
	} {
		b.Run(test.name, func(b *testing.B) {
			for b.Loop() {
				fit(b, test.customers, test.kind)
			}
		})
	}
}

// million repeats CDNOW with slightly different ages, so that a million
// histories have many distinct ones among them.
func million(b *testing.B) []Customer {
	all := master(b).summarize(calibrationEnd)
	out := make([]Customer, 0, 1_000_000)
	for i := 0; len(out) < cap(out); i++ {
		c := all[i%len(all)]
		c.Age += float64(i/len(all)) / 7
		out = append(out, c)
	}
	return out
}

// BenchmarkScore scores a million customers: P(alive), purchases within 90 days,
// spend and 52-week value, all with intervals; and the point values alone.
func BenchmarkScore(b *testing.B) {
	customers := million(b)
	f := fit(b, customers[:23570], BGNBD)
	b.Run("intervals/1M", func(b *testing.B) {
		scorer, err := f.Scorer([]float64{90. / 7}, DefaultTerms())
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			for _, c := range customers {
				if _, err := scorer.Score(c); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("points/1M", func(b *testing.B) {
		sum := 0.0
		for b.Loop() {
			for _, c := range customers {
				sum += DiscountedPurchases(f.Purchases, c, DefaultTerms(), Week)*f.Spend.Mean(c.Frequency, c.Spend) +
					f.Purchases.Alive(c) + f.Purchases.Expected(c, 90./7)
			}
		}
		if !finite(sum) {
			b.Fatal(sum)
		}
	})
}
