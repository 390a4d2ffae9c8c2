package webhook

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrSignature refuses a delivery whose signature or time does not hold. Errors
// that wrap it name the rule, and nothing of the secret or the delivery.
var ErrSignature = errors.New("signature")

func refused(detail string) error { return fmt.Errorf("%w: %s", ErrSignature, detail) }

// verify holds a delivery against the signature that it claims.
func (h *hook) verify(d Delivery, now time.Time) error {
	s := &h.Signature
	values := d.Header.Values(s.Header)
	if len(values) != 1 || len(values[0]) > 4096 {
		return refused("the header " + s.Header + " must be there once")
	}
	var given []string
	stamp := d.Header.Get(h.Replay.Header)
	switch {
	case s.Scheme == "basic":
		user, password, ok := basic(values[0])
		if !ok || !h.isSecret(user+":"+password) {
			return refused("user and password are not those of the webhook")
		}
		return nil
	case s.Scheme == "token":
		if !h.isSecret(strings.TrimPrefix(values[0], s.Prefix)) {
			return refused("the token is not that of the webhook")
		}
		return nil
	case s.Pairs:
		given, stamp = pairs(values[0], s.Pair, s.TimestampPair)
	default:
		rest, ok := strings.CutPrefix(values[0], s.Prefix)
		if !ok {
			return refused("it does not begin with " + s.Prefix)
		}
		given = []string{rest}
	}
	if h.stamped() {
		if err := h.fresh(stamp, now); err != nil {
			return err
		}
	}
	for _, text := range given {
		mac, err := s.decode(text)
		if err == nil && h.matches(d, stamp, mac) {
			return nil
		}
	}
	return refused("it does not match the body")
}

func (h *hook) isSecret(text string) bool {
	found := 0
	for _, secret := range h.secrets {
		found |= subtle.ConstantTimeCompare([]byte(text), secret)
	}
	return found == 1
}

func basic(header string) (user, password string, ok bool) {
	r := http.Request{Header: http.Header{"Authorization": {header}}}
	return r.BasicAuth()
}

// pairs reads "t=1,v1=a,v1=b"; several signatures stand there while the other
// system changes its secret.
func pairs(header, pair, timestamp string) (signatures []string, stamp string) {
	for _, part := range strings.Split(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case name == timestamp:
			stamp = value
		case name == pair && len(signatures) < 5:
			signatures = append(signatures, value)
		}
	}
	return signatures, stamp
}

func (s *SignatureConfig) decode(text string) ([]byte, error) {
	if s.Encoding == "base64" {
		return base64.StdEncoding.DecodeString(text)
	}
	return hex.DecodeString(text)
}

// matches compares in constant time with the signature by every secret.
func (h *hook) matches(d Delivery, stamp string, mac []byte) bool {
	algorithm := sha256.New
	if h.Signature.Scheme == "hmac-sha1" {
		algorithm = sha1.New // What Intercom and SurveyMonkey sign with; as a MAC it holds.
	}
	found := false
	for _, secret := range h.secrets {
		m := hmac.New(algorithm, secret)
		h.writeSigned(m, d, stamp)
		if hmac.Equal(m.Sum(nil), mac) {
			found = true
		}
	}
	return found
}

// writeSigned writes what is signed. Placeholders are replaced once: the body
// may hold text that looks like one.
func (h *hook) writeSigned(m hash.Hash, d Delivery, stamp string) {
	rest := h.Signature.Signed
	for {
		before, after, ok := strings.Cut(rest, "{")
		_, _ = m.Write([]byte(before))
		if !ok {
			return
		}
		name, more, _ := strings.Cut(after, "}")
		switch name {
		case "body":
			_, _ = m.Write(d.Body)
		case "timestamp":
			_, _ = m.Write([]byte(stamp))
		case "method":
			_, _ = m.Write([]byte(d.Method))
		case "url":
			_, _ = m.Write([]byte(h.Signature.URL))
		}
		rest = more
	}
}

// fresh refuses a delivery that is too old or from too far in the future.
func (h *hook) fresh(stamp string, now time.Time) error {
	var at time.Time
	n, err := strconv.ParseInt(stamp, 10, 64)
	switch h.Replay.Format {
	case "unix":
		at = time.Unix(n, 0)
	case "unix_ms":
		at = time.UnixMilli(n)
	case "rfc3339":
		at, err = time.Parse(time.RFC3339, stamp)
	}
	if err != nil {
		return refused("the timestamp is missing or not " + h.Replay.Format)
	}
	// Compared as times: a difference of far times would overflow.
	if at.Before(now.Add(-h.tolerance)) || at.After(now.Add(h.tolerance)) {
		return refused(fmt.Sprintf("the timestamp is more than %s away", h.tolerance))
	}
	return nil
}
