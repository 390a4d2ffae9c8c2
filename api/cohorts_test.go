package api_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/profiles/valuation"
)

type cohortKeeper struct {
	period   valuation.Period
	currency string
	err      error
}

func (k *cohortKeeper) Cohorts(_ context.Context, workspace string, period valuation.Period, currency string) (*valuation.Cohorts, error) {
	k.period, k.currency = period, currency
	c := &valuation.Cohorts{Period: period, Currency: "EUR", AsOf: noon, Valued: currency == ""}
	if workspace == "main" {
		c.Cohorts = []valuation.Cohort{{
			Begin: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Customers: 4, Scored: 3, Alive: 2.5, Value: 90,
			Ages: []valuation.CohortAge{{Buyers: 4, Orders: 6, Revenue: 100, Complete: true}, {Age: 1, Buyers: 1, Orders: 1, Revenue: 20, Refunded: 40}},
		}}
	}
	return c, k.err
}

func TestCohorts(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	const path = "/v1/cohorts"
	for _, sc := range []scenario{
		{name: "cohorts", path: path, key: "read-dev", status: 200, want: []string{
			`"period":"month","currency":"EUR"`, `{"begin":"2025-01-01","customers":4,"expected":{"customers":3,"alive":2.5,"lifetime_value_1y":90},"ages":[`,
			`{"age":0,"buyers":4,"retention":1,"orders":6,"revenue":100,"refunded":0,"total_per_customer":25,"complete":true}`,
			`{"age":1,"buyers":1,"retention":0.25,"orders":1,"revenue":20,"refunded":40,"total_per_customer":20,"complete":false}`,
		}},
		{name: "another currency", path: path + "?currency=USD&period=quarter", key: "read-dev", status: 200, want: []string{`"customers":4`}, not: []string{"expected"}},
		{name: "nobody", path: path, key: "read-other", status: 200, want: []string{`"cohorts":[]`}},
		{name: "no period", path: path + "?period=day", key: "read-dev", status: 400, want: []string{"must be month or quarter"}},
		{name: "no currency", path: path + "?currency=euro", key: "read-dev", status: 400, want: []string{"three capital letters"}},
		{name: "as writer", path: path, key: "write-dev", status: 403},
		{name: "as nobody", path: path, status: 401},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	scenario{path: path + "?currency=USD&period=quarter", key: "read-dev", status: 200}.run(t, h)
	if f.cohorts.period != valuation.Quarter || f.cohorts.currency != "USD" {
		t.Errorf("asked for %q in %q", f.cohorts.period, f.cohorts.currency)
	}
	f.cohorts.err = errors.New("secret of the database")
	scenario{path: path, key: "read-dev", status: 500, not: []string{"secret"}}.run(t, h)
}
