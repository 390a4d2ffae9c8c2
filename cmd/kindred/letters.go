package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/api"
)

func lettersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "letters",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Short: "Dead letters: what could not be stored, and what to do with it",
		Long: `A dead letter keeps a message that could not become an event, with its bytes and
the reason. It can be edited, replayed and discarded; all of that is on record.

States: open (nothing was done), replayed (on its way), stored (an event now),
failed (it broke a rule again), discarded.`,
	}
	cmd.AddCommand(lettersListCommand(), lettersSummaryCommand(), lettersShowCommand(), lettersEditCommand(), lettersActCommand("replay"), lettersActCommand("discard"))
	return cmd
}

// letterFlags pick letters.
type letterFlags struct {
	reason, source, kind, status, since, until string
	limit                                      int
}

func (f *letterFlags) add(cmd *cobra.Command, limit int, status string) {
	flags := cmd.Flags()
	flags.StringVar(&f.reason, "reason", "", "code of the reason, such as invalid_field or plan_violation")
	flags.StringVar(&f.source, "source", "", "source of the messages")
	flags.StringVar(&f.kind, "kind", "", "kind of event")
	flags.StringVar(&f.status, "status", status, "states, separated by commas: open, replayed, stored, failed, discarded")
	flags.StringVar(&f.since, "since", "", "received at or after this `time`, such as 2026-01-31T12:00:00Z")
	flags.StringVar(&f.until, "until", "", "received before this `time`")
	flags.IntVar(&f.limit, "limit", limit, "number of letters")
}

func (f *letterFlags) query() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"reason": f.reason, "source": f.source, "kind": f.kind, "status": f.status, "since": f.since, "until": f.until} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// body is the filter of a bulk request.
func (f *letterFlags) body() map[string]any {
	filter := map[string]any{}
	for name, value := range map[string]string{"reason": f.reason, "source": f.source, "kind": f.kind, "since": f.since, "until": f.until} {
		if value != "" {
			filter[name] = value
		}
	}
	if f.status != "" {
		filter["status"] = strings.Split(f.status, ",")
	}
	return filter
}

func (f *letterFlags) empty() bool {
	return f.reason == "" && f.source == "" && f.kind == "" && f.since == "" && f.until == ""
}

func lettersListCommand() *cobra.Command {
	var f letterFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List dead letters, the newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := newRemote(cmd)
			if err != nil {
				return err
			}
			var all []api.Letter
			query := f.query()
			for len(all) < f.limit {
				query.Set("limit", fmt.Sprint(min(500, f.limit-len(all))))
				var page struct {
					Letters []api.Letter
					Next    string
				}
				if err := r.do(cmd.Context(), http.MethodGet, "/v1/dead-letters?"+query.Encode(), nil, &page); err != nil {
					return err
				}
				all = append(all, page.Letters...)
				if page.Next == "" {
					break
				}
				query.Set("cursor", page.Next)
			}
			return table(os.Stdout, "LETTER\tRECEIVED\tSTATUS\tKIND\tSOURCE\tREASON\tTRIES\tDETAIL", len(all), func(i int) []any {
				l := all[i]
				return []any{l.ID, moment(l.Received), l.Status, l.Kind, l.Source, l.Reason, l.Attempts, l.Detail}
			})
		},
	}
	f.add(cmd, 50, "")
	return cmd
}

func lettersSummaryCommand() *cobra.Command {
	var f letterFlags
	cmd := &cobra.Command{
		Use: "summary", Short: "Count dead letters by reason and source", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := newRemote(cmd)
			if err != nil {
				return err
			}
			var answer struct{ Counts []api.LetterCount }
			if err := r.do(cmd.Context(), http.MethodGet, "/v1/dead-letters/summary?"+f.query().Encode(), nil, &answer); err != nil {
				return err
			}
			return table(os.Stdout, "LETTERS\tREASON\tSOURCE\tKIND\tSTATUS\tFIRST\tLAST", len(answer.Counts), func(i int) []any {
				c := answer.Counts[i]
				return []any{c.Letters, c.Reason, c.Source, c.Kind, c.Status, moment(c.First), moment(c.Last)}
			})
		},
	}
	f.add(cmd, 0, "")
	_ = cmd.Flags().MarkHidden("limit")
	return cmd
}

func lettersShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show LETTER", Short: "Show a dead letter with its bytes and history, as JSON", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := newRemote(cmd)
			if err != nil {
				return err
			}
			var whole json.RawMessage
			if err := r.do(cmd.Context(), http.MethodGet, "/v1/dead-letters/"+url.PathEscape(args[0]), nil, &whole); err != nil {
				return err
			}
			return printJSON(cmd, whole)
		},
	}
}

func lettersEditCommand() *cobra.Command {
	var reason string
	var expected uint64
	cmd := &cobra.Command{
		Use: "edit LETTER FILE", Short: "Set the message that a replay of a letter sends", Args: cobra.ExactArgs(2),
		Long: `Set the message that a replay of LETTER sends to the JSON object in FILE, or in
standard input when FILE is "-". "kindred letters show" has the message as it came.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			value, err := readInput(args[1])
			if err != nil {
				return err
			}
			if !json.Valid(value) {
				return errors.New("the message is not JSON")
			}
			body := map[string]any{"reason": reason, "value": json.RawMessage(value)}
			if cmd.Flags().Changed("revision") {
				body["expected_revision"] = expected
			}
			return actOnOne(cmd, args[0], "edit", body)
		},
	}
	cmd.Flags().StringVar(&reason, "note", "", "why")
	cmd.Flags().Uint64Var(&expected, "revision", 0, "revision of the letter's last action that you have seen")
	return cmd
}

func readInput(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
	}
	return os.ReadFile(path)
}

func actOnOne(cmd *cobra.Command, id, action string, body any) error {
	r, err := newRemote(cmd)
	if err != nil {
		return err
	}
	var changed struct{ Revision uint64 }
	if err := r.do(cmd.Context(), http.MethodPost, "/v1/dead-letters/"+url.PathEscape(id)+"/"+action, body, &changed); err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "%s of letter %s is revision %d\n", action, id, changed.Revision)
	return err
}

// lettersActCommand replays or discards letters, named or picked.
func lettersActCommand(action string) *cobra.Command {
	var f letterFlags
	var note string
	var dry, newID, everything bool
	cmd := &cobra.Command{
		Use: action + " [LETTER …]", Short: strings.ToUpper(action[:1]) + action[1:] + " dead letters, named or picked by flags",
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]any{"reason": note, "new_id": newID}
			if len(args) > 0 {
				if !f.empty() || dry {
					return errors.New("name letters or pick them by flags, not both")
				}
				for _, id := range args {
					if err := actOnOne(cmd, id, action, body); err != nil {
						return fmt.Errorf("letter %s: %w", id, err)
					}
				}
				return nil
			}
			if f.empty() && !everything {
				return fmt.Errorf("name letters, pick them by flags such as --reason and --source, or say --all; --dry-run shows which")
			}
			body["filter"], body["limit"], body["dry_run"] = f.body(), f.limit, dry
			return actOnMany(cmd, action, body, dry)
		},
	}
	f.add(cmd, 100, "open,failed")
	cmd.Flags().StringVar(&note, "note", "", "why")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show which letters it would be, and do nothing")
	cmd.Flags().BoolVar(&everything, "all", false, "all letters of the states, up to the limit")
	if action == "replay" {
		cmd.Flags().BoolVar(&newID, "new-id", false, "give the messages new ids, which letters of reason id_reused need")
	}
	return cmd
}

func actOnMany(cmd *cobra.Command, action string, body any, dry bool) error {
	r, err := newRemote(cmd)
	if err != nil {
		return err
	}
	var done api.LetterBulkDone
	if err := r.do(cmd.Context(), http.MethodPost, "/v1/dead-letters/"+action, body, &done); err != nil {
		return err
	}
	if dry {
		for _, id := range done.Letters {
			fmt.Println(id)
		}
		fmt.Printf("would %s %d of %d letters\n", action, len(done.Letters), done.Matched)
		return nil
	}
	for _, refused := range done.Refused {
		fmt.Printf("%s: %s\n", refused.Letter, refused.Detail)
	}
	fmt.Printf("%s: %d of %d letters, %d refused, revision %d\n", action, done.Applied, done.Matched, len(done.Refused), done.Revision)
	return nil
}
