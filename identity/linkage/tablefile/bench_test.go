package tablefile

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// BenchmarkRead reads 200 000 records of ten columns (KINDRED_BENCH_ROWS sets
// another number), of which some have few values and some another in each.
func BenchmarkRead(b *testing.B) {
	rows, _ := strconv.Atoi(os.Getenv("KINDRED_BENCH_ROWS"))
	if rows == 0 {
		rows = 200_000
	}
	path := filepath.Join(b.TempDir(), "records.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	r := rand.New(rand.NewPCG(1, 1))
	fmt.Fprintln(w, "id,given,surname,birth,email,phone,street,house,city,postcode,number")
	for i := range rows {
		fmt.Fprintf(w, "r%d,given%d,surname%d,%d-%02d-%02d,user%d@example.com,+49151%07d,Street of %d,%d,City%d,%05d,%08d\n", i, r.IntN(5000), r.IntN(30000),
			1930+r.IntN(70), 1+r.IntN(12), 1+r.IntN(28), r.IntN(rows), r.IntN(rows), r.IntN(18000), r.IntN(300), r.IntN(20000), r.IntN(30000), r.IntN(rows))
	}
	w.Flush()
	f.Close()
	info, _ := os.Stat(path)
	b.SetBytes(info.Size())
	for b.Loop() {
		if _, err := Read(b.Context(), Config{Left: Source{Path: path}}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "records/s")
}
