package valuation

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/lifetime"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// What each customer left, by hand, from the costs of lines, of the catalogue and
// of the file.
func TestEarnings(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	bought := func(anchor uint64, on int, lines []line, products, costs []string, discount string) fact {
		return fact{anchor: anchor, time: day(on), amount: "1", lines: lines, products: products, costs: costs, discount: discount}
	}
	one := []line{{"2", "10"}}
	insertFacts(t, conn, []fact{
		bought(1, 0, one, nil, []string{"6"}, ""),                                     // 20 - 12
		bought(2, 0, one, []string{"mug"}, []string{"0"}, "2"),                        // of the catalogue: 20 - 8 - 2
		bought(3, 0, one, []string{"cup"}, []string{"0"}, ""),                         // of the catalogue, in another currency
		bought(4, 0, []line{{"1", "30"}, {"1", "10"}}, nil, []string{"15", "0"}, "4"), // 30 - 15 - 3 of 40
		bought(5, 0, one, nil, []string{"6"}, ""),
		{anchor: 5, time: day(3), kind: "refund", amount: "-5"},
		bought(6, 0, one, nil, []string{"6"}, ""),
		{anchor: 6, time: day(3), kind: "refund", amount: "-20"},
		bought(7, 0, one, nil, []string{"6"}, ""),
		{anchor: 8, time: day(0), amount: "20"}, // without lines
	})
	for _, sql := range []string{
		"INSERT INTO catalogue_entries (workspace, type, item_id, stated, time, message_hash, currency, cost) VALUES ('main', 'product', 'mug', true, '2023-01-01', 1, 'GBP', 4), ('main', 'product', 'cup', true, '2023-01-01', 2, 'EUR', 4)",
		"INSERT INTO support_facts (workspace, anchor_id, time, message_hash, channel, direction, self_service) VALUES ('main', 7, '2024-01-03', 1, 'phone', 'inbound', ''), ('main', 7, '2024-01-03', 2, 'chat', 'inbound', ''), ('main', 7, '2024-01-03', 3, 'phone', 'outbound', ''), ('main', 7, '2024-01-03', 4, 'phone', 'inbound', 'resolved')",
	} {
		if err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	costs, err := parseCosts([]byte("currency = \"GBP\"\nper_order = 1.0\nper_refund = 3.0\nof_revenue = 0.05\n[per_contact]\nphone = 2.0\nother = 0.5\n"))
	if err != nil {
		t.Fatal(err)
	}
	type sums struct{ revenue, covered, contribution float64 }
	for name, want := range map[string]map[identity.ProfileID]sums{
		"": {
			1: {20, 20, 8}, 2: {20, 20, 10}, 3: {20, 0, 0}, 4: {40, 30, 12}, 5: {15, 15, 6}, 6: {0, 0, 0}, 7: {20, 20, 8}, 8: {20, 0, 0},
		},
		"GBP": {
			1: {20, 20, 8 - 1 - 1}, 2: {20, 20, 10 - 1 - 1}, 3: {20, 0, 0}, 4: {40, 30, 12 - .75*(1+2)}, 5: {15, 15, 6 - 1 - 3 - .75}, 6: {0, 0, -4}, 7: {20, 20, 8 - 1 - 1 - 2.5}, 8: {20, 0, 0},
		},
		// Of another currency only the share of the revenue counts.
		"EUR": {1: {20, 20, 7}, 5: {15, 15, 5.25}},
	} {
		w := worker(t, conn, at(day(70)), func(c *Config) {
			if name != "" {
				c.Costs = costs
				c.Costs.Currency = name
			}
		})
		h, err := w.readHistory(t.Context(), day(70))
		if err != nil {
			t.Fatal(err)
		}
		got := map[identity.ProfileID]lifetime.Earnings{}
		for i, p := range h.profiles {
			got[p] = h.earnings[i]
		}
		for p, x := range want {
			if e := got[p]; math.Abs(e.Revenue-x.revenue) > 1e-9 || math.Abs(e.Covered-x.covered) > 1e-9 || math.Abs(e.Contribution-x.contribution) > 1e-9 {
				t.Errorf("costs %q, profile %d: %+v, want %+v", name, p, e, x)
			}
		}
	}
}

// Margins are scores where the costs are known, and none where they are not: a
// refresh that no longer knows withdraws them.
func TestMarginScores(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestRefreshAfterUpdates sees its goroutines")
	}
	conn := warehousetest.NewTestDatabase(t)
	facts, customers := cdnow(t)
	for i := range facts {
		price := mustFloat(t, facts[i].lines[0].price)
		share := .4 + .4*float64(facts[i].anchor%2) // a margin of 60 % or 20 %
		facts[i].costs = []string{fmt.Sprintf("%.4f", price*share)}
	}
	insertFacts(t, conn, facts)
	now := calibrationEnd
	s, err := worker(t, conn, at(now), nil).Refresh(t.Context())
	if err != nil || s.Margins == nil || s.MarginUnknown != "" {
		t.Fatalf("%+v, %v", s, err)
	}
	if m := s.Margins; math.Abs(m.Mean-.4) > .02 || m.KnownShare < .999 || m.Between < .02 {
		t.Errorf("%+v", m)
	}
	scores := current(t, conn)
	total := 0.0
	for anchor := range customers {
		value, margin, past := scores[anchor][LifetimeValue1y], scores[anchor][LifetimeMargin1y], scores[anchor][ContributionMargin]
		want := .6 - .4*float64(anchor%2)
		if math.Abs(margin.Value-want*value.Value) > .02*value.Value || margin.Lower > margin.Upper || past.Value <= 0 {
			t.Fatalf("profile %d: value %+v, margin %+v, contributed %+v", anchor, value, margin, past)
		}
		total += margin.Value
	}
	if math.Abs(total-s.TotalMargin) > 1e-6*total {
		t.Errorf("total %v, want %v", s.TotalMargin, total)
	}
	var detail struct {
		Unit  string  `json:"unit"`
		Known float64 `json:"known_share"`
	}
	if err := json.Unmarshal([]byte(scores[1][ContributionMargin].Detail), &detail); err != nil || detail.Unit != "GBP" || detail.Known != 1 {
		t.Errorf("%s: %v", scores[1][ContributionMargin].Detail, err)
	}
	s, err = worker(t, conn, at(now.Add(24*time.Hour)), func(c *Config) { c.Currency, c.MinKnown = "EUR", 1 }).Refresh(t.Context())
	if err != nil || s.Margins != nil {
		t.Fatalf("%+v, %v", s, err)
	}
	if n := len(current(t, conn)); n != 0 {
		t.Errorf("%d profiles have scores of a currency that nobody bought in", n)
	}
}

func TestCostsFile(t *testing.T) {
	for text, want := range map[string]string{
		"per_order = -1.0\ncurrency = \"EUR\"": "per_order must lie between",
		"per_order = 1.0":                      "currency must be three letters",
		"of_revenue = 2.0":                     "of_revenue must lie between",
		"per_oder = 1.0":                       "per_oder",
		"[per_contact]\nphone = -2.0":          "per_contact.phone",
	} {
		if _, err := parseCosts([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := ReadCosts(t.TempDir() + "/none.toml"); err == nil {
		t.Error("a file that is not there was read")
	}
	if c, err := ReadCosts(""); err != nil || c.PerContact != nil {
		t.Errorf("%+v, %v", c, err)
	}
}
