package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/kindred-cdp/kindred/profiles/lifetime"
	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// scoresBench says what is measured.
type scoresBench struct {
	customers, rows, columns, trees int
	shop                            int
	seed                            uint64
	json                            bool
}

// defaultScoresBench is what the figures of the README are of.
func defaultScoresBench() scoresBench {
	return scoresBench{customers: 1_000_000, rows: 1_000_000, columns: 50, trees: 100, shop: 1_000_000, seed: 1}
}

func benchScoresCommand() *cobra.Command {
	o := defaultScoresBench()
	cmd := &cobra.Command{
		Use:   "scores",
		Short: "A million invented customers: what they will buy, fitted and scored; boosted trees trained and applied",
		Long: `Invent customers who buy and drop out as BG/NBD and Gamma-Gamma say, fit both
models to them, and score each: whether still a customer, the purchases of 30, 90,
180 and 365 days, the spend, and the value of 52 weeks, all with intervals. Then
invent examples of normal features, the answer of which depends on five of them,
grow boosted trees of 31 leaves on them, and score them. Then start an engine in a
temporary folder, store what the customers of a shop bought within 18 months, and
have the workers value each of them and tell what each will buy next.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return benchScores(cmd, o) },
	}
	f := cmd.Flags()
	f.IntVar(&o.customers, "customers", o.customers, "customers that are fitted and scored")
	f.IntVar(&o.rows, "rows", o.rows, "examples that the trees are trained on, and score")
	f.IntVar(&o.columns, "columns", o.columns, "features of an example, five or more")
	f.IntVar(&o.trees, "trees", o.trees, "trees that are grown")
	f.IntVar(&o.shop, "shop", o.shop, "customers of the shop in the warehouse, 0 for no shop and no engine")
	f.Uint64Var(&o.seed, "seed", o.seed, "seed of what is invented")
	f.BoolVar(&o.json, "json", false, "print the figures as JSON on standard output")
	return cmd
}

// scoresFigures are what a run measured; times are in seconds, of processors
// those that all cores together worked.
type scoresFigures struct {
	Customers    int     `json:"customers"`
	Repeaters    int     `json:"customers_with_repeat_purchases"`
	Distinct     int     `json:"distinct_histories"`
	Fit          float64 `json:"fit_seconds"`
	FitBusy      float64 `json:"fit_processor_seconds"`
	Score        float64 `json:"score_seconds"`
	ScoreBusy    float64 `json:"score_processor_seconds"`
	Scored       int     `json:"scored"`
	LifetimePeak uint64  `json:"lifetime_peak_resident_bytes"`
	// Worst is how far the fitted parameters of purchases are from those that the
	// customers were made with, at most: a share of them.
	Worst float64 `json:"parameters_off_by"`

	Rows         int     `json:"examples"`
	Columns      int     `json:"features"`
	Trees        int     `json:"trees"`
	Grow         float64 `json:"grow_seconds"`
	GrowBusy     float64 `json:"grow_processor_seconds"`
	Predict      float64 `json:"predict_seconds"`
	PredictBusy  float64 `json:"predict_processor_seconds"`
	RowsInSecond float64 `json:"predicted_rows_per_second"`
	AUC          float64 `json:"auc"`
	Peak         uint64  `json:"peak_resident_bytes"`

	Shop *shopFigures `json:"shop,omitempty"`
}

func benchScores(cmd *cobra.Command, o scoresBench) error {
	if o.customers < 1000 || o.rows < 1000 || o.columns < 5 || o.columns > 10_000 || o.trees < 1 || o.trees > 10_000 || o.shop < 0 || o.shop > 0 && o.shop < 1000 {
		return fmt.Errorf("customers, rows and shop must be 1000 or more, columns 5 to 10000, trees 1 to 10000")
	}
	out := func(format string, args ...any) { _, _ = fmt.Fprintf(os.Stderr, format+"\n", args...) }
	watched, stop := context.WithCancel(cmd.Context())
	defer stop()
	b := &bench{}
	go b.watchMemory(watched)
	out("calibration: a core checks %.0f MB/s of JSON", calibrate())
	stopProfile, err := startProfile(cmd.Flag("profile").Value.String())
	if err != nil {
		return err
	}
	defer stopProfile()
	f := scoresFigures{Customers: o.customers, Rows: o.rows, Columns: o.columns, Trees: o.trees}
	if err := f.lifetime(cmd.Context(), o); err != nil {
		return err
	}
	f.LifetimePeak = b.peak.Load()
	debug.FreeOSMemory()
	f.propensity(o)
	f.Peak = b.peak.Load()
	f.print(out)
	if o.shop > 0 {
		debug.FreeOSMemory()
		shop, err := benchShop(cmd, o)
		if err != nil {
			return err
		}
		f.Shop = &shop
		shop.print(out)
	}
	if o.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(f)
	}
	return nil
}

// timed is how long f takes, and how long all cores together work for it.
func timed(f func() error) (seconds, busy float64, err error) {
	begin, worked := now(), processorTime()
	err = f()
	return now().Sub(begin).Seconds(), (processorTime() - worked).Seconds(), err
}

// How the invented customers buy: the parameters of the CDNOW customers by Fader,
// Hardie and Lee (2005), in weeks.
var inventedBuyers = lifetime.BetaGeometric{R: .243, Alpha: 4.414, A: .793, B: 2.426}

// inventCustomers makes the histories of customers who first bought 26 to 78 weeks
// ago, in days.
func inventCustomers(n int, seed uint64) []lifetime.Customer {
	r := rand.New(rand.NewPCG(seed, 1))
	gamma := func(shape, rate float64) float64 { return distuv.Gamma{Alpha: shape, Beta: rate, Src: r}.Rand() }
	m := inventedBuyers
	customers := make([]lifetime.Customer, n)
	for i := range customers {
		days := 182 + r.IntN(364)
		rate, a, b := gamma(m.R, m.Alpha), gamma(m.A, 1), gamma(m.B, 1)
		nu, last := gamma(3.74, 15.44), 0
		c := lifetime.Customer{Age: float64(days) / 7, First: gamma(6.25, nu)}
		// Nobody drops out at the first purchase.
		for at := r.ExpFloat64() / rate; at <= c.Age; at += r.ExpFloat64() / rate {
			if day := int(math.Ceil(at * 7)); day > last && day <= days {
				c.Spend += (gamma(6.25, nu) - c.Spend) / float64(c.Frequency+1)
				c.Frequency, c.Recency, last = c.Frequency+1, float64(day)/7, day
			}
			if r.Float64() < a/(a+b) {
				break
			}
		}
		customers[i] = c
	}
	return customers
}

// lifetime measures the models of purchases and spend.
func (f *scoresFigures) lifetime(ctx context.Context, o scoresBench) (err error) {
	customers := inventCustomers(o.customers, o.seed)
	var fitted *lifetime.Fitted
	f.Fit, f.FitBusy, err = timed(func() (err error) {
		cfg := lifetime.DefaultConfig()
		cfg.Spend = lifetime.SpendAll // the one with the most amounts
		fitted, err = lifetime.Fit(customers, cfg)
		return err
	})
	if err != nil {
		return err
	}
	f.Repeaters, f.Distinct = fitted.Report.Repeaters, fitted.Report.Distinct
	made := inventedBuyers.Parameters()
	for i, p := range fitted.Purchases.Parameters() {
		f.Worst = math.Max(f.Worst, math.Abs(p.Value/made[i].Value-1))
	}
	scores, refused := make([]lifetime.Score, len(customers)), make([]bool, len(customers))
	f.Score, f.ScoreBusy, err = timed(func() error {
		days := []float64{30. / 7, 90. / 7, 180. / 7, 365. / 7}
		return fitted.ScoreAll(ctx, customers, days, lifetime.DefaultTerms(), func(i int, s lifetime.Score, err error) {
			scores[i], refused[i] = s, err != nil
		})
	})
	for _, no := range refused {
		if !no {
			f.Scored++
		}
	}
	return err
}

// inventExamples makes normal features and answers that follow from five of them.
func inventExamples(rows, columns int, seed uint64) (*propensity.Table, []bool) {
	r := rand.New(rand.NewPCG(seed, 2))
	t := &propensity.Table{Rows: rows}
	for c := range columns {
		values := make([]float64, rows)
		for i := range values {
			values[i] = r.NormFloat64()
		}
		t.Columns = append(t.Columns, propensity.Column{Name: fmt.Sprintf("feature_%d", c), Kind: propensity.Numeric, Numbers: values})
	}
	y := make([]bool, rows)
	for i := range y {
		v := func(c int) float64 { return t.Columns[c].Numbers[i] }
		z := v(0) + v(1)*v(2) + math.Abs(v(3)) - 1.5 + .3*v(4)
		y[i] = r.Float64() < 1/(1+math.Exp(-z))
	}
	return t, y
}

// propensity measures boosted trees.
func (f *scoresFigures) propensity(o scoresBench) {
	t, y := inventExamples(o.rows, o.columns, o.seed)
	rows := make([]int32, o.rows)
	for i := range rows {
		rows[i] = int32(i)
	}
	cfg := propensity.DefaultBoosting()
	cfg.Trees, cfg.Leaves, cfg.Rate, cfg.ColumnShare = o.trees, 31, .1, 1
	var m *propensity.Model
	f.Grow, f.GrowBusy, _ = timed(func() error {
		m = propensity.Grow(t, rows, y, cfg, o.seed)
		return nil
	})
	var p []float64
	f.Predict, f.PredictBusy, _ = timed(func() error {
		p = m.Predict(t, rows)
		return nil
	})
	f.RowsInSecond, f.AUC = float64(o.rows)/f.Predict, propensity.Measure(p, y).AUC
}

func (f *scoresFigures) print(out func(string, ...any)) {
	out("%d customers, %d with repeat purchases, %d distinct histories; parameters found within %.1f %%", f.Customers, f.Repeaters, f.Distinct, 100*f.Worst)
	out("  fit    %6.2f s, %6.2f s of processors", f.Fit, f.FitBusy)
	out("  score  %6.2f s, %6.2f s of processors: %d scored, %.0f a second; peak memory %d MiB, the customers and scores included",
		f.Score, f.ScoreBusy, f.Scored, float64(f.Scored)/f.Score, f.LifetimePeak>>20)
	out("%d examples of %d features, %d trees; AUC %.4f on what they were grown on", f.Rows, f.Columns, f.Trees, f.AUC)
	out("  grow   %6.2f s, %6.2f s of processors", f.Grow, f.GrowBusy)
	out("  score  %6.2f s, %6.2f s of processors: %.0f a second; peak memory %d MiB, the examples included", f.Predict, f.PredictBusy, f.RowsInSecond, f.Peak>>20)
}
