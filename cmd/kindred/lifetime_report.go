package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/profiles/lifetime"
	"github.com/kindred-cdp/kindred/profiles/lifetime/purchasefile"
)

// lifetimeReport is the answer of lifetime.
type lifetimeReport struct {
	// Refused says why there are no scores.
	Refused string `json:"refused,omitempty"`
	// Lines were read; Excluded counts those left out, by reason.
	Lines            int            `json:"lines"`
	Excluded         map[string]int `json:"excluded"`
	Refunds          int            `json:"refunds"`
	ZeroAmounts      int            `json:"zero_amounts"`
	UnmatchedRefunds float64        `json:"unmatched_refunds"`
	FirstPurchase    string         `json:"first_purchase,omitempty"`
	LastPurchase     string         `json:"last_purchase,omitempty"`
	CalibrationEnd   string         `json:"calibration_end,omitempty"`
	// Customers bought in the calibration period; LaterCustomers only after it.
	Customers      int    `json:"customers"`
	LaterCustomers int    `json:"later_customers"`
	Unit           string `json:"unit"`
	// Horizon is how far ahead the scores look; the value counts whole units.
	Horizon      float64 `json:"horizon"`
	ValueHorizon int     `json:"value_horizon"`
	// Model, Parameters and LogLikelihood are of when customers buy.
	Model         lifetime.Kind           `json:"model"`
	Parameters    map[string]float64      `json:"parameters"`
	LogLikelihood float64                 `json:"log_likelihood"`
	Fallback      string                  `json:"fallback,omitempty"`
	Repeaters     int                     `json:"repeat_customers"`
	Rejected      map[lifetime.Reason]int `json:"rejected"`
	Selection     *lifetime.Choice        `json:"selection,omitempty"`
	Spend         *lifetimeSpend          `json:"spend,omitempty"`
	Margin        *lifetimeMargin         `json:"margin,omitempty"`
	Holdout       *lifetimeHoldout        `json:"holdout,omitempty"`
	Cohorts       []lifetimeCohort        `json:"cohorts,omitempty"`
	// Unscored customers have no line, because their score is out of range;
	// Clamped results were put right where rounding put them out of theirs.
	Unscored int      `json:"unscored"`
	Clamped  int      `json:"clamped"`
	Warnings []string `json:"warnings"`
	Seconds  float64  `json:"seconds"`

	spendSelection *lifetime.SpendChoice
}

// lifetimeSpend is the model of amounts, or why there is none.
type lifetimeSpend struct {
	Model         lifetime.SpendKind `json:"model"`
	Parameters    map[string]float64 `json:"parameters,omitempty"`
	LogLikelihood float64            `json:"log_likelihood,omitempty"`
	Mean          float64            `json:"population_mean,omitempty"`
	HeavyTail     bool               `json:"heavy_tail,omitempty"`
	// Customers are in the fit, Excluded are not, by reason.
	Customers   int                     `json:"customers,omitempty"`
	Excluded    map[lifetime.Reason]int `json:"excluded,omitempty"`
	Correlation float64                 `json:"correlation,omitempty"`
	Refused     string                  `json:"refused,omitempty"`
	// Selection says how the model was chosen, where no flag named it.
	Selection *lifetime.SpendChoice `json:"selection,omitempty"`
}

// lifetimeMargin is the model of margins, or why there is none.
type lifetimeMargin struct {
	lifetime.Margins
	// Contributed is what all customers have left so far, with bounds where costs
	// are unknown; Value and MarginValue are the sums of their values to come, as
	// revenue and as margin.
	Contributed *lifetime.Estimate `json:"contributed,omitempty"`
	Value       float64            `json:"value,omitempty"`
	MarginValue float64            `json:"margin_value,omitempty"`
	Refused     string             `json:"refused,omitempty"`
}

