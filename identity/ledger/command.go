package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
)

const (
	maxCommandID   = 100     // bytes of the id of a command
	maxIdentifiers = 10_000  // of one command
	maxText        = 2000    // bytes of an actor, a reason or a detail
	maxRules       = 1 << 20 // bytes of a rule file
)

// firstCommand returns the place of the first command, or the number of messages.
func firstCommand(messages []kafka.Message) int {
	for i := range messages {
		if isCommand(&messages[i]) {
			return i
		}
	}
	return len(messages)
}

func isCommand(m *kafka.Message) bool { return hasHeader(m, identity.HeaderCommand) }

// hasHeader reports whether the header that tells the kind of m is key.
func hasHeader(m *kafka.Message, key string) bool {
	for _, h := range m.Headers {
		if h.Key == key {
			return string(h.Value) == "1"
		}
	}
	return false
}

// decodeCommand reads a command. Its error says what is wrong with it, never a
// value; what could be read is returned with it.
func decodeCommand(value []byte) (identity.Command, error) {
	var c identity.Command
	if err := json.Unmarshal(value, &c); err != nil {
		// Half a command is not to be trusted, but its id and workspace may be
		// enough to tell who asked.
		var named struct {
			ID        string `json:"id"`
			Workspace string `json:"workspace"`
		}
		_ = json.Unmarshal(value, &named)
		return identity.Command{ID: named.ID, Workspace: named.Workspace}, errors.New("value is not the JSON of a command")
	}
	return c, validateCommand(&c)
}

// answerable reports whether c names itself and its workspace well enough to get
// an outcome.
func answerable(c *identity.Command) bool {
	return c.ID != "" && len(c.ID) <= maxCommandID && c.Workspace != "" && len(c.Workspace) <= maxName
}

func validateCommand(c *identity.Command) error {
	switch {
	case c.Workspace == "" || len(c.Workspace) > maxName:
		return fmt.Errorf("workspace must be 1 to %d bytes", maxName)
	case c.ID == "" || len(c.ID) > maxCommandID:
		return fmt.Errorf("id must be 1 to %d bytes", maxCommandID)
	case strings.TrimSpace(c.Actor) == "" || len(c.Actor) > maxText:
		return fmt.Errorf("actor must be 1 to %d bytes", maxText)
	case len(c.Reason) > maxText:
		return fmt.Errorf("reason must be at most %d bytes", maxText)
	case c.Whole && c.Kind != identity.Link:
		return errors.New("only a link is of whole profiles")
	case c.Override && strings.TrimSpace(c.Reason) == "":
		return errors.New("override needs a reason")
	}
	if err := validateSubject(c); err != nil {
		return err
	}
	seen := map[identity.Identifier]bool{}
	for i, id := range c.Identifiers {
		if err := id.Namespace.Validate(); err != nil {
			return fmt.Errorf("identifier %d: %w", i+1, err)
		}
		if id.Value == "" {
			return fmt.Errorf("identifier %d has an empty value", i+1)
		}
		if seen[id] {
			return fmt.Errorf("identifier %d is there twice", i+1)
		}
		seen[id] = true
	}
	return nil
}

// validateSubject checks that c has what its kind is about.
func validateSubject(c *identity.Command) error {
	n := len(c.Identifiers)
	switch c.Kind {
	case identity.Link, identity.Separate:
		if n != 2 {
			return fmt.Errorf("a %s needs two identifiers", c.Kind)
		}
	case identity.Unmerge, identity.BlockValue, identity.UnblockValue:
		if n == 0 || n > maxIdentifiers {
			return fmt.Errorf("identifiers must be 1 to %d", maxIdentifiers)
		}
	case identity.Erase:
		if n != 1 {
			return errors.New("an erasure needs one identifier")
		}
	case identity.Undo:
		if c.Target == "" || len(c.Target) > maxCommandID {
			return fmt.Errorf("target must be 1 to %d bytes", maxCommandID)
		}
	case identity.Redeclare:
		if c.Rules == "" || len(c.Rules) > maxRules {
			return fmt.Errorf("rules must be 1 to %d bytes", maxRules)
		}
	default:
		return errors.New("kind is not one of a command")
	}
	if n > 0 && (c.Kind == identity.Undo || c.Kind == identity.Redeclare) {
		return errors.New("a command of this kind has no identifiers")
	}
	return nil
}
