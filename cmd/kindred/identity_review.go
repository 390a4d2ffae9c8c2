package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
)

const reviewPath = "/v1/identity/review"

// reviewFlags are those of the review command.
type reviewFlags struct {
	commandFlags
	limit                     int
	after                     string
	same, different, override bool
}

func reviewCommand() *cobra.Command {
	var f reviewFlags
	cmd := &cobra.Command{
		Use: "review [A B]", Short: "Pairs of records that may be one person, and decisions about them",
		Long: `Without names it lists the pairs that wait for a decision, first those whose
answer is worth most: about which a model doubts most, and on which most hangs,
by the events and the value of both profiles. Pairs that the model holds for one
person, and a rule or the rest of their profiles keeps apart, count as doubted
most. The first pair is shown in full, with what each field says for and against
it and what the two profiles say; so is the pair of two records that are named.

With --same or --different the two records are decided about. Either is a command
like link: on record with the reason, and taken back by "undo COMMAND". A pair that
was decided is not asked again. A and B are identifiers, or one argument names
both, as the list does.`,
		Example: `  kindred identity review
  kindred identity review record:crm/7 record:shop/41
  kindred identity review --different record:crm/7 record:shop/41 --reason "father and son"`,
		Args: needs(0, 2, "two records, or the name of a pair", "review record:crm/7 record:shop/41"),
		RunE: f.run,
	}
	f.add(cmd)
	cmd.Flags().IntVar(&f.limit, "limit", maxPrinted, "how many pairs, at most 100")
	cmd.Flags().StringVar(&f.after, "after", "", "go on from `cursor`, which a list ends with")
	cmd.Flags().BoolVar(&f.same, "same", false, "the two are one person")
	cmd.Flags().BoolVar(&f.different, "different", false, "the two are different persons")
	cmd.Flags().BoolVar(&f.override, "override", false, "with --same, against a limit or what was parted; needs --reason")
	return cmd
}

func (f *reviewFlags) run(cmd *cobra.Command, args []string) error {
	switch {
	case f.same && f.different:
		return errors.New("the two are --same or --different, not both")
	case f.override && (!f.same || f.reason == ""):
		return errors.New("--override goes with --same and needs a --reason")
	case f.same || f.different:
		if len(args) == 0 {
			return errors.New("say which pair: two records, or its name as `kindred identity review` lists it")
		}
		return f.decide(cmd, args)
	case f.id != "" || f.reason != "" || f.dryRun:
		return errors.New("--reason, --id and --dry-run go with --same or --different")
	}
	query := url.Values{}
	if len(args) > 0 {
		var err error
		if query, err = pairQuery(args); err != nil {
			return err
		}
		return ask(cmd, reviewPath+"?"+query.Encode(), func(r api.ReviewAnswer) error { return printPair(os.Stdout, r) })
	}
	query.Set("limit", strconv.Itoa(f.limit))
	if f.after != "" {
		query.Set("after", f.after)
	}
	return ask(cmd, reviewPath+"?"+query.Encode(), func(r api.ReviewAnswer) error { return printReview(os.Stdout, r) })
}

// pairQuery asks for one pair, by its name or by its two records.
func pairQuery(args []string) (url.Values, error) {
	switch {
	case len(args) == 2:
		return url.Values{"a": {args[0]}, "b": {args[1]}}, nil
	case strings.Contains(args[0], ":"):
		return nil, errors.New("name the other record as well, or the pair as `kindred identity review` lists it")
	}
	return url.Values{"pair": {args[0]}}, nil
}

