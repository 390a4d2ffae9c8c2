package text_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/segmentstest"
	"github.com/kindred-cdp/kindred/segments/text"
)

// TestParse has a row per rule of the grammar: a text and its JSON. With a third
// column, that is the text that Format writes.
func TestParse(t *testing.T) {
	f := func(from, want, canonical string) {
		t.Helper()
		got, err := text.Parse(from)
		if err != nil {
			t.Errorf("%s: %v", from, err)
			return
		}
		expected, err := segments.Parse([]byte(want))
		if err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		if diff := cmp.Diff(expected, got.Definition); diff != "" {
			t.Errorf("%s (-want +got):\n%s", from, diff)
		}
		if canonical == "" {
			canonical = from
		}
		if back, err := text.Format(got.Definition); err != nil || back != canonical {
			t.Errorf("%s is written as\n%s\nwant\n%s %v", from, back, canonical, err)
		}
	}
	f(`country in ("PT","BR") and did "Order Completed" >= 2 times in 30d`,
		`{"all":[{"trait":"country","op":"in","value":["PT","BR"]},{"event":"Order Completed","count":{"gte":2},"within":"30d"}]}`,
		`country in ("PT", "BR") and did "Order Completed" >= 2 times in 30d`)
	f(`trait "a b" = 5 or x != true or y exists`, `{"any":[{"trait":"a b","op":"eq","value":5},{"trait":"x","op":"neq","value":true},{"trait":"y","op":"exists"}]}`, "")
	f(`trait "not" contains "x" and (not a > -1.5 or all(b <= "x"))`,
		`{"all":[{"trait":"not","op":"contains","value":"x"},{"any":[{"not":{"trait":"a","op":"gt","value":-1.5}},{"all":[{"trait":"b","op":"lte","value":"x"}]}]}]}`, "")
	f(`a exists and b exists or c exists`, `{"any":[{"all":[{"trait":"a","op":"exists"},{"trait":"b","op":"exists"}]},{"trait":"c","op":"exists"}]}`, `(a exists and b exists) or c exists`)
	f(`any(has email)`, `{"any":[{"identifier":"email"}]}`, "")
	f(`((not (not has email)))`, `{"not":{"not":{"identifier":"email"}}}`, `not not has email`)
	f(`did Page of behaviour in 1w from 2025-01-01 until 2025-02-01T12:00:00.5Z where (cart.total >= 5 and items[].sku = "x")`,
		`{"event":"Page","kind":"behaviour","within":"1w","from":"2025-01-01","until":"2025-02-01T12:00:00.5Z","where":[{"property":"cart.total","op":"gte","value":5},{"property":"items","each":"sku","op":"eq","value":"x"}]}`,
		`did Page of behaviour in 1w from 2025-01-01T00:00:00Z until 2025-02-01T12:00:00.5Z where (cart.total >= 5 and items[].sku = "x")`)
	f(`did Page from 2025-07-01 zone "Europe/Lisbon"`, `{"event":"Page","from":"2025-06-30T23:00:00Z"}`, `did Page from 2025-06-30T23:00:00Z`)
	f(`did Page days >= 3`, `{"event":"Page","days":{"gte":3}}`, "")
	f(`did Buy sum(revenue) > 5 <= 10 in 1w`, `{"event":"Buy","sum":"revenue","is":{"gt":5,"lte":10},"within":"7d"}`, "")
	f(`last Buy in 30d where ("a\\.b" = "c")`, `{"event":"Buy","pick":"last","within":"30d","where":[{"property":"a\\.b","op":"eq","value":"c"}]}`, "")
	f(`sequence (View where (n = 1) then optional "Cart Viewed" after >= 1m <= 2h then Buy of transaction after <= 1h without Leave of support where (n = 2)) in 1w span 1d`,
		`{"sequence":[{"event":"View","where":[{"property":"n","op":"eq","value":1}]},{"event":"Cart Viewed","optional":true,"after":{"gte":"1m","lte":"2h"}},{"event":"Buy","kind":"transaction","after":{"lte":"1h"},"without":{"event":"Leave","kind":"support","where":[{"property":"n","op":"eq","value":2}]}}],"within":"7d","span":"1d"}`, "")
	f(`orders >= 1 in 7d and revenue EUR > 100 and refunds "EUR" = 0`,
		`{"all":[{"orders":{"gte":1},"within":"1w"},{"revenue":{"gt":100},"currency":"EUR"},{"refunds":{"eq":0},"currency":"EUR"}]}`,
		`orders >= 1 in 1w and revenue EUR > 100 and refunds EUR = 0`)
	f(`score churn >= 0.7 and score "a b" upper < 1`, `{"all":[{"score":"churn","op":"gte","value":0.7},{"score":"a b","end":"upper","op":"lt","value":1}]}`, "")
	f(`consent marketing by email granted and not consent profiling denied`, `{"all":[{"consent":"marketing","channel":"email","is":"granted"},{"not":{"consent":"profiling","is":"denied"}}]}`, "")
	f(`holdout "spring-2026" >= 5% < 10`, `{"holdout":"spring-2026","percent":{"gte":5,"lt":10}}`, `holdout "spring-2026" >= 5% < 10%`)
	f(`persona p3 or not stage at_risk or trait stage = "x"`, `{"any":[{"persona":"p3"},{"not":{"stage":"at_risk"}},{"trait":"stage","op":"eq","value":"x"}]}`, "")
	f(`segment "at-risk" or segment vip`, `{"any":[{"segment":"at-risk"},{"segment":"vip"}]}`, "")
	f(`location near (38.72, -9.14, 5) >= 2 times in 30d`, `{"location":{"near":{"lat":38.72,"lon":-9.14,"km":5}},"count":{"gte":2},"within":"30d"}`, "")
	f(`location inside (38 -9, 39 -9, 38.5 -8) minutes > 30 from 2025-01-01`, `{"location":{"inside":[{"lat":38,"lon":-9},{"lat":39,"lon":-9},{"lat":38.5,"lon":-8}]},"minutes":{"gt":30},"from":"2025-01-01"}`,
		`location inside (38 -9, 39 -9, 38.5 -8) minutes > 30 from 2025-01-01T00:00:00Z`)
	f(`location cell "85393363fffffff" and nps promoter in 90d and sentiment of social < -0.3 in 1w`,
		`{"all":[{"location":{"cell":"85393363fffffff"}},{"nps":"promoter","within":"90d"},{"sentiment":{"lt":-0.3},"in":"social","within":"1w"}]}`, "")
	f(`bought category Shoes >= 1 times in 90d and bought product "sku-1" category "a b" = 0 times`,
		`{"all":[{"bought":{"gte":1},"category":"Shoes","within":"90d"},{"bought":{"eq":0},"product":"sku-1","category":"a b"}]}`, "")
	f(`household >= 2 and accounts >= 1 in ("acme") where (plan = "gold" and size > 5)`,
		`{"all":[{"household":{"gte":2}},{"accounts":{"gte":1},"in":["acme"],"where":[{"trait":"plan","op":"eq","value":"gold"},{"trait":"size","op":"gt","value":5}]}]}`, "")
}

