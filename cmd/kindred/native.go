package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/native"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// nativeIntake is api.EventIntake on package native.
type nativeIntake struct{ in *native.Intake }

var _ api.EventIntake = nativeIntake{}

func newNativeIntake(n normalize.Normalizer, submitter intake.Submitter) (nativeIntake, error) {
	read := normalizeWire(n)
	in, err := native.New(native.DefaultConfig(), native.Deps{
		Submitter: submitter, Now: now, NewID: randomUUID,
		Identifier: func(namespace, value string) error {
			_, _, err := read(identity.Namespace(namespace), value)
			return err
		},
	})
	return nativeIntake{in}, err
}

// Take implements api.EventIntake.
func (n nativeIntake) Take(ctx context.Context, b api.EventBody) (api.EventOutcome, error) {
	kind := wire.Kind(b.Kind)
	if !slices.Contains(wire.Kinds(), kind) {
		return api.EventOutcome{}, api.ErrUnknownKind
	}
	ctx, receipt := intake.WithReceipt(ctx)
	out, err := n.in.Take(ctx, native.Body{
		Workspace: b.Workspace, Source: b.Source, Kind: kind, Reader: b.Reader, Encoding: b.Encoding, Lines: b.Lines,
	})
	outcome := api.EventOutcome{Accepted: out.Accepted, Rejected: out.Rejected, Positions: receipt.Positions().String()}
	for _, r := range out.Refusals {
		outcome.Refusals = append(outcome.Refusals, api.EventRefusal{Index: r.Index, ID: r.ID, Code: r.Code, Pointer: r.Pointer, Detail: r.Detail})
	}
	if out.Fault != nil {
		outcome.Damage = out.Fault.Detail
	}
	if errors.Is(err, native.ErrEncoding) {
		return outcome, api.ErrEncoding
	}
	if err != nil {
		return outcome, fmt.Errorf("native intake: %w", intakeError(err))
	}
	return outcome, nil
}
