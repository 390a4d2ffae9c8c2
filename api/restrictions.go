package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// Restrictions keeps whose data may be stored and not used. Implementations are safe
// for concurrent use. Those that change something may return a *Refused or ErrPending,
// and return when every API process will see the change within a second or two.
type Restrictions interface {
	// Find returns the restriction of whoever holds one of keys, nil for none.
	Find(ctx context.Context, workspace string, keys ...identity.Key) (*Restriction, error)
	// Any reports whether anybody of a workspace may be restricted; it costs nothing.
	Any(workspace string) bool
	// Restrict restricts whoever holds one of keys, from then on.
	Restrict(ctx context.Context, workspace, actor, ground string, keys []identity.Key) error
	// Release ends the restriction of keys, and reports whether there was one.
	Release(ctx context.Context, workspace, actor string, keys []identity.Key) (bool, error)
}

// Restriction is one that stands.
type Restriction struct {
	ID     string    `json:"id"`
	Since  time.Time `json:"since"`
	Ground string    `json:"ground,omitempty"` // accuracy, unlawful, claims or objection
	Actor  string    `json:"actor"`            // name of the API key that asked for it
}

const restrictionPattern = "/v1/privacy/restriction"

func (s *Server) restrictionRoutes() []route {
	if s.deps.Restrictions == nil {
		return nil
	}
	return []route{
		{http.MethodPost, restrictionPattern, RoleAdmin, s.postRestriction},
		{http.MethodGet, restrictionPattern + "/:id", RoleAdmin, s.getRestriction},
		{http.MethodDelete, restrictionPattern + "/:id", RoleAdmin, s.deleteRestriction},
	}
}

type restrictionRequest struct {
	Identifier json.RawMessage `json:"identifier"` // text, namespace:value or the id of a profile, or an object
	Ground     string          `json:"ground"`
}

type restrictionResponse struct {
	Profile     identity.ProfileID `json:"profile"`
	Restriction *Restriction       `json:"restriction"` // null for none
}

// postRestriction restricts the processing of a person: of the identifiers that are
// theirs alone, so that nobody is restricted for a tablet that both use.
func (s *Server) postRestriction(c *gin.Context) error {
	var r restrictionRequest
	if err := decode(c, &r); err != nil {
		return err
	}
	text, err := identifierText(r.Identifier)
	if err != nil {
		return badRequest("the request breaks rules", fault{"/identifier", err.Error()})
	}
	named, err := s.nameOf(c, text)
	if err != nil {
		return err
	}
	workspace := workspaceOf(c)
	concerns(c, s.deps.Keyer(workspace).Key(named))
	graph, err := s.graph()
	if err != nil {
		return err
	}
	// Whose the identifiers are is what an erasure asks, too.
	t, err := graph.Try(c.Request.Context(), identity.Command{
		ID: newCommandID(), Workspace: workspace, Kind: identity.Erase, Identifiers: []identity.Identifier{named}, Actor: actorOf(c),
	})
	switch {
	case err != nil:
		return err
	case t.Code != "" || t.Erasure == nil:
		return refusedCommand(&t.Outcome)
	}
	keyer := s.deps.Keyer(workspace)
	keys := make([]identity.Key, len(t.Erasure.Erased))
	for i, own := range t.Erasure.Erased {
		keys[i] = keyer.Key(own)
	}
	if err := s.deps.Restrictions.Restrict(c.Request.Context(), workspace, actorOf(c), r.Ground, keys); err != nil {
		return err
	}
	return s.sendRestriction(c, identity.ProfileID(t.Erasure.Profile), keys)
}

func (s *Server) sendRestriction(c *gin.Context, id identity.ProfileID, keys []identity.Key) error {
	found, err := s.deps.Restrictions.Find(c.Request.Context(), workspaceOf(c), keys...)
	if err != nil {
		return err
	}
	return send(c, restrictionResponse{id, found})
}

func (s *Server) getRestriction(c *gin.Context) error {
	p, err := s.profileOf(c)
	if err != nil {
		return err
	}
	return s.sendRestriction(c, p.ID, p.Keys)
}

// deleteRestriction releases the person of the path, whoever they were merged with.
func (s *Server) deleteRestriction(c *gin.Context) error {
	p, err := s.profileOf(c)
	if err != nil {
		return err
	}
	there, err := s.deps.Restrictions.Release(c.Request.Context(), workspaceOf(c), actorOf(c), p.Keys)
	if err != nil {
		return err
	}
	if !there {
		return newProblem(http.StatusNotFound, "not-restricted", "The processing of the person is not restricted", "")
	}
	return s.sendRestriction(c, p.ID, p.Keys)
}