// TestFaults has a row per mistake: where it is and what was expected.
func TestFaults(t *testing.T) {
	f := func(from string, want ...string) {
		t.Helper()
		_, err := text.Parse(from)
		var invalid *text.Invalid
		if !errors.As(err, &invalid) {
			t.Errorf("%.80q: %v", from, err)
			return
		}
		if got := err.Error(); !strings.HasPrefix(got, "segment text: "+strings.Join(want, "; ")) || len(invalid.Faults) != len(want) {
			t.Errorf("%.80q: %s\nwant %s", from, got, want)
		}
	}
	f(``, `line 1, column 1: expected a leaf, such as did or the name of a trait, not or (, found the end`)
	f("country = \n  and x exists", `line 2, column 3: expected a string, a number, true or false, found and`)
	f(`a = 5 b = 6`, `line 1, column 7: expected and, or, or the end, found b`)
	f(`(a = 5`, `line 1, column 7: expected and, or, or ), found the end`)
	f(`did Page avg(price) > 3`, `line 1, column 10: expected of, =, !=, >, >=, <, <=, days, sum, average, min, max, in, from, until, zone, where, and, or, or the end, found avg; write average`)
	f(`did Page average(price) between 1 and 2`, `line 1, column 25: expected =, !=, >, >=, < or <=, found between; write >= 1 <= 2`)
	f(`did Page where (price > 3 in 7d)`, `line 1, column 27: expected and or ), found in`)
	f(`sequence (A then B within 7d)`, `line 1, column 20: expected of, where, after, without, then or ), found within`)
	f(`sequence (A then B) within 7d`, `line 1, column 21: expected in, from, until, zone, span, and, or, or the end, found within; write in`)
	f(`did A then B`, `line 1, column 7: expected of, =, !=, >, >=, <, <=, days, sum, average, min, max, in, from, until, zone, where, and, or, or the end, found then; write sequence (A then B)`)
	f(`did A in 7d AND did B`, `line 1, column 13: expected from, until, zone, where, and, or, or the end, found AND; write and`)
	f(`country like "P%"`, `line 1, column 9: expected =, !=, >, >=, <, <=, in, contains or exists, found like; write contains`)
	f(`a ~ 5`, `line 1, column 3: has no place in a definition: ~`)
	f(`a = "x`, `line 1, column 5: is a string that does not end, or breaks the rules of JSON`)
	f(`olá = 5`, `line 1, column 3: has no place in a definition: á`)
	f(`trait "olá" ! 5`, `line 1, column 13: has no place in a definition: !`)
	f(`a like "x"`, `line 1, column 3: expected =, !=, >, >=, <, <=, in, contains or exists, found like`)
	f(`a in "x"`, `line 1, column 6: expected (, found a string`)
	f(`a in ("x" "y")`, `line 1, column 11: expected a comma or ), found a string`)
	f(`did`, `line 1, column 4: expected the name of an event, found the end`)
	f(`did Page >= 2 in 30d`, `line 1, column 15: expected times, found in`)
	f(`did Page >= 2 >= 3 times`, `line 1, column 15: >= stands here twice`)
	f(`did Page in 30`, `line 1, column 13: must be a whole number and a unit m, h, d or w`)
	f(`did Page of behavior`, `line 1, column 13: must be one of behaviour`)
	f(`has Email`, `line 1, column 5: must be a namespace`)
	f("a = true and\n(b > true or c >= false)", `line 2, column 6: must be a number or a string for gt`, `line 2, column 19: must be a number or a string for gte`)
	f(`revenue > 5`, `line 1, column 1: must have a currency`)
	f(`sequence (A)`, `line 1, column 10: must be an array of 2 to 10 steps`)
	f(`score x = "y"`, `line 1, column 1: must compare with a number`)
	f(`consent marketing`, `line 1, column 18: expected granted, denied or unknown, found the end`)
	f(`stage vip`, `line 1, column 7: must be one of anonymous`)
	f(`holdout x < 101%`, `line 1, column 13: must be 0 to 100`)
	f(strings.Repeat("(", 100)+"a = 1", `line 1, column 34: is nested too deeply`)
	f(strings.Repeat("not ", 1000)+"a = 1", `line 1, column 133: is nested too deeply`)
	f(strings.Repeat("not ", 20)+"a = 1", `line 1, column 65: is nested more than 16 levels deep`)
	f(`location at`, `line 1, column 10: expected near, inside or cell, found at`)
	f(`location near (91, 0, 5)`, `line 1, column 16: must be -90 to 90`)
	f(`location inside (1 2, 3 4)`, `line 1, column 10: must be an array of 3 to 100 corners`)
	f("a = \"\xff\"", `line 1, column 1: must be UTF-8`)
	f(strings.Repeat(" ", segments.MaxBytes+1), `line 1, column 1: must not be longer`)
	f(strings.Repeat("x", 100)+" y", `line 1, column 102: expected =`)
}

