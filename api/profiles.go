package api

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// maxIdentifier bounds an identifier in a path, in bytes after decoding.
const maxIdentifier = 1024

// getProfile answers GET /v1/profiles/{id}, where id is namespace:value or the
// 16 hexadecimal digits of any profile id ever given out.
func (s *Server) getProfile(c *gin.Context) error {
	workspace := workspaceOf(c)
	key, _, err := s.profileKey(workspace, c.Param("id"))
	if err != nil {
		return err
	}
	if id, body := s.answered(c, workspace, key); body != nil {
		c.Header("Content-Location", "/v1/profiles/"+id.String())
		sendEncoded(c, "application/json", body)
		return nil
	}
	p, err := profiles.Find(c.Request.Context(), s.store(c), workspace, key)
	if isRestricted(err) && s.veil(c).off {
		return s.restrictedView(c, key)
	}
	if err != nil {
		return err
	}
	c.Header("Content-Location", "/v1/profiles/"+p.ID.String())
	body, ok := p.Answered().(*encodedBody)
	if !ok {
		if body, err = encodeBody(newProfileResponse(p)); err != nil {
			return err
		}
		p.Keep(body, body.size())
	}
	sendEncoded(c, "application/json", body)
	return nil
}

// answered returns the whole view that is at hand for whoever may see all of it, and asks
// for no writes of its own; nil for none.
func (s *Server) answered(c *gin.Context, workspace string, key identity.Key) (identity.ProfileID, *encodedBody) {
	store, ok := s.deps.Profiles.(profiles.Answering)
	if !ok || masks(c) || s.deps.Restrictions != nil && s.deps.Restrictions.Any(workspace) {
		return 0, nil
	}
	if _, fresh := c.Get(contextFresh); fresh {
		return 0, nil
	}
	id, kept := store.Answer(workspace, key)
	body, _ := kept.(*encodedBody)
	return id, body
}

// profileKey turns a path segment, as it was sent, into the key to resolve, and
// the identifier that it names; none when it is a profile id.
func (s *Server) profileKey(workspace, segment string) (identity.Key, identity.Identifier, error) {
	text, err := url.PathUnescape(segment)
	if err != nil {
		return 0, identity.Identifier{}, badRequest("the identifier must be percent-encoded UTF-8")
	}
	return s.keyOf(workspace, text)
}

// keyOf is profileKey of a text that is not encoded. Its errors are problems.
func (s *Server) keyOf(workspace, text string) (key identity.Key, named identity.Identifier, err error) {
	if !utf8.ValidString(text) {
		return 0, named, badRequest("the identifier must be percent-encoded UTF-8")
	}
	if len(text) > maxIdentifier {
		return 0, named, badRequest("the identifier is too long")
	}
	if !strings.Contains(text, ":") {
		id, err := identity.ParseProfileID(strings.ToLower(text))
		if err != nil {
			return 0, named, badRequest("a profile is named by namespace:value or by an id of 16 hexadecimal digits")
		}
		return identity.Key(id), named, nil
	}
	raw, err := identity.ParseIdentifier(text)
	if err != nil {
		return 0, named, badRequest(err.Error())
	}
	if named, err = s.deps.Normalize(raw.Namespace, raw.Value); err != nil {
		return 0, named, badRequest("the value is no identifier of its namespace")
	}
	return s.deps.Keyer(workspace).Key(named), named, nil
}

// profileResponse is the single customer view.
type profileResponse struct {
	ID              identity.ProfileID       `json:"id"`
	Identifiers     []identifierResponse     `json:"identifiers"`
	IdentifierCount int                      `json:"identifier_count"`
	Household       *householdResponse       `json:"household,omitempty"`
	Accounts        []accountLinkResponse    `json:"accounts"`
	Traits          map[string]traitResponse `json:"traits"`
	Activity        activityResponse         `json:"activity"`
	Orders          []ordersResponse         `json:"orders"`
	Products        []productResponse        `json:"products"`
	Channels        []channelResponse        `json:"channels"`
	Scores          map[string]scoreResponse `json:"scores"`
	Stage           string                   `json:"stage,omitempty"`
	Persona         *personaResponse         `json:"persona,omitempty"`
	RFM             *rfmResponse             `json:"rfm,omitempty"`
	Recent          []eventResponse          `json:"recent"`
	Restriction     *Restriction             `json:"restriction,omitempty"` // then only identifiers are told
}

// householdResponse has the other profiles of the household, not the one asked for.
type householdResponse struct {
	ID       identity.HouseholdID `json:"id"`
	Profiles []identity.ProfileID `json:"profiles"`
}

type identifierResponse struct {
	Namespace identity.Namespace `json:"namespace"`
	Value     string             `json:"value"`
	FirstSeen time.Time          `json:"first_seen,omitzero"`
	LastSeen  string             `json:"last_seen"` // a date
	Sources   []string           `json:"sources"`
}

