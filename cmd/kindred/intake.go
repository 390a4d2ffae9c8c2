package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/segment"
)

// tracker is api.Tracker: it translates the calls of Segment's tracking API and
// submits what they become.
type tracker struct {
	translator *segment.Translator
	submitter  intake.Submitter
}

var _ api.Tracker = (*tracker)(nil)

func newTracker(n normalize.Normalizer, submitter intake.Submitter) (*tracker, error) {
	read := normalizeWire(n)
	t, err := segment.New(segment.DefaultConfig(), segment.Deps{
		NewID: randomUUID,
		Acceptable: func(namespace, value string) bool {
			_, _, err := read(identity.Namespace(namespace), value)
			return err == nil
		},
	})
	if err != nil {
		return nil, err
	}
	return &tracker{translator: t, submitter: submitter}, nil
}

// WriteKey implements api.Tracker.
func (t *tracker) WriteKey(body []byte) string { return segment.WriteKey(body) }

// PixelBody implements api.Tracker.
func (t *tracker) PixelBody(data string) ([]byte, error) { return segment.PixelBody(data) }

// Track implements api.Tracker.
func (t *tracker) Track(ctx context.Context, call api.TrackingCall) (api.TrackingReceipt, error) {
	tr := t.translator.Translate(segment.Call{
		Method: call.Method, Source: call.Source, Received: call.Received, Address: call.Address,
		UserAgent: call.UserAgent, Pixel: call.Pixel, Cut: call.Cut, Body: call.Body,
	})
	ctx, kept := intake.WithReceipt(ctx)
	if err := t.submitter.Submit(ctx, call.Workspace, tr.Items); err != nil {
		return api.TrackingReceipt{}, intakeError(err) // The buffers may still be in use.
	}
	receipt := api.TrackingReceipt{
		Received: tr.Received, Accepted: tr.Accepted, Positions: kept.Positions().String(),
		Refused: verdicts(tr.Refused), Warnings: verdicts(tr.Warnings),
	}
	if w := tr.Whole; w != nil {
		receipt.Whole = &api.TrackingVerdict{Index: w.Index, MessageID: w.MessageID, Code: w.Code, Detail: w.Detail}
	}
	tr.Release()
	return receipt, nil
}

// intakeError gives the intake's refusals the types that the API answers by.
func intakeError(err error) error {
	var busy intake.Overloaded
	switch {
	case errors.As(err, &busy):
		return api.Busy{After: busy.After}
	case errors.Is(err, intake.ErrClosed):
		return api.ErrClosing
	}
	return err
}

func verdicts(list []segment.Verdict) []api.TrackingVerdict {
	if len(list) == 0 {
		return nil
	}
	out := make([]api.TrackingVerdict, len(list))
	for i, v := range list {
		out[i] = api.TrackingVerdict{Index: v.Index, MessageID: v.MessageID, Code: v.Code, Detail: v.Detail}
	}
	return out
}

// randomUUID returns a random UUID (RFC 9562, version 4).
func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // Never fails: crypto/rand ends the process instead.
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
