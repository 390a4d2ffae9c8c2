package valuation

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"time"

	"github.com/kindred-cdp/kindred/profiles/lifetime"
)

// Summary says what a refresh did.
type Summary struct {
	Workspace string `json:"workspace"`
	// AsOf is the end of the data, ComputedAt the mark of the rows written;
	// zero when nothing was written.
	AsOf       time.Time `json:"as_of"`
	ComputedAt time.Time `json:"computed_at,omitzero"`
	// Customers are the profiles with a purchase in Currency,
	// CustomersWithValue those that got a lifetime value.
	Customers          int    `json:"customers"`
	CustomersWithValue int    `json:"customers_with_value"`
	Currency           string `json:"currency"`
	// TotalValue is the sum of the lifetime values, in Currency.
	TotalValue float64 `json:"total_value"`
	// Margins are those of the contribution, and TotalMargin the sum of the lifetime
	// values as margin; MarginUnknown says why there are none.
	Margins       *lifetime.Margins `json:"margins,omitempty"`
	TotalMargin   float64           `json:"total_margin,omitempty"`
	MarginUnknown string            `json:"margin_unknown,omitempty"`
	// Model, Parameters, LogLikelihood and Fallback describe the fit of the
	// purchases, SpendParameters and SpendMean that of the amounts. Times are
	// in weeks, amounts in Currency.
	Model           lifetime.Kind        `json:"model,omitempty"`
	Parameters      []lifetime.Parameter `json:"parameters,omitempty"`
	LogLikelihood   float64              `json:"log_likelihood,omitempty"`
	Fallback        string               `json:"fallback,omitempty"`
	SpendModel      lifetime.SpendKind   `json:"spend_model,omitempty"`
	SpendParameters []lifetime.Parameter `json:"spend_parameters,omitempty"`
	SpendMean       float64              `json:"spend_mean,omitempty"`
	// SpendHeavyTail says that SpendMean is that of the data, because the
	// model's does not exist. SpendCorrelation, of frequency and spend, should
	// be near 0.
	SpendHeavyTail   bool    `json:"spend_heavy_tail,omitempty"`
	SpendCorrelation float64 `json:"spend_correlation,omitempty"`
	// Chosen and SpendChosen are the models that the history chose on ChosenDay
	// (days since 1970), of ChosenCustomers with purchases in ChosenCurrency, and
	// ChosenBecause why; Model differs where Fallback says so.
	Chosen          lifetime.Kind      `json:"chosen,omitempty"`
	SpendChosen     lifetime.SpendKind `json:"spend_chosen,omitempty"`
	ChosenBecause   string             `json:"chosen_because,omitempty"`
	ChosenDay       int                `json:"chosen_day,omitempty"`
	ChosenCurrency  string             `json:"chosen_currency,omitempty"`
	ChosenCustomers int                `json:"chosen_customers,omitempty"`
	// ModelVersion is a hash of the parameters, the configuration and the
	// window of the data.
	ModelVersion string `json:"model_version"`
	// FirstPurchase and LastPurchase are days.
	FirstPurchase string `json:"first_purchase,omitempty"`
	LastPurchase  string `json:"last_purchase,omitempty"`
	// NotEnoughData says what is missing, for any score; SpendRefused why there
	// are no amounts.
	NotEnoughData string `json:"not_enough_data,omitempty"`
	SpendRefused  string `json:"spend_refused,omitempty"`
	// Rejected counts histories left out of the fit, by reason; those of age
	// zero are scored nonetheless. Unscored counts profiles without scores.
	Rejected map[lifetime.Reason]int `json:"rejected"`
	Unscored int                     `json:"unscored"`
	// OtherCurrencyOrders were left out; UnmatchedRefunds is money sent back for
	// purchases that are not in the data.
	OtherCurrencyOrders uint64  `json:"other_currency_orders"`
	UnmatchedRefunds    float64 `json:"unmatched_refunds"`
	// Unchanged says that the standing scores are of the same data and day.
	Unchanged bool `json:"unchanged"`
	// Updated counts the customers that an update scored; what is said of all others is
	// then of the refresh before it.
	Updated int     `json:"updated,omitempty"`
	Seconds float64 `json:"seconds"`

	asOfDay, firstDay, lastDay int
	spread                     map[string]spread
}

