package api

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/activation"
)

// Destinations keeps who is told of changes of segments. Implementations are safe for
// concurrent use. Those that change something may return an *activation.Invalid, a
// *Refused or ErrPending, and return when the change stands.
type Destinations interface {
	// List returns the live destinations of a workspace by name.
	List(ctx context.Context, workspace string) ([]activation.Destination, error)
	// Get returns one live destination, or activation.ErrNoDestination.
	Get(ctx context.Context, workspace string, id activation.ID) (*activation.Destination, error)
	// Put makes or changes a destination, and returns its revision and, where it is new,
	// the secret that its deliveries are signed with: nobody can read it again.
	Put(ctx context.Context, workspace, actor string, id activation.ID, w activation.Wish) (uint64, string, error)
	// Archive ends a destination.
	Archive(ctx context.Context, workspace, actor string, id activation.ID, expected uint64) (uint64, error)
	// Preview makes what a destination would be sent, by its own definition or by
	// another where that is not empty, and sends nothing.
	Preview(ctx context.Context, workspace string, id activation.ID, definition json.RawMessage, p *profiles.Profile, segment segments.ID, entered bool) (*activation.Preview, error)
	// Letters returns at most limit letters in a state, all where it is empty, behind one.
	Letters(ctx context.Context, workspace string, id activation.ID, state, after string, limit int) ([]activation.Letter, error)
	// Redeliver has letters sent again, all that are dead where none is named, and
	// returns how many.
	Redeliver(ctx context.Context, workspace, actor string, id activation.ID, letters []string) (int, error)
	// Sync has all members compared with what a destination was told, and returns the
	// revision of the order.
	Sync(ctx context.Context, workspace, actor string, id activation.ID, ask activation.Sync) (uint64, error)
}

const oneDestination = "/v1/destinations/:destination"

// destinationRoutes are the operations on destinations.
func (s *Server) destinationRoutes() []route {
	with := func(handle func(*gin.Context) error) func(*gin.Context) error {
		return func(c *gin.Context) error {
			if s.deps.Destinations == nil {
				return noRoute()
			}
			return handle(c)
		}
	}
	return []route{
		{http.MethodGet, "/v1/destinations", RoleRead, with(s.listDestinations)},
		{http.MethodGet, oneDestination, RoleRead, with(s.getDestination)},
		{http.MethodPut, oneDestination, RoleAdmin, with(s.putDestination)},
		{http.MethodDelete, oneDestination, RoleAdmin, with(s.deleteDestination)},
		{http.MethodPost, oneDestination + "/test", RoleRead, with(s.testDestination)},
		{http.MethodGet, oneDestination + "/letters", RoleRead, with(s.getDestinationLetters)},
		{http.MethodPost, oneDestination + "/redeliver", RoleAdmin, with(s.redeliver)},
		{http.MethodPost, oneDestination + "/sync", RoleAdmin, with(s.syncDestination)},
	}
}

type destinationResponse struct {
	ID         activation.ID          `json:"id"`
	Revision   uint64                 `json:"revision"`
	ChangedAt  time.Time              `json:"changed_at"`
	ChangedBy  string                 `json:"changed_by"`
	Name       string                 `json:"name"`
	Kind       activation.Kind        `json:"kind"`
	Segments   []segments.ID          `json:"segments"`
	Definition *activation.Definition `json:"definition,omitempty"` // not in lists
	// SecretHeaders are the names of headers whose values nobody is shown.
	SecretHeaders []string                 `json:"secret_headers"`
	State         destinationStateResponse `json:"state"`
}

type destinationStateResponse struct {
	At        *time.Time `json:"at"`
	SyncedAt  *time.Time `json:"synced_at"`
	Delivered uint64     `json:"delivered"`
	Withheld  uint64     `json:"withheld"`
	Passed    uint64     `json:"passed"`
	Letters   uint64     `json:"letters"`
	Failing   uint64     `json:"failing"`
	Error     string     `json:"error"`
}

