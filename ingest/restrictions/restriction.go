package restrictions

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// Restriction is one that stands.
type Restriction struct {
	ID     string
	Since  time.Time
	Ground string // one of Grounds, empty for not told
	Actor  string // name of the API key that asked for it
	Keys   []identity.Key
}

// ErrRefused reports a change that breaks a rule; the wrapping error says which.
var ErrRefused = errors.New("refused")

// Grounds are why a person may ask for a restriction: they contest that the data are
// right, the processing is unlawful and they want no erasure, they need the data for
// legal claims, or they have objected and the answer is open.
func Grounds() []string { return []string{"accuracy", "unlawful", "claims", "objection"} }

func knownGround(ground string) bool { return ground == "" || slices.Contains(Grounds(), ground) }

var idForm = regexp.MustCompile(`^[0-9a-f]{16}$`)

// newID returns a random id of a restriction.
func newID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // Never fails: crypto/rand ends the process instead.
	return hex.EncodeToString(b[:])
}
