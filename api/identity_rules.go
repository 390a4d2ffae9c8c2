package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
)

// Rules knows the rules of identity as text. Implementations are safe for
// concurrent use.
type Rules interface {
	// InForce returns the rules that a workspace has.
	InForce(ctx context.Context, workspace string) (*RuleFile, error)
	// Read judges a rule file in TOML or JSON and returns it whole: what it
	// leaves out has its default. A version above 0 replaces the text's. It
	// returns a *Refused that points at every fault, from the root of the file.
	Read(text []byte, version int) (*RuleFile, error)
	// Diff says in plain words what changes from one to the other.
	Diff(from, to *RuleFile) ([]string, error)
}

// RuleFile is a version of the rules in both forms of text.
type RuleFile struct {
	Version    int
	JSON, TOML []byte
}

// DryRun is what other rules would change.
type DryRun struct {
	// Version is that of the rules in force.
	Version int
	// Before and After count under the rules in force and under the others.
	Before, After DryRunCounts
	// Split and Joined count profiles that would split and that would join,
	// Moved the identifiers whose profile would be another.
	Split, Joined, Moved int
	// Splits and Joins are examples.
	Splits, Joins []DryRunExample
}

// DryRunCounts counts what rules make of the evidence.
type DryRunCounts struct {
	Profiles int `json:"profiles"`
	Merges   int `json:"merges"`
}

// DryRunExample is a profile that would split, with the parts, or profiles that
// would join, each with some of its identifiers.
type DryRunExample struct {
	Profile identity.ProfileID // before, or after a join
	Parts   [][]identity.Key
}

// RulesReport is the answer to a dry run.
type RulesReport struct {
	Version int            `json:"version"` // of the rules in force
	Changes []string       `json:"changes"` // in plain words
	Before  DryRunCounts   `json:"before"`
	After   DryRunCounts   `json:"after"`
	Split   int            `json:"split"`
	Joined  int            `json:"joined"`
	Moved   int            `json:"moved"`
	Splits  []RulesExample `json:"splits"`
	Joins   []RulesExample `json:"joins"`
}

// RulesExample is a profile whose parts would go apart, or come together.
type RulesExample struct {
	Profile identity.ProfileID `json:"profile"`
	Parts   [][]KnownKey       `json:"parts"`
}

const (
	mediaTOML = "application/toml"
	// dryRunPattern is the route that may take longer than others.
	dryRunPattern = "/v1/identity/dry-run"
)

// getRules answers with the rules in force as JSON, or as TOML where that is
// asked for. What it answers can be edited and declared.
func (s *Server) getRules(c *gin.Context) error {
	if s.deps.Rules == nil {
		return ErrIdentityNotHere
	}
	f, err := s.deps.Rules.InForce(c.Request.Context(), workspaceOf(c))
	if err != nil {
		return err
	}
	c.Header("Vary", "Accept")
	if wantsTOML(c.GetHeader("Accept")) {
		sendBytes(c, mediaTOML+"; charset=utf-8", f.TOML)
		return nil
	}
	sendBytes(c, "application/json", f.JSON)
	return nil
}

// wantsTOML reports whether an Accept header names TOML, without weights: who
// names it wants it.
func wantsTOML(accept string) bool {
	for _, part := range strings.Split(accept, ",") {
		media, _, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err == nil && media == mediaTOML {
			return true
		}
	}
	return false
}

// dryRun answers what other rules would change. Its body is the rule file.
func (s *Server) dryRun(c *gin.Context) error {
	graph, err := s.graph()
	if err != nil {
		return err
	}
	if s.deps.Rules == nil {
		return ErrIdentityNotHere
	}
	text, err := ruleText(c)
	if err != nil {
		return err
	}
	ctx, workspace := c.Request.Context(), workspaceOf(c)
	now, err := s.deps.Rules.InForce(ctx, workspace)
	if err != nil {
		return err
	}
	other, err := s.deps.Rules.Read(text, now.Version+1)
	if err != nil {
		return err
	}
	changes, err := s.deps.Rules.Diff(now, other)
	if err != nil {
		return err
	}
	d, err := graph.DryRun(ctx, workspace, other.JSON)
	if err != nil {
		return err
	}
	return s.sendDryRun(c, d, changes)
}

func (s *Server) sendDryRun(c *gin.Context, d *DryRun, changes []string) error {
	var keys []identity.Key
	for _, list := range [][]DryRunExample{d.Splits, d.Joins} {
		for _, e := range list {
			for _, part := range e.Parts {
				keys = append(keys, part...)
			}
		}
	}
	values, err := s.valuesOf(c, keys)
	if err != nil {
		return err
	}
	v := veil{} // Examples are read by many eyes; an id finds the whole.
	examples := func(list []DryRunExample) []RulesExample {
		out := make([]RulesExample, len(list))
		for i, e := range list {
			out[i] = RulesExample{Profile: e.Profile, Parts: make([][]KnownKey, len(e.Parts))}
			for j, part := range e.Parts {
				out[i].Parts[j] = make([]KnownKey, len(part))
				for k, key := range part {
					out[i].Parts[j][k] = v.known(key, values)
				}
			}
		}
		return out
	}
	return send(c, RulesReport{
		Version: d.Version, Changes: append([]string{}, changes...), Before: d.Before, After: d.After,
		Split: d.Split, Joined: d.Joined, Moved: d.Moved, Splits: examples(d.Splits), Joins: examples(d.Joins),
	})
}

// ruleText reads a body that is a rule file, in either form.
func ruleText(c *gin.Context) ([]byte, error) {
	media, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if isTOML := err == nil && media == mediaTOML; !isTOML && !isJSON(c.GetHeader("Content-Type")) || c.GetHeader("Content-Encoding") != "" {
		p := unsupportedMedia()
		p.Detail = "send the rule file as Content-Type: application/toml or application/json, uncompressed"
		return nil, p
	}
	text, err := io.ReadAll(c.Request.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, err
	case err != nil:
		return nil, badRequest("the body could not be read to its end")
	case len(strings.TrimSpace(string(text))) == 0:
		return nil, badRequest("the body is empty: send a rule file")
	}
	return text, nil
}
