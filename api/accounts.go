package api

import (
	"encoding/json"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

type accountLinkResponse struct {
	ID     string    `json:"id"`
	First  time.Time `json:"first_seen"`
	Last   time.Time `json:"last_seen"`
	Events uint64    `json:"events"`
}

func newAccountLinks(links []profiles.AccountLink) []accountLinkResponse {
	list := make([]accountLinkResponse, len(links))
	for i, a := range links {
		list[i] = accountLinkResponse{ID: a.ID, First: a.First, Last: a.Last, Events: a.Events}
	}
	return list
}

type accountResponse struct {
	ID      string                          `json:"id"`
	Traits  map[string]accountTraitResponse `json:"traits"`
	First   time.Time                       `json:"first_seen"`
	Last    time.Time                       `json:"last_seen"`
	Members []accountMemberResponse         `json:"members"`
	Next    string                          `json:"next,omitempty"`
}

type accountTraitResponse struct {
	Value  json.RawMessage `json:"value"`
	Source string          `json:"source"`
	Time   time.Time       `json:"time"`
}

type accountMemberResponse struct {
	ID     identity.ProfileID `json:"id"`
	First  time.Time          `json:"first_seen"`
	Last   time.Time          `json:"last_seen"`
	Events uint64             `json:"events"`
}

// getAccount answers GET /v1/accounts/{id} with a page of its members.
func (s *Server) getAccount(c *gin.Context) error {
	if s.deps.Accounts == nil {
		return noRoute()
	}
	id, err := accountID(c.Param("id"))
	if err != nil {
		return err
	}
	limit, err := numberQuery(c, "limit", 1, maxPage, defaultPage)
	if err != nil {
		return err
	}
	scope := cursorScope{"account", id}
	var after identity.ProfileID
	if _, err := s.readCursor(c, "cursor", scope, &after); err != nil {
		return err
	}
	a, err := s.deps.Accounts.Account(c.Request.Context(), workspaceOf(c), id, after, int(limit))
	if err != nil {
		return err
	}
	r := accountResponse{ID: a.ID, Traits: make(map[string]accountTraitResponse, len(a.Traits)), First: a.First, Last: a.Last, Members: []accountMemberResponse{}}
	for _, t := range a.Traits {
		value := t.Value
		if masks(c) {
			value = profiles.MaskTrait(t.Name, value)
		}
		r.Traits[t.Name] = accountTraitResponse{value, t.Source, t.Time}
	}
	ids := make([]identity.ProfileID, len(a.Members))
	for i, m := range a.Members {
		ids[i] = m.ID
	}
	free, err := s.permitted(c, ids)
	if err != nil {
		return err
	}
	for _, m := range a.Members {
		if free[m.ID] {
			r.Members = append(r.Members, accountMemberResponse(m))
		}
	}
	if n := len(a.Members); n == int(limit) {
		r.Next = s.writeCursor(c, scope, a.Members[n-1].ID)
	}
	return send(c, r)
}

// accountID reads the id of an account from a path segment as it was sent.
func accountID(segment string) (string, error) {
	id, err := url.PathUnescape(segment)
	if err != nil || !utf8.ValidString(id) {
		return "", badRequest("the id of the account must be percent-encoded UTF-8")
	}
	if len(id) > maxIdentifier {
		return "", badRequest("the id of the account is too long")
	}
	return id, nil
}
