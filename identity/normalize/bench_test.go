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
