package identity

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
)

func TestBlockedByDefault(t *testing.T) {
	for _, c := range []struct {
		ns    Namespace
		value string
		want  bool
	}{
		{UserID, "42", false},
		{UserID, "12345", false},
		{UserID, "1", false},
		{UserID, "0", true},
		{UserID, "-1", true},
		{UserID, "guest", true},
		{UserID, "GUEST", true},
		{UserID, "guest42", false},
		{UserID, "(null)", true},
		{UserID, "<nil>", true},
		{UserID, "[object Object]", true},
		{UserID, "n/a", true},
		{UserID, "N.A.", false},
		{UserID, "???", true},
		{UserID, "—", true},
		{UserID, "地", false},
		{Device, "00000000-0000-0000-0000-000000000000", true},
		{Device, "00000000-0000-0000-0000-000000000001", false},
		{Email, "ana@example.com", false},
		{Email, "ana+shop@mail.example.co.uk", false},
		{Email, "joão@xn--caf-dma.pt", false},
		{Email, "test@test.com", true},
		{Email, "guest@guest.com", true},
		{Email, "guest@hotel.com", false},
		{Email, "noreply@hotel.com", true},
		{Email, "info@hotel.com", false},
		{Email, "a@a.com", true},
		{Email, "ana", true},
		{Email, "ana@", true},
		{Email, "@example.com", true},
		{Email, "ana@localhost", true},
		{Email, "ana@.com", true},
		{Email, "ana@example.", true},
		{Email, "ana@example..com", true},
		{Email, "ana@b@example.com", true},
		{Email, "ana maria@example.com", true},
		{Phone, "+351912345678", false},
		{Phone, "+351911111111", false},
		{Phone, "+351912345678;ext=5", false},
		{Phone, "912345678", false},
		{Phone, "+351999999999", true},
		{Phone, "+351000000000", true},
		{Phone, "+351123456789", true},
		{Phone, "1234567", true},
		{Phone, "1234567890", true},
		{Phone, "112", true},
		{Phone, "call me", true},
		{Phone, "+", true},
		{Social, "instagram/ana", false},
		{Social, "instagram/null", true},
		{Social, "ana", false},
	} {
		if got := BlockedByDefault(Identifier{c.ns, c.value}); got != c.want {
			t.Errorf("BlockedByDefault(%s:%s) is %v, want %v", c.ns, c.value, got, c.want)
		}
	}
}

// TestLongestBlocked: a longer value would never be looked up.
func TestLongestBlocked(t *testing.T) {
	for v := range blockedValues {
		if len(v) > longestBlocked || !BlockedByDefault(Identifier{Namespace: UserID, Value: v}) {
			t.Errorf("%q of %d bytes is not blocked, the longest has %d", v, len(v), longestBlocked)
		}
	}
}

// TestPlaceholders: what is decided at the first digit is what the whole of a value says.
func TestPlaceholders(t *testing.T) {
	plain := func(v string) bool {
		return blockedValues[v] || blockedValues[strings.TrimFunc(v, around)] || strings.IndexFunc(v, func(r rune) bool {
			return unicode.IsLetter(r) || unicode.IsNumber(r) && r != '0'
		}) < 0
	}
	pieces := []string{"0", "1", "9", "-", "-1", " ", "(", ")", "a", "é", "٣", "½", "٠", "—"}
	for v := range blockedValues {
		pieces = append(pieces, v)
	}
	const seed = 1
	r := rand.New(rand.NewPCG(seed, 2))
	are := 0
	for range 100_000 {
		v := ""
		for range 1 + r.IntN(3) {
			v += pieces[r.IntN(len(pieces))]
		}
		want := plain(v)
		if want {
			are++
		}
		if got := placeholder(v); got != want {
			t.Fatalf("placeholder(%q) is %v, want %v (seed %d)", v, got, want, seed)
		}
	}
	if are < 1000 {
		t.Errorf("%d values are placeholders", are)
	}
}

// BenchmarkBlockedByDefault is what a reload asks of each identifier.
func BenchmarkBlockedByDefault(b *testing.B) {
	ids := []Identifier{
		{UserID, "481516"},
		{AnonymousID, "481516-1"},
		{AnonymousID, "8c0f6e1e-6f0a-4a4e-9a57-0a3f6f6f1b2d"},
		{Email, "ana.silva@shop.example"},
		{Phone, "+351912345678"},
	}
	for i := 0; b.Loop(); i++ {
		if BlockedByDefault(ids[i%len(ids)]) {
			b.Fatal("blocked")
		}
	}
}
