package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// Audit keeps the record of who read what of whom, and who changed what. It is
// safe for concurrent use.
type Audit interface {
	// Begin puts an entry on record and returns when it is there to stay: what it
	// is about has not happened yet. An error means that it may not be there.
	Begin(ctx context.Context, e AuditEntry) error
	// Note returns when the entry is queued, and waits while the queue is full. An
	// entry of an ID that is on record already completes that one.
	Note(ctx context.Context, e AuditEntry) error
	// List returns the newest entries of a filter and the cursor of the next page,
	// "" at the end. It may return a *Refused.
	List(ctx context.Context, workspace string, f AuditFilter, cursor string, limit int) ([]AuditEntry, string, error)
}

// AuditEntry is one thing that was done with a key. It holds no value of a person.
type AuditEntry struct {
	ID        string    `json:"id"`
	Workspace string    `json:"-"`
	Time      time.Time `json:"time"`
	RequestID string    `json:"request_id"`
	KeyID     string    `json:"key_id"`
	KeyName   string    `json:"key_name"`
	Role      Role      `json:"role"`
	// Actor is who used the key, as the request claims in X-Kindred-Actor.
	Actor  string `json:"actor,omitempty"`
	Action string `json:"action"` // read or change
	Method string `json:"method"`
	Route  string `json:"route"` // the pattern, which holds no values
	// Resource is what else the path names: a plan, a dead letter, a key, a command.
	Resource string `json:"resource,omitempty"`
	// Subjects are the keys of the identifiers by which persons were named, at
	// most maxSubjects of them; each finds the profile, like any id.
	Subjects []identity.ProfileID `json:"subjects"`
	// Status is that of the answer, 0 for a change whose outcome is not on record:
	// it may have been made.
	Status int `json:"status"`
}

// AuditFilter picks entries. Empty fields pick all.
type AuditFilter struct {
	KeyID, Actor, Action, Route, RequestID string
	Subjects                               []identity.Key // any of them
	Since, Until                           time.Time
}

// Actions of entries.
const (
	actionRead   = "read"
	actionChange = "change"
)

const (
	// maxSubjects bounds the subjects of an entry.
	maxSubjects = 1000
	// maxActor bounds the header X-Kindred-Actor in bytes.
	maxActor = 200
	// noteWait bounds the wait for the queue once a request was answered.
	noteWait = 5 * time.Second

	headerActor     = "X-Kindred-Actor"
	contextSubjects = "kindred.subjects"
	auditPattern    = "/v1/audit"
)

// audited puts on record every change, and every reading of personal data by a
// person. A change is on record before it is made: whoever cannot say so may not
// make it.
func (s *Server) audited(r route) gin.HandlerFunc {
	rule := ruleOf(r)
	return func(c *gin.Context) {
		k, ok := c.Get(contextKey)
		if s.deps.Audit == nil || r.role == "" || !ok {
			return
		}
		key := k.(Key)
		if !rule.change && (rule.shows == nobody || !key.person()) {
			return
		}
		entry := s.newEntry(c, r, key)
		if rule.change {
			if err := s.deps.Audit.Begin(c.Request.Context(), entry); err != nil {
				s.log.Error("change is not put on record and not made", "request_id", entry.RequestID, "error", err)
				s.fail(c, newProblem(http.StatusServiceUnavailable, "audit-unavailable", "The change cannot be put on record", "nothing was changed; try again later"))
				return
			}
		}
		defer s.note(c, entry) // Also when the handler panics: the outcome is then 500.
		c.Next()
	}
}

// note completes the entry of a request that was answered.
func (s *Server) note(c *gin.Context, entry AuditEntry) {
	entry.Subjects = subjectsOf(c, entry.Subjects)
	if entry.Status = c.Writer.Status(); recovering(c) {
		entry.Status = http.StatusInternalServerError
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), noteWait)
	defer cancel()
	if err := s.deps.Audit.Note(ctx, entry); err != nil {
		s.metrics.unheard.Inc()
		s.log.Error("outcome is not put on record", "request_id", entry.RequestID, "route", entry.Route, "key_id", entry.KeyID, "status", entry.Status, "error", err)
	}
}

// recovering reports whether the handler is ending in a panic: it has answered
// nothing, neither a body nor a status of its own.
func recovering(c *gin.Context) bool {
	return !c.Writer.Written() && c.Writer.Status() == http.StatusOK
}

// refusalOnRecord notes that a person was refused a route.
func (s *Server) refusalOnRecord(c *gin.Context, r route) {
	k, ok := c.Get(contextKey)
	if s.deps.Audit == nil || !ok || !k.(Key).person() {
		return
	}
	s.note(c, s.newEntry(c, r, k.(Key)))
}

