package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/webhook"
)

// webhookIntake is api.WebhookIntake on package webhook.
type webhookIntake struct{ in *webhook.Intake }

var _ api.WebhookIntake = webhookIntake{}

// newWebhookIntake reads the webhooks at path, a file or a folder; none when it
// is empty.
func newWebhookIntake(path string, submitter intake.Submitter, registry prometheus.Registerer) (webhookIntake, error) {
	var hooks []*webhook.Webhook
	if path != "" {
		var err error
		if hooks, err = webhook.Load(path, webhook.Secrets{Getenv: os.Getenv, ReadFile: os.ReadFile}); err != nil {
			return webhookIntake{}, err
		}
	}
	in, err := webhook.New(webhook.DefaultConfig(), hooks, webhook.Deps{Submitter: submitter, Now: now, Registerer: registry})
	return webhookIntake{in}, err
}

// Deliver implements api.WebhookIntake.
func (w webhookIntake) Deliver(ctx context.Context, d api.WebhookDelivery) (api.WebhookReply, error) {
	r, err := w.in.Deliver(ctx, webhook.Delivery{Name: d.Name, Method: d.Method, Header: d.Header, Query: d.Query, Body: d.Body})
	switch {
	case errors.Is(err, webhook.ErrUnknown):
		return api.WebhookReply{}, api.ErrUnknownWebhook
	case errors.Is(err, webhook.ErrSignature):
		return api.WebhookReply{}, fmt.Errorf("%w%s", api.ErrSignature, strings.TrimPrefix(err.Error(), webhook.ErrSignature.Error()))
	case err != nil:
		return api.WebhookReply{}, fmt.Errorf("webhook: %w", intakeError(err))
	}
	return api.WebhookReply{ContentType: r.ContentType, Body: r.Body, Accepted: r.Accepted, Rejected: r.Rejected, Duplicate: r.Duplicate}, nil
}
