package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/api"
)

func plansCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plans",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Short: "Tracking plans: what sources have promised to send",
		Long: `A tracking plan is a JSON file:

  {
    "sources": ["web"], "kinds": ["behaviour"],
    "unplanned_events": "warn", "unplanned_properties": "allow",
    "events": [
      {"name": "Order Completed", "version": "1", "mode": "block", "schema": {
        "properties": {"properties": {"type": "object", "required": ["revenue"],
          "properties": {"revenue": {"type": "number", "minimum": 0}}}}}}
    ]
  }

The schema is JSON Schema (draft 2020-12) over the whole message. Mode warn counts
violations, block makes the event a dead letter, allow switches the schema off.`,
	}
	cmd.AddCommand(plansListCommand(), plansApplyCommand(), plansCheckCommand(), plansViolationsCommand(), plansArchiveCommand())
	return cmd
}

// onePlan is a plan as the API answers it.
type onePlan struct {
	Name       string          `json:"name"`
	Revision   uint64          `json:"revision"`
	ChangedAt  time.Time       `json:"changed_at"`
	ChangedBy  string          `json:"changed_by"`
	Events     int             `json:"events"`
	Definition json.RawMessage `json:"definition"`
}

func plansListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the live plans", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			plans, err := livePlans(cmd)
			if err != nil {
				return err
			}
			return table(os.Stdout, "PLAN\tREVISION\tEVENTS\tCHANGED\tBY", len(plans), func(i int) []any {
				p := plans[i]
				return []any{p.Name, p.Revision, p.Events, moment(p.ChangedAt), p.ChangedBy}
			})
		},
	}
}

func livePlans(cmd *cobra.Command) ([]onePlan, error) {
	r, err := newRemote(cmd)
	if err != nil {
		return nil, err
	}
	var answer struct{ Plans []onePlan }
	return answer.Plans, r.do(cmd.Context(), http.MethodGet, "/v1/plans", nil, &answer)
}

func plansApplyCommand() *cobra.Command {
	var name string
	var expected int64
	cmd := &cobra.Command{
		Use: "apply FILE", Short: "Make or change a plan", Args: cobra.ExactArgs(1),
		Long: `Make or change a plan. Its name is that of the file without .json, or --name.
Without --revision the change is made to the plan as it stands now.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			definition, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("plan file: %w", err)
			}
			if !json.Valid(definition) {
				return fmt.Errorf("plan file %s is not JSON", args[0])
			}
			if name == "" {
				name = strings.TrimSuffix(filepath.Base(args[0]), ".json")
			}
			before, err := standing(cmd, name, expected)
			if err != nil {
				return err
			}
			return changePlan(cmd, http.MethodPut, name, map[string]any{"expected_revision": before, "definition": json.RawMessage(definition)}, "")
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the plan")
	cmd.Flags().Int64Var(&expected, "revision", -1, "revision that you have seen, 0 for a new plan")
	return cmd
}

func plansArchiveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "archive PLAN", Short: "End a plan; its history stays", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			before, err := standing(cmd, args[0], -1)
			if err != nil {
				return err
			}
			return changePlan(cmd, http.MethodDelete, args[0], nil, fmt.Sprintf("?expected_revision=%d", before))
		},
	}
}

// standing returns the revision of a plan that stands, 0 when there is none.
func standing(cmd *cobra.Command, name string, expected int64) (uint64, error) {
	if expected >= 0 {
		return uint64(expected), nil
	}
	plans, err := livePlans(cmd)
	for _, p := range plans {
		if p.Name == name {
			return p.Revision, nil
		}
	}
	return 0, err
}

func changePlan(cmd *cobra.Command, method, name string, body any, query string) error {
	return changeNamed(cmd, method, "plan", "/v1/plans/", name, query, body)
}

// changeNamed changes something that has a name and revisions, and tells the new one.
func changeNamed(cmd *cobra.Command, method, what, path, name, query string, body any) error {
	r, err := newRemote(cmd)
	if err != nil {
		return err
	}
	var changed struct{ Revision uint64 }
	if err := r.do(cmd.Context(), method, path+url.PathEscape(name)+query, body, &changed); err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "%s %s is at revision %d\n", what, name, changed.Revision)
	return err
}

func plansCheckCommand() *cobra.Command {
	var kind, plan string
	cmd := &cobra.Command{
		Use: "check FILE", Short: "Hold the events of a file against the plans, without storing them", Args: cobra.ExactArgs(1),
		Long: `Hold the events of FILE, one JSON message or one a line, against the live plans, or
against the plan file named by --plan alone. Fails when one would be blocked.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := newRemote(cmd)
			if err != nil {
				return err
			}
			var definition json.RawMessage
			if plan != "" {
				if definition, err = os.ReadFile(plan); err != nil {
					return fmt.Errorf("plan file: %w", err)
				}
			}
			return checkEvents(cmd.Context(), r, args[0], kind, definition)
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "behaviour", "kind of the events")
	cmd.Flags().StringVar(&plan, "plan", "", "plan `file` to try")
	return cmd
}

