package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

// Letters keeps dead letters. Implementations are safe for concurrent use. All
// may return a *Refused.
type Letters interface {
	// List returns the newest letters of a filter and the cursor of the next
	// page, "" at the end.
	List(ctx context.Context, workspace string, f LetterFilter, cursor string, limit int) ([]Letter, string, error)
	// Summary counts letters that are alike.
	Summary(ctx context.Context, workspace string, f LetterFilter) ([]LetterCount, error)
	// Get returns a letter with its bytes and history, or ErrNoLetter.
	Get(ctx context.Context, workspace, id string) (*WholeLetter, error)
	// Act does one thing (edit, replay, discard or note) to one letter and
	// returns the revision of the action when it is on record. It returns
	// ErrNoLetter and ErrPending as well.
	Act(ctx context.Context, workspace, actor, action, id string, r LetterAction) (uint64, error)
	// ActAll replays or discards the oldest letters of a filter; a dry run
	// only lists them.
	ActAll(ctx context.Context, workspace, actor, action string, b LetterBulk) (*LetterBulkDone, error)
}

// LetterFilter picks letters. Empty fields pick all.
type LetterFilter struct {
	Reason   string    `json:"reason"`
	Source   string    `json:"source"`
	Kind     string    `json:"kind"`
	Statuses []string  `json:"status"`
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
}

// Letter is a dead letter without its bytes.
type Letter struct {
	ID         string    `json:"id"`
	Received   time.Time `json:"received"`
	Kind       string    `json:"kind"`
	Source     string    `json:"source"`
	Reason     string    `json:"reason"`
	Detail     string    `json:"detail"`
	Position   string    `json:"position"`
	Bytes      uint64    `json:"bytes"`
	Status     string    `json:"status"`
	Attempts   uint64    `json:"attempts"`
	Revision   uint64    `json:"revision"`
	LastReason string    `json:"last_reason,omitempty"`
}

// LetterCount sums up letters that are alike.
type LetterCount struct {
	Reason  string    `json:"reason"`
	Source  string    `json:"source"`
	Kind    string    `json:"kind"`
	Status  string    `json:"status"`
	Letters uint64    `json:"letters"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

// LetterEvent is one entry of a letter's history.
type LetterEvent struct {
	Time     time.Time `json:"time"`
	Revision uint64    `json:"revision"`
	What     string    `json:"what"`
	Actor    string    `json:"actor,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Detail   string    `json:"detail,omitempty"`
}

// WholeLetter is a letter with its bytes and its history.
type WholeLetter struct {
	Letter
	MessageID string
	Value     []byte
	Edited    []byte // the standing edit, nil for none
	Headers   map[string]string
	History   []LetterEvent
}

// LetterAction says how to act on one letter.
type LetterAction struct {
	Expected *uint64         `json:"expected_revision"`
	Reason   string          `json:"reason"`
	Value    json.RawMessage `json:"value"`
	NewID    bool            `json:"new_id"`
}

// LetterBulk says how to act on the letters of a filter.
type LetterBulk struct {
	Filter LetterFilter `json:"filter"`
	Limit  int          `json:"limit"`
	DryRun bool         `json:"dry_run"`
	Reason string       `json:"reason"`
	NewID  bool         `json:"new_id"`
}

// LetterRefusal is a letter to which nothing was done.
type LetterRefusal struct {
	Letter string `json:"letter"`
	Detail string `json:"detail"`
}

// LetterBulkDone is what a bulk request has done, or would do.
type LetterBulkDone struct {
	Matched  uint64          `json:"matched"`
	Letters  []string        `json:"letters"`
	Revision uint64          `json:"revision"` // 0 when nothing was asked for
	Applied  int             `json:"applied"`
	Refused  []LetterRefusal `json:"refused"`
}

// letterRoutes are the operations on dead letters. Bytes are personal, so that
// only admins see them.
func (s *Server) letterRoutes() []route {
	with := func(handle func(*gin.Context) error) func(*gin.Context) error {
		return func(c *gin.Context) error {
			if s.deps.Letters == nil {
				return noRoute()
			}
			return handle(c)
		}
	}
	const one = "/v1/dead-letters/:id"
	return []route{
		{http.MethodGet, "/v1/dead-letters", RoleRead, with(s.listLetters)},
		{http.MethodGet, "/v1/dead-letters/summary", RoleRead, with(s.sumLetters)},
		{http.MethodPost, "/v1/dead-letters/replay", RoleAdmin, with(s.actOnLetters("replay"))},
		{http.MethodPost, "/v1/dead-letters/discard", RoleAdmin, with(s.actOnLetters("discard"))},
		{http.MethodGet, one, RoleAdmin, with(s.getLetter)},
		{http.MethodPost, one + "/edit", RoleAdmin, with(s.actOnLetter("edit"))},
		{http.MethodPost, one + "/replay", RoleAdmin, with(s.actOnLetter("replay"))},
		{http.MethodPost, one + "/discard", RoleAdmin, with(s.actOnLetter("discard"))},
		{http.MethodPost, one + "/note", RoleAdmin, with(s.actOnLetter("note"))},
	}
}

