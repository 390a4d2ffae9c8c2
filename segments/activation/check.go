package activation

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Bounds of definitions.
const (
	MaxDestinations = 100 // of a workspace
	maxSegments     = 100
	maxFields       = 100
	maxHeaders      = 20
	maxText         = 200
	maxURL          = 2000
	maxTemplate     = 100_000
	maxAttempts     = 100
	maxSyncHours    = 24 * 31
)

// checker collects faults.
type checker struct{ faults []Fault }

func (c *checker) must(ok bool, pointer, rule string, args ...any) {
	if !ok {
		c.faults = append(c.faults, Fault{pointer, fmt.Sprintf(rule, args...)})
	}
}

// check returns every fault of a definition.
func (d *Definition) check() []Fault {
	c := &checker{}
	c.must(len(d.Name) <= maxText, "/name", "must have at most %d bytes", maxText)
	c.must(len(d.Segments) > 0 && len(d.Segments) <= maxSegments, "/segments", "must name 1 to %d segments", maxSegments)
	for i, s := range d.Segments {
		c.must(s.Valid() && !slices.Contains(d.Segments[:i], s), "/segments/"+strconv.Itoa(i), "must be the name of a segment, once")
	}
	for i, on := range d.On {
		c.must(on == direction(true) || on == direction(false), "/on/"+strconv.Itoa(i), "must be entered or exited")
	}
	if d.Consent != nil {
		c.must(d.Consent.Purpose != "" && len(d.Consent.Purpose) <= maxText && len(d.Consent.Channel) <= maxText, "/consent", "must have a purpose; %q where none is needed", noConsent)
	}
	c.must(d.SyncHours >= 0 && d.SyncHours <= maxSyncHours, "/sync_hours", "must be 0 to %d", maxSyncHours)
	c.must(d.Attempts >= 0 && d.Attempts <= maxAttempts, "/attempts", "must be 1 to %d", maxAttempts)
	c.must(len(d.Channel) <= 64 && strings.Trim(d.Channel, "abcdefghijklmnopqrstuvwxyz0123456789_") == "", "/channel", "must be at most 64 of a-z, 0-9 and _")
	switch d.Kind {
	case Webhook, Segment:
		c.must(*d.Mail == Mail{}, "", "from, reply_to, subject, text, html and unsubscribe are of kind email")
		d.Endpoint.check(c, d.Kind)
	case Email:
		c.must(d.Endpoint.empty(), "", "url, method, headers, preset, fields, identifiers, traits and call are of kinds webhook and segment")
		d.Mail.check(c)
	default:
		c.must(false, "/kind", "must be webhook, segment or email")
	}
	return c.faults
}

func (e *Endpoint) check(c *checker, kind Kind) {
	preset, known := presets[e.Preset]
	c.must(known, "/preset", "must be one of %s", strings.Join(Presets(), ", "))
	c.must(kind == Webhook || e.Preset == "" && len(e.Fields) == 0, "/preset", "presets and fields are of kind webhook")
	c.must(e.Call == "" || kind == Segment && (e.Call == callIdentify || e.Call == callTrack), "/call", "must be identify or track, of kind segment")
	c.must(slices.Contains([]string{"", http.MethodPost, http.MethodPut, http.MethodPatch}, e.Method), "/method", "must be POST, PUT or PATCH")
	address := e.URL
	if address == "" {
		address = preset.URL
	}
	c.must(address != "" || !known, "/url", "is missing")
	if address != "" {
		checkURL(c, address)
	}
	checkHeaders(c, e.Headers)
	c.must(len(e.Fields) <= maxFields, "/fields", "must be at most %d", maxFields)
	for i, f := range e.Fields {
		f.check(c, "/fields/"+strconv.Itoa(i))
	}
	// All fields together must make one object.
	if len(c.faults) == 0 {
		tree := &tree{}
		for i, f := range slices.Concat(preset.Fields, e.Fields) {
			if err := tree.put(f.path("x"), "x"); err != nil {
				c.must(false, "/fields/"+strconv.Itoa(max(0, i-len(preset.Fields)))+"/to", "%s", err)
			}
		}
	}
	for i, t := range e.Traits {
		c.must(t != "" && len(t) <= maxText, "/traits/"+strconv.Itoa(i), "must be the name of a trait, or *")
	}
	for i, n := range e.Identifiers {
		c.must(n != "" && len(n) <= 64, "/identifiers/"+strconv.Itoa(i), "must be a namespace, or *")
	}
}

func (e *Endpoint) empty() bool {
	return e.URL == "" && e.Method == "" && len(e.Headers) == 0 && e.Preset == "" && len(e.Fields) == 0 && e.Identifiers == nil && e.Traits == nil && e.Call == ""
}

