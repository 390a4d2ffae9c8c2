package inquiry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// Client asks the identity processes of an installation. It is safe for
// concurrent use.
type Client struct {
	urls   []string
	signer signer
	now    func() time.Time
	http   *http.Client
	slow   *http.Client // for trials of rules, which end with their context
	last   atomic.Int64 // position of the one that answered last
}

var _ Inquirer = (*Client)(nil)

// NewClient returns a client of the processes at urls, such as
// "http://127.0.0.1:8125". It asks no one yet.
func NewClient(urls []string, secret identity.Secret, now func() time.Time) (*Client, error) {
	var errs []error
	if len(urls) == 0 {
		errs = append(errs, errors.New("inquiry needs the url of an identity process"))
	}
	// A question is signed for one place.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &Client{
		signer: newSigner(secret), now: now,
		http: &http.Client{Timeout: maxDuration + time.Second, CheckRedirect: stay},
		slow: &http.Client{CheckRedirect: stay},
	}
	for _, u := range urls {
		if p, err := url.Parse(u); err != nil || p.Host == "" || p.Scheme != "http" && p.Scheme != "https" {
			errs = append(errs, fmt.Errorf("inquiry url %q must be http://host:port", u))
		}
		c.urls = append(c.urls, strings.TrimRight(u, "/"))
	}
	return c, errors.Join(errs...)
}

// Why implements Inquirer.
func (c *Client) Why(ctx context.Context, workspace string, a, b identity.Member) (identity.Explanation, error) {
	var e explanation
	err := c.ask(ctx, pathWhy, question{Workspace: workspace, A: &a, B: &b}, &e)
	e.Explanation.ProfileA, e.Explanation.ProfileB = identity.ProfileID(e.ProfileA), identity.ProfileID(e.ProfileB)
	return e.Explanation, err
}

// Subgraph implements Inquirer.
func (c *Client) Subgraph(ctx context.Context, workspace string, profile identity.ProfileID) (identity.Subgraph, error) {
	var s subgraph
	err := c.ask(ctx, pathSubgraph, question{Workspace: workspace, Profile: uint64(profile)}, &s)
	s.Subgraph.Profile = identity.ProfileID(s.Profile)
	return s.Subgraph, err
}

// Health implements Inquirer.
func (c *Client) Health(ctx context.Context, workspace string) (identity.Health, error) {
	var h identity.Health
	err := c.ask(ctx, pathHealth, question{Workspace: workspace}, &h)
	return h, err
}

// Review implements Inquirer.
func (c *Client) Review(ctx context.Context, workspace string, ask identity.ReviewQuery) (identity.Review, error) {
	// Checked here, so that no answer need tell this error from others.
	if _, _, _, err := ask.After.Place(); err != nil {
		return identity.Review{}, err
	}
	var r identity.Review
	err := c.ask(ctx, pathReview, question{Workspace: workspace, Review: &ask}, &r)
	return r, err
}

// TryRules implements Inquirer.
func (c *Client) TryRules(ctx context.Context, workspace string, rules []byte) (identity.RulesTrial, error) {
	var t identity.RulesTrial
	err := c.ask(ctx, pathRules, question{Workspace: workspace, Rules: rules}, &t)
	return t, err
}

// TrialProgress implements Inquirer.
func (c *Client) TrialProgress(ctx context.Context, workspace string) (identity.TrialProgress, error) {
	var p identity.TrialProgress
	err := c.ask(ctx, pathProgress, question{Workspace: workspace}, &p)
	return p, err
}

// TryCommand implements Inquirer.
func (c *Client) TryCommand(ctx context.Context, command identity.Command) (identity.CommandTrial, error) {
	var t identity.CommandTrial
	err := c.ask(ctx, pathCommand, question{Workspace: command.Workspace, Command: &command}, &t)
	t.Workspace = command.Workspace
	return t, err
}

// ask asks one process after the other, the one that answered last first, until
// one does. Where all are there and none is the owner the error is ErrNotOwner;
// where one could not be reached, the owner may be that one, and the error says
// so as well.
func (c *Client) ask(ctx context.Context, path string, q question, answer any) error {
	body, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("encode inquiry: %w", err)
	}
	var errs []error
	for i := range c.urls {
		at := (int(c.last.Load()) + i) % len(c.urls)
		err := c.askOne(ctx, c.urls[at]+path, path, body, answer)
		if err == nil {
			c.last.Store(int64(at))
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("inquiry: %w", ctx.Err())
		}
		if errors.Is(err, identity.ErrTrialRunning) {
			return err // Of the owner: nobody else need be asked.
		}
		errs = append(errs, err)
	}
	for _, err := range errs {
		if !errors.Is(err, identity.ErrNotOwner) {
			return fmt.Errorf("inquiry: %w", err)
		}
	}
	return identity.ErrNotOwner
}

func (c *Client) askOne(ctx context.Context, at, path string, body []byte, answer any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(tokenHeader, c.signer.token(c.now(), path, body))
	client := c.http
	if path == pathRules {
		client = c.slow
	}
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusMisdirectedRequest:
		return identity.ErrNotOwner
	case http.StatusConflict:
		return identity.ErrTrialRunning
	default:
		return fmt.Errorf("identity process answered %s", res.Status)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(answer); err != nil {
		return fmt.Errorf("decode answer: %w", err)
	}
	return nil
}