// checkEvents prints what each event of a file would break.
func checkEvents(ctx context.Context, r *remote, path, kind string, definition json.RawMessage) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("events: %w", err)
	}
	defer func() { _ = f.Close() }()
	dec := json.NewDecoder(f)
	n, blocked := 0, 0
	for {
		var event json.RawMessage
		if err := dec.Decode(&event); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("event %d of %s is not JSON", n+1, path)
		}
		n++
		body := map[string]any{"kind": kind, "event": event}
		if len(definition) > 0 {
			body["definition"] = definition
		}
		var answer struct {
			Stored     bool
			Violations []api.PlanViolation
		}
		if err := r.do(ctx, http.MethodPost, "/v1/plans/check", body, &answer); err != nil {
			return fmt.Errorf("event %d: %w", n, err)
		}
		if !answer.Stored {
			blocked++
		}
		for _, v := range answer.Violations {
			what := "warn "
			if v.Block {
				what = "block"
			}
			fmt.Printf("event %d: %s  plan %s: %s at %s: %s\n", n, what, v.Plan, v.Rule, v.Pointer, v.Detail)
		}
	}
	if blocked > 0 {
		return fmt.Errorf("%d of %d events would become dead letters", blocked, n)
	}
	fmt.Printf("%d events would be stored\n", n)
	return nil
}

func plansViolationsCommand() *cobra.Command {
	var since time.Duration
	cmd := &cobra.Command{
		Use: "violations PLAN", Short: "What broke a plan, the most frequent first", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := newRemote(cmd)
			if err != nil {
				return err
			}
			var answer struct{ Violations []api.PlanBroken }
			path := fmt.Sprintf("/v1/plans/%s/violations?since=%s", url.PathEscape(args[0]), now().Add(-since).UTC().Format(time.RFC3339))
			if err := r.do(cmd.Context(), http.MethodGet, path, nil, &answer); err != nil {
				return err
			}
			return table(os.Stdout, "COUNT\tMODE\tEVENT\tVERSION\tRULE\tAT\tLAST\tEXAMPLE\tDETAIL", len(answer.Violations), func(i int) []any {
				b := answer.Violations[i]
				example := ""
				if len(b.Examples) > 0 {
					example = b.Examples[0]
				}
				return []any{b.Count, b.Mode, b.Event, b.Version, b.Rule, b.Pointer, moment(b.Last), example, b.Detail}
			})
		},
	}
	cmd.Flags().DurationVar(&since, "since", 7*24*time.Hour, "how far to look back")
	return cmd
}

// table prints rows in columns.
func table(w io.Writer, head string, n int, row func(i int) []any) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	if _, err := fmt.Fprintln(t, head); err != nil {
		return err
	}
	for i := range n {
		cells := row(i)
		text := make([]string, len(cells))
		for j, c := range cells {
			text[j] = plainCell(fmt.Sprint(c))
		}
		if _, err := fmt.Fprintln(t, strings.Join(text, "\t")); err != nil {
			return err
		}
	}
	return t.Flush()
}

// plainCell keeps what came from clients from moving the cursor or changing the
// colours of a terminal.
func plainCell(s string) string {
	s = plain(s)
	if list := []rune(s); len(list) > 80 {
		return string(list[:79]) + "…"
	}
	return s
}

// plain is plainCell of a text of any length.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '·'
		}
		return r
	}, s)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