// margin fits and adds up the margins.
func (s *lifetimeScores) margin() {
	if s.log.Earnings == nil || !s.report.hasMoney() {
		return
	}
	earnings := make([]lifetime.Earnings, len(s.rows))
	for i, row := range s.rows {
		earnings[i] = s.log.Earnings[row]
	}
	m, err := lifetime.FitMargins(earnings, s.o.minKnown)
	r := &lifetimeMargin{Margins: m}
	s.report.Margin = r
	if err != nil {
		r.Refused = err.Error()
		s.report.warn("no margins: %s", r.Refused)
		return
	}
	s.margins, r.Contributed = &m, &lifetime.Estimate{}
	for i, e := range earnings {
		c := m.Contributed(e)
		r.Contributed.Value, r.Contributed.Lower, r.Contributed.Upper = r.Contributed.Value+c.Value, r.Contributed.Lower+c.Lower, r.Contributed.Upper+c.Upper
		r.Value += s.scores[i].Value.Value
		r.MarginValue += s.scores[i].Value.Value * m.Rate(e)
	}
}

// lifetimeHoldout compares the scores with what happened.
type lifetimeHoldout struct {
	lifetime.Accuracy
	// Coverage is the share of customers whose purchases lie in their interval.
	Coverage      float64 `json:"coverage"`
	Customers     int     `json:"customers"`
	Length        float64 `json:"length"`
	Purchases     int     `json:"purchases"`
	Expected      float64 `json:"expected_purchases"`
	Money         float64 `json:"money,omitempty"`
	ExpectedMoney float64 `json:"expected_money,omitempty"`
	// Baselines are the customer's own past rate (money by the spend of the repeat
	// days, or of all days), and zero.
	Baselines map[string]lifetime.Accuracy `json:"baselines"`
}

func day(d int) string { return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly) }

func newLifetimeReport(o *lifetimeOptions, log *purchasefile.Log) *lifetimeReport {
	r := &lifetimeReport{
		Lines: log.Lines, Excluded: log.Excluded, Refunds: log.Refunds, UnmatchedRefunds: log.UnmatchedRefunds,
		ZeroAmounts: log.Zeros, Rejected: map[lifetime.Reason]int{},
		Unit: o.cfg.Unit.String(), Horizon: o.ahead(), ValueHorizon: o.periods(), Warnings: []string{},
	}
	if len(log.IDs) > 0 {
		r.FirstPurchase, r.LastPurchase, r.CalibrationEnd = day(log.First), day(log.Last), day(o.calibrationDay)
	}
	for _, w := range log.Warnings {
		r.Warnings = append(r.Warnings, w.String())
	}
	for _, reason := range slices.Sorted(maps.Keys(log.Excluded)) {
		if reason != purchasefile.AfterEnd {
			r.warn("%s left out: %s", count(log.Excluded[reason], "line"), strings.ReplaceAll(reason, "_", " "))
		}
	}
	if log.Refunds > 0 {
		r.warn("%s of a negative amount: refunds, taken off the purchases before them", count(log.Refunds, "line"))
	}
	if log.Zeros > 0 {
		r.warn("%s of amount zero: purchases that say nothing of spend", count(log.Zeros, "line"))
	}
	r.doubt(log)
	return r
}

// doubt warns of what is likely to be no date or no amount, and would decide much.
func (r *lifetimeReport) doubt(log *purchasefile.Log) {
	var firsts []int
	total, most := 0.0, 0.0
	for _, days := range log.Histories {
		firsts = append(firsts, days[0].Day)
		for _, p := range days {
			total, most = total+p.Amount, max(most, p.Amount)
		}
	}
	if len(firsts) < 100 {
		return
	}
	slices.Sort(firsts)
	// Of a hundred customers one may come at any time: the time is that of the others.
	begin := firsts[len(firsts)/100]
	early, _ := slices.BinarySearch(firsts, begin-max(365, log.Last-begin))
	if early > 0 {
		r.warn("%s bought long before all others, who begin on %s: if %s is no true date, leave such lines out, for they stretch the time that the models look at", count(early, "customer"), day(begin), day(log.First))
	}
	if most > total/2 {
		r.warn("the purchases of one customer on one day are %.3g %% of all money: is that an amount?", 100*most/total)
	}
}

