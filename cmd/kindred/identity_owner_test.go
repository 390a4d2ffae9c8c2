package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/profiles"
)

// topic keeps what is written to it.
type topic struct {
	sent []kafka.Message
	err  error
}

func (t *topic) WriteMessages(_ context.Context, msgs ...kafka.Message) error {
	if t.err == nil {
		t.sent = append(t.sent, msgs...)
	}
	return t.err
}

// outcomes is a commandStore with one outcome.
type outcomes struct {
	command *profiles.Command
	err     error
}

func (o outcomes) Command(context.Context, string, string) (*profiles.Command, error) {
	return o.command, o.err
}

func (o outcomes) AwaitCommand(context.Context, string, string) (*profiles.Command, error) {
	return o.command, o.err
}

func testKeyer(workspace string) identity.Keyer {
	return identity.NewKeyer(identity.Secret{1}, workspace)
}

func TestCommander(t *testing.T) {
	ana := identity.Identifier{Namespace: "email", Value: "ana@example.com"}
	command := identity.Command{ID: "c1", Workspace: "main", Kind: identity.BlockValue, Identifiers: []identity.Identifier{ana}, Actor: "admin-3", Reason: "x"}
	broken := errors.New("no broker")
	f := func(name string, sent *topic, store outcomes, want error, effect bool) {
		t.Helper()
		var seen []identity.Identifier
		c := commander{writer: sent, store: store, keyer: testKeyer, log: slog.New(slog.DiscardHandler), seen: func(_ string, ids []identity.Identifier) { seen = ids }}
		done, err := c.Do(t.Context(), command)
		if !errors.Is(err, want) || (err == nil) != (done != nil) {
			t.Errorf("%s: %v, %v, want %v", name, done, err, want)
		}
		if (len(seen) > 0) != effect {
			t.Errorf("%s: shown at once: %v", name, seen)
		}
	}
	sent := &topic{}
	f("applied", sent, outcomes{command: &profiles.Command{}}, nil, true)
	f("refused", sent, outcomes{command: &profiles.Command{Outcome: identity.Outcome{Code: identity.RefusedBlocked}}}, nil, false)
	same := command
	same.Actor, same.Workspace = "another key", ""
	f("given again", sent, outcomes{command: &profiles.Command{Body: same.Body(testKeyer("main"))}}, nil, true)
	other := command
	other.Reason = "y"
	f("another of its id", sent, outcomes{command: &profiles.Command{Body: other.Body(testKeyer("main"))}}, api.ErrCommandReused, false)
	f("not in time", sent, outcomes{err: profiles.ErrNoCommand}, api.ErrPending, false)
	f("accepted, and not readable", sent, outcomes{err: broken}, api.ErrPending, false)
	f("not sent", &topic{err: broken}, outcomes{command: &profiles.Command{}}, broken, false)
	if len(sent.sent) != 6 {
		t.Fatalf("%d records", len(sent.sent))
	}
	m := sent.sent[0]
	var got identity.Command
	if err := json.Unmarshal(m.Value, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(command, got); diff != "" || m.Topic != ingest.EvidenceTopic || string(m.Key) != "main" {
		t.Errorf("record of topic %s, key %s:\n%s", m.Topic, m.Key, diff)
	}
	if len(m.Headers) != 1 || m.Headers[0].Key != identity.HeaderCommand {
		t.Errorf("headers %v", m.Headers)
	}
	command.Rules = strings.Repeat("x", maxCommand)
	var refused *api.Refused
	c := commander{writer: sent, store: outcomes{}, seen: func(string, []identity.Identifier) {}}
	if _, err := c.Do(t.Context(), command); !errors.As(err, &refused) || len(sent.sent) != 6 {
		t.Errorf("too large: %v", err)
	}
}

// declared are the rules of workspace main.
type declared struct {
	rules string
	err   error
}

func (d declared) DeclaredRules(_ context.Context, workspace string) (*profiles.DeclaredRules, error) {
	if workspace != "main" {
		return nil, profiles.ErrNoRules
	}
	return &profiles.DeclaredRules{Version: 7, Rules: d.rules}, d.err
}

func TestRuleBook(t *testing.T) {
	b := ruleBook{declared{rules: `{"version":3,"caps":{"unit":12}}`}}
	now, err := b.InForce(t.Context(), "main")
	if err != nil || now.Version != 7 || !strings.Contains(string(now.TOML), "version = 7") || !strings.Contains(string(now.JSON), `"unit": 12`) {
		t.Fatalf("in force: %+v, %v", now, err)
	}
	first, err := b.InForce(t.Context(), "other")
	if err != nil || first.Version != 1 {
		t.Fatalf("defaults: %+v, %v", first, err)
	}
	next, err := b.Read(now.TOML, now.Version+1)
	if err != nil || next.Version != 8 {
		t.Fatalf("read back: %+v, %v", next, err)
	}
	changes, err := b.Diff(now, next)
	if diff := cmp.Diff([]string{"version: from 7 to 8"}, changes); err != nil || diff != "" {
		t.Errorf("diff: %v\n%s", err, diff)
	}
	_, err = b.Read([]byte("[namespaces.email]\nlimt = 3\nlimit_window = \"a month\"\n"), 0)
	var refused *api.Refused
	if !errors.As(err, &refused) || len(refused.Faults) != 2 || refused.Faults[0].Pointer != "/namespaces/email/limt" || !strings.HasPrefix(refused.Faults[1].Detail, "line 3: ") {
		t.Errorf("faults: %+v", refused)
	}
	if _, err := b.Read([]byte("{"), 0); !errors.As(err, &refused) || len(refused.Faults) != 1 || refused.Faults[0].Pointer != "" {
		t.Errorf("no file at all: %+v", err)
	}
	if _, err := (ruleBook{declared{rules: "{"}}).InForce(t.Context(), "main"); err == nil || errors.As(err, &refused) {
		t.Errorf("declared rules that cannot be read: %v", err)
	}
}
