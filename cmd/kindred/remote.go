package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
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
	key, err := adminKey(s)
	if err != nil {
		return nil, err
	}
	return dialAPI(s, s.apiAddress, key)
}

// dialAPI returns a client of the API at an address, over TLS where the settings
// name a certificate. It then trusts that very certificate, whatever its name: who
// reads the file runs the server.
func dialAPI(s *settings, address, key string) (*remote, error) {
	client := &http.Client{Timeout: time.Minute}
	if s.tlsCert == "" {
		return &remote{"http://" + address, key, client}, nil
	}
	pair, err := tls.LoadX509KeyPair(s.tlsCert, s.tlsKey)
	if err != nil {
		return nil, fmt.Errorf("read the TLS certificate: %w", err)
	}
	client.Transport = &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // VerifyConnection does it.
		VerifyConnection: func(c tls.ConnectionState) error {
			if len(c.PeerCertificates) == 0 || !bytes.Equal(c.PeerCertificates[0].Raw, pair.Certificate[0]) {
				return errors.New("the API has another certificate than tls-cert")
			}
			return nil
		},
	}}
	return &remote{"https://" + address, key, client}, nil
}

// do sends a request with a JSON body, unless it is nil, and reads the answer
// into out.
func (r *remote) do(ctx context.Context, method, path string, body, out any) error {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	text, err := r.send(ctx, method, path, content, http.Header{"Content-Type": {"application/json"}})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("read the answer of the API: %w", err)
	}
	return nil
}

// send sends a request and returns the body of an answer that is no error.
func (r *remote) send(ctx context.Context, method, path string, body []byte, header http.Header) ([]byte, error) {
	answer, err := r.ask(ctx, r.client, method, path, body, header)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 64<<20))
	if err != nil {
		return nil, fmt.Errorf("read the answer of the API: %w", err)
	}
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusAccepted {
		return nil, apiError(answer.StatusCode, text)
	}
	return text, nil
}

// open asks for what may be long, and returns it to be read and closed.
func (r *remote) open(ctx context.Context, path string) (io.ReadCloser, error) {
	patient := *r.client
	patient.Timeout = 0 // The server ends what does not go on.
	answer, err := r.ask(ctx, &patient, http.MethodGet, path, nil, http.Header{})
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxProblem))
	if err != nil {
		return nil, fmt.Errorf("read the answer of the API: %w", err)
	}
	return nil, apiError(answer.StatusCode, text)
}

// ask sends a request; the body of the answer is to be closed.
func (r *remote) ask(ctx context.Context, client *http.Client, method, path string, body []byte, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, r.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the API: %w", err)
	}
	request.Header = header
	request.Header.Set("Authorization", "Bearer "+r.key)
	if user := os.Getenv("USER"); user != "" {
		request.Header.Set("X-Kindred-Actor", user) // For the record; the key may be that of many.
	}
	answer, err := client.Do(request)
	if err != nil {
		var refused *net.OpError
		if errors.As(err, &refused) {
			return nil, fmt.Errorf("no Kindred answers at %s; start it with `kindred up`, or name its address with --api-address: %w", r.base, refused)
		}
		var failed *url.Error // Its text has the path, which may hold identifiers.
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, fmt.Errorf("ask the API: %w", err)
	}
	return answer, nil
}

// refusedBy is a problem of the API, in words for a terminal.
type refusedBy struct {
	status int
	words  string
}

func (r *refusedBy) Error() string { return r.words }

// apiError words a problem of the API.
func apiError(status int, text []byte) error {
	var p struct {
		Title, Detail, Code string
		Errors              []struct{ Pointer, Detail string }
	}
	if json.Unmarshal(text, &p) != nil || p.Title == "" {
		return &refusedBy{status, fmt.Sprintf("the API answers %d", status)}
	}
	words := p.Title
	if p.Code != "" {
		words += " (" + p.Code + ")"
	}
	if p.Detail != "" {
		words += ": " + p.Detail
	}
	for _, e := range p.Errors {
		words += "\n  " + e.Pointer + " " + e.Detail
	}
	return &refusedBy{status, words}
}

// standingRevision returns the revision of a definition that stands in a collection, 0
// for none; expected instead, unless it is negative.
func standingRevision(cmd *cobra.Command, collection, name string, expected int64) (uint64, error) {
	if expected >= 0 {
		return uint64(expected), nil
	}
	r, err := newRemote(cmd)
	if err != nil {
		return 0, err
	}
	var answer map[string][]struct {
		ID       string
		Revision uint64
	}
	err = r.do(cmd.Context(), http.MethodGet, "/v1/"+collection, nil, &answer)
	for _, d := range answer[collection] {
		if d.ID == name {
			return d.Revision, nil
		}
	}
	return 0, err
}
