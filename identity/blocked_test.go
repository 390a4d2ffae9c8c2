package identity

import "testing"

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
