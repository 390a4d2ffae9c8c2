package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/privacy"
)

// Privacy answers what became of erasures, and what is stored of a person.
// Implementation: profiles/privacy.
type Privacy interface {
	// Erasure returns how far an erasure is, or privacy.ErrNoErasure.
	Erasure(ctx context.Context, workspace, id string) (*privacy.Status, error)
	// Access writes everything that is stored of a person as one JSON object.
	Access(ctx context.Context, workspace string, p *profiles.Profile, out io.Writer) error
	// Held counts what is stored of anchors, by table.
	Held(ctx context.Context, workspace string, anchors []identity.AnchorID) (map[string]uint64, error)
	// Consent returns what a person has stated.
	Consent(ctx context.Context, workspace string, p *profiles.Profile) (*privacy.Consent, error)
}

const erasurePattern = "/v1/privacy/erasure"

// privacyRoutes are what a person may ask of the data about them.
func (s *Server) privacyRoutes() []route {
	if s.deps.Privacy == nil {
		return nil
	}
	return []route{
		{http.MethodPost, erasurePattern, RoleAdmin, s.postErasure},
		{http.MethodGet, erasurePattern + "/:id", RoleAdmin, s.getErasure},
		{http.MethodGet, "/v1/privacy/access/:id", RoleAdmin, s.getAccess},
		{http.MethodPost, "/v1/privacy/correction/:id", RoleAdmin, s.postCorrection},
		{http.MethodGet, "/v1/profiles/:id/consent", RoleRead, s.getConsent},
		{http.MethodPost, "/v1/profiles/:id/consent", RoleWrite, s.postConsent},
	}
}

// erasureRequest asks to erase the person of an identifier.
type erasureRequest struct {
	ID         string          `json:"id"`
	Identifier json.RawMessage `json:"identifier"` // text, namespace:value or the id of a profile, or an object
	Reason     string          `json:"reason"`
	DryRun     bool            `json:"dry_run"`
}

// ErasureStatus is how far an erasure is.
type ErasureStatus struct {
	ID string `json:"id"`
	// Status is pending, masked, rewriting or done. From masked on the person is nobody
	// to every reader.
	Status      string              `json:"status"`
	ErasedAt    time.Time           `json:"erased_at,omitzero"`
	Identifiers uint64              `json:"identifiers"`
	Shared      uint64              `json:"identifiers_shared"`
	Sets        uint64              `json:"sets"`
	Steps       []ErasureStep       `json:"steps"`
	Certificate *ErasureCertificate `json:"certificate,omitempty"`
}

// ErasureStep is a step of the rewriting that has ended.
type ErasureStep struct {
	Step string    `json:"step"`
	Rows uint64    `json:"rows"`
	Time time.Time `json:"time"`
}

// ErasureCertificate is the signed proof. Text is what is signed, byte for byte.
type ErasureCertificate struct {
	IssuedAt  time.Time `json:"issued_at"`
	Text      string    `json:"text"`
	Algorithm string    `json:"algorithm"`
	Signature string    `json:"signature"`
	PublicKey string    `json:"public_key"`
}

// ErasureTrial is what an erasure would take.
type ErasureTrial struct {
	DryRun      bool               `json:"dry_run"`
	Profile     identity.ProfileID `json:"profile"`
	Identifiers []ShownIdentifier  `json:"identifiers"`
	Shared      []ShownIdentifier  `json:"identifiers_shared"`
	Anchors     int                `json:"anchors"`
	Rows        map[string]uint64  `json:"rows"`
}

// postErasure erases a person, or says what an erasure would take.
func (s *Server) postErasure(c *gin.Context) error {
	if s.deps.Commands == nil {
		return ErrIdentityNotHere
	}
	var r erasureRequest
	if err := decode(c, &r); err != nil {
		return err
	}
	var faults faultList
	if r.ID == "" {
		r.ID = newCommandID()
	} else if !isCommandID(r.ID) {
		faults.add("/id", commandIDRule)
	}
	if len(r.Reason) > maxCommandReason {
		faults.add("/reason", "must be at most 1000 bytes")
	}
	text, err := identifierText(r.Identifier)
	if err != nil {
		faults.add("/identifier", err.Error())
	}
	if len(faults) > 0 {
		return badRequest("the request breaks rules", faults...)
	}
	if _, err := s.deps.Privacy.Erasure(c.Request.Context(), workspaceOf(c), r.ID); err == nil && !r.DryRun {
		return s.sendErasure(c, r.ID) // Given again, the identifier is gone.
	}
	named, err := s.nameOf(c, text)
	if err != nil {
		return err
	}
	concerns(c, s.deps.Keyer(workspaceOf(c)).Key(named))
	command := identity.Command{
		ID: r.ID, Workspace: workspaceOf(c), Kind: identity.Erase, Identifiers: []identity.Identifier{named}, Actor: actorOf(c), Reason: r.Reason,
	}
	if r.DryRun {
		return s.tryErasure(c, command)
	}
	ctx, stop := context.WithTimeout(c.Request.Context(), s.cfg.CommandWait)
	defer stop()
	done, err := s.deps.Commands.Do(ctx, command)
	switch {
	case errors.Is(err, ErrPending) && c.Request.Context().Err() == nil:
		return acceptedAt(c, erasurePattern+"/"+url.PathEscape(command.ID), ErasureStatus{ID: command.ID, Status: CommandPending, Steps: []ErasureStep{}})
	case err != nil:
		return err
	case done.Kind != command.Kind:
		return commandReused()
	case done.Code != "":
		return refusedCommand(&done.Outcome)
	}
	return s.sendErasure(c, command.ID)
}

