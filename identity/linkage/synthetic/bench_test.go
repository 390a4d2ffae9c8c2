package synthetic

import "testing"

// BenchmarkMillion makes a million records of five nations.
func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		if _, _, err := Generate(Million()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(Million().Records*b.N)/b.Elapsed().Seconds(), "records/s")
}
