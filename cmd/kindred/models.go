package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/profiles/forecast"
)

func modelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Short: "Models of propensity: how likely people are to buy, leave, come back or do anything else",
		Long: `A model is declared by a JSON file:

  {"target": {"ready": "churn"}, "horizon": "30d"}

  {"target": {"event": "Trial Started"}, "horizon": "14d", "gap": "1d",
   "eligible": {"trait": "country", "op": "eq", "value": "PT"}, "schedule": "7d"}

Ready-made targets are purchase (an order), churn (no order, of who ordered within a
year), repeat (a second order, of who ordered once) and, with a "channel", response (a
click or a reply, of who is contacted on it). Its probabilities are scores of
the model's name: on profiles, in segments, in the table scores.`,
	}
	cmd.AddCommand(modelsListCommand(), modelsPutCommand(), modelsCardCommand(), modelsTrainCommand(), modelsPromoteCommand(), modelsArchiveCommand())
	return cmd
}

// oneModel is a model as the API answers it.
type oneModel struct {
	Name          string
	Revision      uint64
	Target        forecast.Target
	Horizon       string
	State, Reason string
	Champion      string
	ScoredAt      *time.Time `json:"scored_at"`
	Scored        uint64     `json:"scored_profiles"`
}

func modelsListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the models, their state and the version that scores", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd, "/v1/models", func(list struct{ Models []oneModel }) error { return printForecasts(os.Stdout, list.Models) })
		},
	}
	cmd.Flags().Bool("json", false, "print the answer as JSON")
	return cmd
}

func printForecasts(w io.Writer, list []oneModel) error {
	return table(w, "MODEL\tREVISION\tTARGET\tHORIZON\tSTATE\tVERSION\tSCORED\tAT\tREASON", len(list), func(i int) []any {
		m := list[i]
		scored := ""
		if m.ScoredAt != nil {
			scored = moment(*m.ScoredAt)
		}
		return []any{m.Name, m.Revision, m.Target.String(), m.Horizon, m.State, m.Champion, m.Scored, scored, m.Reason}
	})
}

