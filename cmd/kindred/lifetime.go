package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/profiles/cells"
	"github.com/kindred-cdp/kindred/profiles/lifetime"
	"github.com/kindred-cdp/kindred/profiles/lifetime/purchasefile"
)

// lifetimeOptions are the flags of lifetime.
type lifetimeOptions struct {
	input, id, time, amount, cost, out     string
	calibrationEnd, holdoutEnd             string
	unit, model, spend, dates              string
	horizon                                int
	confidence, discount, margin, minKnown float64
	json                                   bool
	kind                                   lifetime.Kind // "" to choose
	cfg                                    lifetime.Config
	calibrationDay, holdoutDay, end        int // days since 1970; 0 for none
}

func lifetimeCommand() *cobra.Command {
	var o lifetimeOptions
	cmd := &cobra.Command{
		Use:   "lifetime",
		Args:  cobra.NoArgs,
		Short: "Estimate what customers will still buy, from a file of purchases",
		Long: `Estimate, from a file of purchases, who is still a customer, how often each will
buy, for how much, and what that is worth. No running Kindred is needed.

  kindred lifetime --input purchases.csv --id customer --time date --amount total \
    --calibration-end 2011-08-31 --holdout-end 2011-11-30 --unit week --out scores.csv

The file is CSV or TSV with a header, one purchase a line; the lines of one day
are one purchase, and a negative amount is a refund. What is fitted is what
happened up to --calibration-end (default: the last purchase). With --holdout-end
the scores are compared with what happened between the two. Lines and customers
that cannot be used are left out and counted by reason; what is refused as a whole
says so with --json as well ("refused", beside what was counted until then).

The model of when customers buy is BG/NBD, MBG/NBD or Pareto/NBD: --model auto
takes the one that best told the end of the calibration period from its
beginning; the holdout has no say. Amounts are modelled by Gamma-Gamma over the
repeat purchases (gammagamma, as published) or over all, the first too
(gammagamma_all), or by the past mean shrunken to that of all customers
(credibility): --spend auto takes the one that in the same way best told who
would spend most.

scores.csv has a line for each customer who bought in the calibration period:
id, frequency (purchase days after the first), recency and T (from the first
purchase to the last, and to the end of calibration), p_alive,
expected_purchases, expected_spend (per purchase day), value (discounted) and low
and high, between which the value lies with the probability of --confidence.
Without --amount there is no spend and no value, and low and high are of
expected_purchases. With --cost, what each line cost, there are also margin (the
share of the spend that each will leave, the past one of each shrunken to that of
all), margin_value (the value times it) and known (the share of the past spend
whose cost the file has): an empty cell is an unknown cost, and where less than
--min-known of all spend has one no margin is told. All of them look --horizon units ahead (default: the length
of the holdout, or a year). With --json they are added up by cohort, too: by the
month of the first purchase, beside what the holdout brought.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().NFlag() == 0 {
				return cmd.Help()
			}
			return lifetimeFile(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.input, "input", "", "`file` of purchases")
	f.StringVar(&o.id, "id", "", "`column` of the customer")
	f.StringVar(&o.time, "time", "", "`column` of the date or time")
	f.StringVar(&o.amount, "amount", "", "`column` of the amount")
	f.StringVar(&o.cost, "cost", "", "`column` of what the line cost")
	f.Float64Var(&o.minKnown, "min-known", .5, "least share of the spend with a known cost")
	f.StringVar(&o.calibrationEnd, "calibration-end", "", "last `date` that is fitted (default: that of the last purchase)")
	f.StringVar(&o.holdoutEnd, "holdout-end", "", "last `date` to compare with")
	f.StringVar(&o.unit, "unit", "week", "`unit` of time: week, day or month")
	f.StringVar(&o.model, "model", "auto", "`model`: auto, bgnbd, mbgnbd or paretonbd")
	f.StringVar(&o.spend, "spend", "auto", "`model` of amounts: auto, gammagamma, gammagamma_all or credibility")
	f.IntVar(&o.horizon, "horizon", 0, "`units` of time to look ahead (default: the holdout, or a year)")
	f.StringVar(&o.dates, "dates", "auto", "order of dates such as 3/4/2011: auto, dmy or mdy")
	f.Float64Var(&o.confidence, "confidence", .9, "probability of the intervals")
	f.Float64Var(&o.discount, "discount", .1, "yearly rate of discount of the value")
	f.Float64Var(&o.margin, "margin", 1, "share of the spend that counts as value")
	f.StringVar(&o.out, "out", "", "`file` for the scores")
	f.BoolVar(&o.json, "json", false, "print the answer as JSON")
	return cmd
}

// check refuses what cannot work before any work is done, and reads the flags.
func (o *lifetimeOptions) check() error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(o.input == "", "name the file of purchases with --input")
	fault(o.id == "", "name the column of the customer with --id")
	fault(o.time == "", "name the column of the date with --time")
	fault(o.cost != "" && o.amount == "", "--cost needs --amount")
	fault(!(o.minKnown >= 0 && o.minKnown <= 1), "--min-known must lie between 0 and 1")
	fault(o.cost != "" && o.margin != 1, "--cost and --margin are two ways to say one thing: give one")
	fault(o.out == "", "name the file for the scores with --out")
	fault(o.horizon < 0 || o.horizon > 4000, "--horizon must lie between 1 and 4000")
	o.cfg = lifetime.DefaultConfig()
	o.cfg.Confidence = o.confidence
	units := map[string]lifetime.Unit{"week": lifetime.Week, "day": lifetime.Day, "month": lifetime.Month}
	unit, ok := units[o.unit]
	o.cfg.Unit = unit
	fault(!ok, "--unit is week, day or month, not %q", o.unit)
	switch k := lifetime.Kind(o.model); k {
	case "auto":
	case lifetime.BGNBD, lifetime.MBGNBD, lifetime.ParetoNBD:
		o.kind, o.cfg.Model = k, k
	default:
		fault(true, "--model is auto, bgnbd, mbgnbd or paretonbd, not %q", o.model)
	}
	if o.cfg.Spend = ""; o.spend != "auto" {
		o.cfg.Spend = lifetime.SpendKind(o.spend)
		fault(o.cfg.Validate() != nil, "--spend is auto, %s, %s or %s, not %q", lifetime.SpendRepeat, lifetime.SpendAll, lifetime.SpendMoments, o.spend)
	}
	fault(!cells.Order(o.dates).Valid(), "--dates is auto, dmy or mdy, not %q", o.dates)
	faults = append(faults, o.cfg.Validate(), o.terms(1).Validate(), o.days(&o.calibrationDay, o.calibrationEnd, "calibration-end"), o.days(&o.holdoutDay, o.holdoutEnd, "holdout-end"))
	fault(o.holdoutEnd != "" && o.calibrationEnd == "", "--holdout-end needs --calibration-end")
	fault(o.holdoutDay != 0 && o.holdoutDay <= o.calibrationDay, "--holdout-end must come after --calibration-end")
	o.end = max(o.calibrationDay, o.holdoutDay)
	if err := errors.Join(faults...); err != nil {
		return err
	}
	return checkOutputs([]string{o.input}, []string{o.out})
}

func (o *lifetimeOptions) days(day *int, text, flag string) error {
	if text == "" {
		return nil
	}
	t, ok := cells.Date(text, cells.Auto)
	if !ok || t.Format(time.DateOnly) != text && t.Format("20060102") != text {
		return fmt.Errorf("--%s is a date such as 2011-08-31, not %q", flag, text)
	}
	*day = lifetime.DayOf(t)
	return nil
}

// terms are those of the value, over a number of units of time.
func (o *lifetimeOptions) terms(horizon int) lifetime.Terms {
	return lifetime.Terms{Horizon: horizon, YearlyRate: o.discount, Margin: o.margin}
}

// lifetimeFile reads, fits, scores, compares and writes.
func lifetimeFile(cmd *cobra.Command, o lifetimeOptions) error {
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
		return errors.Join(printJSON(cmd, report), err)
	case err != nil:
		return err
	}
	return report.print(os.Stdout)
}

// run returns what there is to tell, also of what it refuses; nothing where it could
// not write.
func (o *lifetimeOptions) run(ctx context.Context, u *ui) (*lifetimeReport, error) {
	log, err := purchasefile.Read(ctx, purchasefile.Config{
		Path: o.input, ID: o.id, Time: o.time, Amount: o.amount, Cost: o.cost, Dates: cells.Order(o.dates), Until: o.end, Split: o.calibrationDay,
		Progress: func(done, total int64) { u.progress("read "+o.input, done, total, "MB") },
	})
	if log == nil {
		log = &purchasefile.Log{Excluded: map[string]int{}}
	}
	if o.calibrationDay == 0 {
		o.calibrationDay = log.Last
	}
	s := &lifetimeScores{o: o, log: log, report: newLifetimeReport(o, log)}
	if err != nil {
		return s.report.refuse(err)
	}
	if err := s.fit(); err != nil {
		return s.report.refuse(fmt.Errorf("%s: %w", o.input, err))
	}
	if err := s.score(ctx); err != nil {
		return s.report.refuse(err)
	}
	s.compare()
	s.cohorts()
	s.margin()
	if err := writeOutput(o.out, s.write); err != nil {
		return nil, err
	}
	return s.report, nil
}

// ahead is the time to look ahead in units: what was asked for, the length of
// the holdout, or a year.
func (o *lifetimeOptions) ahead() float64 {
	switch {
	case o.horizon > 0:
		return float64(o.horizon)
	case o.holdoutDay > 0:
		return o.holdout()
	}
	return o.cfg.Unit.PerYear()
}

// holdout is the length of the holdout in units.
func (o *lifetimeOptions) holdout() float64 {
	return float64(o.holdoutDay-o.calibrationDay) / o.cfg.Unit.Days()
}

// periods are the whole units of time that the value counts.
func (o *lifetimeOptions) periods() int {
	return int(math.Min(4000, math.Max(1, math.Round(o.ahead()))))
}