func letterFilter(c *gin.Context) (LetterFilter, error) {
	f := LetterFilter{Reason: c.Query("reason"), Source: c.Query("source"), Kind: c.Query("kind"), Statuses: listOf(c.Query("status"))}
	var err error
	if f.Since, err = timeQuery(c, "since", time.Time{}); err != nil {
		return f, err
	}
	f.Until, err = timeQuery(c, "until", time.Time{})
	return f, err
}

func (s *Server) listLetters(c *gin.Context) error {
	f, err := letterFilter(c)
	if err != nil {
		return err
	}
	limit, err := numberQuery(c, "limit", 1, 500, 50)
	if err != nil {
		return err
	}
	list, next, err := s.deps.Letters.List(c.Request.Context(), workspaceOf(c), f, c.Query("cursor"), int(limit))
	if err != nil {
		return err
	}
	return send(c, struct {
		Letters []Letter `json:"letters"`
		Next    string   `json:"next,omitempty"`
	}{append([]Letter{}, list...), next})
}

func (s *Server) sumLetters(c *gin.Context) error {
	f, err := letterFilter(c)
	if err != nil {
		return err
	}
	list, err := s.deps.Letters.Summary(c.Request.Context(), workspaceOf(c), f)
	if err != nil {
		return err
	}
	answer := struct {
		Total  uint64        `json:"total"`
		Counts []LetterCount `json:"counts"`
	}{0, append([]LetterCount{}, list...)}
	for _, n := range list {
		answer.Total += n.Letters
	}
	return send(c, answer)
}

// wholeResponse has bytes as text where they are text, else in base64.
type wholeResponse struct {
	Letter
	MessageID   string            `json:"message_id,omitempty"`
	Value       *string           `json:"value,omitempty"`
	ValueBase64 []byte            `json:"value_base64,omitempty"`
	Edited      json.RawMessage   `json:"edited,omitempty"`
	Headers     map[string]string `json:"headers"`
	History     []LetterEvent     `json:"history"`
}

func (s *Server) getLetter(c *gin.Context) error {
	l, err := s.deps.Letters.Get(c.Request.Context(), workspaceOf(c), c.Param("id"))
	if err != nil {
		return err
	}
	r := wholeResponse{Letter: l.Letter, MessageID: l.MessageID, Headers: l.Headers, History: append([]LetterEvent{}, l.History...)}
	if utf8.Valid(l.Value) {
		text := string(l.Value)
		r.Value = &text
	} else {
		r.ValueBase64 = l.Value
	}
	if json.Valid(l.Edited) {
		r.Edited = l.Edited
	}
	if r.Headers == nil {
		r.Headers = map[string]string{}
	}
	return send(c, r)
}

func (s *Server) actOnLetter(action string) func(*gin.Context) error {
	return func(c *gin.Context) error {
		var r LetterAction
		if err := decode(c, &r); err != nil {
			return err
		}
		revision, err := s.deps.Letters.Act(c.Request.Context(), workspaceOf(c), actorOf(c), action, c.Param("id"), r)
		if err != nil {
			return err
		}
		return send(c, changeResponse{revision})
	}
}

func (s *Server) actOnLetters(action string) func(*gin.Context) error {
	return func(c *gin.Context) error {
		b := struct {
			LetterBulk
			Filter *LetterFilter `json:"filter"`
		}{LetterBulk: LetterBulk{Limit: 100}}
		if err := decode(c, &b); err != nil {
			return err
		}
		if b.Filter == nil { // All letters are meant only where somebody says so.
			return badRequest("the request breaks rules", fault{"/filter", "is missing; {} stands for all letters"})
		}
		b.LetterBulk.Filter = *b.Filter
		done, err := s.deps.Letters.ActAll(c.Request.Context(), workspaceOf(c), actorOf(c), action, b.LetterBulk)
		if err != nil {
			return err
		}
		done.Letters = append([]string{}, done.Letters...)
		done.Refused = append([]LetterRefusal{}, done.Refused...)
		return send(c, done)
	}
}
