package activation

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/kindred-cdp/kindred/identity"
)

// Names of secrets of a destination.
const (
	secretSigning  = "signing"  // signs deliveries
	secretPrevious = "previous" // did before it was changed
	secretHeader   = "header:"  // in front of the name of a header
)

// errSealed says that a secret cannot be opened.
var errSealed = errors.New("a secret of the destination was sealed with another id key")

// Sealer seals and opens secrets of destinations. It is safe for concurrent use.
type Sealer struct{ aead cipher.AEAD }

// NewSealer returns a sealer with a key that is made from the secret of the
// installation: all its processes have the same, and it need not be kept anywhere.
func NewSealer(secret identity.Secret) (*Sealer, error) {
	key, err := hkdf.Key(sha256.New, secret[:], nil, "kindred secrets of destinations", 32)
	if err != nil {
		return nil, fmt.Errorf("key of secrets: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("key of secrets: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("key of secrets: %w", err)
	}
	return &Sealer{aead}, nil
}

// place binds a sealed text to where it belongs, so that it opens nowhere else.
func place(workspace string, id ID, name string) []byte {
	return []byte(workspace + "\x00" + string(id) + "\x00" + name)
}

// Seal returns value sealed for a place.
func (s *Sealer) Seal(workspace string, id ID, name, value string) string {
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce) // Never fails: crypto/rand ends the process instead.
	return base64.RawStdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, []byte(value), place(workspace, id, name)))
}

// Open returns what was sealed for a place.
func (s *Sealer) Open(workspace string, id ID, name, sealed string) (string, error) {
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil || len(raw) < s.aead.NonceSize() {
		return "", errSealed
	}
	size := s.aead.NonceSize()
	value, err := s.aead.Open(nil, raw[:size], raw[size:], place(workspace, id, name))
	if err != nil {
		return "", errSealed
	}
	return string(value), nil
}

// newSecret returns what signs the deliveries of a destination: 256 random bits, with
// a prefix by which scanners of code and of logs find secrets that leaked.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return "kds_" + base64.RawURLEncoding.EncodeToString(b[:])
}