type traitResponse struct {
	Value  json.RawMessage `json:"value"`
	Rule   profiles.Rule   `json:"rule"`
	Source string          `json:"source"`
	Time   time.Time       `json:"time"`
}

type activityResponse struct {
	FirstSeen time.Time         `json:"first_seen,omitzero"`
	LastSeen  time.Time         `json:"last_seen,omitzero"`
	Total     uint64            `json:"total"`
	Events    map[string]uint64 `json:"events"`
}

// ordersResponse has amounts as decimal text, which no client rounds.
type ordersResponse struct {
	Currency   string    `json:"currency"`
	Orders     uint64    `json:"orders"`
	Refunds    uint64    `json:"refunds"`
	Amount     string    `json:"amount"`
	Refunded   string    `json:"refunded"`
	Revenue    string    `json:"revenue"`
	FirstOrder time.Time `json:"first_order,omitzero"`
	LastOrder  time.Time `json:"last_order,omitzero"`
}

// channelResponse sums up the messages sent over one channel by what happened to
// them.
type channelResponse struct {
	Channel  string            `json:"channel"`
	Messages map[string]uint64 `json:"messages"`
	First    time.Time         `json:"first_contact"`
	Last     time.Time         `json:"last_contact"`
	Answered time.Time         `json:"last_answer,omitzero"`
}

type scoreResponse struct {
	Value        float64         `json:"value"`
	Lower        float64         `json:"lower"`
	Upper        float64         `json:"upper"`
	ModelVersion string          `json:"model_version"`
	AsOf         time.Time       `json:"as_of"`
	ComputedAt   time.Time       `json:"computed_at"`
	Detail       json.RawMessage `json:"detail,omitempty"`
}

type eventResponse struct {
	Time       time.Time       `json:"time"`
	Kind       string          `json:"kind"`
	Name       string          `json:"name"`
	Type       string          `json:"type,omitempty"`
	Source     string          `json:"source"`
	MessageID  string          `json:"message_id"`
	Properties json.RawMessage `json:"properties,omitempty"`
	Detail     json.RawMessage `json:"detail,omitempty"`
}

func newProfileResponse(p *profiles.Profile) profileResponse {
	r := profileResponse{
		ID:              p.ID,
		IdentifierCount: p.IdentifierCount,
		Identifiers:     newIdentifiers(p.Identifiers),
		Household:       newHouseholdResponse(p.Household),
		Accounts:        newAccountLinks(p.Accounts),
		Traits:          make(map[string]traitResponse, len(p.Traits)),
		Activity: activityResponse{
			FirstSeen: p.Activity.FirstSeen, LastSeen: p.Activity.LastSeen,
			Total: p.Activity.Total(), Events: p.Activity.Events,
		},
		Orders:   make([]ordersResponse, len(p.Orders)),
		Products: newProducts(p.Products),
		Channels: make([]channelResponse, len(p.Channels)),
		Scores:   newScoresResponse(p.Scores),
		Recent:   newEvents(p.Recent),
	}
	r.group(p.Group)
	if r.Activity.Events == nil {
		r.Activity.Events = map[string]uint64{}
	}
	for _, t := range p.Traits {
		r.Traits[t.Name] = newTraitResponse(t)
	}
	for i, o := range p.Orders {
		r.Orders[i] = ordersResponse{
			Currency: o.Currency, Orders: o.Orders, Refunds: o.Refunds,
			Amount: o.Amount.String(), Refunded: o.Refunded.String(), Revenue: o.Revenue().String(),
			FirstOrder: o.FirstOrder, LastOrder: o.LastOrder,
		}
	}
	for i, k := range p.Channels {
		r.Channels[i] = channelResponse(k)
	}
	return r
}

func newHouseholdResponse(h *profiles.Household) *householdResponse {
	if h == nil {
		return nil
	}
	return &householdResponse{ID: h.ID, Profiles: append([]identity.ProfileID{}, h.Profiles...)}
}

func newIdentifiers(identifiers []profiles.Identifier) []identifierResponse {
	list := make([]identifierResponse, len(identifiers))
	for i, id := range identifiers {
		list[i] = identifierResponse{
			Namespace: id.Namespace, Value: id.Value,
			FirstSeen: id.FirstSeen, LastSeen: id.LastSeen.Format(time.DateOnly), Sources: id.Sources,
		}
	}
	return list
}

func newTraitResponse(t profiles.Trait) traitResponse {
	return traitResponse{Value: t.Value, Rule: t.Rule, Source: t.Source, Time: t.Time}
}

func newScoresResponse(scores []profiles.Score) map[string]scoreResponse {
	byName := make(map[string]scoreResponse, len(scores))
	for _, s := range scores {
		byName[s.Name] = scoreResponse{
			Value: s.Value, Lower: s.Lower, Upper: s.Upper, ModelVersion: s.ModelVersion,
			AsOf: s.AsOf, ComputedAt: s.ComputedAt, Detail: s.Detail,
		}
	}
	return byName
}
