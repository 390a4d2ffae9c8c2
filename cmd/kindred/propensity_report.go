package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/profiles/propensity"
	"github.com/kindred-cdp/kindred/profiles/propensity/examplefile"
)

// propensityReport is the answer of propensity, and its model card.
type propensityReport struct {
	Input string `json:"input"`
	// Hash is the SHA-256 of the file; Window the first and the last time of
	// its examples.
	Hash     string   `json:"data_sha256"`
	Window   []string `json:"window,omitempty"`
	Target   string   `json:"target"`
	Positive string   `json:"positive"`
	Rows     int      `json:"rows"`
	Labelled int      `json:"labelled_rows"`
	New      int      `json:"rows_without_answer"`
	// Judged rows are those that the metrics are of.
	Judged int `json:"judged_rows"`
	// Refused says why there is no model, if it is not for leaks.
	Refused string `json:"refused,omitempty"`
	// Stopped is true where leaks stopped the model: there are no metrics then.
	Stopped bool `json:"stopped"`
	*propensity.Metrics
	Intervals   map[string]propensity.Interval `json:"intervals,omitempty"`
	Baselines   map[string]propensity.Baseline `json:"baselines"`
	Leaks       []propensity.Leak              `json:"leaks"`
	Split       string                         `json:"split"`
	Model       string                         `json:"model,omitempty"`
	Parts       []propensity.Part              `json:"parts,omitempty"`
	NewShift    *propensity.PriorShift         `json:"prior_shift_of_new_rows,omitempty"`
	Features    []featureReport                `json:"features"`
	Weights     []propensity.Weight            `json:"weights,omitempty"`
	Reliability []propensity.Bin               `json:"reliability,omitempty"`
	Drift       []propensity.Drift             `json:"drift,omitempty"`
	Excluded    []propensity.Exclusion         `json:"excluded"`
	Unreadable  map[string]int                 `json:"unreadable_cells"`
	Warnings    []string                       `json:"warnings"`
	Seed        uint64                         `json:"seed"`
	Seconds     float64                        `json:"seconds"`
}

// featureReport is a feature and what it was taken for.
type featureReport struct {
	Name   string          `json:"name"`
	Kind   propensity.Kind `json:"kind"`
	Levels int             `json:"levels,omitempty"`
}

func newPropensityReport(o *propensityOptions, f *examplefile.File) *propensityReport {
	r := &propensityReport{
		Input: filepath.Base(o.input), Target: o.target, Positive: f.Positive, Rows: f.Rows, Labelled: len(f.Labelled), New: len(f.New),
		Baselines: map[string]propensity.Baseline{}, Leaks: []propensity.Leak{}, Excluded: f.Excluded, Unreadable: f.Unreadable,
		Warnings: []string{}, Seed: o.seed, Features: []featureReport{},
	}
	if f.When != nil && len(f.Labelled) > 0 {
		first, last := f.When[f.Labelled[0]], f.When[f.Labelled[0]]
		for _, row := range f.Labelled {
			first, last = min(first, f.When[row]), max(last, f.When[row])
		}
		for _, at := range []int64{first, last} {
			r.Window = append(r.Window, time.Unix(at, 0).UTC().Format(time.RFC3339))
		}
	}
	for i := 0; f.Table != nil && i < len(f.Table.Columns); i++ {
		c := &f.Table.Columns[i]
		r.Features = append(r.Features, featureReport{c.Name, c.Kind, max(0, len(c.Levels)-1)})
	}
	for _, w := range f.Warnings {
		r.Warnings = append(r.Warnings, w.String())
	}
	if f.Disordered > 0 {
		r.warn("%d rows stand before an earlier one: the rows were put in the order of %q", f.Disordered, o.time)
	}
	if f.DoubledIDs > 0 {
		r.warn("%d rows have an id that another row has", f.DoubledIDs)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Unreadable)) {
		r.warn("column %q: %d cells cannot be read and were taken as missing", name, f.Unreadable[name])
	}
	if o.time == "" && !o.ordered {
		r.warn("no --time and not --ordered: rows were drawn at random, which flatters the model wherever customers change")
	}
	return r
}

func (r *propensityReport) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// refuse returns the report with the reason why there is no model.
func (r *propensityReport) refuse(err error) (*propensityReport, error) {
	r.Refused = err.Error()
	return r, err
}

