package normalize

import (
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

var benchmarks = []struct {
	name  string
	ns    identity.Namespace
	raw   string
	plain bool // in canonical form already: must not allocate
}{
	{"user_id", identity.UserID, "17850", true},
	{"anonymous_id", identity.AnonymousID, "6f9619ff-8b86-d011-b42d-00c04fc964ff", true},
	{"email", identity.Email, "ana.silva+shop@example.com", true},
	{"phone", identity.Phone, "+351912345678", true},
	{"social", identity.Social, "instagram/ana", true},
	{"email/upper", identity.Email, "Ana.Silva@Example.com", false},
	{"email/wide", identity.Email, "ａna@example.com", false},
	{"phone/formatted", identity.Phone, "+351 912 345 678", false},
	{"phone/trunk", identity.Phone, "+44 (0)20 7946 0958", false},
}

func TestCanonicalTextDoesNotAllocate(t *testing.T) {
	for _, b := range benchmarks {
		if !b.plain {
			continue
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = Identifier(b.ns, b.raw) }); n != 0 {
			t.Errorf("%s allocates %v times", b.name, n)
		}
	}
}

func BenchmarkIdentifier(b *testing.B) {
	for _, c := range benchmarks {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Identifier(c.ns, c.raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMailbox(b *testing.B) {
	n := New(Options{ProviderRules: true})
	for name, raw := range map[string]string{"gmail": "ana.silva+shop@gmail.com", "company": "ana.silva@example.com"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := n.Identifier(identity.Email, raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRecord measures what linkage asks of each record once, not of each
// pair.
func BenchmarkRecord(b *testing.B) {
	european := Dates{Order: DayFirst}
	for _, c := range []struct {
		name string
		read func() error
	}{
		{"name", func() error { _, err := Name("Dr. Ana Maria da Silva"); return err }},
		{"name/accents", func() error { _, err := Name("Conceição, João Pedro da"); return err }},
		{"name/greek", func() error { _, err := Name("Γιώργος Παπαδόπουλος"); return err }},
		{"nickname", func() error { SameName("bob", "robert"); return nil }},
		{"date/iso", func() error { _, err := Date("1985-03-12"); return err }},
		{"date/numbers", func() error { _, err := european.Date("12/03/1985"); return err }},
		{"date/words", func() error { _, err := Date("12 de março de 1985"); return err }},
		{"address/english", func() error { _, err := Address("Flat 3, 12 High St, London SW1A 1AA"); return err }},
		{"address/portuguese", func() error { _, err := Address("Av. da Liberdade 110, 3.º Esq., 1269-046 Lisboa"); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
