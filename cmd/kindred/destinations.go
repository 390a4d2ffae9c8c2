package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func destinationsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "destinations",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Short: "Destinations: who is told of people that enter and leave segments",
		Long: `A file of a destination is its definition as JSON:

  {"kind": "webhook", "segments": ["loyal"], "url": "https://crm.example.com/kindred", "traits": ["city"]}

  {"kind": "webhook", "segments": ["loyal"], "preset": "hubspot-contacts"}

  {"kind": "segment", "segments": ["loyal"], "url": "https://api.segment.io/v1/identify"}

Keys of the receiver go into headers that are secrets, from a file that only you can
read: --secret-header Authorization=token.txt. "-" in place of a file is the standard
input.`,
	}
	cmd.AddCommand(destinationsListCommand(), destinationsPutCommand(), destinationsTestCommand(), destinationsArchiveCommand(), destinationsLettersCommand(), destinationsRedeliverCommand(), destinationsSyncCommand())
	return cmd
}

// oneDestination is a destination as the API answers it.
type oneDestination struct {
	ID       string
	Revision uint64
	Kind     string
	Segments []string
	State    struct {
		At                                   *time.Time
		Delivered, Withheld, Passed, Letters uint64
		Failing                              uint64
		Error                                string
	}
}

func liveDestinations(cmd *cobra.Command) ([]oneDestination, error) {
	r, err := newRemote(cmd)
	if err != nil {
		return nil, err
	}
	var answer struct{ Destinations []oneDestination }
	return answer.Destinations, r.do(cmd.Context(), http.MethodGet, "/v1/destinations", nil, &answer)
}

func destinationsListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the live destinations and how they fare", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := liveDestinations(cmd)
			if err != nil {
				return err
			}
			return table(os.Stdout, "DESTINATION\tREVISION\tKIND\tSEGMENTS\tDELIVERED\tWITHHELD\tPASSED\tLETTERS\tFAILING\tERROR", len(list), func(i int) []any {
				d := list[i]
				t := d.State
				return []any{d.ID, d.Revision, d.Kind, strings.Join(d.Segments, " "), t.Delivered, t.Withheld, t.Passed, t.Letters, t.Failing, t.Error}
			})
		},
	}
}

// readFile reads a file, or the standard input for "-".
func readFile(path string) ([]byte, error) {
	read := func() ([]byte, error) { return os.ReadFile(path) }
	if path == "-" {
		read = func() ([]byte, error) { return io.ReadAll(os.Stdin) }
	}
	text, err := read()
	if err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	return bytes.TrimSpace(text), nil
}

func readJSON(path string) (json.RawMessage, error) {
	text, err := readFile(path)
	if err == nil && !json.Valid(text) {
		err = fmt.Errorf("file %s is no JSON", path)
	}
	return text, err
}

// readHeaders reads the values of HEADER=FILE.
func readHeaders(pairs []string) (map[string]string, error) {
	secrets := map[string]string{}
	for _, pair := range pairs {
		header, path, _ := strings.Cut(pair, "=")
		text, err := readFile(path)
		if err != nil {
			return nil, err
		}
		secrets[header] = string(text)
	}
	return secrets, nil
}