func modelsPutCommand() *cobra.Command {
	var name string
	var expected int64
	cmd := &cobra.Command{
		Use: "put FILE", Short: "Declare or change a model", Args: cobra.ExactArgs(1),
		Long: `Declare or change a model. Its name is that of the file without its ending, or --name.
Without --revision the change is made to the model as it stands now. "-" in place of a
file is the standard input.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			definition, err := readJSON(args[0])
			if err != nil {
				return err
			}
			if name == "" {
				name = strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0]))
			}
			before, err := standingModel(cmd, name, expected)
			if err != nil {
				return err
			}
			return changeModel(cmd, http.MethodPut, name, "", map[string]any{"expected_revision": before, "definition": definition})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the model")
	cmd.Flags().Int64Var(&expected, "revision", -1, "revision that you have seen, 0 for a new model")
	return cmd
}

// standingModel returns the revision of a model that stands, 0 when there is none.
func standingModel(cmd *cobra.Command, name string, expected int64) (uint64, error) {
	if expected >= 0 {
		return uint64(expected), nil
	}
	r, err := newRemote(cmd)
	if err != nil {
		return 0, err
	}
	var list struct{ Models []oneModel }
	if err := r.do(cmd.Context(), http.MethodGet, "/v1/models", nil, &list); err != nil {
		return 0, err
	}
	i := slices.IndexFunc(list.Models, func(m oneModel) bool { return m.Name == name })
	if i < 0 {
		return 0, nil
	}
	return list.Models[i].Revision, nil
}

func changeModel(cmd *cobra.Command, method, name, more string, body any) error {
	return changeNamed(cmd, method, "model", "/v1/models/", name, more, body)
}

func modelsTrainCommand() *cobra.Command {
	return &cobra.Command{
		Use: "train MODEL", Short: "Order a training; the list tells how it ended", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeModel(cmd, http.MethodPost, args[0], "/train", nil)
		},
	}
}

func modelsPromoteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "promote MODEL VERSION", Short: "Let a version of a model score, better or not", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeModel(cmd, http.MethodPost, args[0], "/promote", map[string]any{"version": args[1]})
		},
	}
}

func modelsArchiveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "archive MODEL", Short: "End a model; its scores are withdrawn", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			before, err := standingModel(cmd, args[0], -1)
			if err != nil {
				return err
			}
			return changeModel(cmd, http.MethodDelete, args[0], fmt.Sprintf("?expected_revision=%d", before), nil)
		},
	}
}

func modelsCardCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "card MODEL [VERSION]", Short: "Show what a model was learnt from, and how good it is", Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "/v1/models/" + url.PathEscape(args[0]) + "/card"
			if len(args) > 1 {
				path += "?version=" + url.QueryEscape(args[1])
			}
			return ask(cmd, path, func(c forecast.Card) error { return printCard(os.Stdout, c) })
		},
	}
	cmd.Flags().Bool("json", false, "print the card as JSON")
	return cmd
}

// printCard prints what a reader asks first of a card; the JSON has all of it.
func printCard(w io.Writer, c forecast.Card) error {
	p := &printer{w: w}
	state := "does not score"
	if c.Champion {
		state = "scores"
	}
	p.say("%s, version %s of %s, %s", plain(c.Model), c.Version, moment(c.CreatedAt), state)
	p.say("target %s within %s, after a gap of %s", plain(c.Target.String()), c.Horizon, c.Gap)
	p.say("knowledge: %s; identity: %s", c.Knowledge, c.Identity)
	p.say("")
	p.table("MOMENT\tFOR\tEXAMPLES\tPOSITIVE", len(c.Moments), func(i int) []any {
		m := c.Moments[i]
		return []any{m.AsOf.Format(time.DateOnly), m.Use, m.Rows, m.Positives}
	})
	p.say("")
	names := []string{"base_rate", "recency", "single_feature"}
	p.table("JUDGED\tAUC\tLOG LOSS\tLIFT AT 10 %", 1+len(names), func(i int) []any {
		m, name := c.Metrics, string(c.Family)+", calibration "+c.Calibration
		if i > 0 {
			name = names[i-1] + " " + c.Baselines[names[i-1]].Feature
			m = c.Baselines[names[i-1]].Metrics
		}
		return []any{name, fmt.Sprintf("%.3f", m.AUC), fmt.Sprintf("%.4f", m.LogLoss), fmt.Sprintf("%.2f", m.Lift)}
	})
	p.say("")
	p.table("FEATURE\tSHARE", min(10, len(c.Features)), func(i int) []any {
		return []any{c.Features[i].Feature, fmt.Sprintf("%.0f %%", 100*c.Features[i].Share)}
	})
	printFate(p, c)
	for _, l := range c.Limits {
		p.say("limit: %s", plain(l))
	}
	return p.err
}

// printFate says how the version has fared since.
func printFate(p *printer, c forecast.Card) {
	if a := c.Against; a != nil {
		p.say("against %s: log loss lower by %.5f, standard error %.5f", a.Version, a.Gain, a.StandardError)
	}
	if c.Check == nil {
		return
	}
	p.say("scored %d profiles, mean %.4f; drift (PSI) of the scores %.3f", c.Check.Profiles, c.Check.Mean, c.Check.PSI)
	if len(c.Check.Drift) > 0 {
		p.say("most drift of a feature: %s, %.3f", plain(c.Check.Drift[0].Feature), c.Check.Drift[0].PSI)
	}
	if r := c.Check.Realised; r != nil {
		p.say("foretold on %s: %.4f expected, %.4f came, of %d", r.AsOf.Format(time.DateOnly), r.Expected, r.Observed, r.Profiles)
	}
}