// decide sends what was decided about a pair.
func (f *reviewFlags) decide(cmd *cobra.Command, args []string) error {
	query, err := pairQuery(args)
	if err != nil {
		return err
	}
	pair := args[0]
	if len(args) == 2 {
		r, err := newRemote(cmd)
		if err != nil {
			return err
		}
		var found api.ReviewAnswer
		if err := r.do(cmd.Context(), http.MethodGet, reviewPath+"?"+query.Encode(), nil, &found); err != nil {
			return err
		}
		pair = found.Pair
	}
	body := map[string]any{"answer": "same"}
	if f.different {
		body["answer"] = "different"
	}
	if f.override {
		body["override"] = true
	}
	return f.post(cmd, reviewPath+"/"+url.PathEscape(pair)+"/decision", body)
}

// printReview prints the queue as a table, and its first pair in full.
func printReview(w io.Writer, r api.ReviewAnswer) error {
	p := &printer{w: w}
	waiting := len(r.Questions)
	if r.Waiting != nil {
		waiting = *r.Waiting
	}
	switch {
	case r.Model == "":
		p.say("The rules name no model of linkage, so no pair waits for a decision.")
		return p.err
	case len(r.Questions) == 0:
		p.say("No pair waits for a decision.")
		return p.err
	}
	p.say("%s for a decision, by model %s: from %.2f bits on, and from %.2f where something keeps them apart.",
		waits(waiting), r.Model, float64(r.ReviewThreshold)/100, float64(r.LinkThreshold)/100)
	p.say("")
	p.table("A\tB\tPROBABILITY\tWORTH\tKEPT APART BY\tPAIR", len(r.Questions), func(i int) []any {
		q := r.Questions[i]
		return []any{q.A.Record, q.B.Record, fmt.Sprintf("%.5f", q.Link.Probability), fmt.Sprintf("%.2f", q.Worth), string(q.Barrier.Kind), q.Pair}
	})
	p.say("")
	p.question(r.Questions[0])
	p.say("")
	p.say("Decide with: kindred identity review --same PAIR, or --different PAIR")
	if r.Next != "" {
		p.say("There are more: kindred identity review --after %s", string(r.Next))
	}
	return p.err
}

func waits(n int) string {
	if n == 1 {
		return "1 pair waits"
	}
	return fmt.Sprintf("%d pairs wait", n)
}

// printPair prints one pair, or why it does not wait.
func printPair(w io.Writer, r api.ReviewAnswer) error {
	p := &printer{w: w}
	if r.Standing != identity.ReviewWaiting || len(r.Questions) == 0 {
		p.say("The pair does not wait for a decision: %s (%s)", r.Detail, string(r.Standing))
		return p.err
	}
	p.question(r.Questions[0])
	return p.err
}

// question prints a pair with all there is to know of it.
func (p *printer) question(q api.ReviewQuestion) {
	p.say("%s and %s", q.A.Record, q.B.Record)
	for _, side := range []api.ReviewSide{q.A, q.B} {
		value := ""
		if side.Value != 0 {
			value = fmt.Sprintf(", value %.2f", side.Value)
		}
		p.say("  profile %s of %s: %s, %s%s", side.Profile, side.Record,
			count(side.Identifiers, "identifier"), count(int(side.Events), "event"), value)
	}
	p.say("  worth %.2f: %.3f bits of doubt × %.2f at stake", q.Worth, q.Uncertainty, q.Stake)
	p.say("  kept apart: %s (%s)", q.Barrier.Detail, string(q.Barrier.Kind))
	if q.Barrier.Kind == identity.BarrierLimit || q.Barrier.Kind == identity.BarrierCannotLink || q.Barrier.Kind == identity.BarrierSize {
		p.say("  so --same needs --override and a --reason")
	}
	p.link("  ", &q.Link)
	if len(q.Traits) == 0 {
		return
	}
	p.say("")
	p.table("TRAIT\tA\tB\tRELATION", len(q.Traits), func(i int) []any {
		t := q.Traits[i]
		return []any{t.Trait, traitText(t.A), traitText(t.B), strings.ReplaceAll(t.Relation, "_", " ")}
	})
}

// traitText is the value of a trait, of a text without its quotes.
func traitText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
