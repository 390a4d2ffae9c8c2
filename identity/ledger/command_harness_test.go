package ledger

import (
	"encoding/json"
	"fmt"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
)

// ask appends a command to the topic, filling in what it leaves out, and returns
// its id.
func (w *world) ask(c identity.Command) string {
	w.t.Helper()
	w.commands++
	if c.ID == "" {
		c.ID = fmt.Sprintf("cmd-%d", w.commands)
	}
	if c.Workspace == "" {
		c.Workspace = w.workspaces[0]
	}
	if c.Actor == "" {
		c.Actor = "ops@shop.example"
	}
	value, err := json.Marshal(c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.askRaw(c.Workspace, value)
	return c.ID
}

func (w *world) askRaw(workspace string, value []byte) {
	w.topic.append(kafka.Message{
		Key: []byte(workspace), Value: value,
		Headers: []kafka.Header{{Key: identity.HeaderCommand, Value: []byte("1")}},
	})
}

// do sends a command and lets an owner go on until nothing is left.
func (w *world) do(c identity.Command) identity.Outcome {
	w.t.Helper()
	id := w.ask(c)
	if err := w.own(nil); err != nil {
		w.t.Fatal(err)
	}
	return w.outcome(id)
}

// must is do for a command that is to be applied.
func (w *world) must(c identity.Command) identity.Outcome {
	w.t.Helper()
	out := w.do(c)
	if out.Code != "" {
		w.t.Fatalf("%s refused: %s: %s", c.Kind, out.Code, out.Detail)
	}
	return out
}

func (w *world) outcome(id string) identity.Outcome {
	w.t.Helper()
	out, ok, err := w.ledger(nil).Outcome(w.t.Context(), w.workspaces[0], id)
	if err != nil || !ok {
		w.t.Fatalf("outcome of %s: %v, %v", id, ok, err)
	}
	return out
}

// decisions are those in the tables.
func (w *world) decisions(workspace string) []identity.Decision {
	return once(w, func(l *looked) map[string][]identity.Decision { return l.decisions }, workspace,
		func() []identity.Decision { return w.readDecisions(workspace) })
}

func (w *world) readDecisions(workspace string) []identity.Decision {
	w.t.Helper()
	all, err := w.ledger(nil).store.decisions(w.t.Context(), `SELECT `+decisionColumns+` FROM identity_decisions
		WHERE workspace = {workspace:String}`, named("workspace", workspace))
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// key returns the key of an identifier of the first workspace.
func (w *world) key(id identity.Identifier) identity.Key {
	return identity.NewKeyer(identity.Secret{1}, w.workspaces[0]).Key(id)
}

// profile is the published profile of an identifier of the first workspace.
func (w *world) profile(id identity.Identifier) identity.ProfileID {
	key := w.key(id)
	found := identity.ProfileID(key)
	w.hop(w.workspaces[0], "identifier_profile", "identifier_id", "profile_id", func(subject, profile uint64) {
		if identity.Key(subject) == key {
			found = identity.ProfileID(profile)
		}
	})
	return found
}
