package inquiry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// tokenHeader carries "<seconds since 1970>.<64 hexadecimal digits>".
const tokenHeader = "Kindred-Inquiry"

// tokenWindow is how far the clocks of two processes may be apart, and for how
// long a recorded request could be sent again.
const tokenWindow = time.Minute

// signer makes and checks tokens. Its key is not the secret itself, so that a
// token says nothing about the keys of identifiers.
type signer struct{ key []byte }

func newSigner(secret identity.Secret) signer {
	m := hmac.New(sha256.New, secret[:])
	m.Write([]byte("kindred inquiry 1"))
	return signer{key: m.Sum(nil)}
}

func (s signer) sum(at int64, path string, body []byte) []byte {
	m := hmac.New(sha256.New, s.key)
	var fixed [16]byte
	binary.BigEndian.PutUint64(fixed[:8], uint64(at))
	binary.BigEndian.PutUint64(fixed[8:], uint64(len(path)))
	m.Write(fixed[:])
	m.Write([]byte(path))
	m.Write(body)
	return m.Sum(nil)
}

// token returns the token of a request at a time.
func (s signer) token(now time.Time, path string, body []byte) string {
	return strconv.FormatInt(now.Unix(), 10) + "." + hex.EncodeToString(s.sum(now.Unix(), path, body))
}

// accepts reports whether token is the one of the request, made within the
// window. It takes as long for every wrong one.
func (s signer) accepts(token string, now time.Time, path string, body []byte) bool {
	date, sum, ok := strings.Cut(token, ".")
	at, err := strconv.ParseInt(date, 10, 64)
	given, hexErr := hex.DecodeString(sum)
	if !ok || err != nil || hexErr != nil {
		return false
	}
	genuine := hmac.Equal(given, s.sum(at, path, body))
	age := now.Sub(time.Unix(at, 0))
	return genuine && age <= tokenWindow && age >= -tokenWindow
}