// result takes over what an evaluation says.
func (r *propensityReport) result(v *propensity.Result) {
	r.Leaks = append(r.Leaks, v.Leaks...)
	r.Excluded = append(r.Excluded, v.Exclusions...)
	for _, e := range r.Excluded {
		switch {
		case e.Reason == examplefile.DroppedByYou:
		case e.Column != "":
			r.warn("column %q was left out: %s", e.Column, e.Reason)
		default:
			r.warn("%d rows were left out: %s", e.Rows, e.Reason)
		}
	}
	r.Split = v.Split
	if r.Stopped = propensity.Stopping(v.Leaks); r.Stopped || len(v.Parts) == 0 {
		return
	}
	r.Metrics, r.Judged = &v.Metrics, v.Metrics.Rows
	r.Intervals, r.Baselines, r.Parts, r.Reliability, r.Drift = v.Intervals, v.Baselines, v.Parts, v.Reliability, v.Drift
	r.Weights, r.NewShift = sharedWeights(v.Parts), v.NewShift
	families := map[string]bool{}
	for _, p := range v.Parts {
		families[string(p.Model)] = true
	}
	r.Model = strings.Join(slices.Sorted(maps.Keys(families)), ", ")
	for _, b := range v.Baselines {
		if !b.Beaten.Better {
			r.warn("the model is not better than a baseline by more than the standard error: do not use it")
			break
		}
	}
	for _, d := range v.Drift {
		if d.PSI > propensity.DriftMuch {
			r.warn("feature %q has moved between training and holdout (PSI %.2f)", d.Feature, d.PSI)
		}
	}
	for _, l := range v.Leaks {
		r.warn("allowed in spite of the leak gates: %s", l.Text)
	}
}

func (r *propensityReport) print(w io.Writer) error {
	p := &printer{w: w}
	p.say("%s %s: %d of %d judged rows, by %s (%s)", r.Target, r.Positive, r.Positives, r.Judged, r.Model, r.Split)
	interval := func(name string) string {
		i := r.Intervals[name]
		return fmt.Sprintf("(%.4f to %.4f)", i[0], i[1])
	}
	p.say("AUC %.4f %s, log loss %.4f %s, Brier %.4f, ECE %.4f, lift of the first tenth %.2f",
		r.AUC, interval("auc"), r.LogLoss, interval("log_loss"), r.Brier, r.ECE, r.Lift)
	for _, part := range r.Parts {
		if s := part.Shift; s != nil && s.Applied {
			p.say("%s: the base rate moves; probabilities were moved from %.3f to the %.3f that the rows let guess without their answers, which was better on the rows that calibrate", part.Set, s.From, s.To)
		}
	}
	if s := r.NewShift; s != nil && s.Applied {
		p.say("new: probabilities were moved from a base rate of %.3f to %.3f, likewise", s.From, s.To)
	}
	base, single := r.Baselines["base_rate"], r.Baselines["single_feature"]
	p.say("base rate: log loss %.4f; %s alone: AUC %.4f, log loss %.4f", base.LogLoss, single.Feature, single.AUC, single.LogLoss)
	var top []string
	for _, w := range r.Weights[:min(len(r.Weights), 8)] {
		top = append(top, fmt.Sprintf("%s %.0f %%", w.Feature, 100*w.Share))
	}
	p.say("what counts: %s", strings.Join(top, ", "))
	p.say("%.1f s", r.Seconds)
	return p.err
}

// writeCard writes the model card.
func (r *propensityReport) writeCard(w io.Writer, path string) error {
	if strings.HasSuffix(strings.TrimSuffix(path, ".gz"), ".json") {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	p := &printer{w: w}
	p.say("Model card: how likely is %s = %s?", r.Target, r.Positive)
	p.say("")
	p.say("Data: %s (SHA-256 %s), %d rows, %d with an answer. Seed %d.", r.Input, r.Hash, r.Rows, r.Labelled, r.Seed)
	if len(r.Window) == 2 {
		p.say("From %s to %s.", r.Window[0], r.Window[1])
	}
	p.say("Judged on: %s.", r.Split)
	p.say("")
	if err := r.print(w); err != nil {
		return err
	}
	p.say("")
	p.table("PART\tMODEL\tTREES\tCALIBRATION\tROWS\tAUC\tLOG LOSS\tWHY THIS MODEL", len(r.Parts), func(i int) []any {
		v := r.Parts[i]
		return []any{v.Set, v.Model, v.Trees, v.Calibrate, v.Rows, fmt.Sprintf("%.4f", v.AUC), fmt.Sprintf("%.4f", v.LogLoss), v.Reason}
	})
	p.say("")
	p.table("PROBABILITY\tROWS\tEXPECTED\tCAME", len(r.Reliability), func(i int) []any {
		b := r.Reliability[i]
		return []any{fmt.Sprintf("%.1f to %.1f", b.From, b.To), b.Rows, fmt.Sprintf("%.4f", b.Expected), fmt.Sprintf("%.4f", b.Observed)}
	})
	p.say("")
	p.table("FEATURE\tSHARE", len(r.Weights), func(i int) []any {
		return []any{plain(r.Weights[i].Feature), fmt.Sprintf("%.1f %%", 100*r.Weights[i].Share)}
	})
	p.say("")
	for _, text := range r.Warnings {
		p.say("- %s", text)
	}
	return p.err
}
