package activation

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/segments"
)

// Headers of deliveries.
const (
	headerSignature = "Kindred-Signature"
	headerKey       = "Idempotency-Key"
	userAgent       = "Kindred"
)

// message is what is posted for one change.
type message struct {
	method, url string
	header      http.Header // without signature and secret headers
	body        []byte
}

// Key names a change, the same whenever it is told: segment, block and profile.
func Key(c segments.Change) string {
	return string(c.Segment) + "/" + strconv.FormatUint(c.Block, 10) + "/" + c.Profile.String()
}

// message makes what is posted of a subject, or returns errIncomplete.
func (d *Definition) message(s *subject) (*message, error) {
	e, preset := d.Endpoint, presets[d.Endpoint.Preset]
	m := &message{method: http.MethodPost, header: http.Header{}}
	for _, method := range []string{preset.Method, e.Method} {
		if method != "" {
			m.method = method
		}
	}
	address := e.URL
	if address == "" {
		address = preset.URL
	}
	var err error
	if m.url, err = s.fill(address); err != nil {
		return nil, err
	}
	var body any
	fields := slices.Concat(preset.Fields, e.Fields)
	switch {
	case s.erased:
		body = s.deletion()
	case d.Kind == Segment:
		body = s.call(e)
	case len(fields) > 0:
		if body, err = s.object(fields); err != nil {
			return nil, err
		}
	default:
		body = s.own(e)
	}
	if m.body, err = encode(body); err != nil {
		return nil, err
	}
	for name, value := range e.Headers {
		m.header.Set(name, value)
	}
	m.header.Set("Content-Type", "application/json")
	m.header.Set("User-Agent", userAgent)
	m.header.Set(headerKey, s.key)
	return m, nil
}

// encode writes JSON without the escapes that only HTML needs.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// sign returns the value of the header with the signature of a body: the time in
// seconds, and for each secret HMAC-SHA256 of time, dot and body in hexadecimal.
// Several stand there while a secret changes.
func sign(body []byte, at time.Time, secrets ...string) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	var b strings.Builder
	b.WriteString("t=" + stamp)
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		_, _ = mac.Write([]byte(stamp + ".")) // Never fails.
		_, _ = mac.Write(body)
		b.WriteString(",v1=" + hex.EncodeToString(mac.Sum(nil)))
	}
	return b.String()
}

// ownBody is the form of Kindred.
type ownBody struct {
	ID          string      `json:"id"`
	Type        string      `json:"type"` // segment.entered or segment.exited
	Time        time.Time   `json:"time"`
	Workspace   string      `json:"workspace"`
	Destination ID          `json:"destination"`
	Segment     segments.ID `json:"segment"`
	Revision    uint64      `json:"revision"`
	Cause       string      `json:"cause"`
	Profile     ownProfile  `json:"profile"`
}

type ownProfile struct {
	ID string `json:"id"`
	// MergedInto is the profile that it is part of now.
	MergedInto  string                     `json:"merged_into,omitempty"`
	Identifiers map[string][]string        `json:"identifiers"`
	Traits      map[string]json.RawMessage `json:"traits"`
}

func (s *subject) own(e *Endpoint) ownBody {
	b := ownBody{
		ID: s.key, Type: "segment." + direction(s.change.Entered), Time: s.change.Time.UTC(), Workspace: s.workspace, Destination: s.destination,
		Segment: s.change.Segment, Revision: s.change.Revision, Cause: string(s.change.Cause),
		Profile: ownProfile{ID: s.change.Profile.String(), Identifiers: map[string][]string{}, Traits: map[string]json.RawMessage{}},
	}
	if into := s.merged(); into != 0 {
		b.Profile.MergedInto = into.String()
		return b // What is known is of the other.
	}
	for _, i := range s.profile.Identifiers {
		if ns := string(i.Namespace); e.tells(ns) && b.Profile.Identifiers[ns] == nil {
			b.Profile.Identifiers[ns] = s.identifiers(i.Namespace)
		}
	}
	b.Profile.Traits = s.traits(e)
	return b
}

// tells reports whether identifiers of a namespace are told.
func (e *Endpoint) tells(namespace string) bool {
	list := e.Identifiers
	if list == nil {
		list = []string{"user_id", "email"}
	}
	return slices.Contains(list, namespace) || slices.Contains(list, "*")
}

func (s *subject) traits(e *Endpoint) map[string]json.RawMessage {
	told := map[string]json.RawMessage{}
	for _, t := range s.profile.Traits {
		if slices.Contains(e.Traits, t.Name) || slices.Contains(e.Traits, "*") {
			told[t.Name] = t.Value
		}
	}
	return told
}

// Calls of Segment.
const (
	callIdentify = "identify"
	callTrack    = "track"
)

// call is what an audience of Segment sends: a trait that is named like the segment,
// or an event.
func (s *subject) call(e *Endpoint) map[string]any {
	sum := sha256.Sum256([]byte(string(s.destination) + "/" + s.key))
	body := map[string]any{
		"type": callIdentify, "messageId": "kindred-" + hex.EncodeToString(sum[:16]), "timestamp": s.change.Time.UTC().Format(time.RFC3339Nano),
		"context": map[string]any{"personas": map[string]string{
			"computation_class": "audience", "computation_id": s.workspace + "/" + string(s.change.Segment), "computation_key": string(s.change.Segment),
			"namespace": "kindred", "space_id": s.workspace,
		}},
	}
	user, anonymous := s.identifiers("user_id"), s.identifiers("anonymous_id")
	switch {
	case len(user) > 0:
		body["userId"] = user[0]
	case len(anonymous) > 0:
		body["anonymousId"] = anonymous[0]
	default:
		body["userId"] = s.change.Profile.String()
	}
	if e.Call == callTrack {
		body["type"], body["event"] = callTrack, map[bool]string{true: "Audience Entered", false: "Audience Exited"}[s.change.Entered]
		body["properties"] = map[string]any{"audience_key": s.change.Segment, string(s.change.Segment): s.change.Entered}
		return body
	}
	traits := map[string]any{}
	for name, value := range s.traits(e) {
		traits[name] = value
	}
	if mail := s.identifiers("email"); len(mail) > 0 && e.tells("email") {
		traits["email"] = mail[0]
	}
	traits[string(s.change.Segment)] = s.change.Entered
	body["traits"] = traits
	return body
}
