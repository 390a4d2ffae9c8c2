package ingest

import (
	"math/big"
	"strings"
	"testing"
)

func TestParseAmount(t *testing.T) {
	ok := func(in string, want Amount) {
		t.Helper()
		if got, err := ParseAmount(in); err != nil || got != want {
			t.Errorf("ParseAmount(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	ok("", 0)
	ok("0", 0)
	ok("2.55", 25500)
	ok("-2.55", -25500)
	ok("0.001", 10)
	ok("165.0", 1650000)
	ok("1e3", 10_000_000)
	ok("1.5E-2", 150)
	ok("0.30000000000000004", 3000)
	ok("0.00005", 1)
	ok("-0.00005", -1)
	ok("0.00004999", 0)
	ok("1e-20", 0)
	ok("99999999999999.9999", 999_999_999_999_999_999)
	bad := func(in string) {
		t.Helper()
		if got, err := ParseAmount(in); err == nil {
			t.Errorf("ParseAmount(%q) = %d, want an error", in, got)
		}
	}
	bad("100000000000000")
	bad("99999999999999.99999")
	bad("1e999")
	bad("1e99999999999")
	bad("abc")
	bad("-")
	bad(".")
	bad("1.2.3")
	bad("0x10")
	bad(strings.Repeat("9", 65))
}

// FuzzParseAmount compares with exact rational arithmetic.
func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"2.55", "-1e3", "0.00005", "1e-9", "99999999999999.9999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseAmount(s)
		if err != nil || s == "" {
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		if !ok {
			return // forms such as "5." that SetString reads differently
		}
		diff := new(big.Rat).Sub(new(big.Rat).Mul(exact, big.NewRat(10_000, 1)), big.NewRat(int64(got), 1))
		if diff.Abs(diff).Cmp(big.NewRat(1, 2)) > 0 {
			t.Fatalf("ParseAmount(%q) = %d, off by %s", s, got, diff)
		}
	})
}
