package main

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/identity/linkage/tablefile"
	"github.com/kindred-cdp/kindred/profiles/cells"
	"github.com/kindred-cdp/kindred/profiles/propensity"
	"github.com/kindred-cdp/kindred/profiles/propensity/examplefile"
)

// propensityOptions are the flags of propensity.
type propensityOptions struct {
	input, target, positive, id, time, out, dates, card string
	drop, allow, monotone                               []string
	ordered, json, holdoutGiven                         bool
	holdout                                             float64
	folds                                               int
	model                                               string
	seed                                                uint64
	cfg                                                 propensity.Config
}

func propensityCommand() *cobra.Command {
	var o propensityOptions
	cmd := &cobra.Command{
		Use:   "propensity",
		Args:  cobra.NoArgs,
		Short: "Learn from a file of examples how likely something is",
		Long: `Learn from a file of examples how likely something is: that a customer buys,
leaves, comes back, answers. No running Kindred is needed.

  kindred propensity --input customers.csv --target churned --id customer --time as_of --out predictions.csv

The file is CSV or TSV with a header, one example a line; every column but the
target, the id and the time is a feature. Columns become numbers, dates or
categories by what stands in them, and what cannot be used is left out with a
reason. Rows without an answer are scored, too.

How good the model is, is measured on rows that it has not seen: with --time (or
--ordered, if the rows stand in the order of time) the latest --holdout of them,
beside two baselines. Without an order the rows are drawn at random (--folds for
cross-validation), which flatters wherever customers change.

A feature that gives the answer away stops the model, and is named: one that
alone has an AUC above .90, one without which the model loses more than half of
what it has over the base rate, or one with values later than the row's time.
--drop leaves it out; --allow lets it pass, if you know that it is known in time.

--model auto fits logistic regression and boosted trees, and keeps the trees only
where they are better, on rows inside the training that neither has seen, by more
than the standard error. Where rows have an order and the base rate moves, the
probabilities follow it if that was better on the rows that calibrate, and the
answer says so. The same file and seed give the same bytes.

predictions.csv has id, probability and set: train, holdout, fold1 …, or new for
rows without an answer. What is refused says so with --json as well ("refused",
beside what was counted until then).`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().NFlag() == 0 {
				return cmd.Help()
			}
			o.holdoutGiven = cmd.Flags().Changed("holdout")
			return propensityFile(cmd, o)
		},
	}
	o.flags(cmd)
	return cmd
}

func (o *propensityOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.input, "input", "", "`file` of examples")
	f.StringVar(&o.target, "target", "", "`column` of the answer")
	f.StringVar(&o.positive, "positive", "", "`value` of the target that counts as yes (default: yes, true, 1 and the like)")
	f.StringVar(&o.id, "id", "", "`column` of the id (default: the number of the row)")
	f.StringSliceVar(&o.drop, "drop", nil, "`columns` that are no features")
	f.StringSliceVar(&o.allow, "allow", nil, "`columns` that the leak gates let pass")
	f.StringVar(&o.time, "time", "", "`column` of the time of each example")
	f.BoolVar(&o.ordered, "ordered", false, "the rows stand in the order of time")
	f.Float64Var(&o.holdout, "holdout", .25, "`share` of the rows that only judges")
	f.IntVar(&o.folds, "folds", 0, "judge all rows in so many `parts`, in turn, instead of a holdout")
	f.StringVar(&o.model, "model", "auto", "`model`: auto, logistic or boosting")
	f.StringSliceVar(&o.monotone, "monotone", nil, "columns with which the probability must not fall (`column=up`) or rise (column=down) in boosted trees")
	f.Uint64Var(&o.seed, "seed", 1, "seed of every random choice")
	f.StringVar(&o.dates, "dates", "auto", "order of dates such as 3/4/2011: auto, dmy or mdy")
	f.StringVar(&o.out, "out", "", "`file` for the predictions")
	f.StringVar(&o.card, "card", "", "`file` for the model card: JSON if it ends in .json, else text")
	f.BoolVar(&o.json, "json", false, "print the answer as JSON")
}

// check refuses what cannot work before any work is done, and reads the flags.
func (o *propensityOptions) check() error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(o.input == "", "name the file of examples with --input")
	fault(o.target == "", "name the column of the answer with --target")
	fault(o.out == "", "name the file for the predictions with --out")
	fault(o.time != "" && o.ordered, "--time and --ordered exclude each other")
	fault(o.folds != 0 && o.holdoutGiven, "--folds and --holdout exclude each other")
	fault(!cells.Order(o.dates).Valid(), "--dates is auto, dmy or mdy, not %q", o.dates)
	o.cfg = propensity.DefaultConfig()
	o.cfg.Model, o.cfg.Ordered, o.cfg.Seed = propensity.Family(o.model), o.ordered, o.seed
	o.cfg.Holdout, o.cfg.Folds, o.cfg.Allow = o.holdout, o.folds, o.allow
	faults = append(faults, o.cfg.Validate())
	if err := errors.Join(faults...); err != nil {
		return err
	}
	return checkOutputs([]string{o.input}, []string{o.out, o.card})
}

