package keys

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/identity"
)

// Key is a managed key as it stands.
type Key struct {
	Workspace, ID, Name string
	Role                string // one of Roles
	// Source names where the events come from that are sent with it. That of a public
	// key begins with identity.PublicPrefix.
	Source string
	// Origins are those of the pages that may send with a key of role public.
	Origins []string
	// Person says that a person holds it.
	Person bool
	// Rate is in requests a second, Burst in requests; 0 for the defaults.
	Rate  float64
	Burst uint32
	// Created and Changed are when the commands came; Expires is zero for never.
	Created, Changed, Expires time.Time
	Revoked                   bool
	Actor                     string // who changed it last
	Revision                  uint64
	// Before is until when the secret before the last rotation holds; zero for none.
	Before time.Time

	hash, previous string // SHA-256 in hexadecimal
}

// RolePublic is that of a key in the hands of browsers and apps, where everybody can
// read it.
const RolePublic = "public"

// Roles returns the roles of keys.
func Roles() []string { return []string{"write", RolePublic, "read", "marketer", "admin"} }

// MaxKeys bounds the live keys of a workspace: each API process holds all.
const MaxKeys = 1000

// MaxGrace bounds how long a secret outlives its rotation.
const MaxGrace = 30 * 24 * time.Hour

var (
	idForm   = regexp.MustCompile(`^[0-9a-f]{16}$`)
	hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Creation asks for a new key. The subject of its command is the key's id.
type Creation struct {
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Source  string    `json:"source,omitempty"`
	Origins []string  `json:"origins,omitempty"`
	Person  bool      `json:"person,omitempty"`
	Rate    float64   `json:"rate,omitempty"`
	Burst   uint32    `json:"burst,omitempty"`
	Expires time.Time `json:"expires_at,omitzero"`
	Hash    string    `json:"hash"` // of the secret
}

func (c *Creation) validate() error {
	var errs []error
	if c.Name == "" || len(c.Name) > 100 || !utf8.ValidString(c.Name) {
		errs = append(errs, errors.New("the name must have 1 to 100 bytes"))
	}
	if !slices.Contains(Roles(), c.Role) {
		errs = append(errs, errors.New("the role must be write, public, read, marketer or admin"))
	}
	if len(c.Source) > 100 || !utf8.ValidString(c.Source) {
		errs = append(errs, errors.New("the source must have at most 100 bytes"))
	}
	if bare := strings.TrimPrefix(c.Source, identity.PublicPrefix); c.Role == RolePublic && (bare == "" || bare == c.Source) {
		errs = append(errs, fmt.Errorf("a key of role public must have a source that begins with %s and goes on", identity.PublicPrefix))
	}
	if err := checkOrigins(c.Role, c.Origins); err != nil {
		errs = append(errs, err)
	}
	if !(c.Rate >= 0) || math.IsInf(c.Rate, 0) {
		errs = append(errs, errors.New("the rate must not be negative"))
	}
	if !hashForm.MatchString(c.Hash) {
		errs = append(errs, errors.New("the hash must have 64 hexadecimal digits"))
	}
	return errors.Join(errs...)
}

// Rotation asks for another secret. The one before it holds for Grace yet.
type Rotation struct {
	Hash  string        `json:"hash"`
	Grace time.Duration `json:"grace,omitempty"`
}

func (r *Rotation) validate() error {
	if !hashForm.MatchString(r.Hash) {
		return errors.New("the hash must have 64 hexadecimal digits")
	}
	if r.Grace < 0 || r.Grace > MaxGrace {
		return fmt.Errorf("the grace must be 0 to %s", MaxGrace)
	}
	return nil
}

// secretPrefix lets scanners of code and of logs find secrets that leaked.
const secretPrefix = "kdr_"

// newSecret returns a secret of 256 random bits, and its hash.
func newSecret() (secret, hash string) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // Never fails: crypto/rand ends the process instead.
	secret = secretPrefix + base64.RawURLEncoding.EncodeToString(b[:])
	sum := sha256.Sum256([]byte(secret))
	return secret, hex.EncodeToString(sum[:])
}

// newID returns a random id of a key.
func newID() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
