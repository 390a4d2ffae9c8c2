package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/profiles"
)

// Keys manages the keys of a workspace. Implementations are safe for concurrent
// use. All that change something may return a *Refused, ErrNoKey or ErrPending,
// and return when every API process will see the change within a second or two.
type Keys interface {
	// List returns the keys that are managed, the newest first.
	List(ctx context.Context, workspace string) ([]ManagedKey, error)
	// Create makes a key and returns it with its secret, which nobody can read again.
	Create(ctx context.Context, workspace, actor string, k NewKey) (*ManagedKey, string, error)
	// Revoke ends a key for ever.
	Revoke(ctx context.Context, workspace, actor, id string) (*ManagedKey, error)
	// Rotate gives a key another secret. The one before it holds for a while yet.
	Rotate(ctx context.Context, workspace, actor, id string, grace time.Duration) (*ManagedKey, string, error)
}

// ErrNoKey reports a key that is not in the workspace, or not managed.
var ErrNoKey = errors.New("there is no such key")

// NewKey is what a key is made of.
type NewKey struct {
	Name    string    `json:"name"`
	Role    Role      `json:"role"`
	Source  string    `json:"source"`
	Origins []string  `json:"origins"`
	Person  bool      `json:"person"`
	Rate    float64   `json:"rate"`
	Burst   int       `json:"burst"`
	Expires time.Time `json:"expires_at"`
}

// ManagedKey is a key as it stands, without its secret.
type ManagedKey struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Role     Role       `json:"role"`
	Source   string     `json:"source,omitempty"`
	Origins  []string   `json:"origins,omitempty"`
	Person   bool       `json:"person"`
	Rate     float64    `json:"rate,omitempty"`
	Burst    int        `json:"burst,omitempty"`
	Status   string     `json:"status"` // live, expired or revoked
	Created  time.Time  `json:"created_at"`
	Expires  *time.Time `json:"expires_at,omitempty"`
	Changed  time.Time  `json:"changed_at"`
	By       string     `json:"changed_by"`
	Revision uint64     `json:"revision"`
	// Before is until when the secret before the last rotation holds.
	Before *time.Time `json:"previous_secret_until,omitempty"`
}

const keysPattern = "/v1/keys"

// accessRoutes are the operations on keys and on the record of what was done.
func (s *Server) accessRoutes() []route {
	with := func(there bool, handle func(*gin.Context) error) func(*gin.Context) error {
		return func(c *gin.Context) error {
			if !there {
				return noRoute()
			}
			return handle(c)
		}
	}
	keys := s.deps.Keys != nil
	return []route{
		{http.MethodGet, keysPattern, RoleAdmin, with(keys, s.listKeys)},
		{http.MethodPost, keysPattern, RoleAdmin, with(keys, s.createKey)},
		{http.MethodPost, keysPattern + "/:id/revoke", RoleAdmin, with(keys, s.revokeKey)},
		{http.MethodPost, keysPattern + "/:id/rotate", RoleAdmin, with(keys, s.rotateKey)},
		{http.MethodGet, auditPattern, RoleAdmin, with(s.deps.Audit != nil, s.getAudit)},
	}
}

func (s *Server) listKeys(c *gin.Context) error {
	list, err := s.deps.Keys.List(c.Request.Context(), workspaceOf(c))
	if err != nil {
		return err
	}
	return send(c, struct {
		Keys []ManagedKey `json:"keys"`
	}{append([]ManagedKey{}, list...)})
}

// keyWithSecret is the only answer that ever has a secret.
type keyWithSecret struct {
	Key    ManagedKey `json:"key"`
	Secret string     `json:"secret"`
}

func (s *Server) createKey(c *gin.Context) error {
	var k NewKey
	if err := decode(c, &k); err != nil {
		return err
	}
	if err := s.checkKey(k); err != nil {
		return err
	}
	made, secret, err := s.deps.Keys.Create(c.Request.Context(), workspaceOf(c), actorOf(c), k)
	if err != nil {
		return err
	}
	return send(c, keyWithSecret{*made, secret})
}

func (s *Server) checkKey(k NewKey) error {
	var faults faultList
	if n := len(k.Name); n == 0 || n > 100 || !utf8.ValidString(k.Name) {
		faults.add("/name", "must have 1 to 100 bytes")
	}
	if !slices.Contains(Roles(), k.Role) {
		faults.add("/role", "must be write, public, read, marketer or admin")
	}
	if len(k.Source) > maxSource || k.Source != "" && k.Role != RoleWrite && k.Role != RolePublic && k.Role != RoleAdmin {
		faults.add("/source", fmt.Sprintf("must have at most %d bytes, and is for keys that write", maxSource))
	}
	if k.Role == RolePublic && k.Source == "" {
		faults.add("/source", "must be named for a key that everybody can read")
	}
	checkOrigins(k, &faults)
	if k.Rate < 0 || k.Rate > 1e6 || k.Burst < 0 || k.Burst > 1e6 {
		faults.add("/rate", "rate and burst must be 0 to 1000000")
	}
	if !k.Expires.IsZero() && !k.Expires.After(s.deps.Now()) {
		faults.add("/expires_at", "must be a time to come")
	}
	if len(faults) > 0 {
		return badRequest("the key breaks rules", faults...)
	}
	return nil
}

func (s *Server) revokeKey(c *gin.Context) error {
	key, err := s.deps.Keys.Revoke(c.Request.Context(), workspaceOf(c), actorOf(c), c.Param("id"))
	if err != nil {
		return err
	}
	return send(c, struct {
		Key *ManagedKey `json:"key"`
	}{key})
}

// maxGrace bounds how long a secret may outlive its rotation.
const maxGrace = 30 * 24 * 60 * 60

func (s *Server) rotateKey(c *gin.Context) error {
	var r struct {
		Grace int64 `json:"grace_seconds"`
	}
	if c.Request.ContentLength != 0 {
		if err := decode(c, &r); err != nil {
			return err
		}
	}
	if r.Grace < 0 || r.Grace > maxGrace {
		return badRequest("the body breaks a rule", fault{"/grace_seconds", fmt.Sprintf("must be 0 to %d", maxGrace)})
	}
	key, secret, err := s.deps.Keys.Rotate(c.Request.Context(), workspaceOf(c), actorOf(c), c.Param("id"), time.Duration(r.Grace)*time.Second)
	if err != nil {
		return err
	}
	return send(c, keyWithSecret{*key, secret})
}

func isNotFound(err error) bool { return errors.Is(err, profiles.ErrNotFound) }