// restrictedStore loads nobody whose processing is restricted.
type restrictedStore struct {
	profiles.Store
	list Restrictions
}

// Load implements profiles.Store.
func (r restrictedStore) Load(ctx context.Context, workspace string, id identity.ProfileID) (*profiles.Profile, error) {
	p, err := r.Store.Load(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	found, err := r.list.Find(ctx, workspace, p.Keys...)
	switch {
	case err != nil:
		return nil, err
	case found != nil:
		return nil, restricted()
	}
	return p, nil
}

func restricted() *problem {
	return newProblem(http.StatusForbidden, "restricted", "The processing of this person is restricted",
		"the data are kept and not used until a key of role admin releases them at /v1/privacy/restriction")
}

func isRestricted(err error) bool {
	if err == nil {
		return false
	}
	var p *problem
	return errors.As(err, &p) && p.Type == restricted().Type
}

// permit fails where the processing of a present profile is restricted. It costs a
// look where nobody of the workspace is.
func (s *Server) permit(c *gin.Context, id identity.ProfileID) error {
	if s.deps.Restrictions == nil || !s.deps.Restrictions.Any(workspaceOf(c)) {
		return nil
	}
	_, err := s.store(c).Load(c.Request.Context(), workspaceOf(c), id)
	return err
}

// permitted leaves out of ids those whose processing is restricted, and those that are
// gone.
func (s *Server) permitted(c *gin.Context, ids []identity.ProfileID) (map[identity.ProfileID]bool, error) {
	free := make(map[identity.ProfileID]bool, len(ids))
	if s.deps.Restrictions == nil || !s.deps.Restrictions.Any(workspaceOf(c)) {
		for _, id := range ids {
			free[id] = true
		}
		return free, nil
	}
	store := s.store(c)
	why, err := refusals(c, ids, func(ctx context.Context, id identity.ProfileID) error {
		_, err := store.Load(ctx, workspaceOf(c), id)
		return err
	})
	for i, id := range ids {
		if why[i] == nil {
			free[id] = true
		}
	}
	return free, err
}

// limited tells which of ids, also of before a merge, are of people whose processing is
// restricted now. Lists of what was need it: the lists of what is pass them over.
func (s *Server) limited(c *gin.Context, ids []identity.ProfileID) (map[identity.ProfileID]bool, error) {
	if s.deps.Restrictions == nil || !s.deps.Restrictions.Any(workspaceOf(c)) {
		return nil, nil
	}
	store, found := s.store(c), map[identity.ProfileID]bool{}
	why, err := refusals(c, ids, func(ctx context.Context, id identity.ProfileID) error {
		_, err := profiles.Find(ctx, store, workspaceOf(c), identity.Key(id))
		return err
	})
	for i, id := range ids {
		if isRestricted(why[i]) {
			found[id] = true
		}
	}
	return found, err
}

// refusals asks of each of ids why it is not shown, because it is restricted or gone;
// nil for the others.
func refusals(c *gin.Context, ids []identity.ProfileID, ask func(context.Context, identity.ProfileID) error) ([]error, error) {
	why := make([]error, len(ids))
	group, ctx := errgroup.WithContext(c.Request.Context())
	group.SetLimit(batchReads)
	for i, id := range ids {
		group.Go(func() error {
			why[i] = ask(ctx, id)
			if isRestricted(why[i]) || isNotFound(why[i]) {
				return nil
			}
			return why[i]
		})
	}
	return why, group.Wait()
}

// restrictedView is what support needs of somebody whose processing is restricted: who
// they are, to know them by, and since when and why the rest is not shown.
func (s *Server) restrictedView(c *gin.Context, key identity.Key) error {
	p, err := profiles.Find(c.Request.Context(), s.deps.Profiles, workspaceOf(c), key)
	if err != nil {
		return err
	}
	found, err := s.deps.Restrictions.Find(c.Request.Context(), workspaceOf(c), p.Keys...)
	if err != nil {
		return err
	}
	if found == nil {
		return restricted() // Released at this moment; the next request shows all.
	}
	r := newProfileResponse(&profiles.Profile{ID: p.ID, Identifiers: p.Identifiers, IdentifierCount: p.IdentifierCount})
	r.Restriction = found
	c.Header("Content-Location", "/v1/profiles/"+p.ID.String())
	return send(c, r)
}