// describe takes over what is known of the data.
func (s *Summary) describe(h *history, asOfDay int) {
	s.Customers, s.Currency = len(h.customers), h.currency
	s.OtherCurrencyOrders, s.UnmatchedRefunds, s.Unscored = h.otherCurrency, h.unmatched, h.unusable
	s.asOfDay, s.firstDay, s.lastDay = asOfDay, h.first, h.last
	if s.Customers > 0 {
		s.FirstPurchase, s.LastPurchase = dayText(h.first), dayText(h.last)
	}
}

func dayText(day int) string { return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly) }

// fitted takes over what is known of the fit.
func (s *Summary) fitted(f *lifetime.Fitted) {
	s.Model, s.Parameters = f.Purchases.Kind(), f.Purchases.Parameters()
	s.LogLikelihood, s.Fallback, s.Rejected = f.Report.LogLikelihood, f.Report.Fallback, f.Report.Rejected
	if f.Spend == nil {
		s.SpendRefused = f.SpendError.Error()
		return
	}
	s.SpendModel = f.Spend.Kind
	s.SpendParameters, s.SpendMean = f.Spend.Parameters(), f.Spend.PopulationMean
	s.SpendHeavyTail, s.SpendCorrelation = f.Spend.HeavyTail, f.Spend.Correlation
}

// margins fits the margins, where there is an amount that they are of.
func (s *Summary) margins(h *history, cfg Config) {
	m, err := lifetime.FitMargins(h.earnings, cfg.MinKnown)
	switch {
	case err != nil:
		s.MarginUnknown = err.Error()
	case s.SpendRefused != "":
		s.MarginUnknown = s.SpendRefused
	default:
		s.Margins = &m
	}
}

// version names the model: equal parameters, configuration and window give
// equal versions.
func (s *Summary) version(cfg Config) string {
	text, err := json.Marshal(struct {
		Model      lifetime.Kind
		Parameters []lifetime.Parameter
		Spend      []lifetime.Parameter
		SpendMean  float64
		Window     [3]int
		Currency   string
		Config     lifetime.Config
		Terms      lifetime.Terms
		Refused    string
		Margins    *lifetime.Margins
		Costs      Costs
	}{
		s.Model, s.Parameters, s.SpendParameters, s.SpendMean,
		[3]int{s.firstDay, s.lastDay, s.asOfDay},
		s.Currency, cfg.Lifetime, cfg.terms(), s.NotEnoughData, s.Margins, cfg.Costs,
	})
	if err != nil {
		panic(err) // Impossible: every number of a fit is finite.
	}
	sum := sha256.Sum256(text)
	model := string(s.Model)
	if model == "" {
		model = "none"
	}
	return model + "-" + hex.EncodeToString(sum[:6])
}

// fingerprint tells whether two refreshes would write the same scores: it
// covers every profile and its history.
func (h *history) fingerprint(version string) string {
	sum := sha256.New()
	sum.Write([]byte(version))
	var buffer [inputBytes]byte
	for i := range h.customers {
		h.inputs(i, &buffer)
		sum.Write(buffer[:])
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// inputBytes is the length of what inputs writes.
const inputBytes = 72

// inputs writes down what the scores of the i-th customer are made of, beside the models.
func (h *history) inputs(i int, buffer *[inputBytes]byte) {
	c := h.customers[i]
	binary.LittleEndian.PutUint64(buffer[0:], uint64(h.profiles[i]))
	binary.LittleEndian.PutUint64(buffer[8:], uint64(c.Frequency))
	binary.LittleEndian.PutUint64(buffer[16:], math.Float64bits(c.Recency))
	binary.LittleEndian.PutUint64(buffer[24:], math.Float64bits(c.Age))
	binary.LittleEndian.PutUint64(buffer[32:], math.Float64bits(c.Spend))
	binary.LittleEndian.PutUint64(buffer[40:], math.Float64bits(c.First))
	binary.LittleEndian.PutUint64(buffer[48:], math.Float64bits(h.earnings[i].Revenue))
	binary.LittleEndian.PutUint64(buffer[56:], math.Float64bits(h.earnings[i].Covered))
	binary.LittleEndian.PutUint64(buffer[64:], math.Float64bits(h.earnings[i].Contribution))
}
