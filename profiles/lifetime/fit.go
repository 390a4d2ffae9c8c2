package lifetime

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// ErrNotEnoughData is matched (errors.Is) by the refusal to fit or to score
// from too few customers. The NotEnoughDataError says what is missing.
var ErrNotEnoughData = errors.New("not enough data")

// NotEnoughDataError names what there is too little of, and the minimum.
type NotEnoughDataError struct {
	What       string
	Have, Need int
}

// Error implements error.
func (e *NotEnoughDataError) Error() string {
	return fmt.Sprintf("not enough data: %d %s, at least %d are needed", e.Have, e.What, e.Need)
}

// Is makes errors.Is(err, ErrNotEnoughData) true.
func (e *NotEnoughDataError) Is(target error) bool { return target == ErrNotEnoughData }

// Config says how to fit.
type Config struct {
	// Unit of all times. Default Week.
	Unit Unit
	// Model of purchase times: BGNBD (the default), MBGNBD, ParetoNBD or NBD.
	Model Kind
	// Spend is the model of spend: SpendRepeat (the default, also for ""),
	// SpendAll or SpendMoments.
	Spend SpendKind
	// MinCustomers is the least number of customers of positive age. Default 100.
	MinCustomers int
	// MinRepeaters is the least number of customers with a repeat purchase, and
	// for the model of spend of those with spend. Default 30.
	MinRepeaters int
	// PriorSD is the standard deviation of a log-normal prior on every scaled
	// parameter (maximum a posteriori); 0, the default, is maximum likelihood.
	PriorSD float64
	// Confidence of the intervals, between 0 and 1. Default 0.9.
	Confidence float64
}

// DefaultConfig returns the defaults named at the fields.
func DefaultConfig() Config {
	return Config{Unit: Week, Model: BGNBD, Spend: SpendRepeat, MinCustomers: 100, MinRepeaters: 30, Confidence: 0.9}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	var faults []error
	if c.Unit != Week && c.Unit != Day && c.Unit != Month {
		faults = append(faults, fmt.Errorf("unit %d is not week, day or month", int(c.Unit)))
	}
	if newModel(c.Model) == nil {
		faults = append(faults, fmt.Errorf("model %q is not bgnbd, mbgnbd, paretonbd or nbd", string(c.Model)))
	}
	if _, known := spendFits[c.Spend]; !known && c.Spend != "" {
		faults = append(faults, fmt.Errorf("model of spend %q is not %s, %s or %s", string(c.Spend), SpendRepeat, SpendAll, SpendMoments))
	}
	if c.MinCustomers < 2 || c.MinRepeaters < 2 {
		faults = append(faults, errors.New("minimum numbers of customers and repeat customers must be 2 or more"))
	}
	if !(c.PriorSD >= 0) || !finite(c.PriorSD) {
		faults = append(faults, errors.New("prior standard deviation must be 0 or more"))
	}
	if !(c.Confidence > 0 && c.Confidence < 1) {
		faults = append(faults, errors.New("confidence must lie between 0 and 1"))
	}
	return errors.Join(faults...)
}

// Fitted is a fit: everything needed to score any customer. It is immutable
// and safe for concurrent use.
type Fitted struct {
	// Purchases is the model of purchase times.
	Purchases Model
	// Spend is the model of spend; nil when SpendError says why there is none.
	Spend      *GammaGamma
	SpendError error
	// Report says how the fit came about.
	Report Report

	cfg        Config
	covariance *mat.SymDense
}

// Report describes a fit.
type Report struct {
	// LogLikelihood of the purchase model, in the unit of the fit.
	LogLikelihood float64
	// Errors are the standard errors of the logarithms of the parameters, in
	// the order of Purchases.Parameters; nil where they cannot be estimated.
	Errors []float64
	// Customers and Repeaters are the numbers in the fit, Distinct that of
	// distinct histories.
	Customers, Repeaters, Distinct int
	// Rejected counts the customers left out, by reason.
	Rejected map[Reason]int
	// Fallback says why another model than the one asked for was used; else "".
	Fallback string
}

