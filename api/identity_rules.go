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
	// Refused says what of the rules the owner of the graph does not accept; the
	// rest is empty then.
	Refused string
	// Before and After count under the rules in force and under the others.
	Before, After DryRunCounts
	// Split and Joined count profiles that would split and that would come of a
	// join, Moved the identifiers whose profile would be another.
	Split, Joined, Moved int
	// Examples of each.
	Splits, Joins []DryRunExample
	Moves         []DryRunIdentifier
}

// DryRunCounts counts what rules make of the evidence.
type DryRunCounts struct {
	Profiles int `json:"profiles"`
	Merges   int `json:"merges"`
}

// DryRunExample is a profile that would split, or that would come of a join.
type DryRunExample struct {
	Profile     identity.ProfileID
	Identifiers []DryRunIdentifier
	More        int // identifiers beside these
}

// DryRunIdentifier is an identifier with its profile before and after.
type DryRunIdentifier struct {
	Key           identity.Key
	Namespace     identity.Namespace
	Before, After identity.ProfileID
}

// RulesReport is the answer to a dry run.
type RulesReport struct {
	Version int               `json:"version"` // of the rules in force
	Changes []string          `json:"changes"` // in plain words
	Before  DryRunCounts      `json:"before"`
	After   DryRunCounts      `json:"after"`
	Split   int               `json:"split"`
	Joined  int               `json:"joined"`
	Moved   int               `json:"moved"`
	Splits  []RulesExample    `json:"splits"`
	Joins   []RulesExample    `json:"joins"`
	Moves   []RulesIdentifier `json:"moves"`
}

// RulesExample is a profile that would split, or that would come of a join.
type RulesExample struct {
	Profile     identity.ProfileID `json:"profile"`
	Identifiers []RulesIdentifier  `json:"identifiers"`
	More        int                `json:"more"` // identifiers beside these
}

// RulesIdentifier is an identifier with its profile before and after.
type RulesIdentifier struct {
	KnownKey
	Before identity.ProfileID `json:"before"`
	After  identity.ProfileID `json:"after"`
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
	if d.Refused != "" {
		return refusedCommand(&identity.Outcome{Code: identity.RefusedRules, Detail: d.Refused})
	}
	return s.sendDryRun(c, d, now.Version, changes)
}

func (s *Server) sendDryRun(c *gin.Context, d *DryRun, version int, changes []string) error {
	var keys []identity.Key
	for _, e := range append(append([]DryRunExample{{Identifiers: d.Moves}}, d.Splits...), d.Joins...) {
		for _, i := range e.Identifiers {
			keys = append(keys, i.Key)
		}
	}
	values, err := s.valuesOf(c, keys)
	if err != nil {
		return err
	}
	v := veil{} // Examples are read by many eyes; an id finds the whole.
	identifiers := func(list []DryRunIdentifier) []RulesIdentifier {
		out := make([]RulesIdentifier, len(list))
		for i, x := range list {
			out[i] = RulesIdentifier{KnownKey: v.known(x.Key, values), Before: x.Before, After: x.After}
			out[i].Namespace = x.Namespace
		}
		return out
	}
	examples := func(list []DryRunExample) []RulesExample {
		out := make([]RulesExample, len(list))
		for i, e := range list {
			out[i] = RulesExample{Profile: e.Profile, Identifiers: identifiers(e.Identifiers), More: e.More}
		}
		return out
	}
	return send(c, RulesReport{
		Version: version, Changes: append([]string{}, changes...), Before: d.Before, After: d.After,
		Split: d.Split, Joined: d.Joined, Moved: d.Moved,
		Splits: examples(d.Splits), Joins: examples(d.Joins), Moves: identifiers(d.Moves),
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
