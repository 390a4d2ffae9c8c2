package letters

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Kinds of commands, each with a body of Request.
const (
	KindEdit    = "letters.edit"
	KindReplay  = "letters.replay"
	KindDiscard = "letters.discard"
	KindNote    = "letters.note"
)

// Request is what a command asks for.
type Request struct {
	// Letters are the ids in question, at most MaxLetters. They are listed and
	// not described, so that the command means the same whenever it is applied.
	Letters []string `json:"letters"`
	// Expected, when set, is the revision of the letter's last action that the
	// caller has seen.
	Expected *uint64 `json:"expected_revision,omitempty"`
	Reason   string  `json:"reason,omitempty"`
	// Value is the edited message: the JSON of a wire.Message.
	Value json.RawMessage `json:"value,omitempty"`
	// NewID gives the replayed message an id of its own, made from the letter's,
	// which is what a letter of reason id_reused needs.
	NewID bool `json:"new_id,omitempty"`
}

// Refusal is a letter to which nothing was done, and why.
type Refusal struct {
	Letter string `json:"letter"`
	Detail string `json:"detail"`
}

// Done is what a command has done.
type Done struct {
	Revision uint64    `json:"revision"`
	Applied  int       `json:"applied"`
	Refused  []Refusal `json:"refused,omitempty"`
}

// Handler applies actions on letters. It is the only writer of
// dead_letter_actions.
type Handler struct {
	conn      driver.Conn
	publisher control.Publisher
	seal      func(workspace string, r ingest.Replay) string
}

var _ control.Handler = (*Handler)(nil)

// NewHandler returns a handler that publishes replays through publisher, sealed
// by seal (ingest.Decoder.SealReplay).
func NewHandler(conn driver.Conn, publisher control.Publisher, seal func(workspace string, r ingest.Replay) string) *Handler {
	return &Handler{conn: conn, publisher: publisher, seal: seal}
}

// Apply implements control.Handler. Replays are published before the action is
// recorded: an action that is on record has been done.
func (h *Handler) Apply(ctx context.Context, c *control.Placed) (control.Result, error) {
	var r Request
	if json.Unmarshal(c.Body, &r) != nil {
		return control.Refuse(control.Refused, "the body is no request about dead letters"), nil
	}
	if detail := r.check(c.Kind); detail != "" {
		return control.Refuse(control.Refused, "%s", detail), nil
	}
	done := Done{Revision: c.Revision}
	n := 0
	for some := range slices.Chunk(r.Letters, chunk) {
		if err := h.apply(ctx, c, &r, some, fmt.Sprintf("%s/%d", c.Token(), n), &done); err != nil {
			return control.Result{}, err
		}
		n++
	}
	if done.Applied == 0 && len(r.Letters) == 1 {
		return control.Result{Verdict: control.Conflict, Detail: done.Refused[0].Detail, Body: done}, nil
	}
	return control.Result{Verdict: control.OK, Body: done}, nil
}

// chunk bounds the letters whose messages are in memory at once. Chunks are a
// function of the command, and so are their tokens.
const chunk = 20

// apply does what is asked for to some of the letters.
func (h *Handler) apply(ctx context.Context, c *control.Placed, r *Request, ids []string, token string, done *Done) error {
	found, err := h.read(ctx, c, ids)
	if err != nil {
		return err
	}
	var rows [][]any
	var messages []kafka.Message
	for _, id := range ids {
		a, detail := h.act(c, r, id, found[id])
		if detail != "" {
			done.Refused = append(done.Refused, Refusal{id, detail})
			continue
		}
		if a.message != nil {
			messages = append(messages, *a.message)
		}
		hash, _ := ingest.ParseHash(id)
		rows = append(rows, []any{c.Workspace, bigOf(hash), c.Revision, c.Time, strings.TrimPrefix(c.Kind, "letters."), c.Actor, r.Reason, a.value})
	}
	if len(messages) > 0 {
		if err := h.publisher.WriteMessages(ctx, messages...); err != nil {
			return fmt.Errorf("publish replays: %w", err)
		}
	}
	done.Applied += len(rows)
	return control.Insert(ctx, h.conn, token, "dead_letter_actions", "workspace, letter_id, revision, time, action, actor, reason, value", rows...)
}

func (r *Request) check(kind string) string {
	switch {
	case len(r.Letters) == 0 || len(r.Letters) > MaxLetters:
		return fmt.Sprintf("field \"letters\" must have 1 to %d entries", MaxLetters)
	case len(r.Reason) > maxReason:
		return fmt.Sprintf("field \"reason\" has %d bytes; the limit is %d", len(r.Reason), maxReason)
	case kind == KindNote && r.Reason == "":
		return "field \"reason\" is what a note says"
	case kind != KindEdit && len(r.Value) > 0:
		return "field \"value\" belongs to an edit"
	case kind == KindEdit && len(r.Letters) != 1:
		return "an edit is of one letter"
	case kind == KindEdit && (len(r.Value) == 0 || r.Value[0] != '{'):
		return "field \"value\" must be a JSON object: the message as it should be"
	case len(r.Value) > MaxValue:
		return fmt.Sprintf("field \"value\" has %d bytes; the limit is %d", len(r.Value), MaxValue)
	}
	seen := map[string]bool{}
	for i, id := range r.Letters {
		if _, err := ingest.ParseHash(id); err != nil || id != strings.ToLower(id) {
			return fmt.Sprintf("letters[%d]: id must be 32 hexadecimal digits in lower case", i)
		}
		if seen[id] {
			return fmt.Sprintf("letters[%d]: is listed twice", i)
		}
		seen[id] = true
	}
	return ""
}

