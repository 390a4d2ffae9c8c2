package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// remote is a client of the HTTP API of a running Kindred, for commands that
// people give beside it. It goes through the same door as everybody else, so
// that what it does is checked and on record.
type remote struct {
	base, key string
	client    *http.Client
}

// newRemote returns a client with the first key of the settings that is an
// admin's of the workspace, or the development key when no keys are set.
func newRemote(cmd *cobra.Command) (*remote, error) {
	s, err := loadSettings(cmd)
	if err != nil {
		return nil, err
	}
	if _, err := developmentKeys(s); err != nil {
		return nil, err
	}
	for _, entry := range strings.Split(s.apiKeys, ",") {
		role, rest, _ := strings.Cut(strings.TrimSpace(entry), ":")
		workspace, secret, ok := strings.Cut(rest, ":")
		role, _, _ = strings.Cut(role, "/")
		if ok && role == "admin" && workspace == s.workspace && !strings.HasPrefix(secret, "sha256=") {
			return &remote{"http://" + s.apiAddress, secret, &http.Client{Timeout: time.Minute}}, nil
		}
	}
	return nil, fmt.Errorf("KINDRED_API_KEYS has no admin key of workspace %q in the clear, which this command needs to speak with the API at %s", s.workspace, s.apiAddress)
}

// do sends a request with a JSON body, unless it is nil, and reads the answer
// into out.
func (r *remote) do(ctx context.Context, method, path string, body, out any) error {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		content = bytes.NewReader(b)
	}
	request, err := http.NewRequestWithContext(ctx, method, r.base+path, content)
	if err != nil {
		return fmt.Errorf("ask the API: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+r.key)
	request.Header.Set("Content-Type", "application/json")
	answer, err := r.client.Do(request)
	if err != nil {
		var refused *net.OpError
		if errors.As(err, &refused) {
			return fmt.Errorf("no Kindred answers at %s; start it with `kindred up`, or name its address with --api-address: %w", r.base, refused)
		}
		return fmt.Errorf("ask the API: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("read the answer of the API: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return apiError(answer.StatusCode, text)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("read the answer of the API: %w", err)
	}
	return nil
}

// apiError words a problem of the API for a terminal.
func apiError(status int, text []byte) error {
	var p struct {
		Title, Detail string
		Errors        []struct{ Pointer, Detail string }
	}
	if json.Unmarshal(text, &p) != nil || p.Title == "" {
		return fmt.Errorf("the API answers %d", status)
	}
	words := p.Title
	if p.Detail != "" {
		words += ": " + p.Detail
	}
	for _, e := range p.Errors {
		words += "\n  " + e.Pointer + " " + e.Detail
	}
	return errors.New(words)
}
