package lifetime

// Kind names a model of purchase times.
type Kind string

// The models. Which one suits is a matter of validation, not of fitting: Choose
// says it.
const (
	BGNBD     Kind = "bgnbd"
	MBGNBD    Kind = "mbgnbd"
	ParetoNBD Kind = "paretonbd"
	NBD       Kind = "nbd"
)

// Parameter is a fitted parameter under the name it has in the papers.
type Parameter struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Model is a fitted model of when customers buy. Its methods expect a customer
// that passed Check and a horizon that is finite and not negative; Fitted.Score
// makes sure of both. The models of this package are the only ones.
type Model interface {
	// Kind names the model.
	Kind() Kind
	// Parameters lists the parameters, times in the unit of the fit.
	Parameters() []Parameter
	// Alive returns the probability that the customer will ever buy again, as
	// far as drop-out is concerned.
	Alive(c Customer) float64
	// Expected returns the purchase days expected in (Age, Age+t].
	Expected(c Customer, t float64) float64

	// posterior describes the customer's future, given that it has one.
	posterior(c Customer) future
	// aliveGradient is the derivative of the logit of Alive by the logarithms
	// of the parameters; nil where Alive is certain.
	aliveGradient(c Customer) []float64
	// likelihood, starts, runaway and fitted serve the fit: the log likelihood
	// over the logarithms of the parameters in scaled time, where to start,
	// whether a maximum is a limit without measurable differences in drop-out,
	// and the way back to a model.
	likelihood(t *table) objective
	starts(t *table) [][]float64
	runaway(theta []float64) bool
	fitted(theta []float64, scale float64) Model
}

// future is the process of purchases of one customer who is alive.
type future interface {
	// expected returns the purchase days expected within t.
	expected(t float64) float64
	// unbroken returns the purchase days expected within t if the customer does
	// not drop out.
	unbroken(t float64) float64
	// series fills out[k] with expected((k+1) * step).
	series(step float64, out []float64)
	// counts appends to out the probabilities of 0, 1, 2 … purchase days within
	// t, until all but tail of the probability is given.
	counts(t, tail float64, out []float64) []float64
}

// ExpectedNew returns the purchase days expected of a new customer within t
// after the first purchase.
func ExpectedNew(m Model, t float64) float64 { return m.Expected(Customer{}, t) }
