package files

import (
	"encoding/json"
	"errors"
	"math/big"
	"testing"
)

func TestParseDecimal(t *testing.T) {
	f := func(in, want string, wantErr error) {
		t.Helper()
		d, err := parseDecimal([]byte(in))
		if !errors.Is(err, wantErr) || err == nil && d.String() != want {
			t.Errorf("%q: %v, %v; want %s, %v", in, d, err, want, wantErr)
		}
	}
	f("0", "0", nil)
	f("-0", "0", nil)
	f("2.55", "2.55", nil)
	f("-11062.06", "-11062.06", nil)
	f("0.0001", "0.0001", nil)
	f("-.5", "-0.5", nil)
	f("7.", "7", nil)
	f("007.10", "7.1", nil)
	f("2.55000000000000000000", "2.55", nil)
	f("99999999999999.9999", "99999999999999.9999", nil)
	f("100000000000000", "", errRange)
	f("18446744073709551617", "", errRange)
	f("9999999999999999999999999999", "", errRange)
	f("0.00001", "", errPlaces)
	for _, bad := range []string{"", "-", ".", "1e3", "1,5", " 1", "1 ", "+1", "0x1", "NaN", "١", "1.2.3", "--1"} {
		f(bad, "", errNotDecimal)
	}
}

func TestDecimalTimes(t *testing.T) {
	f := func(d Decimal, n int64, want string, wantErr error) {
		t.Helper()
		got, err := d.times(n)
		if !errors.Is(err, wantErr) || err == nil && got.String() != want {
			t.Errorf("%v × %d: %v, %v; want %s, %v", d, n, got, err, want, wantErr)
		}
	}
	f(25_500, 6, "15.3", nil)
	f(-25_500, 6, "-15.3", nil)
	f(25_500, -80995, "-206537.25", nil)
	f(-1, -1, "0.0001", nil)
	f(decimalLimit-1, 1, "99999999999999.9999", nil)
	f(decimalLimit-1, 2, "", errRange)
	f(decimalLimit-1, decimalLimit-1, "", errRange)
	if _, err := Decimal(decimalLimit - 1).plus(1); !errors.Is(err, errRange) {
		t.Errorf("sum beyond the range: %v", err)
	}
}

// FuzzDecimal compares with math/big on whatever is accepted.
func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"2.55", "-0.0001", "99999999999999.9999", "1e3", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDecimal([]byte(text))
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		if !ok || want.Cmp(big.NewRat(int64(d), decimalOne)) != 0 {
			t.Fatalf("%q was read as %s", text, d)
		}
		var again Decimal
		if err := json.Unmarshal([]byte(d.String()), &again); err != nil || again != d {
			t.Fatalf("%q: %s is read back as %s, %v", text, d, again, err)
		}
	})
}
