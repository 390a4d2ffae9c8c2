package activation

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/privacy"
	"github.com/kindred-cdp/kindred/segments"
)

// Preview is what would be sent of a person.
type Preview struct {
	// Outcome is sent, withheld (no consent), passed (the destination does not take such
	// changes), or incomplete (the receiver needs what is not known).
	Outcome string
	Method  string
	URL     string
	// Header has *** in place of what is secret, and of the signature.
	Header    http.Header
	Recipient string // of e-mail
	Body      []byte
}

// Outcomes of previews.
const (
	PreviewSent       = "sent"
	PreviewWithheld   = "withheld"
	PreviewPassed     = "passed"
	PreviewIncomplete = reasonIncomplete
)

// hidden stands where a secret would.
const hidden = "***"

// Preview makes what a destination would be sent if a person entered or left a segment
// now, and sends nothing.
func (s *Store) Preview(ctx context.Context, d *Destination, p *profiles.Profile, segment segments.ID, entered bool, now time.Time) (*Preview, error) {
	change := segments.Change{Segment: segment, Profile: p.ID, Entered: entered, Time: now.UTC().Truncate(time.Millisecond), Cause: segments.ByData}
	if !d.Definition.takes(entered) {
		return &Preview{Outcome: PreviewPassed}, nil
	}
	out := &Preview{Outcome: PreviewSent}
	var stands map[identity.ProfileID][]privacy.Stand
	if consent := d.Definition.consent(); consent != nil && (entered || d.Definition.Kind == Email) {
		var err error
		stands, err = privacy.NewStore(s.conn).Stands(ctx, d.Workspace, consent.Purpose, consent.Channel, []*profiles.Profile{p})
		if err != nil {
			return nil, err
		}
		if !agrees(stands[p.ID], 0) {
			out.Outcome = PreviewWithheld
		}
	}
	of := &subject{workspace: d.Workspace, destination: d.ID, change: change, key: Key(change), profile: p}
	if d.Definition.Kind == Email {
		return d.previewMail(of, stands[p.ID], now)
	}
	m, err := d.Definition.message(of)
	switch {
	case errors.Is(err, errIncomplete):
		return &Preview{Outcome: PreviewIncomplete}, nil
	case err != nil:
		return nil, err
	}
	out.Method, out.URL, out.Header, out.Body = m.method, m.url, m.header, m.body
	for _, name := range d.SecretHeaders() {
		out.Header.Set(name, hidden)
	}
	out.Header.Set(headerSignature, "t="+hidden+",v1="+hidden)
	return out, nil
}

// previewMail makes the message to the person.
func (d *Destination) previewMail(s *subject, stands []privacy.Stand, now time.Time) (*Preview, error) {
	address, found := recipient(s.profile, &person{stands: stands}, d.Definition.consent())
	switch found {
	case withheld:
		return &Preview{Outcome: PreviewWithheld}, nil
	case passed:
		return &Preview{Outcome: PreviewIncomplete}, nil
	}
	s.address = address
	l, err := d.Definition.letterhead(s, now)
	switch {
	case errors.Is(err, errIncomplete):
		return &Preview{Outcome: PreviewIncomplete}, nil
	case err != nil:
		return nil, err
	}
	return &Preview{Outcome: PreviewSent, Recipient: l.to, Body: l.raw}, nil
}

// Try is Preview of a definition that is not stored.
func (s *Store) Try(ctx context.Context, workspace string, id ID, definition json.RawMessage, p *profiles.Profile, segment segments.ID, entered bool, now time.Time) (*Preview, error) {
	d, err := Parse(definition)
	if err != nil {
		return nil, err
	}
	return s.Preview(ctx, &Destination{Workspace: workspace, ID: id, Definition: *d}, p, segment, entered, now)
}
