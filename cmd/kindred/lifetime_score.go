package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/kindred-cdp/kindred/profiles/lifetime"
	"github.com/kindred-cdp/kindred/profiles/lifetime/purchasefile"
)

// lifetimeScores are the customers of a file under way.
type lifetimeScores struct {
	o      *lifetimeOptions
	log    *purchasefile.Log
	report *lifetimeReport
	fitted *lifetime.Fitted

	rows      []int // of log, customers of the calibration period that have a score
	customers []lifetime.Customer
	scores    []lifetime.Score
	margins   *lifetime.Margins // nil for none
}

// fit condenses the calibration period, chooses the model if none is named, and
// fits it. Only purchases up to the end of calibration are handed on.
func (s *lifetimeScores) fit() error {
	o, r := s.o, s.report
	var histories [][]lifetime.Purchase
	for i, h := range s.log.Histories {
		c, ok := lifetime.Summarize(h, o.calibrationDay, o.cfg.Unit)
		if !ok {
			r.LaterCustomers++
			continue
		}
		known := h
		for len(known) > 0 && known[len(known)-1].Day > o.calibrationDay {
			known = known[:len(known)-1]
		}
		histories = append(histories, known)
		s.rows, s.customers = append(s.rows, i), append(s.customers, c)
	}
	r.Customers = len(s.customers)
	if err := s.choose(histories); err != nil {
		return err
	}
	fitted, err := lifetime.Fit(s.customers, o.cfg)
	if err != nil {
		return err
	}
	s.fitted = fitted
	r.fit(fitted, o.amount != "")
	return nil
}

// choose chooses the models that no flag names.
func (s *lifetimeScores) choose(histories [][]lifetime.Purchase) error {
	o, spend := s.o, s.o.cfg.Spend
	switch {
	case o.kind == "":
		choice, err := lifetime.Choose(histories, o.calibrationDay, o.cfg)
		if err != nil {
			return err
		}
		s.report.Selection, o.cfg.Model, o.cfg.Spend = &choice, choice.Model, choice.Spend.Model
		s.report.spendSelection = &choice.Spend
	case spend == "" && o.amount != "":
		choice, err := lifetime.ChooseSpend(histories, o.calibrationDay, o.cfg)
		if err != nil {
			return err
		}
		s.report.spendSelection, o.cfg.Spend = &choice, choice.Model
	}
	if spend != "" {
		s.report.spendSelection, o.cfg.Spend = nil, spend
	}
	return nil
}

// score scores every customer of the calibration period.
func (s *lifetimeScores) score(ctx context.Context) error {
	horizons := []float64{s.o.ahead()}
	if s.o.holdoutDay > 0 {
		horizons = append(horizons, s.o.holdout())
	}
	scores, faults := make([]lifetime.Score, len(s.customers)), make([]error, len(s.customers))
	err := s.fitted.ScoreAll(ctx, s.customers, horizons, s.o.terms(s.o.periods()), func(i int, score lifetime.Score, err error) {
		scores[i], faults[i] = score, err
	})
	if err != nil {
		return err
	}
	rows, customers := s.rows[:0], s.customers[:0]
	for i, c := range s.customers {
		if faults[i] != nil {
			s.report.Unscored++
			continue
		}
		s.report.Clamped += scores[i].Clamped
		rows, customers, s.scores = append(rows, s.rows[i]), append(customers, c), append(s.scores, scores[i])
	}
	s.rows, s.customers = rows, customers
	return nil
}

// compare measures the scores against the holdout, beside baselines: the
// customer's own past rate, with the spend of the repeat days or of all days, and
// no purchase at all.
func (s *lifetimeScores) compare() {
	o := s.o
	if o.holdoutDay == 0 {
		return
	}
	n := len(s.scores)
	v := lifetimeHoldout{Customers: n, Length: o.holdout()}
	expected, actual, rate, none := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	var worth, money, past, all []float64
	if s.report.hasMoney() {
		worth, money, past, all = make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	}
	inside := 0
	for i, c := range s.customers {
		days, amount := lifetime.Within(s.log.Histories[s.rows[i]], o.calibrationDay, o.holdoutDay)
		e := s.scores[i].Purchases[1]
		expected[i], actual[i] = e.Value, float64(days)
		v.Purchases += days
		v.Expected += e.Value
		if c.Age > 0 {
			rate[i] = float64(c.Frequency) / c.Age * o.holdout()
		}
		if actual[i] >= e.Lower && actual[i] <= e.Upper {
			inside++
		}
		if worth != nil {
			worth[i], money[i], past[i] = e.Value*s.scores[i].Spend.Value, amount, float64(c.Frequency)*c.Spend
			all[i] = past[i] + c.First
			v.Money += amount
			v.ExpectedMoney += worth[i]
		}
	}
	v.Accuracy = lifetime.Measure(expected, actual, worth, money)
	if n > 0 {
		v.Coverage = float64(inside) / float64(n)
	}
	v.Baselines = map[string]lifetime.Accuracy{
		"past_rate": lifetime.Measure(rate, actual, past, money), "no_purchase": lifetime.Measure(none, actual, nil, nil),
	}
	if all != nil {
		v.Baselines["past_rate_all_spend"] = lifetime.Measure(rate, actual, all, money)
	}
	if s.log.Last < o.holdoutDay {
		s.report.warn("the last purchase of the file, on %s, is before the end of the holdout, %s", day(s.log.Last), day(o.holdoutDay))
	}
	s.report.Holdout = &v
}

// write writes scores.csv.
func (s *lifetimeScores) write(w io.Writer) error {
	c := csv.NewWriter(w)
	header := []string{"id", "frequency", "recency", "T", "p_alive", "expected_purchases", "expected_spend", "value", "low", "high"}
	if s.margins != nil {
		header = append(header, "margin", "margin_value", "known")
	}
	if err := c.Write(header); err != nil {
		return err
	}
	decimal := func(v float64) string { return strconv.FormatFloat(v, 'f', 6, 64) }
	for i, score := range s.scores {
		cust, expected := s.customers[i], score.Purchases[0]
		spend, value, interval := "", "", expected
		if s.report.hasMoney() {
			spend, value, interval = decimal(score.Spend.Value), decimal(score.Value.Value), score.Value
		}
		line := []string{
			s.log.IDs[s.rows[i]], strconv.Itoa(cust.Frequency), decimal(cust.Recency), decimal(cust.Age), decimal(score.Alive.Value),
			decimal(expected.Value), spend, value, decimal(interval.Lower), decimal(interval.Upper),
		}
		if s.margins != nil {
			e := s.log.Earnings[s.rows[i]]
			rate, known := s.margins.Rate(e), 0.0
			if e.Revenue > 0 {
				known = e.Covered / e.Revenue
			}
			line = append(line, decimal(rate), decimal(score.Value.Value*rate), decimal(known))
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("write scores: %w", err)
	}
	return nil
}