// Fit fits both models. The order of the customers does not matter. It returns
// an error that matches ErrNotEnoughData when there are too few of them.
func Fit(customers []Customer, cfg Config) (*Fitted, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("lifetime configuration: %w", err)
	}
	t, rejected := newTable(customers)
	if t.customers < cfg.MinCustomers {
		return nil, &NotEnoughDataError{What: "customers observed for a day or more", Have: t.customers, Need: cfg.MinCustomers}
	}
	if t.repeaters < cfg.MinRepeaters {
		return nil, &NotEnoughDataError{What: "customers with a repeat purchase", Have: t.repeaters, Need: cfg.MinRepeaters}
	}
	f := &Fitted{cfg: cfg}
	f.Report = Report{Customers: t.customers, Repeaters: t.repeaters, Distinct: len(t.groups), Rejected: rejected}
	if err := f.fitPurchases(t, cfg); err != nil {
		return nil, err
	}
	f.Spend, f.SpendError = fitSpend(customers, cfg)
	return f, nil
}

// measurable is how much better than NBD, in log likelihood, a model must be
// for its drop-out to count as measured when its parameters have run away: the
// two extra parameters cost that much by Akaike's criterion.
const measurable = 2

// weakPriorSD is the standard deviation of the prior that is used where the
// likelihood alone has no maximum: a factor of 20 either way on each parameter.
const weakPriorSD = 3

// fitPurchases fits the model asked for. Where its likelihood has no maximum or
// runs away to a limit (drop-out that does not differ between customers), a weak
// prior gives it one, unless NBD, without any drop-out, does as well; and so to NBD,
// where nothing else is left and rates do not differ either.
func (f *Fitted) fitPurchases(t *table, cfg Config) error {
	model, n := newModel(cfg.Model), float64(t.customers)
	best, err := maximise(model.likelihood(t), model.starts(t), cfg.PriorSD, n)
	if err == nil && !model.runaway(best.theta) {
		f.accept(model, best, t)
		return nil
	}
	simple := Poisson{}
	fallback, nbdErr := maximise(simple.likelihood(t), simple.starts(t), cfg.PriorSD, n)
	if cfg.Model != NBD {
		best, err = maximise(model.likelihood(t), model.starts(t), weakPriorSD, n)
		if err == nil && (nbdErr != nil || best.value > fallback.value+measurable) {
			f.accept(model, best, t)
			f.Report.Fallback = "drop-out hardly differs between customers: fitted with a weak prior"
			return nil
		}
	}
	f.Report.Fallback = "no measurable drop-out"
	if nbdErr != nil { // All buy at one rate, the limit of NBD.
		if fallback, nbdErr = maximise(simple.likelihood(t), simple.starts(t), weakPriorSD, n); nbdErr != nil {
			return fmt.Errorf("fit %s: %w", cfg.Model, errors.Join(err, nbdErr))
		}
		f.Report.Fallback = "rates hardly differ between customers: fitted with a weak prior"
	}
	f.accept(simple, fallback, t)
	return nil
}

// accept takes a maximum as the model of purchases.
func (f *Fitted) accept(model Model, best optimum, t *table) {
	f.Purchases = model.fitted(best.theta, t.scale)
	f.covariance = best.covariance
	f.Report.Errors = best.errors()
	// The likelihood is a density of the times of x purchases per customer.
	f.Report.LogLikelihood = best.value + t.purchases*math.Log(t.scale)
}

// errors returns the standard errors of the log parameters.
func (o optimum) errors() []float64 {
	if o.covariance == nil {
		return nil
	}
	out := make([]float64, len(o.theta))
	for i := range out {
		out[i] = math.Sqrt(math.Max(0, o.covariance.At(i, i)))
	}
	return out
}

// newModel returns an unfitted model of the kind, or nil for an unknown one.
func newModel(kind Kind) Model {
	switch kind {
	case BGNBD:
		return BetaGeometric{}
	case MBGNBD:
		return BetaGeometric{Modified: true}
	case ParetoNBD:
		return Pareto{}
	case NBD:
		return Poisson{}
	}
	return nil
}
