package main

import (
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity/linkage"
)

func printLinkRun(w io.Writer, r *linkRunReport) error {
	p := &printer{w: w}
	p.say("%s: %s of users%s", count(r.Records, "record"), fmt.Sprint(r.Users), sourcesText(r.Sources))
	p.say("model %s, learnt from %d pairs put side by side", r.Model, r.Candidates)
	p.say("%s may be one person: %d at or above the link threshold of %g bits, %d more at or above the review threshold of %g bits",
		count(r.Pairs, "pair"), r.Link, r.LinkAt, r.Review-r.Link, r.ReviewAt)
	p.say("%s published, %d taken back, %s tied to users", count(r.Published, "score"), r.Withdrawn, count(r.Tied, "record"))
	switch {
	case r.Rules == nil:
		p.say("The rules name this model already: its scores count.")
	case r.DryRun:
		p.say("Naming the model in the rules would make %s of others and split %d: %d profiles, then %d. Nothing was changed.",
			count(r.Rules.Joined, "profile"), r.Rules.Split, r.Rules.Before.Profiles, r.Rules.After.Profiles)
	default:
		p.say("The rules name the model now: %s came of others, %d split; %d profiles before, %d after.",
			count(r.Rules.Joined, "profile"), r.Rules.Split, r.Rules.Before.Profiles, r.Rules.After.Profiles)
	}
	if r.Rules != nil && len(r.Rules.Joins) > 0 {
		p.say("")
		p.say("Some of what joined:")
		for _, e := range r.Rules.Joins[:min(len(r.Rules.Joins), 5)] {
			var names []string
			for _, i := range e.Identifiers[:min(len(e.Identifiers), 6)] {
				names = append(names, knownText(i.KnownKey))
			}
			p.say("  %s: %s", e.Profile, strings.Join(names, ", "))
		}
	}
	var steps []string
	for _, s := range []string{"read", "learn", "score", "publish", "store", "rules"} {
		steps = append(steps, fmt.Sprintf("%s %.1f", s, r.Seconds[s]))
	}
	p.say("%.1f seconds: %s", r.Seconds["all"], strings.Join(steps, ", "))
	return p.err
}

func sourcesText(sources map[string]int) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		shown := name
		if shown == "" {
			shown = "no source"
		}
		text += fmt.Sprintf(", %d of %s", sources[name], plain(shown))
	}
	return text
}

func linkModelsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "models [VERSION]", Short: "List the models of a running Kindred, or show one", Args: cobra.MaximumNArgs(1),
		Long: `List the models of linkage that a running Kindred has learnt, or show one: how
much each agreement says, in bits; what other than being one person makes records
agree; precision and recall to expect of a threshold; and how records are put side
by side. "kindred link run" learns one.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return ask(cmd, "/v1/identity/models", func(list struct{ Models []api.LinkageModel }) error { return printModels(os.Stdout, list.Models) })
			}
			return ask(cmd, "/v1/identity/models/"+url.PathEscape(args[0]), func(m api.LinkageModel) error { return printModel(os.Stdout, m) })
		},
	}
}

func printModels(w io.Writer, models []api.LinkageModel) error {
	p := &printer{w: w}
	if len(models) == 0 {
		p.say("There is no model yet: kindred link run learns one.")
		return p.err
	}
	p.table("MODEL\tLEARNT\tRECORDS\tCANDIDATES\tEXPECTED MATCHES\t", len(models), func(i int) []any {
		m := models[i]
		state := ""
		if m.InForce {
			state = "in force"
		}
		return []any{m.Version, m.CreatedAt.Format("2006-01-02 15:04"), m.Records, m.Candidates, fmt.Sprintf("%.0f", m.ExpectedMatches), state}
	})
	return p.err
}

func printModel(w io.Writer, m api.LinkageModel) error {
	p := &printer{w: w}
	state := "not in force"
	if m.InForce {
		state = "in force"
	}
	p.say("model %s of %s, %s: %d records, %d pairs compared, %.0f of them expected to be one person",
		m.Version, m.CreatedAt.Format("2006-01-02 15:04"), state, m.Records, m.Candidates, m.ExpectedMatches)
	if m.Card == nil {
		return p.err
	}
	p.say("before any comparison: %+.2f bits", m.Card.Prior)
	p.say("")
	p.table("FIELD\tLEVEL\tIF ONE PERSON\tIF STRANGERS\tBITS", levelCount(m.Card.Fields), levelRow(m.Card.Fields))
	for _, f := range m.Card.Fields {
		if n := m.Card.Frequent[f.Name]; n > 0 {
			p.say("%s: a rare value that is equal says %+.2f bits more; %d frequent values have their own", f.Name, f.RareBits, n)
		}
		if len(f.Reversed) > 0 {
			p.say("%s: %s says more than a closer level", f.Name, strings.Join(f.Reversed, ", "))
		}
	}
	for i, k := range m.Card.Kinds {
		if i == 0 {
			p.say("")
			p.say("Why others agree:")
		}
		p.say("  %s, %+.2f bits against strangers before any comparison", k.Name, k.Prior)
	}
	printExpectations(p, m.Card.Thresholds)
	printRules(p, m)
	for _, n := range m.Card.Notes {
		p.say("note: %s", plain(strings.TrimPrefix(n.Column+": "+n.Text, ": ")))
	}
	return p.err
}

func levelCount(fields []linkage.FieldModel) (n int) {
	for _, f := range fields {
		n += len(f.Levels)
	}
	return n
}

// levelRow numbers the levels of all fields through.
func levelRow(fields []linkage.FieldModel) func(int) []any {
	return func(i int) []any {
		for _, f := range fields {
			if i < len(f.Levels) {
				name := ""
				if i == 0 {
					name = f.Name
				}
				l := f.Levels[i]
				return []any{name, l.Name, fmt.Sprintf("%.5f", l.M), fmt.Sprintf("%.5f", l.U), fmt.Sprintf("%+.2f", l.Bits)}
			}
			i -= len(f.Levels)
		}
		return nil
	}
}

func printExpectations(p *printer, list []linkage.Expectation) {
	if len(list) == 0 {
		return
	}
	p.say("")
	p.table("THRESHOLD (BITS)\tPROBABILITY\tPAIRS\tPRECISION\tRECALL\tF1", len(list), func(i int) []any {
		e := list[i]
		return []any{
			fmt.Sprintf("%g", e.Bits), fmt.Sprintf("%.4f", e.Probability), e.Pairs,
			fmt.Sprintf("%.4f", e.Precision), fmt.Sprintf("%.4f", e.Recall), fmt.Sprintf("%.4f", e.F1),
		}
	})
}

func printRules(p *printer, m api.LinkageModel) {
	p.say("")
	p.table("PUT SIDE BY SIDE BY\tPAIRS, ABOUT\tSPLIT BLOCKS", len(m.Card.Rules), func(i int) []any {
		r := m.Card.Rules[i]
		return []any{r.Name, fmt.Sprintf("%.0f", r.Pairs), m.Card.Hot[r.Name]}
	})
	for _, s := range m.Card.Splits[:min(len(m.Card.Splits), 10)] {
		p.say("%d records alike by %s were split by %s; %d of their pairs were not compared by this rule", s.Records, s.Rule, strings.Join(s.By, ", "), s.Skipped)
	}
}
