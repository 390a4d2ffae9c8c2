package propensity_test

import (
	"errors"
	"os"
	"testing"

	"github.com/kindred-cdp/kindred/profiles/propensity"
	"github.com/kindred-cdp/kindred/profiles/propensity/examplefile"
)

func read(t testing.TB, cfg examplefile.Config) *propensity.Examples {
	t.Helper()
	f, err := examplefile.Read(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &f.Examples
}

// The promise on contract churn, by five folds: AUC .845 and log loss .418.
func TestTelco(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	cfg := propensity.DefaultConfig()
	cfg.Folds, cfg.Model = 5, propensity.Logistic
	if os.Getenv("KINDRED_SCORES_DATA") != "" {
		cfg.Model = propensity.Auto
	}
	e := read(t, examplefile.Config{Path: "testdata/telco_churn.csv.gz", Target: "Churn", ID: "customerID"})
	r, err := propensity.Evaluate(e, cfg)
	if err != nil {
		t.Fatal(err)
	}
	m := r.Metrics
	t.Logf("%s: AUC %.4f, log loss %.4f, Brier %.4f, ECE %.4f, lift %.2f; %+v", r.Parts[0].Model, m.AUC, m.LogLoss, m.Brier, m.ECE, m.Lift, r.Baselines)
	if m.Rows != 7043 || m.Positives != 1869 || m.AUC < .845 || m.LogLoss > .418 || m.ECE > .02 || len(r.Leaks) > 0 {
		t.Errorf("%+v, leaks %v", m, r.Leaks)
	}
}

// The promise on purchase intent: the page value stops the model by its name,
// and with it allowed AUC .930 and ECE .02 are met. The data are not ours to
// ship: KINDRED_SCORES_DATA names their folder.
func TestShoppers(t *testing.T) {
	folder := os.Getenv("KINDRED_SCORES_DATA")
	if folder == "" {
		t.Skip("KINDRED_SCORES_DATA names no folder")
	}
	e := read(t, examplefile.Config{Path: folder + "/online_shoppers_intention.csv", Target: "Revenue"})
	cfg := propensity.DefaultConfig()
	cfg.Folds = 5
	_, err := propensity.Evaluate(e, cfg)
	var leak *propensity.LeakError
	if !errors.As(err, &leak) || len(leak.Leaks) != 1 || leak.Leaks[0].Feature != "PageValues" {
		t.Errorf("%v", err)
	}
	cfg.Allow = []string{"PageValues"}
	r, err := propensity.Evaluate(e, cfg)
	if err != nil {
		t.Fatal(err)
	}
	m := r.Metrics
	t.Logf("%s: AUC %.4f, log loss %.4f, Brier %.4f, ECE %.4f, lift %.2f", r.Parts[0].Model, m.AUC, m.LogLoss, m.Brier, m.ECE, m.Lift)
	if m.AUC < .930 || m.ECE > .02 {
		t.Errorf("%+v", m)
	}
}