func destinationsPutCommand() *cobra.Command {
	var name string
	var expected int64
	var headers []string
	var rotate bool
	cmd := &cobra.Command{
		Use: "put FILE", Short: "Make or change a destination", Args: cobra.ExactArgs(1),
		Long: `Make or change a destination. Its name is that of the file without its ending, or
--name. Without --revision the change is made to the destination as it stands now. The
secret that deliveries are signed with is printed once, when it is new.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			definition, err := readJSON(args[0])
			if err != nil {
				return err
			}
			if name == "" {
				name = strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0]))
			}
			body := map[string]any{"definition": definition, "rotate_secret": rotate}
			if len(headers) > 0 {
				if body["secret_headers"], err = readHeaders(headers); err != nil {
					return err
				}
			}
			if body["expected_revision"], err = standingRevision(cmd, "destinations", name, expected); err != nil {
				return err
			}
			r, err := newRemote(cmd)
			if err != nil {
				return err
			}
			var answer struct {
				Revision uint64
				Secret   string
			}
			if err := r.do(cmd.Context(), http.MethodPut, "/v1/destinations/"+url.PathEscape(name), body, &answer); err != nil {
				return err
			}
			fmt.Printf("destination %s is at revision %d\n", plain(name), answer.Revision)
			if answer.Secret != "" {
				fmt.Printf("deliveries are signed with %s, which is not shown again\n", plain(answer.Secret))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the destination")
	cmd.Flags().Int64Var(&expected, "revision", -1, "revision that you have seen, 0 for a new destination")
	cmd.Flags().StringArrayVar(&headers, "secret-header", nil, "`HEADER=FILE` with a header's secret value; without any, those that are there stay")
	cmd.Flags().BoolVar(&rotate, "rotate-secret", false, "make another secret to sign with; the one before signs as well until the next change")
	return cmd
}

func destinationsTestCommand() *cobra.Command {
	var segment, file string
	var exited bool
	cmd := &cobra.Command{
		Use: "test DESTINATION PROFILE", Short: "Print what would be sent of a person, and send nothing", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]any{"profile": args[1], "segment": segment}
			if exited {
				body["change"] = "exited"
			}
			if file != "" {
				definition, err := readJSON(file)
				if err != nil {
					return err
				}
				body["definition"] = definition
			}
			r, err := newRemote(cmd)
			if err != nil {
				return err
			}
			var raw json.RawMessage
			if err := r.do(cmd.Context(), http.MethodPost, "/v1/destinations/"+url.PathEscape(args[0])+"/test", body, &raw); err != nil {
				return err
			}
			var out bytes.Buffer
			if err := json.Indent(&out, raw, "", "  "); err != nil {
				return fmt.Errorf("read the answer of the API: %w", err)
			}
			_, err = fmt.Fprintln(os.Stdout, strings.TrimSpace(out.String()))
			return err
		},
	}
	cmd.Flags().StringVar(&segment, "segment", "", "segment that the person would enter or leave")
	cmd.Flags().BoolVar(&exited, "exited", false, "the person would leave it")
	cmd.Flags().StringVar(&file, "file", "", "`file` of a definition to try in place of the one that stands")
	_ = cmd.MarkFlagRequired("segment") // The flag is there.
	return cmd
}

func destinationsArchiveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "archive DESTINATION", Short: "End a destination", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			before, err := standingRevision(cmd, "destinations", args[0], -1)
			if err != nil {
				return err
			}
			return changeNamed(cmd, http.MethodDelete, "destination", "/v1/destinations/", args[0], fmt.Sprintf("?expected_revision=%d", max(before, 1)), nil)
		},
	}
}

func destinationsLettersCommand() *cobra.Command {
	var state string
	cmd := &cobra.Command{
		Use: "letters DESTINATION", Short: "List changes that a destination did not take", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			query := url.Values{"limit": {"1000"}}
			if state != "" {
				query.Set("state", state)
			}
			return pages(cmd, "/v1/destinations/"+url.PathEscape(args[0])+"/letters", query, func(page json.RawMessage) (string, error) {
				var p struct {
					Letters []struct {
						ID, State, Change, Reason, Answer string
						Time                              time.Time
						Status, Attempts                  int
					}
					Next string
				}
				err := json.Unmarshal(page, &p)
				for _, l := range p.Letters {
					fmt.Printf("%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", plain(l.ID), moment(l.Time), plain(l.State), plain(l.Change), plain(l.Reason), l.Status, l.Attempts, plain(l.Answer))
				}
				return p.Next, err
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "dead", "dead, asked, delivered or obsolete; all when empty")
	return cmd
}

func destinationsRedeliverCommand() *cobra.Command {
	return &cobra.Command{
		Use: "redeliver DESTINATION [LETTER]…", Short: "Send letters again, all that are dead where none is named", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := newRemote(cmd)
			if err != nil {
				return err
			}
			var answer struct{ Letters int }
			body := map[string]any{"letters": list(args[1:])}
			if err := r.do(cmd.Context(), http.MethodPost, "/v1/destinations/"+url.PathEscape(args[0])+"/redeliver", body, &answer); err != nil {
				return err
			}
			fmt.Printf("%d letters are to be sent again\n", answer.Letters)
			return nil
		},
	}
}

func destinationsSyncCommand() *cobra.Command {
	var everybody bool
	cmd := &cobra.Command{
		Use: "sync DESTINATION", Short: "Compare all members with what a destination was told, and send the difference", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := newRemote(cmd)
			if err != nil {
				return err
			}
			var answer struct{ Revision uint64 }
			return r.do(cmd.Context(), http.MethodPost, "/v1/destinations/"+url.PathEscape(args[0])+"/sync", map[string]any{"everybody": everybody}, &answer)
		},
	}
	cmd.Flags().BoolVar(&everybody, "everybody", false, "tell of all members again, for a receiver that has lost some")
	return cmd
}