func (r *lifetimeReport) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// refuse returns the report with the reason why there are no scores.
func (r *lifetimeReport) refuse(err error) (*lifetimeReport, error) {
	r.Refused = err.Error()
	return r, err
}

// fit takes over what is known of the fit.
func (r *lifetimeReport) fit(f *lifetime.Fitted, amounts bool) {
	named := func(list []lifetime.Parameter) map[string]float64 {
		out := map[string]float64{}
		for _, p := range list {
			out[p.Name] = p.Value
		}
		return out
	}
	r.Model, r.Parameters = f.Purchases.Kind(), named(f.Purchases.Parameters())
	r.LogLikelihood, r.Fallback, r.Rejected = f.Report.LogLikelihood, f.Report.Fallback, f.Report.Rejected
	r.Repeaters = f.Report.Repeaters
	if r.Fallback != "" {
		r.warn("%s", r.Fallback)
	}
	if !amounts {
		return
	}
	r.Spend = &lifetimeSpend{Selection: r.spendSelection}
	if f.Spend == nil {
		r.Spend.Refused = f.SpendError.Error()
		r.warn("no amounts: %s", r.Spend.Refused)
		return
	}
	r.Spend.Model = f.Spend.Kind
	r.Spend.Parameters, r.Spend.LogLikelihood = named(f.Spend.Parameters()), f.Spend.LogLikelihood
	r.Spend.Mean, r.Spend.HeavyTail = f.Spend.PopulationMean, f.Spend.HeavyTail
	r.Spend.Customers, r.Spend.Excluded, r.Spend.Correlation = f.Spend.Customers, f.Spend.Excluded, f.Spend.Correlation
}

// hasMoney reports whether scores have amounts.
func (r *lifetimeReport) hasMoney() bool { return r.Spend != nil && r.Spend.Refused == "" }

func (r *lifetimeReport) print(w io.Writer) error {
	p := &printer{w: w}
	p.say("%s, %s to %s, fitted to the end of %s: %d bought again", count(r.Customers, "customer"), r.FirstPurchase, r.LastPurchase, r.CalibrationEnd, r.Repeaters)
	p.say("%s: %s; log likelihood %.3f", string(r.Model), parameterText(r.Parameters), r.LogLikelihood)
	if r.Selection != nil {
		p.say("chosen by the %s", r.Selection.Reason)
	}
	if r.hasMoney() {
		p.say("%s: %s; mean spend %.2f", string(r.Spend.Model), parameterText(r.Spend.Parameters), r.Spend.Mean)
	}
	if m := r.Margin; m != nil && m.Refused == "" {
		p.say("margin: %.1f %% of the spend, costs known of %.1f %% of it; value %.2f, of which %.2f is margin", 100*m.Mean, 100*m.KnownShare, m.Value, m.MarginValue)
	}
	if h := r.Holdout; h != nil {
		p.say("holdout of %.4g %ss: %d purchases, %.1f expected (%+.1f %%); MAE %.4f, RMSE %.4f, Gini %.3f; %.1f %% of customers within their interval",
			h.Length, r.Unit, h.Purchases, h.Expected, 100*h.TotalBias, h.MAE, h.RMSE, h.GiniTransactions, 100*h.Coverage)
		past := h.Baselines["past_rate"]
		p.say("by the past rate of each: MAE %.4f, RMSE %.4f, Gini %.3f", past.MAE, past.RMSE, past.GiniTransactions)
		if r.hasMoney() {
			p.say("Gini of money %.3f; by past spend %.3f, by that of repeat purchases %.3f", h.GiniMoney, h.Baselines["past_rate_all_spend"].GiniMoney, past.GiniMoney)
		}
	}
	p.say("%.1f s", r.Seconds)
	return p.err
}

func parameterText(parameters map[string]float64) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		all = append(all, fmt.Sprintf("%s %.5g", name, parameters[name]))
	}
	return strings.Join(all, ", ")
}
