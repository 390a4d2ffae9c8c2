package main

import (
	"maps"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/profiles/lifetime"
)

// lifetimeCohort is who bought first in one month of the calendar (UTC): how many bought
// again, how many are expected to be customers still, what is expected of them within the
// horizon, and beside it what happened in the holdout.
type lifetimeCohort struct {
	Begin     string         `json:"begin"`
	Customers int            `json:"customers"`
	Repeaters int            `json:"repeat_customers"`
	Alive     float64        `json:"alive"`
	Expected  float64        `json:"expected_purchases"`
	Value     float64        `json:"value,omitempty"`
	Holdout   *cohortHoldout `json:"holdout,omitempty"`
}

type cohortHoldout struct {
	Purchases int     `json:"purchases"`
	Expected  float64 `json:"expected_purchases"`
}

// cohorts adds up the scores by month of the first purchase.
func (s *lifetimeScores) cohorts() {
	by := map[string]*lifetimeCohort{}
	for i, c := range s.customers {
		history, score := s.log.Histories[s.rows[i]], s.scores[i]
		begin := time.Unix(int64(history[0].Day)*86400, 0).UTC().Format("2006-01")
		of := by[begin]
		if of == nil {
			of = &lifetimeCohort{Begin: begin}
			if s.o.holdoutDay > 0 {
				of.Holdout = &cohortHoldout{}
			}
			by[begin] = of
		}
		of.Customers++
		if c.Frequency > 0 {
			of.Repeaters++
		}
		of.Alive += score.Alive.Value
		of.Expected += score.Purchases[0].Value
		if s.report.hasMoney() {
			of.Value += score.Value.Value
		}
		if of.Holdout != nil {
			days, _ := lifetime.Within(history, s.o.calibrationDay, s.o.holdoutDay)
			of.Holdout.Purchases += days
			of.Holdout.Expected += score.Purchases[1].Value
		}
	}
	s.report.Cohorts = make([]lifetimeCohort, 0, len(by))
	for _, begin := range slices.Sorted(maps.Keys(by)) {
		s.report.Cohorts = append(s.report.Cohorts, *by[begin])
	}
}
