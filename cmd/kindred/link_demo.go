package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/profiles/matching"
)

// linkRecords does what kindred link run does, in the process of the roles, whose
// API answers at address. A workspace without two records that say something is
// left as it is: nil.
func (p *platform) linkRecords(ctx context.Context, address net.Addr) (*linkRunReport, error) {
	key, err := adminKey(p.settings)
	if err != nil {
		return nil, err
	}
	w := kafka.NewWriter(p.brokers)
	defer func() { _ = w.Close() }()
	remote, err := dialAPI(p.settings, address.String(), key)
	if err != nil {
		return nil, err
	}
	run := &linkRun{p: p, writer: w, remote: remote}
	report, err := run.run(ctx)
	if errors.Is(err, matching.ErrFewRecords) {
		return nil, nil
	}
	return report, err
}

// adminKey is the first key of the settings that is an admin's of the workspace.
func adminKey(s *settings) (string, error) {
	for _, entry := range strings.Split(s.apiKeys, ",") {
		role, rest, _ := strings.Cut(strings.TrimSpace(entry), ":")
		workspace, secret, ok := strings.Cut(rest, ":")
		role, _, _ = strings.Cut(role, "/")
		if ok && role == "admin" && workspace == s.workspace && !strings.HasPrefix(secret, "sha256=") {
			return secret, nil
		}
	}
	return "", fmt.Errorf("KINDRED_API_KEYS has no admin key of workspace %q in the clear, which this command needs to speak with the API at %s", s.workspace, s.apiAddress)
}