// nameOf returns an identifier of whom a text names: itself, or, of the id of a
// profile, one of those of the profile that say most.
func (s *Server) nameOf(c *gin.Context, text string) (identity.Identifier, error) {
	key, named, err := s.keyOf(workspaceOf(c), text)
	if err != nil || named.Value != "" {
		return named, err
	}
	p, err := profiles.Find(c.Request.Context(), s.deps.Profiles, workspaceOf(c), key)
	if err != nil {
		return named, err
	}
	for _, ns := range []identity.Namespace{identity.UserID, identity.CustomerNo, identity.Loyalty, identity.CRMID, identity.Email, identity.Phone} {
		if i := slices.IndexFunc(p.Identifiers, func(i profiles.Identifier) bool { return i.Namespace == ns }); i >= 0 {
			return p.Identifiers[i].Identifier, nil
		}
	}
	return p.Identifiers[0].Identifier, nil
}

func (s *Server) tryErasure(c *gin.Context, command identity.Command) error {
	graph, err := s.graph()
	if err != nil {
		return err
	}
	t, err := graph.Try(c.Request.Context(), command)
	if err != nil {
		return err
	}
	if t.Code != "" || t.Erasure == nil {
		return refusedCommand(&t.Outcome)
	}
	rows, err := s.deps.Privacy.Held(c.Request.Context(), command.Workspace, t.Erasure.Anchors)
	if err != nil {
		return err
	}
	v := s.veil(c, command.Identifiers...)
	r := ErasureTrial{
		DryRun: true, Profile: identity.ProfileID(t.Erasure.Profile), Anchors: len(t.Erasure.Anchors), Rows: rows,
		Identifiers: []ShownIdentifier{}, Shared: []ShownIdentifier{},
	}
	for _, i := range t.Erasure.Erased {
		r.Identifiers = append(r.Identifiers, v.show(i))
	}
	for _, i := range t.Erasure.Shared {
		r.Shared = append(r.Shared, v.show(i))
	}
	return send(c, r)
}

func (s *Server) getErasure(c *gin.Context) error {
	id, err := url.PathUnescape(c.Param("id"))
	if err != nil || !isCommandID(id) {
		return badRequest("the id of an erasure " + commandIDRule)
	}
	return s.sendErasure(c, id)
}

func (s *Server) sendErasure(c *gin.Context, id string) error {
	e, err := s.deps.Privacy.Erasure(c.Request.Context(), workspaceOf(c), id)
	if err != nil {
		return err
	}
	r := ErasureStatus{
		ID: id, Status: e.State, ErasedAt: e.ErasedAt, Identifiers: e.Identifiers, Shared: e.Shared, Sets: e.Sets, Steps: []ErasureStep{},
	}
	for _, step := range e.Steps {
		r.Steps = append(r.Steps, ErasureStep{Step: step.Name, Rows: step.Rows, Time: step.Time})
	}
	if x := e.Signed; x != nil {
		r.Certificate = &ErasureCertificate{
			IssuedAt: x.IssuedAt, Text: x.Certificate, Algorithm: "ed25519", Signature: x.Signature, PublicKey: x.PublicKey,
		}
	}
	return send(c, r)
}

// getAccess answers with everything that is stored of a person.
func (s *Server) getAccess(c *gin.Context) error {
	p, err := s.profileOf(c)
	if err != nil {
		return err
	}
	c.Header("Content-Type", "application/json")
	c.Header("Content-Disposition", `attachment; filename="access-`+p.ID.String()+`.json"`)
	err = s.deps.Privacy.Access(c.Request.Context(), workspaceOf(c), p, c.Writer)
	if err != nil && c.Writer.Written() {
		s.log.Error("an access export was cut off", "request_id", requestID(c), "error", err)
		panic(http.ErrAbortHandler) // Half an answer must not look whole.
	}
	return err
}

// profileOf returns the profile of the path.
func (s *Server) profileOf(c *gin.Context) (*profiles.Profile, error) {
	key, _, err := s.profileKey(workspaceOf(c), c.Param("id"))
	if err != nil {
		return nil, err
	}
	return profiles.Find(c.Request.Context(), s.deps.Profiles, workspaceOf(c), key)
}

// acceptedAt answers 202 with the place where the outcome will be.
func acceptedAt(c *gin.Context, place string, answer any) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	h := c.Writer.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Location", place)
	h.Set("Retry-After", "1")
	c.Writer.WriteHeader(http.StatusAccepted)
	_, _ = c.Writer.Write(body)
	return nil
}

func noErasure() *problem {
	return newProblem(http.StatusNotFound, "no-such-erasure", "There is no such erasure",
		"an erasure is there once the identity role has applied it; one that was refused is never")
}
