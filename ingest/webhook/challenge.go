package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
)

// maxChallenge bounds what is repeated to whoever asks.
const maxChallenge = 512

// asked answers a challenge by GET.
func (h *hook) asked(d Delivery) (Reply, error) {
	switch h.Challenge.Style {
	case "hub":
		if subtle.ConstantTimeCompare([]byte(d.Query.Get("hub.verify_token")), h.token) != 1 {
			return Reply{}, refused("the verify token is not that of the webhook")
		}
		return challenge(d.Query.Get("hub.challenge"), "text/plain")
	case "crc":
		token := d.Query.Get("crc_token")
		if token == "" || len(token) > maxChallenge {
			return Reply{}, refused("the challenge is missing or too long")
		}
		m := hmac.New(sha256.New, h.secrets[0])
		_, _ = m.Write([]byte(token))
		return challenge(`{"response_token":"sha256=`+base64.StdEncoding.EncodeToString(m.Sum(nil))+`"}`, "application/json")
	}
	return Reply{}, ErrUnknown
}

// challenged answers a challenge among signed deliveries.
func (h *hook) challenged(body []byte) (Reply, bool) {
	if h.Challenge.Style != "url_verification" {
		return Reply{}, false
	}
	var c struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	if json.Unmarshal(body, &c) != nil || c.Type != "url_verification" {
		return Reply{}, false
	}
	r, err := challenge(c.Challenge, "text/plain")
	return r, err == nil
}

// challenge repeats printable ASCII only.
func challenge(text, contentType string) (Reply, error) {
	if text == "" || len(text) > maxChallenge {
		return Reply{}, refused("the challenge is missing or too long")
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return Reply{}, refused("the challenge must be printable")
		}
	}
	return Reply{ContentType: contentType, Body: []byte(text)}, nil
}
