package linkage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/identity/normalize"
)

// tries is the number of random cases: KINDRED_TEST_COUNT, or a modest default.
func tries(t testing.TB, modest int) int {
	t.Helper()
	text := os.Getenv("KINDRED_TEST_COUNT")
	if text == "" {
		return modest
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("KINDRED_TEST_COUNT: %v", err)
	}
	return n
}

// random returns a seeded source and prints the seed.
func random(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(1)
	if n, err := strconv.ParseUint(os.Getenv("KINDRED_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("KINDRED_TEST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// draw returns a raw value of a type: mostly a sensible one of few, so that two
// are alike, often with slips, and at times anything.
func draw(r *rand.Rand, typ Type) string {
	if r.IntN(50) == 0 {
		return pick(r, "", "N/A", "xxxx", "000-00-0000", "a@a.com", "1900-01-01", "ß", "Ω", "\xff", "  ", "-", "@", "a@", "@b", strings.Repeat("w", 70), "κόσμος", "Иван")
	}
	s := ""
	switch typ {
	case GivenName, Surname, Name:
		s = pick(r, "Ana", "Anna", "William", "Bill", "Robert", "Bob", "Jo", "Joanna", "Müller", "Mueller", "Smith", "Smyth", "Smith Jones", "O'Brien", "Brien", "Meyer", "Maier", "A", "Van der Berg")
	case Date:
		s = fmt.Sprintf("%04d-%02d-%02d", 1950+r.IntN(12), 1+r.IntN(13), 1+r.IntN(28))
		if r.IntN(8) == 0 {
			s = fmt.Sprintf("%02d.%02d.%04d", r.IntN(40), 1+r.IntN(12), 1950+r.IntN(12))
		}
	case Day, Month:
		s = strconv.Itoa(r.IntN(14))
	case Year:
		s = strconv.Itoa(1950 + r.IntN(40))
	case Email:
		s = pick(r, "ana", "ana.silva", "anasilva", "a", "robert25", "roberta25") + pick(r, "@", "@", "@", "", "+x@") + pick(r, "mail.example", "post.example", "a.example")
	case Phone:
		s = pick(r, "+351 91", "091", "0035191", "077 ") + strconv.Itoa(2345600+r.IntN(40))
	case Postcode:
		s = pick(r, "4000-", "4100-", "SW1A ", "K1A") + strconv.Itoa(r.IntN(300))
	case House:
		s = strconv.Itoa(r.IntN(30)) + pick(r, "", "a", "b")
	case Category:
		s = pick(r, "nsw", "vic", "qld")
	case Generation:
		s = pick(r, "jr", "Sr.", "III", "junior", "2")
	case Number:
		s = strconv.Itoa(1234567 + r.IntN(200))
	default:
		s = pick(r, "12 Main St", "Main Street 12", "High Rd", "High Road", "Rua de Santa Catarina", "Rua Sta Catarina", "Porto", "Oporto", "Vila Nova de Gaia")
	}
	for r.IntN(3) == 0 {
		s = slip(r, s)
	}
	return s
}

// slip makes one typing error.
func slip(r *rand.Rand, s string) string {
	b := []byte(s)
	if len(b) < 2 {
		return s + string(rune('a'+r.IntN(26)))
	}
	at := r.IntN(len(b) - 1)
	switch r.IntN(4) {
	case 0:
		b[at], b[at+1] = b[at+1], b[at]
	case 1:
		return s[:at] + s[at+1:]
	case 2:
		return s[:at] + string(rune('a'+r.IntN(26))) + s[at:]
	default:
		b[at] = "0123456789aeiost"[r.IntN(16)]
	}
	return string(b)
}

// prepare reads a table by one goroutine.
func prepare(t *Table, declared map[string]Type) (*corpus, error) {
	return readTable(context.Background(), t, declared, 1)
}

// lexicon is a dictionary of random values of a type.
func lexicon(r *rand.Rand, typ Type, values int) *dictionary {
	d := newDictionary()
	for range values {
		if v, form, ok := canonical(typ, normalize.Order(r.IntN(2)), draw(r, typ)); ok {
			d.code(form, &v)
		}
	}
	return d
}

// tableOf makes a table of records, a record a line, its fields parted by bars.
// The first line is the header.
func tableOf(lines ...string) *Table {
	t := &Table{Rows: len(lines) - 1}
	for i, name := range strings.Split(lines[0], "|") {
		c := Column{Name: name, Values: []string{""}}
		codes := map[string]uint32{"": 0}
		for _, line := range lines[1:] {
			v := strings.TrimSpace(strings.Split(line, "|")[i])
			code, ok := codes[v]
			if !ok {
				code = uint32(len(c.Values))
				codes[v] = code
				c.Values = append(c.Values, v)
			}
			c.Codes = append(c.Codes, code)
		}
		t.Columns = append(t.Columns, c)
	}
	return t
}