// propensityFile reads, learns, judges and writes.
func propensityFile(cmd *cobra.Command, o propensityOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	begun := now()
	u := newUI(os.Stderr, now)
	report, err := o.run(cmd.Context(), u)
	if errors.Is(err, context.Canceled) {
		// Not by %w: an interrupted run must not end as if it had done its work.
		return fmt.Errorf("interrupted: nothing was written")
	}
	if report == nil {
		return err
	}
	report.Seconds = now().Sub(begun).Seconds()
	for _, w := range report.Warnings {
		u.say("warning: %s", plain(w))
	}
	switch {
	case o.json:
		if failed := printJSON(cmd, report); failed != nil {
			return failed
		}
	case err == nil:
		return report.print(os.Stdout)
	}
	var leaks *propensity.LeakError
	if errors.As(err, &leaks) {
		return fmt.Errorf("%w; leave it out with --drop, or let it pass with --allow if it is known in time: no predictions were written", err)
	}
	return err
}

// run returns what there is to tell, also of what it refuses; nothing where it could
// not write.
func (o *propensityOptions) run(ctx context.Context, u *ui) (*propensityReport, error) {
	file, err := examplefile.Read(ctx, examplefile.Config{
		Path: o.input, Target: o.target, Positive: o.positive, ID: o.id, Time: o.time, Drop: o.drop, Dates: cells.Order(o.dates),
		Progress: func(done, total int64) { u.progress("read "+o.input, done, total, "MB") },
	})
	if file == nil {
		file = &examplefile.File{Unreadable: map[string]int{}, Excluded: []propensity.Exclusion{}}
	}
	report := newPropensityReport(o, file)
	if err == nil {
		err = o.features(file.Table)
	}
	if err != nil {
		return report.refuse(err)
	}
	if report.Hash, err = fileHash(o.input); err != nil {
		return nil, err
	}
	u.say("learn from %d rows and %d features", len(file.Labelled), len(file.Table.Columns))
	result, err := propensity.Evaluate(&file.Examples, o.cfg)
	if result != nil {
		report.result(result)
	}
	var leaks *propensity.LeakError
	switch {
	case errors.As(err, &leaks):
		return report, err
	case err != nil:
		return report.refuse(fmt.Errorf("%s: %w", o.input, err))
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	if o.card != "" {
		if err := writeOutput(o.card, func(w io.Writer) error { return report.writeCard(w, o.card) }); err != nil {
			return nil, err
		}
	}
	if err := writeOutput(o.out, func(w io.Writer) error { return writePredictions(w, file, result) }); err != nil {
		return nil, err
	}
	return report, nil
}

// features finds the columns of --allow and --monotone among the features.
func (o *propensityOptions) features(t *propensity.Table) error {
	var names []string
	for i := range t.Columns {
		names = append(names, t.Columns[i].Name)
	}
	o.cfg.Allow = nil
	for _, name := range o.allow {
		i, err := tablefile.Find(names, name)
		if err != nil {
			return fmt.Errorf("--allow: among the features there is %w", err)
		}
		o.cfg.Allow = append(o.cfg.Allow, names[i])
	}
	o.cfg.Boosting.Monotone = map[string]int{}
	for _, m := range o.monotone {
		at := len(m)
		for at > 0 && m[at-1] != '=' {
			at--
		}
		direction := map[string]int{"up": 1, "down": -1}[m[at:]]
		if at == 0 || direction == 0 {
			return fmt.Errorf("--monotone: %q is not column=up or column=down", m)
		}
		i, err := tablefile.Find(names, m[:at-1])
		if err != nil {
			return fmt.Errorf("--monotone: among the features there is %w", err)
		}
		if t.Columns[i].Kind != propensity.Numeric {
			return fmt.Errorf("--monotone: column %q has no numbers", names[i])
		}
		o.cfg.Boosting.Monotone[names[i]] = direction
	}
	return nil
}

// writePredictions writes predictions.csv, in the order of the file.
func writePredictions(w io.Writer, f *examplefile.File, r *propensity.Result) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"id", "probability", "set"}); err != nil {
		return err
	}
	for i, id := range f.IDs {
		if r.Set[i] == "" {
			continue // Without a time.
		}
		if err := c.Write([]string{id, strconv.FormatFloat(r.Predictions[i], 'f', 8, 64), r.Set[i]}); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// fileHash is the SHA-256 of a file, in hexadecimal digits.
func fileHash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("hash the input: %w", err)
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("hash the input: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// sharedWeights are the mean shares of the features over the parts.
func sharedWeights(parts []propensity.Part) []propensity.Weight {
	sum := map[string]float64{}
	for _, p := range parts {
		for _, w := range p.Weights {
			sum[w.Feature] += w.Share / float64(len(parts))
		}
	}
	var out []propensity.Weight
	for name, share := range sum {
		out = append(out, propensity.Weight{Feature: name, Share: share})
	}
	slices.SortFunc(out, func(a, b propensity.Weight) int {
		switch {
		case a.Share > b.Share:
			return -1
		case a.Share < b.Share:
			return 1
		case a.Feature < b.Feature:
			return -1
		}
		return 1
	})
	return out
}
