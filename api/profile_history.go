package api

import (
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// maxFilters bounds the values of one filter.
const maxFilters = 50

type timelineResponse struct {
	ID     identity.ProfileID `json:"id"`
	Events []eventResponse    `json:"events"`
	Next   string             `json:"next,omitempty"`
}

// getTimeline answers GET /v1/profiles/{id}/timeline: every event of every kind,
// page by page.
func (s *Server) getTimeline(c *gin.Context) error {
	q, scope, err := s.timelineQuery(c)
	if err != nil {
		return err
	}
	id, events, err := readNamed(s, c, "/timeline", func(id identity.ProfileID) ([]profiles.Event, error) {
		return s.deps.History.Timeline(c.Request.Context(), workspaceOf(c), id, q)
	})
	if err != nil {
		return err
	}
	if masks(c) {
		events = profiles.MaskEvents(events)
	}
	return send(c, timelineResponse{
		ID: id, Events: newEvents(events),
		Next: s.next(c, scope, q.PageQuery, len(events), func() profiles.Position { return events[len(events)-1].Position }),
	})
}

func (s *Server) timelineQuery(c *gin.Context) (q profiles.TimelineQuery, scope cursorScope, err error) {
	scope = cursorScope{"timeline"}
	filter := func(name string) (list []string) {
		if list = c.QueryArray(name); len(list) > maxFilters && err == nil {
			err = badRequest("the query parameter \"" + name + "\" may be there " + strconv.Itoa(maxFilters) + " times at most")
		}
		scope = append(append(scope, name, strconv.Itoa(len(list))), list...)
		return list
	}
	q.Kinds, q.Names, q.Sources = filter("kind"), filter("name"), filter("source")
	if err != nil {
		return q, nil, err
	}
	if q.From, err = timeQuery(c, "from", time.Time{}); err != nil {
		return q, nil, err
	}
	if q.To, err = timeQuery(c, "to", time.Time{}); err != nil {
		return q, nil, err
	}
	switch c.DefaultQuery("order", "desc") {
	case "asc":
		q.Ascending = true
	case "desc":
	default:
		return q, nil, badRequest("the query parameter \"order\" must be desc or asc")
	}
	scope = append(scope, q.From.String(), q.To.String(), strconv.FormatBool(q.Ascending))
	q.PageQuery, err = s.pageQuery(c, scope, maxPage, defaultPage)
	return q, scope, err
}

type productsResponse struct {
	ID       identity.ProfileID `json:"id"`
	Products []productResponse  `json:"products"`
	Next     string             `json:"next,omitempty"`
}

// productResponse has amounts and quantities as decimal text, which no client
// rounds.
type productResponse struct {
	ProductID  string            `json:"product_id"`
	Name       string            `json:"name"`
	Category   string            `json:"category"`
	Orders     uint64            `json:"orders"`
	Bought     string            `json:"bought"`
	Returned   string            `json:"returned"`
	Held       string            `json:"held"`
	Subscribed bool              `json:"subscribed"`
	Spent      map[string]string `json:"spent"`
	First      time.Time         `json:"first_bought,omitzero"`
	Last       time.Time         `json:"last_bought,omitzero"`
}

// getProducts answers GET /v1/profiles/{id}/products.
func (s *Server) getProducts(c *gin.Context) error {
	scope := cursorScope{"products"}
	q, err := s.pageQuery(c, scope, maxPage, defaultPage)
	if err != nil {
		return err
	}
	id, products, err := readNamed(s, c, "/products", func(id identity.ProfileID) ([]profiles.Product, error) {
		return s.deps.History.Products(c.Request.Context(), workspaceOf(c), id, q)
	})
	if err != nil {
		return err
	}
	return send(c, productsResponse{
		ID: id, Products: newProducts(products),
		Next: s.next(c, scope, q, len(products), func() profiles.Position { return products[len(products)-1].Position }),
	})
}

func newProducts(products []profiles.Product) []productResponse {
	list := make([]productResponse, len(products))
	for i, p := range products {
		list[i] = productResponse{
			ProductID: p.ID, Name: p.Name, Category: p.Category, Orders: p.Orders,
			Bought: p.Bought.String(), Returned: p.Returned.String(), Held: p.Held.String(), Subscribed: p.Subscribed,
			Spent: make(map[string]string, len(p.Spent)), First: p.First, Last: p.Position.Time,
		}
		for currency, amount := range p.Spent {
			list[i].Spent[currency] = amount.String()
		}
	}
	return list
}

type contactsResponse struct {
	ID       identity.ProfileID `json:"id"`
	Contacts []contactResponse  `json:"contacts"`
	Next     string             `json:"next,omitempty"`
}

type contactResponse struct {
	Time      time.Time            `json:"time"`
	MessageID string               `json:"message_id,omitempty"`
	Channel   string               `json:"channel"`
	Campaign  string               `json:"campaign,omitempty"`
	Template  string               `json:"template,omitempty"`
	Subject   string               `json:"subject,omitempty"`
	Source    string               `json:"source"`
	Actions   map[string]time.Time `json:"actions"`
}

// getContacts answers GET /v1/profiles/{id}/contacts.
func (s *Server) getContacts(c *gin.Context) error {
	scope := cursorScope{"contacts"}
	q, err := s.pageQuery(c, scope, maxPage, defaultPage)
	if err != nil {
		return err
	}
	id, contacts, err := readNamed(s, c, "/contacts", func(id identity.ProfileID) ([]profiles.Contact, error) {
		return s.deps.History.Contacts(c.Request.Context(), workspaceOf(c), id, q)
	})
	if err != nil {
		return err
	}
	list := make([]contactResponse, len(contacts))
	for i, k := range contacts {
		list[i] = contactResponse{
			Time: k.Position.Time, MessageID: k.MessageID, Channel: k.Channel, Campaign: k.Campaign,
			Template: k.Template, Subject: k.Subject, Source: k.Source, Actions: k.Actions,
		}
		if masks(c) {
			list[i].Subject = profiles.MaskTraitText("text", k.Subject)
		}
	}
	return send(c, contactsResponse{
		ID: id, Contacts: list,
		Next: s.next(c, scope, q, len(contacts), func() profiles.Position { return contacts[len(contacts)-1].Position }),
	})
}

// newEvents is how events are sent.
func newEvents(events []profiles.Event) []eventResponse {
	list := make([]eventResponse, len(events))
	for i, e := range events {
		list[i] = eventResponse{
			Time: e.Time, Kind: e.Kind, Name: e.Name, Type: e.Type, Source: e.Source,
			MessageID: e.MessageID, Properties: e.Properties, Detail: e.Detail,
		}
	}
	return list
}
