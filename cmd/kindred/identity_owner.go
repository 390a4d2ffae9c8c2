package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/rulefile"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/profiles"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// commandStore reads what became of commands.
type commandStore interface {
	Command(ctx context.Context, workspace, id string) (*profiles.Command, error)
	AwaitCommand(ctx context.Context, workspace, id string) (*profiles.Command, error)
}

var _ commandStore = (*profilestore.Store)(nil)

// commander is api.Commands: commands go the way of evidence, so that the owner
// of a workspace's identity applies both in one order, and their outcomes are
// read where it puts them.
type commander struct {
	writer writer
	store  commandStore
	keyer  func(workspace string) identity.Keyer
	// seen is told the identifiers of a command that was applied, so that this
	// process shows its effect at once.
	seen func(workspace string, ids []identity.Identifier)
	log  *slog.Logger
}

var _ api.Commands = commander{}

// maxCommand is the greatest size of a command on the topic, in bytes: what
// every broker takes as it comes.
const maxCommand = 900 << 10

// Do implements api.Commands.
func (c commander) Do(ctx context.Context, command identity.Command) (*profiles.Command, error) {
	value, err := json.Marshal(command)
	if err != nil {
		return nil, fmt.Errorf("encode command: %w", err)
	}
	if len(value) > maxCommand {
		return nil, &api.Refused{Detail: fmt.Sprintf("the command has %d bytes; the limit is %d: give several", len(value), maxCommand)}
	}
	err = c.writer.WriteMessages(ctx, kafka.Message{
		Topic: ingest.EvidenceTopic, Key: []byte(command.Workspace), Value: value,
		Headers: []kafka.Header{{Key: identity.HeaderCommand, Value: []byte("1")}},
	})
	if err != nil {
		return nil, fmt.Errorf("send command: %w", err)
	}
	done, err := c.store.AwaitCommand(ctx, command.Workspace, command.ID)
	if err != nil {
		if !errors.Is(err, profiles.ErrNoCommand) {
			c.log.Warn("the outcome of a command cannot be read", "command", command.ID, "error", err)
		}
		return nil, api.ErrPending // It was accepted, whatever hinders reading.
	}
	if done.Body != 0 && done.Body != command.Body(c.keyer(command.Workspace)) {
		return nil, api.ErrCommandReused
	}
	if done.Code == "" {
		c.seen(command.Workspace, command.Identifiers)
	}
	return done, nil
}

// Get implements api.Commands.
func (c commander) Get(ctx context.Context, workspace, id string) (*profiles.Command, error) {
	return c.store.Command(ctx, workspace, id)
}

// ruleBook is api.Rules on the rules that workspaces have declared.
type ruleBook struct {
	store interface {
		DeclaredRules(ctx context.Context, workspace string) (*profiles.DeclaredRules, error)
	}
}

var _ api.Rules = ruleBook{}

// InForce implements api.Rules.
func (b ruleBook) InForce(ctx context.Context, workspace string) (*api.RuleFile, error) {
	declared, err := b.store.DeclaredRules(ctx, workspace)
	if errors.Is(err, profiles.ErrNoRules) {
		return newRuleFile(rulefile.Default()), nil
	}
	if err != nil {
		return nil, err
	}
	f, err := rulefile.Parse([]byte(declared.Rules))
	if err != nil {
		return nil, fmt.Errorf("read declared rules of version %d: %w", declared.Version, err)
	}
	f.Version = declared.Version
	return newRuleFile(f), nil
}

// Read implements api.Rules.
func (b ruleBook) Read(text []byte, version int) (*api.RuleFile, error) {
	f, err := rulefile.Parse(text)
	if err != nil {
		return nil, &api.Refused{Detail: "the rule file breaks rules", Faults: ruleFaults(err)}
	}
	if version > 0 {
		f.Version = version
	}
	return newRuleFile(f), nil
}

// Diff implements api.Rules.
func (b ruleBook) Diff(from, to *api.RuleFile) ([]string, error) {
	a, err := rulefile.Parse(from.JSON)
	if err != nil {
		return nil, fmt.Errorf("compare rules: %w", err)
	}
	z, err := rulefile.Parse(to.JSON)
	if err != nil {
		return nil, fmt.Errorf("compare rules: %w", err)
	}
	return rulefile.Diff(a, z), nil
}

func newRuleFile(f rulefile.File) *api.RuleFile {
	return &api.RuleFile{Version: f.Version, JSON: rulefile.FormatJSON(f), TOML: rulefile.Format(f)}
}

// ruleFaults turns the joined faults of a rule file into places.
func ruleFaults(err error) []api.PlacedFault {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	var places []api.PlacedFault
	for _, err := range list {
		var f *rulefile.Fault
		if !errors.As(err, &f) {
			continue
		}
		p := api.PlacedFault{Detail: f.Rule}
		if f.Line > 0 {
			p.Detail = fmt.Sprintf("line %d: %s", f.Line, f.Rule)
		}
		if f.Key != "" {
			p.Pointer = "/" + strings.ReplaceAll(strings.NewReplacer("~", "~0", "/", "~1").Replace(f.Key), ".", "/")
		}
		places = append(places, p)
	}
	return places
}