func (s *Server) newEntry(c *gin.Context, r route, key Key) AuditEntry {
	var id [16]byte
	_, _ = rand.Read(id[:]) // Never fails: crypto/rand ends the process instead.
	action := actionRead
	if ruleOf(r).change {
		action = actionChange
	}
	return AuditEntry{
		ID: hex.EncodeToString(id[:]), Workspace: key.Workspace, Time: s.deps.Now().UTC().Truncate(time.Millisecond), RequestID: requestID(c),
		KeyID: key.id(), KeyName: key.Name, Role: key.Role, Actor: claimedActor(c), Action: action,
		Method: r.method, Route: r.pattern, Resource: resourceOf(c, r), Subjects: s.namedSubjects(c, r, key.Workspace),
	}
}

// claimedActor is the header X-Kindred-Actor, cut to what a table should hold.
func claimedActor(c *gin.Context) string {
	text := strings.ToValidUTF8(strings.TrimSpace(c.GetHeader(headerActor)), "")
	for len(text) > maxActor {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

// resourceOf is what the path names, when it is a plain name and no person.
func resourceOf(c *gin.Context, r route) string {
	if namesPerson(r) {
		return ""
	}
	for _, p := range c.Params {
		if isRequestID(p.Value) {
			return p.Value
		}
	}
	return ""
}

// namesPerson reports whether the id in the path is that of a person.
func namesPerson(r route) bool {
	return strings.HasPrefix(r.pattern, "/v1/profiles/:id") || strings.HasPrefix(r.pattern, "/v1/privacy/access/:id")
}

// namedSubjects are the keys of whom the path or the query names.
func (s *Server) namedSubjects(c *gin.Context, r route, workspace string) []identity.ProfileID {
	var list []identity.ProfileID
	add := func(key identity.Key, err error) {
		if err == nil {
			list = append(list, identity.ProfileID(key))
		}
	}
	if namesPerson(r) {
		key, _, err := s.profileKey(workspace, c.Param("id"))
		add(key, err)
	}
	for _, name := range []string{"a", "b", "profile"} {
		if text := c.Query(name); text != "" {
			key, _, err := s.keyOf(workspace, text)
			add(key, err)
		}
	}
	if pair, ok := c.Params.Get("pair"); ok {
		if keys, err := parsePair(pair); err == nil {
			add(keys[0], nil)
			add(keys[1], nil)
		}
	}
	return list
}

// concerns adds persons to the entry of a request, by keys of their identifiers
// or ids of their profiles. Handlers call it for those whom the path does not name.
func concerns(c *gin.Context, keys ...identity.Key) {
	list, _ := c.Get(contextSubjects)
	known, _ := list.([]identity.Key)
	c.Set(contextSubjects, append(known, keys...))
}

// subjectsOf adds whom the handler named to those whom the request named.
func subjectsOf(c *gin.Context, named []identity.ProfileID) []identity.ProfileID {
	list, _ := c.Get(contextSubjects)
	more, _ := list.([]identity.Key)
	for _, key := range more {
		named = append(named, identity.ProfileID(key))
	}
	slices.Sort(named)
	named = slices.Compact(named)
	return named[:min(len(named), maxSubjects)]
}

// getAudit answers GET /v1/audit.
func (s *Server) getAudit(c *gin.Context) error {
	f := AuditFilter{KeyID: c.Query("key_id"), Actor: c.Query("actor"), Action: c.Query("action"), Route: c.Query("route"), RequestID: c.Query("request_id")}
	if f.Action != "" && f.Action != actionRead && f.Action != actionChange {
		return badRequest(`the query parameter "action" must be "read" or "change"`)
	}
	var err error
	if f.Since, err = timeQuery(c, "since", time.Time{}); err != nil {
		return err
	}
	if f.Until, err = timeQuery(c, "until", time.Time{}); err != nil {
		return err
	}
	if text := c.Query("profile"); text != "" {
		if f.Subjects, err = s.keysOfPerson(c, text); err != nil {
			return err
		}
	}
	limit, err := numberQuery(c, "limit", 1, 1000, 100)
	if err != nil {
		return err
	}
	list, next, err := s.deps.Audit.List(c.Request.Context(), workspaceOf(c), f, c.Query("cursor"), int(limit))
	if err != nil {
		return err
	}
	for i := range list {
		list[i].Subjects = append([]identity.ProfileID{}, list[i].Subjects...)
	}
	return send(c, struct {
		Entries []AuditEntry `json:"entries"`
		Next    string       `json:"next,omitempty"`
	}{append([]AuditEntry{}, list...), next})
}

// keysOfPerson are all keys under which a person may be on record: that which is
// named, and those of the present profile. Who is gone is still found by name.
func (s *Server) keysOfPerson(c *gin.Context, text string) ([]identity.Key, error) {
	workspace := workspaceOf(c)
	key, _, err := s.keyOf(workspace, text)
	if err != nil {
		return nil, err
	}
	p, err := profiles.Find(c.Request.Context(), s.deps.Profiles, workspace, key)
	switch {
	case err == nil:
		return append([]identity.Key{key, identity.Key(p.ID)}, p.Keys...), nil
	case isNotFound(err):
		return []identity.Key{key}, nil
	}
	return nil, err
}
