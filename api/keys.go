package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
)

// Role says what a key may do.
type Role string

// The roles. Admin may do all that the others may.
const (
	RoleWrite    Role = "write"    // send events
	RolePublic   Role = "public"   // send events from where everybody can read the key
	RoleRead     Role = "read"     // for programs: read profiles and preview segments
	RoleMarketer Role = "marketer" // for people: read what read may, personal values masked
	RoleAdmin    Role = "admin"    // for people: all, values as they are
)

// Roles returns the roles that a key can have.
func Roles() []Role { return []Role{RoleWrite, RolePublic, RoleRead, RoleMarketer, RoleAdmin} }

// Key is an API key as it is stored: by the SHA-256 of its secret. Secrets are
// long and random, so a plain hash keeps them.
type Key struct {
	// ID names the key for ever, in the audit log too; the name when it is empty.
	ID        string
	Name      string // for logs; no secret
	Hash      [sha256.Size]byte
	Role      Role
	Workspace string
	// Source names where the events come from that are sent with the key, such
	// as "web"; the key's name when empty. Message ids are unique by source.
	Source string
	// Origins are those of the pages that may send with a key of role public, as
	// browsers name them; "*" for all, none for keys that are not bound to pages.
	Origins []string
	// Person says that a person holds the key, whose reads of personal data go on
	// record; those of the roles marketer and admin do anyway.
	Person bool
	// Expires ends the key, Revoked has ended it. Zero for never.
	Expires time.Time
	Revoked bool
	// Rate is how many requests a second the key may send to one process, and
	// Burst how many at once. 0 stands for the defaults of Config.
	Rate  float64
	Burst int
}

// id names the key in the audit log.
func (k Key) id() string {
	if k.ID == "" {
		return k.Name
	}
	return k.ID
}

// person reports whether reads with the key are those of a person.
func (k Key) person() bool { return k.Person || k.Role == RoleMarketer || k.Role == RoleAdmin }

// source returns the source of events sent with the key.
func (k Key) source() string {
	if k.Source == "" {
		return k.Name
	}
	return k.Source
}

// HashSecret returns the hash under which a secret is stored.
func HashSecret(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

// String returns the form that ParseKey reads.
func (k Key) String() string {
	s := fmt.Sprintf("%s:%s:%s:%s", k.Name, k.Role, k.Workspace, hex.EncodeToString(k.Hash[:]))
	if k.Source != "" {
		s += ":" + k.Source
	}
	return s
}

// ParseKey reads "name:role:workspace:hash" or "name:role:workspace:hash:source",
// with the hash as 64 hexadecimal digits of SHA-256. Errors do not repeat the
// text, which may hold a secret.
func ParseKey(s string) (Key, error) {
	parts := strings.Split(s, ":")
	if len(parts) != 4 && len(parts) != 5 {
		return Key{}, errors.New("api key must have the form name:role:workspace:sha256[:source]")
	}
	hash, err := hex.DecodeString(parts[3])
	if err != nil || len(hash) != sha256.Size {
		return Key{}, fmt.Errorf("api key %q: hash must be 64 hexadecimal digits", parts[0])
	}
	k := Key{Name: parts[0], Role: Role(parts[1]), Workspace: parts[2], Hash: [sha256.Size]byte(hash)}
	if len(parts) == 5 {
		k.Source = parts[4]
	}
	return k, k.validate()
}

// maxSource is the greatest length of a source in bytes, that of an event's.
const maxSource = 100

func (k Key) validate() error {
	if k.Name == "" || k.Workspace == "" {
		return errors.New("api key needs a name and a workspace")
	}
	if len(k.Source) > maxSource {
		return fmt.Errorf("api key %q: the source has %d bytes; the limit is %d", k.Name, len(k.Source), maxSource)
	}
	if k.Rate < 0 || math.IsNaN(k.Rate) || k.Burst < 0 {
		return fmt.Errorf("api key %q: rate and burst must not be negative", k.Name)
	}
	switch k.Role {
	case RoleWrite, RolePublic, RoleRead, RoleMarketer, RoleAdmin:
		return nil
	}
	return fmt.Errorf("api key %q: role must be write, public, read, marketer or admin", k.Name)
}

// may reports whether a key of role r may use a route that needs role need.
// Marketers may read where personal values can be masked: see access.
func (r Role) may(need Role) bool {
	return r == need || r == RoleAdmin || r == RoleMarketer && need == RoleRead || r == RolePublic && need == RoleWrite
}

// keyring finds keys by the hash of their secret.
type keyring []Key

// find compares with every key and in constant time, so that the time it takes
// tells nothing about which hash came close.
func (ring keyring) find(hash [sha256.Size]byte) (Key, bool) {
	found := -1
	for i := range ring {
		if subtle.ConstantTimeCompare(hash[:], ring[i].Hash[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return Key{}, false
	}
	return ring[found], true
}

// secretOf returns the secret of "Authorization: Bearer SECRET", or of Basic
// authorisation with the secret as user name, as Segment's clients send it.
func secretOf(r *http.Request) (string, bool) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return "", false
	}
	scheme, secret, ok := strings.Cut(headers[0], " ")
	secret = strings.TrimSpace(secret)
	switch {
	case !ok:
		return "", false
	case strings.EqualFold(scheme, "Bearer"):
		return secret, secret != ""
	case strings.EqualFold(scheme, "Basic"):
		return basicUser(secret)
	}
	return "", false
}

// basicUser returns the user name of Basic credentials. Old clients of Segment
// leave out the colon that should follow it, or the padding.
func basicUser(credentials string) (string, bool) {
	text, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(credentials, "="))
	if err != nil {
		return "", false
	}
	user, _, _ := strings.Cut(string(text), ":")
	return user, user != ""
}
