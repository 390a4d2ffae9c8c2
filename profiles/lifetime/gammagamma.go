package lifetime

// GammaGamma is the model of spend (note 025): the amounts of a customer's
// purchase days are gamma (shape P, rate nu), and nu differs between customers
// by a gamma distribution (shape Q, rate Gamma in money). How much is spent is
// taken to be independent of how often.
type GammaGamma struct {
	// Kind says which days count and how the parameters were found.
	Kind        SpendKind
	P, Q, Gamma float64
	// PopulationMean is the expected spend of a customer of whom no amount is
	// known: P Gamma/(Q-1), or the mean over the customers of the fit when
	// HeavyTail says that the model's mean does not exist.
	PopulationMean float64
	// HeavyTail reports that Q is too near 1 for the model's mean to be known.
	HeavyTail bool
	// Customers is the number of customers with spend in the fit, Excluded that of the
	// others by reason.
	Customers int
	Excluded  map[Reason]int
	// Correlation is that of the number of days and the mean spend among them;
	// the model assumes that it is near zero.
	Correlation float64
	// LogLikelihood is that of the fit, or of the moments.
	LogLikelihood float64
	// Errors are the standard errors of ln P, ln Q and ln Gamma; nil where they
	// cannot be estimated.
	Errors []float64
}

// Parameters lists p, q and gamma (in money).
func (g GammaGamma) Parameters() []Parameter {
	return []Parameter{{"p", g.P}, {"q", g.Q}, {"gamma", g.Gamma}}
}

// Expected returns the expected spend per purchase day of a customer.
func (g GammaGamma) Expected(c Customer) float64 { return g.Mean(g.Kind.amounts(c)) }

// Mean returns the expected spend per purchase day of a customer with x days
// of mean spend m that count: equation (5) of note 025.
func (g GammaGamma) Mean(x int, m float64) float64 {
	if x == 0 {
		return g.PopulationMean
	}
	shape, rate := g.posterior(x, m)
	if shape <= 1 {
		return g.PopulationMean
	}
	// Divided first: rate may be as large as x times the largest amount.
	return rate / (shape - 1) * g.P
}

// posterior returns shape and rate of the gamma distribution of nu.
func (g GammaGamma) posterior(x int, m float64) (shape, rate float64) {
	return g.P*float64(x) + g.Q, g.Gamma + float64(x)*m
}