func shownDestination(d *activation.Destination) destinationResponse {
	t := d.State
	r := destinationResponse{
		ID: d.ID, Revision: d.Revision, ChangedAt: d.ChangedAt, ChangedBy: d.Actor, Name: d.Definition.Name, Kind: d.Definition.Kind,
		Segments: append([]segments.ID{}, d.Definition.Segments...), SecretHeaders: d.SecretHeaders(),
		State: destinationStateResponse{Delivered: t.Delivered, Withheld: t.Withheld, Passed: t.Passed, Letters: t.Letters, Failing: t.Failing, Error: t.Error},
	}
	if !t.At.IsZero() {
		r.State.At = &t.At
	}
	if !t.SyncedAt.IsZero() {
		r.State.SyncedAt = &t.SyncedAt
	}
	return r
}

// shownDefinition is a definition as a key may see it: addresses of receivers may hold
// keys in their paths, and headers anywhere, so that only admins see these whole.
func shownDefinition(c *gin.Context, d *activation.Definition) *activation.Definition {
	key, ok := c.Get(contextKey)
	if ok && key.(Key).Role == RoleAdmin || d.Endpoint == nil {
		return d
	}
	shown, endpoint := *d, *d.Endpoint
	endpoint.Headers = nil
	if u, err := url.Parse(endpoint.URL); err != nil {
		endpoint.URL = profiles.Hidden
	} else if u.Host != "" {
		endpoint.URL = u.Scheme + "://" + u.Host + "/" + profiles.Hidden
	}
	shown.Endpoint = &endpoint
	return &shown
}

func (s *Server) listDestinations(c *gin.Context) error {
	list, err := s.deps.Destinations.List(c.Request.Context(), workspaceOf(c))
	if err != nil {
		return err
	}
	answer := struct {
		Destinations []destinationResponse `json:"destinations"`
	}{make([]destinationResponse, len(list))}
	for i := range list {
		answer.Destinations[i] = shownDestination(&list[i])
	}
	return send(c, answer)
}

// destinationOf returns the live destination that the path names.
func (s *Server) destinationOf(c *gin.Context) (*activation.Destination, error) {
	return s.deps.Destinations.Get(c.Request.Context(), workspaceOf(c), activation.ID(c.Param("destination")))
}

func (s *Server) getDestination(c *gin.Context) error {
	d, err := s.destinationOf(c)
	if err != nil {
		return err
	}
	answer := shownDestination(d)
	answer.Definition = shownDefinition(c, &d.Definition)
	return send(c, answer)
}

type destinationRequest struct {
	Expected   *uint64         `json:"expected_revision"`
	Definition json.RawMessage `json:"definition"`
	// SecretHeaders may be left out: then those that are there stay.
	SecretHeaders map[string]*string `json:"secret_headers"`
	Rotate        bool               `json:"rotate_secret"`
}

func (s *Server) putDestination(c *gin.Context) error {
	var r destinationRequest
	if err := decode(c, &r); err != nil {
		return err
	}
	if r.Expected == nil {
		return badRequest("the body is incomplete", fault{"/expected_revision", "is missing: the revision that you have seen, 0 for a new destination"})
	}
	if len(r.Definition) == 0 {
		return badRequest("the body is incomplete", fault{"/definition", "is missing"})
	}
	revision, secret, err := s.deps.Destinations.Put(c.Request.Context(), workspaceOf(c), actorOf(c), activation.ID(c.Param("destination")),
		activation.Wish{Expected: *r.Expected, Definition: r.Definition, SecretHeaders: r.SecretHeaders, Rotate: r.Rotate})
	if err != nil {
		return err
	}
	return send(c, struct {
		Revision uint64 `json:"revision"`
		Secret   string `json:"secret,omitempty"`
	}{revision, secret})
}

func (s *Server) deleteDestination(c *gin.Context) error {
	expected, err := numberQuery(c, "expected_revision", 1, math.MaxInt64, 0)
	if err != nil {
		return err
	}
	if expected == 0 {
		return badRequest("the query parameter \"expected_revision\" is missing: the revision that you have seen")
	}
	revision, err := s.deps.Destinations.Archive(c.Request.Context(), workspaceOf(c), actorOf(c), activation.ID(c.Param("destination")), expected)
	if err != nil {
		return err
	}
	return send(c, changeResponse{revision})
}