// letter is what an action needs to know of a letter.
type letter struct {
	topic, reason, source, messageID, version string
	value                                     string // the standing one
	edited                                    bool
	last                                      uint64 // revision of the last action before
}

// read returns the letters by id, as they stood before the command.
func (h *Handler) read(ctx context.Context, c *control.Placed, ids []string) (map[string]*letter, error) {
	rows, err := h.conn.Query(ctx, `
		SELECT `+idSQL+`, topic, reason, source, message_id, headers['`+wire.HeaderVersion+`'],
			if(a.edit != '', a.edit, value), a.edit != '', a.last
		FROM dead_letters AS d
		LEFT JOIN
		(
			SELECT letter_id, argMaxIf(value, revision, value != '') AS edit, max(revision) AS last
			FROM dead_letter_actions WHERE workspace = ? AND revision < ?
				AND letter_id IN (SELECT reinterpretAsUInt128(reverse(unhex(arrayJoin(?)))))
			GROUP BY letter_id
		) AS a USING (letter_id)
		WHERE workspace = ? AND letter_id IN (SELECT reinterpretAsUInt128(reverse(unhex(arrayJoin(?)))))`,
		c.Workspace, c.Revision, ids, c.Workspace, ids)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]*letter{}
	for rows.Next() {
		l := &letter{}
		var id string
		if err := rows.Scan(&id, &l.topic, &l.reason, &l.source, &l.messageID, &l.version, &l.value, &l.edited, &l.last); err != nil {
			return nil, fmt.Errorf("read dead letters: %w", err)
		}
		out[id] = l
	}
	return out, rows.Err()
}

// action is one row to write, and what to publish before.
type action struct {
	value   string
	message *kafka.Message
}

// act decides what becomes of one letter, or says why nothing does.
func (h *Handler) act(c *control.Placed, r *Request, id string, l *letter) (action, string) {
	if l == nil {
		return action{}, ErrNotFound.Error()
	}
	if r.Expected != nil && *r.Expected != l.last {
		return action{}, fmt.Sprintf("the letter's last action is revision %d", l.last)
	}
	switch c.Kind {
	case KindEdit:
		return action{value: string(r.Value)}, ""
	case KindReplay:
		return h.replay(c, r, id, l)
	}
	return action{}, ""
}

// identity is what decides where a message belongs.
type identity struct {
	ID     string `json:"id"`
	Source string `json:"source"`
}

func (h *Handler) replay(c *control.Placed, r *Request, id string, l *letter) (action, string) {
	kind, ok := strings.CutPrefix(l.topic, "kindred.")
	if !ok || !slices.Contains(wire.Kinds(), wire.Kind(kind)) {
		return action{}, "its topic is none of a kind of events"
	}
	value, a := l.value, action{}
	var who identity
	readable := json.Unmarshal([]byte(value), &who) == nil
	switch {
	case r.NewID:
		renamed, ok := rename(value, who.ID, id)
		if !readable || !ok {
			return action{}, "its message is no JSON object with an id; edit it first"
		}
		value, a.value = renamed, renamed
		_ = json.Unmarshal([]byte(value), &who)
	case reused(l.reason) && readable && who.ID == l.messageID && who.Source == l.source:
		return action{}, "its message id was used before with another body; edit the id, or replay it under a new one"
	}
	if len(value) > maxReplay {
		return action{}, fmt.Sprintf("its message has %d bytes; a replay takes %d", len(value), maxReplay)
	}
	hash, _ := ingest.ParseHash(id)
	m := &kafka.Message{Topic: l.topic, Value: []byte(value), Headers: []kafka.Header{
		{Key: wire.HeaderWorkspace, Value: []byte(c.Workspace)},
		{Key: wire.HeaderReplay, Value: []byte(h.seal(c.Workspace, ingest.Replay{Letter: hash, Attempt: c.Revision}))},
	}}
	if l.version != "" && !l.edited {
		m.Headers = append(m.Headers, kafka.Header{Key: wire.HeaderVersion, Value: []byte(l.version)})
	}
	if readable {
		m.Key = wire.PartitionKey(who.Source, who.ID)
	}
	a.message = m
	return a, ""
}

// rename gives a message an id made from the letter's, so that the same letter
// never becomes two events, however often it is replayed.
func rename(value, old, letter string) (string, bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(value), &members) != nil || old == "" {
		return "", false
	}
	suffix := "~" + letter[:12]
	if strings.HasSuffix(old, suffix) {
		return value, true
	}
	id, err := json.Marshal(strings.ToValidUTF8(old[:min(len(old), 160)], "") + suffix)
	if err != nil {
		return "", false
	}
	members["id"] = id
	out, err := json.Marshal(members)
	return string(out), err == nil
}
