package api

import (
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// maxLinks is the greatest number of links in an answer, Segment's own.
const maxLinks = 20

type segmentLink struct {
	ToCollection string              `json:"to_collection"`
	ExternalIDs  []segmentIdentifier `json:"external_ids"`
}

// segmentLinks are the accounts of a person.
func (s *Server) segmentLinks(c *gin.Context) error {
	q, scope, err := s.segmentPage(c, "links", maxLinks, maxLinks)
	if err != nil {
		return err
	}
	p, err := s.segmentFind(c)
	if err != nil {
		return err
	}
	links := slices.Clone(p.Accounts)
	if q.After.Key != "" {
		links = slices.DeleteFunc(links, func(a profiles.AccountLink) bool { return a.ID <= q.After.Key })
	}
	page := links[:min(len(links), q.Limit)]
	r := segmentList[segmentLink]{Data: []segmentLink{}}
	var last profiles.Position
	for _, a := range page {
		r.Data = append(r.Data, segmentLink{collectionAccounts, []segmentIdentifier{{
			Collection: collectionAccounts, ID: a.ID, Type: "group_id", CreatedAt: a.First, Encoding: "none",
		}}})
		last.Key = a.ID
	}
	r.Cursor = s.segmentCursor(c, scope, q, len(links) > len(page), last)
	return send(c, r)
}

// segmentAccount reads the account of the path: group_id:….
func (s *Server) segmentAccount(c *gin.Context, limit int) (*profiles.Account, error) {
	text, err := accountID(c.Param("id"))
	if err != nil {
		return nil, err
	}
	id, ok := strings.CutPrefix(text, "group_id:")
	if !ok {
		return nil, badRequest("accounts are named by group_id")
	}
	var after identity.ProfileID
	if limit > 0 {
		q, _, err := s.segmentPage(c, "links", maxLinks, maxLinks)
		if err != nil {
			return nil, err
		}
		if q.After.Key != "" {
			if after, err = identity.ParseProfileID(q.After.Key); err != nil {
				return nil, badRequest("the query parameter \"next\" is no cursor of this question")
			}
		}
	}
	return s.deps.Accounts.Account(c.Request.Context(), workspaceOf(c), id, after, limit)
}

func (s *Server) segmentAccountIdentifiers(c *gin.Context) error {
	a, err := s.segmentAccount(c, 0)
	if err != nil {
		return err
	}
	return send(c, segmentList[segmentIdentifier]{
		Data:   []segmentIdentifier{{Collection: collectionAccounts, ID: a.ID, Type: "group_id", CreatedAt: a.First, Encoding: "none"}},
		Cursor: segmentCursor{URL: c.Request.URL.EscapedPath(), Limit: 25},
	})
}

// segmentAccountEvents has none: what the members did is in their own profiles.
func (s *Server) segmentAccountEvents(c *gin.Context) error {
	if _, err := s.segmentAccount(c, 0); err != nil {
		return err
	}
	return send(c, segmentList[segmentEvent]{Data: []segmentEvent{}, Cursor: segmentCursor{URL: c.Request.URL.EscapedPath(), Limit: 10}})
}

func (s *Server) segmentAccountMetadata(c *gin.Context) error {
	a, err := s.segmentAccount(c, 0)
	if err != nil {
		return err
	}
	return send(c, segmentMetadataResponse{segmentMeta{CreatedAt: &a.First, UpdatedAt: &a.Last}})
}

// segmentAccountLinks are the members of an account, each by its user ids, or by
// what else it has.
func (s *Server) segmentAccountLinks(c *gin.Context) error {
	q, scope, err := s.segmentPage(c, "links", maxLinks, maxLinks)
	if err != nil {
		return err
	}
	a, err := s.segmentAccount(c, q.Limit+1)
	if err != nil {
		return err
	}
	page := a.Members[:min(len(a.Members), q.Limit)]
	r := segmentList[segmentLink]{Data: []segmentLink{}}
	var last profiles.Position
	for _, m := range page {
		last.Key = m.ID.String()
		ids, err := s.memberIDs(c, m.ID)
		if isRestricted(err) {
			continue
		}
		if err != nil {
			return err
		}
		r.Data = append(r.Data, segmentLink{collectionUsers, ids})
	}
	r.Cursor = s.segmentCursor(c, scope, q, len(a.Members) > len(page), last)
	return send(c, r)
}

func (s *Server) memberIDs(c *gin.Context, id identity.ProfileID) ([]segmentIdentifier, error) {
	p, err := profiles.Find(c.Request.Context(), s.store(c), workspaceOf(c), identity.Key(id))
	if err != nil {
		return nil, err
	}
	own := slices.DeleteFunc(slices.Clone(p.Identifiers), func(i profiles.Identifier) bool { return i.Namespace != "user_id" })
	if len(own) == 0 {
		own = p.Identifiers[:min(1, len(p.Identifiers))]
	}
	ids := make([]segmentIdentifier, len(own))
	for i, k := range own {
		ids[i] = newSegmentIdentifier(k)
	}
	return ids, nil
}
