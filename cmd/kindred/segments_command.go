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

func segmentsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "segments",
		Aliases: []string{"segment"},
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Short:   "Segments: who is in, who came and who left",
		Long: `A file of a segment is its definition, as text or as JSON:

  country in ("PT", "BR") and did "Order Completed" >= 2 times in 30d

  {"all": [{"trait": "country", "op": "in", "value": ["PT", "BR"]},
           {"event": "Order Completed", "count": {"gte": 2}, "within": "30d"}]}

"-" in place of a file is the standard input.`,
	}
	cmd.AddCommand(segmentsEvalCommand(), segmentsListCommand(), segmentsPutCommand(), segmentsArchiveCommand(), segmentsMembersCommand(), segmentsChangesCommand(), segmentsInsightsCommand(), segmentsOverlapCommand(), segmentsExportCommand())
	return cmd
}

// readDefinition returns a definition in a file as the member of a body that it is.
func readDefinition(path string) (member string, value any, err error) {
	text, err := readFile(path)
	if err != nil {
		return "", nil, err
	}
	if bytes.HasPrefix(text, []byte("{")) {
		if !json.Valid(text) {
			return "", nil, fmt.Errorf("segment file %s begins like JSON, and is not", path)
		}
		return "definition", json.RawMessage(text), nil
	}
	return "text", string(text), nil
}

func segmentsEvalCommand() *cobra.Command {
	var sample int
	var include []string
	var purpose string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "eval FILE", Short: "Count who is in a segment now, without storing it", Args: cobra.ExactArgs(1),
		Long: `Count who is in a segment now, without storing it; with --include, also tell whom it
reaches, what it shares with live segments, and what distinguishes its members. With
--json the answer of /v1/segments/preview is printed as it is, with the SQL that ran.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			member, definition, err := readDefinition(args[0])
			if err != nil {
				return err
			}
			body := map[string]any{member: definition, "sample": sample, "include": include, "purpose": purpose}
			return answered(cmd, http.MethodPost, "/v1/segments/preview", body, asJSON, printPreview)
		},
	}
	cmd.Flags().IntVar(&sample, "sample", 0, "members to show")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as JSON")
	includeFlags(cmd, &include, &purpose, nil)
	return cmd
}

func printPreview(w io.Writer, raw json.RawMessage) error {
	var p struct {
		Count, Profiles uint64
		Share           float64
		Sample          []string
		ElapsedMS       float64 `json:"elapsed_ms"`
		RowsRead        uint64  `json:"rows_read"`
		Warnings        []struct{ Pointer, Detail string }
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("read the answer of the API: %w", err)
	}
	for _, warning := range p.Warnings {
		if _, err := fmt.Fprintf(w, "warning: %s %s\n", plain(warning.Pointer), plain(warning.Detail)); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(w, "%d of %d profiles (%.2f %%), %.0f ms, %d rows read\n", p.Count, p.Profiles, 100*p.Share, p.ElapsedMS, p.RowsRead); err != nil {
		return err
	}
	for _, id := range p.Sample {
		if _, err := fmt.Fprintln(w, plain(id)); err != nil {
			return err
		}
	}
	return printParts(w, raw)
}

// oneSegment is a segment as the API answers it.
type oneSegment struct {
	ID        string
	Revision  uint64
	ChangedAt time.Time `json:"changed_at"`
	ChangedBy string    `json:"changed_by"`
	State     struct {
		GoodAt  *time.Time `json:"good_at"`
		Members uint64
		Error   string
	}
}

func liveSegments(cmd *cobra.Command) ([]oneSegment, error) {
	r, err := newRemote(cmd)
	if err != nil {
		return nil, err
	}
	var answer struct{ Segments []oneSegment }
	return answer.Segments, r.do(cmd.Context(), http.MethodGet, "/v1/segments", nil, &answer)
}

func segmentsListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the live segments", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := liveSegments(cmd)
			if err != nil {
				return err
			}
			return table(os.Stdout, "SEGMENT\tREVISION\tMEMBERS\tAS OF\tCHANGED\tBY\tERROR", len(list), func(i int) []any {
				s := list[i]
				asOf := "not yet"
				if s.State.GoodAt != nil {
					asOf = moment(*s.State.GoodAt)
				}
				return []any{s.ID, s.Revision, s.State.Members, asOf, moment(s.ChangedAt), s.ChangedBy, s.State.Error}
			})
		},
	}
}

func segmentsPutCommand() *cobra.Command {
	var name, description string
	var expected int64
	cmd := &cobra.Command{
		Use: "put FILE", Short: "Make or change a live segment", Args: cobra.ExactArgs(1),
		Long: `Make or change a live segment. Its name is that of the file without its ending, or
--name. Without --revision the change is made to the segment as it stands now.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			member, definition, err := readDefinition(args[0])
			if err != nil {
				return err
			}
			if name == "" {
				name = strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0]))
			}
			before, err := standingRevision(cmd, "segments", name, expected)
			if err != nil {
				return err
			}
			body := map[string]any{"expected_revision": before, "description": description, member: definition}
			return changeSegment(cmd, http.MethodPut, name, "", body)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the segment")
	cmd.Flags().StringVar(&description, "description", "", "what it is for")
	cmd.Flags().Int64Var(&expected, "revision", -1, "revision that you have seen, 0 for a new segment")
	return cmd
}

func segmentsArchiveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "archive SEGMENT", Short: "End a segment; its history stays", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			before, err := standingRevision(cmd, "segments", args[0], -1)
			if err != nil {
				return err
			}
			return changeSegment(cmd, http.MethodDelete, args[0], fmt.Sprintf("?expected_revision=%d", max(before, 1)), nil)
		},
	}
}

func changeSegment(cmd *cobra.Command, method, name, query string, body any) error {
	return changeNamed(cmd, method, "segment", "/v1/segments/", name, query, body)
}

func segmentsMembersCommand() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: "members SEGMENT", Short: "Print who is in a segment, one profile a line", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			query := url.Values{"limit": {"1000"}}
			if at != "" {
				query.Set("at", at)
			}
			return pages(cmd, "/v1/segments/"+url.PathEscape(args[0])+"/members", query, func(page json.RawMessage) (string, error) {
				var p struct {
					Members []struct {
						Profile string
						Since   time.Time
					}
					Next string
				}
				err := json.Unmarshal(page, &p)
				for _, m := range p.Members {
					fmt.Printf("%s\t%s\n", plain(m.Profile), m.Since.Format(time.RFC3339Nano))
				}
				return p.Next, err
			})
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "date and time, RFC 3339; now when empty")
	return cmd
}

func segmentsChangesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "changes SEGMENT", Short: "Print who entered and who left, the oldest first", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return pages(cmd, "/v1/segments/"+url.PathEscape(args[0])+"/changes", url.Values{"limit": {"1000"}}, func(page json.RawMessage) (string, error) {
				var p struct {
					Changes []struct {
						Profile, Change, Cause string
						Time                   time.Time
						Leaves                 []string
					}
					Next string
				}
				err := json.Unmarshal(page, &p)
				for _, c := range p.Changes {
					fmt.Printf("%s\t%s\t%s\t%s\t%s\n", c.Time.Format(time.RFC3339Nano), plain(c.Change), plain(c.Profile), plain(c.Cause), plain(strings.Join(c.Leaves, " ")))
				}
				if len(p.Changes) == 0 { // Its cursor is for what comes later.
					return "", err
				}
				return p.Next, err
			})
		},
	}
}

// pages reads a list to its end; show prints a page and returns the next cursor.
func pages(cmd *cobra.Command, path string, query url.Values, show func(json.RawMessage) (string, error)) error {
	r, err := newRemote(cmd)
	if err != nil {
		return err
	}
	for {
		var page json.RawMessage
		if err := r.do(cmd.Context(), http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		next, err := show(page)
		if err != nil || next == "" {
			return err
		}
		query.Set("cursor", next)
	}
}
