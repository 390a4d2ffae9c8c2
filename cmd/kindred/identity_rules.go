package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/rulefile"
)

func rulesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Short: "The rules by which traces become one person",
		Long: `The rules are one file, in TOML or JSON: ranks and limits of namespaces, blocked
values, trusted sources, caps. What a file leaves out has its default.

  kindred identity rules show > rules.toml     # then edit it
  kindred identity rules check rules.toml      # is it a rule file?
  kindred identity rules diff rules.toml       # what changes in the rules?
  kindred identity rules dry-run rules.toml    # who would split and join?
  kindred identity rules apply rules.toml      # compute every profile by it`,
	}
	cmd.AddCommand(rulesShowCommand(), rulesCheckCommand(), rulesDiffCommand(), rulesDryRunCommand(), rulesApplyCommand())
	return cmd
}

func rulesShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Print the rules in force, as a file", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := newRemote(cmd)
			if err != nil {
				return err
			}
			accept := "application/toml"
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				accept = "application/json"
			}
			text, err := r.send(cmd.Context(), http.MethodGet, "/v1/identity/rules", nil, http.Header{"Accept": {accept}})
			if err != nil {
				return err
			}
			_, err = os.Stdout.Write(text)
			return err
		},
	}
}

// readRules reads and judges a rule file.
func readRules(path string) ([]byte, rulefile.File, error) {
	text, err := readInput(path)
	if err != nil {
		return nil, rulefile.File{}, fmt.Errorf("rule file: %w", err)
	}
	f, err := rulefile.Parse(text)
	if err != nil {
		return nil, f, fmt.Errorf("%s is no rule file:\n  %s", path, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	return text, f, nil
}

func rulesCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check FILE", Short: "Check a rule file, without a running Kindred", Args: needs(1, 1, "a rule file", "rules check rules.toml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, f, err := readRules(args[0])
			if err != nil {
				return err
			}
			standard := rulefile.Default()
			standard.Version = f.Version
			return printChanges(cmd, args[0]+" is a rule file; it differs from the defaults in", args[0]+" is a rule file, and has the defaults", rulefile.Diff(standard, f))
		},
	}
}

// printChanges prints lines of rulefile.Diff.
func printChanges(cmd *cobra.Command, some, none string, changes []string) error {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, map[string]any{"changes": append([]string{}, changes...)})
	}
	if len(changes) == 0 {
		_, err := fmt.Fprintln(os.Stdout, none)
		return err
	}
	_, err := fmt.Fprintf(os.Stdout, "%s:\n  %s\n", some, strings.Join(changes, "\n  "))
	return err
}

// rulesInForce returns the rules that the workspace has.
func rulesInForce(cmd *cobra.Command) (rulefile.File, error) {
	r, err := newRemote(cmd)
	if err != nil {
		return rulefile.File{}, err
	}
	var f rulefile.File
	return f, r.do(cmd.Context(), http.MethodGet, "/v1/identity/rules", nil, &f)
}

func rulesDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use: "diff FILE", Short: "Say what a rule file changes in the rules in force", Args: needs(1, 1, "a rule file", "rules diff rules.toml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, f, err := readRules(args[0])
			if err != nil {
				return err
			}
			now, err := rulesInForce(cmd)
			if err != nil {
				return err
			}
			f.Version = now.Version // Applying gives it the next one, whatever it says.
			return printChanges(cmd, fmt.Sprintf("against version %d, which is in force", now.Version), fmt.Sprintf("nothing changes: version %d, which is in force, says the same", now.Version), rulefile.Diff(now, f))
		},
	}
}

func rulesDryRunCommand() *cobra.Command {
	return &cobra.Command{
		Use: "dry-run FILE", Short: "Say which profiles would split and join by a rule file, and change nothing", Args: needs(1, 1, "a rule file", "rules dry-run rules.toml"),
		Long: `Say which profiles would split and join by a rule file, and change nothing. All
evidence is computed anew beside what is in use, which may take minutes; Ctrl-C
ends it. One of a workspace runs at a time.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, _, err := readRules(args[0])
			if err != nil {
				return err
			}
			r, err := newRemote(cmd)
			if err != nil {
				return err
			}
			r.client.Timeout = 2 * api.DefaultConfig().DryRunTimeout
			stop := watchDryRun(cmd.Context(), r, os.Stderr)
			answer, err := r.send(cmd.Context(), http.MethodPost, dryRunPath, text, http.Header{"Content-Type": {"application/toml"}})
			stop()
			if err != nil {
				return err
			}
			return printAnswer(cmd, answer, func(d api.RulesReport) error { return printDryRun(os.Stdout, d) })
		},
	}
}

func rulesApplyCommand() *cobra.Command {
	var f commandFlags
	var expected int
	cmd := &cobra.Command{
		Use: "apply FILE", Short: "Make a rule file the rules, and compute every profile by it", Args: needs(1, 1, "a rule file", "rules apply rules.toml"),
		Long: `Make a rule file the rules, and compute every profile by it. The present profiles
serve until the new ones are there. Without --expected the change is made to the
rules as they stand now.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, _, err := readRules(args[0])
			if err != nil {
				return err
			}
			if expected == 0 {
				now, err := rulesInForce(cmd)
				if err != nil {
					return err
				}
				expected = now.Version
			}
			rules, err := json.Marshal(string(text))
			if err != nil {
				return fmt.Errorf("rule file: %w", err)
			}
			return f.give(cmd, identity.Redeclare, map[string]any{"rules": json.RawMessage(rules), "expected": expected})
		},
	}
	f.addRecord(cmd)
	cmd.Flags().IntVar(&expected, "expected", 0, "`version` in force that you have seen (default: that of now)")
	return cmd
}
