package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
)

func identityCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "identity",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Short: "Why traces are one person, how to part and link them, and the rules",
		Long: `Identifiers are written namespace:value, such as email:ana@example.com; show and
--from take the 16 digits of a profile as well. Values are normalised: the
case of e-mail addresses and the format of phone numbers do not matter.

unmerge, link, separate, block, unblock, what "review" decides and "rules apply"
are commands: each is on record with the key that gave it and the reason, and
"undo COMMAND" takes it back, but for rules, of which an older file is applied
again. With --dry-run a command says what it would do, and does nothing; rules
have "rules dry-run".`,
	}
	cmd.PersistentFlags().Bool("json", false, "print the answer as JSON")
	cmd.AddCommand(
		whyCommand(), showIdentityCommand(), healthCommand(), reviewCommand(), unmergeCommand(), linkCommand(), separateCommand(),
		blockCommand(identity.BlockValue, "Let values link nobody, such as a role address"),
		blockCommand(identity.UnblockValue, "Let blocked values link again"),
		undoCommand(), statusCommand(), rulesCommand(),
	)
	return cmd
}

// ask gets an answer of the API and prints it: as it is with --json, else as
// show words it.
func ask[T any](cmd *cobra.Command, path string, show func(T) error) error {
	r, err := newRemote(cmd)
	if err != nil {
		return err
	}
	var text json.RawMessage
	if err := r.do(cmd.Context(), http.MethodGet, path, nil, &text); err != nil {
		return err
	}
	return printAnswer(cmd, text, show)
}

func printAnswer[T any](cmd *cobra.Command, text json.RawMessage, show func(T) error) error {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, text)
	}
	var answer T
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("read the answer of the API: %w", err)
	}
	return show(answer)
}

func whyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "why A B", Short: "Say why two identifiers are one profile, or why they are not", Args: needs(2, 2, "two identifiers", "why email:ana@example.com user_id:42"),
		RunE: func(cmd *cobra.Command, args []string) error {
			query := url.Values{"a": {args[0]}, "b": {args[1]}}
			return ask(cmd, "/v1/identity/why?"+query.Encode(), func(e api.Explanation) error { return printExplanation(os.Stdout, e) })
		},
	}
}

func showIdentityCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show what holds a profile together, by any identifier or id", Args: needs(1, 1, "an identifier or the id of a profile", "show user_id:42"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd, "/v1/profiles/"+url.PathEscape(args[0])+"/identity", func(g api.Subgraph) error { return printSubgraph(os.Stdout, g) })
		},
	}
}

func healthCommand() *cobra.Command {
	return &cobra.Command{
		Use: "health", Short: "Sizes of profiles, weak points, generic values and conflicts", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd, "/v1/identity/health", func(h api.IdentityHealth) error { return printHealth(os.Stdout, h) })
		},
	}
}

// commandFlags are those of every command.
type commandFlags struct {
	id, reason string
	dryRun     bool
}

func (f *commandFlags) add(cmd *cobra.Command) {
	f.addRecord(cmd)
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what it would do, and do nothing")
}

// addRecord adds those of every command, rules too.
func (f *commandFlags) addRecord(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.reason, "reason", "", "why; on record")
	cmd.Flags().StringVar(&f.id, "id", "", "id of the command: given again it is not applied again (default: a new one)")
}

// give sends a command of a kind and prints what became of it.
func (f *commandFlags) give(cmd *cobra.Command, kind identity.CommandKind, body map[string]any) error {
	return f.post(cmd, "/v1/identity/"+string(kind), body)
}

// post is give by any path that takes commands.
func (f *commandFlags) post(cmd *cobra.Command, path string, body map[string]any) error {
	for name, value := range map[string]string{"id": f.id, "reason": f.reason} {
		if value != "" {
			body[name] = value
		}
	}
	if f.dryRun {
		body["dry_run"] = true
	}
	r, err := newRemote(cmd)
	if err != nil {
		return err
	}
	var text json.RawMessage
	if err := r.do(cmd.Context(), http.MethodPost, path, body, &text); err != nil {
		return err
	}
	if f.dryRun {
		return printAnswer(cmd, text, func(t api.CommandTrial) error { return printTrial(os.Stdout, t) })
	}
	return printAnswer(cmd, text, func(o api.CommandOutcome) error { return printOutcome(os.Stdout, o) })
}

func unmergeCommand() *cobra.Command {
	var f commandFlags
	var from string
	cmd := &cobra.Command{
		Use: "unmerge ID… --from ID", Short: "Part identifiers from their profile, for good", Args: needs(1, 0, "the identifiers that leave", "unmerge device:tablet-7 --from user_id:42"),
		Long: `Part the identifiers named, who leave together, from the rest of their profile,
who stay. --from names one of those who stay, or the profile: nothing is done
when the identifiers are not of it. The two never meet again on the evidence
that there is, whatever comes in again.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if from == "" {
				return errors.New("say from whom with --from: an identifier that stays, or the id of the profile; `kindred identity show` lists both")
			}
			return f.give(cmd, identity.Unmerge, map[string]any{"identifiers": args, "from": from})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&from, "from", "", "`identifier` that stays, or id of the profile")
	return cmd
}

func linkCommand() *cobra.Command {
	var f commandFlags
	var override, whole bool
	cmd := &cobra.Command{
		Use: "link A B", Short: "Fuse two identifiers, and so their profiles", Args: needs(2, 2, "two identifiers", "link user_id:42 crm_id:C-7"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if override && f.reason == "" {
				return errors.New("--override needs a --reason")
			}
			body := map[string]any{"identifiers": args}
			if override {
				body["override"] = true
			}
			if whole {
				body["whole"] = true
			}
			return f.give(cmd, identity.Link, body)
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&override, "override", false, "link against a limit, or what was parted; needs --reason")
	cmd.Flags().BoolVar(&whole, "whole", false, "with --override, fuse all that a limit keeps apart, so that both profiles become one")
	return cmd
}

func separateCommand() *cobra.Command {
	var f commandFlags
	cmd := &cobra.Command{
		Use: "separate A B", Short: "Keep two identifiers of two profiles apart, for good", Args: needs(2, 2, "two identifiers", "separate record:crm/7 record:shop/41"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.give(cmd, identity.Separate, map[string]any{"identifiers": args})
		},
	}
	f.add(cmd)
	return cmd
}

func blockCommand(kind identity.CommandKind, short string) *cobra.Command {
	var f commandFlags
	cmd := &cobra.Command{
		Use: string(kind) + " ID…", Short: short, Args: needs(1, 0, "identifiers", string(kind)+" email:info@example.com"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.give(cmd, kind, map[string]any{"identifiers": args})
		},
	}
	f.add(cmd)
	return cmd
}

func undoCommand() *cobra.Command {
	var f commandFlags
	cmd := &cobra.Command{
		Use: "undo COMMAND", Short: "Take back every decision of a command, or a rename", Args: needs(1, 1, "the id of a command", "undo c7"),
		Long: `Take back every decision of a command, or what an alias event of a source that
the rules let rename has joined: then COMMAND is the id of its message. Why shows
either.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.give(cmd, identity.Undo, map[string]any{"target": args[0]})
		},
	}
	f.add(cmd)
	return cmd
}

func statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status COMMAND", Short: "Show what became of a command", Args: needs(1, 1, "the id of a command", "status c7"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd, "/v1/identity/commands/"+url.PathEscape(args[0]), func(o api.CommandOutcome) error { return printOutcome(os.Stdout, o) })
		},
	}
}