// TestRoundTrip writes and reads random definitions: the text of what was read is the
// text that was written, and its definition the one that it was written from.
func TestRoundTrip(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("KINDRED_TEST_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("KINDRED_TEST_SEED=%d", seed)
	m := segmentstest.New(seed, 4)
	for range 3000 {
		d := m.Definition()
		form, err := d.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if d, err = segments.Parse(form); err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		roundTrip(t, d)
	}
}

func roundTrip(t *testing.T, d segments.Definition) {
	t.Helper()
	form, _ := d.MarshalJSON()
	written, err := text.Format(d)
	if err != nil {
		t.Fatalf("%s: %v", form, err)
	}
	read, err := text.Parse(written)
	if err != nil {
		t.Fatalf("%s\nof %s: %v", written, form, err)
	}
	if diff := cmp.Diff(d, read.Definition); diff != "" {
		t.Fatalf("%s (-json +text):\n%s", written, diff)
	}
	if again, err := text.Format(read.Definition); err != nil || again != written {
		t.Fatalf("written as %s\nand again as %s %v", written, again, err)
	}
}

func FuzzParse(f *testing.F) {
	m := segmentstest.New(1, 5)
	for range 40 {
		written, err := text.Format(m.Definition())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(written)
	}
	for _, s := range []string{`a = "`, `((`, `did Page from 2025-07-01 zone "Europe/Lisbon"`, `holdout x < 5%`, "a\x00", `not not`, `a in (1, 2`, `x = 1e999`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		read, err := text.Parse(s)
		if err != nil {
			var invalid *text.Invalid
			if !errors.As(err, &invalid) || len(invalid.Faults) == 0 || invalid.Faults[0].Line < 1 || invalid.Faults[0].Column < 1 {
				t.Fatalf("error %v is no list of places", err)
			}
			return
		}
		roundTrip(t, read.Definition)
	})
}
