package api

import (
	"context"
	"net/http"
	"regexp"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/profiles/valuation"
)

// Cohorts tells what customers did since they came. Implementations are safe for
// concurrent use.
type Cohorts interface {
	// Cohorts returns the customers by the period of their first order; without a currency
	// in that of the lifetime values.
	Cohorts(ctx context.Context, workspace string, period valuation.Period, currency string) (*valuation.Cohorts, error)
}

// cohortRoutes are the operations on cohorts.
func (s *Server) cohortRoutes() []route {
	return []route{{http.MethodGet, "/v1/cohorts", RoleRead, s.getCohorts}}
}

type cohortsResponse struct {
	Period   valuation.Period `json:"period"`
	Currency string           `json:"currency"`
	AsOf     time.Time        `json:"as_of"`
	Cohorts  []cohortResponse `json:"cohorts"`
}

type cohortResponse struct {
	Begin     string              `json:"begin"`
	Customers uint64              `json:"customers"`
	Expected  *cohortExpected     `json:"expected,omitempty"`
	Ages      []cohortAgeResponse `json:"ages"`
}

// cohortExpected is what the models expect of the customers who have scores.
type cohortExpected struct {
	Customers uint64  `json:"customers"`
	Alive     float64 `json:"alive"`
	Value1y   float64 `json:"lifetime_value_1y"`
}

type cohortAgeResponse struct {
	Age       int     `json:"age"`
	Buyers    uint64  `json:"buyers"`
	Retention float64 `json:"retention"`
	Orders    uint64  `json:"orders"`
	Revenue   float64 `json:"revenue"`
	Refunded  float64 `json:"refunded"`
	Total     float64 `json:"total_per_customer"`
	Complete  bool    `json:"complete"`
}

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// getCohorts answers GET /v1/cohorts.
func (s *Server) getCohorts(c *gin.Context) error {
	if s.deps.Cohorts == nil {
		return noRoute()
	}
	period, currency := valuation.Period(c.DefaultQuery("period", string(valuation.Month))), c.Query("currency")
	if period != valuation.Month && period != valuation.Quarter {
		return badRequest("the request breaks rules", fault{"period", "must be month or quarter"})
	}
	if currency != "" && !currencyCode.MatchString(currency) {
		return badRequest("the request breaks rules", fault{"currency", "must be three capital letters (ISO 4217)"})
	}
	found, err := s.deps.Cohorts.Cohorts(c.Request.Context(), workspaceOf(c), period, currency)
	if err != nil {
		return err
	}
	r := cohortsResponse{found.Period, found.Currency, found.AsOf, make([]cohortResponse, len(found.Cohorts))}
	for i, of := range found.Cohorts {
		one := cohortResponse{Begin: of.Begin.Format(time.DateOnly), Customers: of.Customers, Ages: make([]cohortAgeResponse, len(of.Ages))}
		if found.Valued {
			one.Expected = &cohortExpected{of.Scored, of.Alive, of.Value}
		}
		total := 0.0
		for k, a := range of.Ages {
			total += a.Revenue - a.Refunded
			one.Ages[k] = cohortAgeResponse{
				a.Age, a.Buyers, float64(a.Buyers) / float64(of.Customers), a.Orders, a.Revenue, a.Refunded, total / float64(of.Customers), a.Complete,
			}
		}
		r.Cohorts[i] = one
	}
	return send(c, r)
}