func (m *Mail) check(c *checker) {
	_, err := mail.ParseAddress(m.From)
	c.must(err == nil && len(m.From) <= maxText && !strings.ContainsAny(m.From, "\r\n"), "/from", "must be an address, with or without a name")
	if m.ReplyTo != "" {
		_, err = mail.ParseAddress(m.ReplyTo)
		c.must(err == nil && len(m.ReplyTo) <= maxText && !strings.ContainsAny(m.ReplyTo, "\r\n"), "/reply_to", "must be an address, with or without a name")
	}
	c.must(m.Subject != "" && len(m.Subject) <= maxURL, "/subject", "must have 1 to %d bytes", maxURL)
	c.must(m.Text != "" || m.HTML != "", "/text", "is missing, and html too")
	c.must(len(m.Text) <= maxTemplate && len(m.HTML) <= maxTemplate, "/text", "must have at most %d bytes", maxTemplate)
	if _, pointer, err := m.compile(); err != nil {
		c.must(false, pointer, "%s", err)
	}
	ok := strings.HasPrefix(m.Unsubscribe, "https://") || strings.HasPrefix(m.Unsubscribe, "mailto:")
	c.must(ok && len(m.Unsubscribe) <= maxURL && !strings.ContainsAny(m.Unsubscribe, "<>\r\n\t "), "/unsubscribe", "must be an https: or mailto: address")
	parts, err := splitTemplate(m.Unsubscribe)
	for _, p := range parts {
		c.must(p.source == "" || knownSource(p.source) && knownForm(p.as), "/unsubscribe", "has a placeholder of an unknown source or form")
	}
	c.must(err == nil, "/unsubscribe", "has a brace that is not closed, or not opened")
}

// checkURL looks at the form of an address. Where it leads to is looked at when it is
// dialled.
func checkURL(c *checker, text string) {
	parts, err := splitTemplate(text)
	c.must(err == nil && len(text) <= maxURL, "/url", "must have at most %d bytes, with placeholders as {source} or {source|how}", maxURL)
	if err != nil {
		return
	}
	plain := ""
	for _, p := range parts {
		if p.source != "" {
			u, err := url.Parse(plain)
			inPath := err == nil && u.Host != "" && (u.Path != "" || u.RawQuery != "")
			c.must(inPath, "/url", "must have placeholders in its path or query only")
			c.must(knownSource(p.source) && knownForm(p.as), "/url", "has a placeholder of an unknown source or form")
			plain += "x"
			continue
		}
		plain += p.text
	}
	u, err := url.Parse(plain)
	ok := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && u.Fragment == "" && u.Opaque == ""
	c.must(ok, "/url", "must be an absolute https address without user, password and fragment")
}

// CheckTransport refuses a definition by which personal data would travel in the clear,
// and messages where there is no mail server.
func CheckTransport(definition []byte, allowPrivate, mails bool) error {
	d, err := Parse(definition)
	if err != nil {
		return err
	}
	if d.Kind == Email && !mails {
		return &Invalid{[]Fault{{inDefinition + "/kind", "email needs a mail server: --smtp-address"}}}
	}
	if !allowPrivate && d.Endpoint != nil && strings.HasPrefix(strings.ToLower(d.Endpoint.URL), "http:") {
		return &Invalid{[]Fault{{inDefinition + "/url", "must be an https address"}}}
	}
	return nil
}

// reserved are headers that are Kindred's own, or those of the connection.
var reserved = []string{
	"Host", "Content-Length", "Content-Type", "Connection", "Transfer-Encoding", "Upgrade", "Te", "Trailer", "Expect", "Proxy-Authorization", "Proxy-Connection",
	headerSignature, headerKey, "User-Agent",
}

func checkHeaders(c *checker, headers map[string]string) {
	c.must(len(headers) <= maxHeaders, "/headers", "must be at most %d", maxHeaders)
	for name, value := range headers {
		c.must(validHeader(name, value), "/headers", "must have names and values of headers, and none of Kindred's own or of the connection")
	}
}

func validHeader(name, value string) bool {
	return httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(value) && len(name) <= maxText && len(value) <= maxURL &&
		!slices.Contains(reserved, http.CanonicalHeaderKey(name))
}

func (f Field) check(c *checker, at string) {
	c.must(f.To != "" && len(f.To) <= maxText, at+"/to", "must have 1 to %d bytes", maxText)
	c.must((f.From != "") != (len(f.Value) > 0), at, "must have either from or value")
	c.must(f.From == "" || knownSource(f.From), at+"/from", "is no source: %s", sourceWords)
	c.must(knownForm(f.As), at+"/as", "must be one of %s", strings.Join(forms, ", "))
	c.must(len(f.Value) <= maxURL && len(f.Values) <= maxFields, at, "is too large")
	for _, v := range f.Values {
		c.must(json.Valid(v), at+"/values", "must be JSON values")
	}
}
