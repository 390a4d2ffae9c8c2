package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
)

// Identity answers from the graph of a workspace, which one process holds.
// Implementations are safe for concurrent use. All methods return
// ErrIdentityNotHere where the graph cannot be asked.
type Identity interface {
	// Why says why two identifiers, normalised, are one profile or are not. An
	// identifier that no event carried is a barrier, not an error.
	Why(ctx context.Context, workspace string, a, b identity.Identifier) (*identity.Explanation, error)
	// Subgraph returns what holds a profile together. Where id was merged away
	// it answers for the present profile; profiles.ErrNotFound for none.
	Subgraph(ctx context.Context, workspace string, id identity.ProfileID) (*identity.Subgraph, error)
	// Health sums up the graph.
	Health(ctx context.Context, workspace string) (*identity.Health, error)
	// Review returns a part of the queue of pairs of records that wait for a
	// decision, or says of one pair whether it does.
	Review(ctx context.Context, workspace string, ask identity.ReviewQuery) (*identity.Review, error)
	// DryRun computes every profile anew under other rules, a valid rule file as
	// JSON, and changes nothing. It takes as long as a start of the identity
	// role takes, or until ctx ends. One of a workspace runs at a time; another
	// gets identity.ErrTrialRunning.
	DryRun(ctx context.Context, workspace string, rules []byte) (*DryRun, error)
	// DryRunProgress says how far it is.
	DryRunProgress(ctx context.Context, workspace string) (*identity.TrialProgress, error)
	// Try says what a command would do if it were given now, and changes nothing.
	Try(ctx context.Context, c identity.Command) (*identity.CommandTrial, error)
}

// ErrIdentityNotHere reports that no process with the identity role, and the
// graph of the workspace loaded, can be asked from here.
var ErrIdentityNotHere = errors.New("the identity graph of the workspace cannot be asked from here")

// identityRoutes are the operations on the identity graph.
func (s *Server) identityRoutes() []route {
	list := []route{
		{http.MethodGet, "/v1/identity/why", RoleRead, s.why},
		{http.MethodGet, "/v1/profiles/:id/identity", RoleRead, s.getSubgraph},
		{http.MethodGet, "/v1/identity/health", RoleRead, s.getIdentityHealth},
		{http.MethodGet, "/v1/identity/rules", RoleRead, s.getRules},
		// Not for readers: it costs as much as a start of the identity role.
		{http.MethodPost, dryRunPattern, RoleAdmin, s.dryRun},
		{http.MethodGet, dryRunPattern, RoleRead, s.getDryRun},
		{http.MethodPost, "/v1/identity/commands", RoleAdmin, s.postCommand("")},
		{http.MethodGet, "/v1/identity/commands/:id", RoleRead, s.getCommand},
	}
	for _, kind := range commandKinds {
		list = append(list, route{http.MethodPost, "/v1/identity/" + string(kind), RoleAdmin, s.postCommand(kind)})
	}
	return append(list, s.reviewRoutes()...)
}

// graph returns what answers from the graph.
func (s *Server) graph() (Identity, error) {
	if s.deps.Identity == nil {
		return nil, ErrIdentityNotHere
	}
	return s.deps.Identity, nil
}

func identityNotHere() *problem {
	p := newProblem(http.StatusServiceUnavailable, "identity-not-here", "The identity graph cannot be asked here",
		"no process with the role identity has the graph of the workspace loaded, or this one cannot reach it; GET /readyz tells")
	p.Code = "identity_not_here"
	return p
}

func (s *Server) why(c *gin.Context) error {
	graph, err := s.graph()
	if err != nil {
		return err
	}
	a, err := s.identifierQuery(c, "a")
	if err != nil {
		return err
	}
	b, err := s.identifierQuery(c, "b")
	if err != nil {
		return err
	}
	if a == b {
		return badRequest("the query parameters \"a\" and \"b\" are the same identifier once they are normalised")
	}
	e, err := graph.Why(c.Request.Context(), workspaceOf(c), a, b)
	if err != nil {
		return err
	}
	return send(c, s.veil(c, a, b).explanation(e))
}

func (s *Server) getSubgraph(c *gin.Context) error {
	graph, err := s.graph()
	if err != nil {
		return err
	}
	ctx, workspace := c.Request.Context(), workspaceOf(c)
	key, named, err := s.profileKey(workspace, c.Param("id"))
	if err != nil {
		return err
	}
	id, err := s.deps.Profiles.Resolve(ctx, workspace, key)
	if err != nil {
		return err
	}
	if v := s.veil(c); !v.off {
		if err := s.permit(c, id); err != nil {
			return err
		}
	}
	g, err := graph.Subgraph(ctx, workspace, id)
	if err != nil {
		return err
	}
	c.Header("Content-Location", "/v1/profiles/"+g.Profile.String()+"/identity")
	return send(c, s.veil(c, named).subgraph(g))
}

func (s *Server) getIdentityHealth(c *gin.Context) error {
	graph, err := s.graph()
	if err != nil {
		return err
	}
	h, err := graph.Health(c.Request.Context(), workspaceOf(c))
	if err != nil {
		return err
	}
	values, err := s.valuesOf(c, healthKeys(h))
	if err != nil {
		return err
	}
	return send(c, s.veil(c).health(h, values))
}

// valuesOf returns what is known of keys.
func (s *Server) valuesOf(c *gin.Context, keys []identity.Key) (map[identity.Key]identity.Identifier, error) {
	if s.deps.Values == nil || len(keys) == 0 {
		return nil, nil
	}
	return s.deps.Values(c.Request.Context(), workspaceOf(c), keys)
}

// identifierQuery reads a query parameter as namespace:value.
func (s *Server) identifierQuery(c *gin.Context, name string) (identity.Identifier, error) {
	refuse := func(rule string) (identity.Identifier, error) {
		return identity.Identifier{}, badRequest("the query parameter \"" + name + "\" " + rule)
	}
	if _, err := url.ParseQuery(c.Request.URL.RawQuery); err != nil {
		return identity.Identifier{}, badRequest("the query is not percent-encoded; & is written %26, and ; is %3B")
	}
	switch texts := c.QueryArray(name); {
	case len(texts) == 0 || texts[0] == "":
		return refuse("is missing: an identifier as namespace:value")
	case len(texts) > 1:
		return refuse("is there more than once")
	}
	text := c.Query(name)
	if _, value, _ := strings.Cut(text, ":"); strings.HasPrefix(value, " ") {
		// "+351…" not encoded would be read as a national number.
		return refuse("has a value that begins with a space; in a query a plus sign is written %2B")
	}
	id, err := s.identifier(text)
	if err != nil {
		return refuse(err.Error())
	}
	return id, nil
}

// identifier reads and normalises namespace:value. Its errors are rules for the
// reader and do not repeat the text.
func (s *Server) identifier(text string) (identity.Identifier, error) {
	if len(text) > maxIdentifier {
		return identity.Identifier{}, errors.New("is too long: an identifier has at most 1024 bytes")
	}
	if !utf8.ValidString(text) {
		return identity.Identifier{}, errors.New("must be UTF-8")
	}
	raw, err := identity.ParseIdentifier(text)
	if err != nil {
		return identity.Identifier{}, errors.New("is no identifier: " + err.Error())
	}
	id, err := s.deps.Normalize(raw.Namespace, raw.Value)
	if err != nil {
		return identity.Identifier{}, errors.New("is no identifier of its namespace: " + err.Error())
	}
	return id, nil
}
