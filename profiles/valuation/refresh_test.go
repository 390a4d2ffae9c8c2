package valuation

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles/lifetime"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// calibrationEnd is the customary end of the CDNOW calibration.
var calibrationEnd = time.Date(1997, 9, 30, 23, 0, 0, 0, time.UTC)

// cdnow reads the CDNOW sample: orders, and the histories that follow from them
// without a database, by anchor.
func cdnow(t *testing.T) ([]fact, map[uint64]lifetime.Customer) {
	t.Helper()
	f, err := os.Open("../lifetime/testdata/CDNOW_sample.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var facts []fact
	purchases := map[uint64][]lifetime.Purchase{}
	for s := bufio.NewScanner(z); s.Scan(); {
		field := strings.Fields(s.Text())
		day, err := time.Parse("20060102", field[2])
		if err != nil {
			t.Fatal(err)
		}
		var anchor uint64
		for _, c := range field[1] {
			anchor = anchor*10 + uint64(c-'0')
		}
		price, err := json.Number(field[4]).Float64()
		if err != nil {
			t.Fatal(err)
		}
		if price == 0 {
			continue // A gift is no purchase here.
		}
		facts = append(facts, buy(anchor, day.Add(8*time.Hour), field[4]))
		purchases[anchor] = append(purchases[anchor], lifetime.Purchase{Day: lifetime.DayOf(day), Amount: price})
	}
	want := map[uint64]lifetime.Customer{}
	for anchor, p := range purchases {
		if c, ok := lifetime.Summarize(p, lifetime.DayOf(calibrationEnd), lifetime.Week); ok {
			want[anchor] = c
		}
	}
	return facts, want
}

// What a refresh writes is what the models say of the log, for every profile.
func TestRefresh(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	facts, customers := cdnow(t)
	insertFacts(t, conn, facts)
	w := worker(t, conn, at(calibrationEnd), nil)
	s, err := w.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var list []lifetime.Customer
	for _, c := range customers {
		list = append(list, c)
	}
	// The history chose: those who bought once are told apart by that amount.
	if s.Chosen != lifetime.BGNBD || s.SpendChosen != lifetime.SpendAll || s.ChosenCustomers != len(customers) {
		t.Errorf("chosen %+v", s)
	}
	cfg := lifetime.DefaultConfig()
	cfg.Model, cfg.Spend = s.Chosen, s.SpendChosen
	f, err := lifetime.Fit(list, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if s.Customers != len(customers) || s.CustomersWithValue != len(customers) || s.Unscored != 0 || s.NotEnoughData != "" {
		t.Errorf("%+v", s)
	}
	closeTo := func(got, want float64) bool { return math.Abs(got-want) <= 1e-9*math.Max(1, math.Abs(want)) }
	for i, p := range f.Purchases.Parameters() {
		if !closeTo(s.Parameters[i].Value, p.Value) {
			t.Errorf("%+v, want %+v", s.Parameters[i], p)
		}
	}
	scorer, err := f.Scorer([]float64{90.0 / 7}, lifetime.DefaultTerms())
	if err != nil {
		t.Fatal(err)
	}
	scores := current(t, conn)
	if len(scores) != len(customers) {
		t.Fatalf("%d profiles have scores, want %d", len(scores), len(customers))
	}
	for anchor, c := range customers {
		want, err := scorer.Score(c)
		if err != nil {
			t.Fatal(err)
		}
		for name, e := range map[string]lifetime.Estimate{
			PAlive: want.Alive, ExpectedPurchases90d: want.Purchases[0], ExpectedSpend: want.Spend, LifetimeValue1y: want.Value,
		} {
			got := scores[anchor][name]
			if !closeTo(got.Value, e.Value) || math.Abs(got.Lower-e.Lower) > 1e-6*(1+e.Lower) || math.Abs(got.Upper-e.Upper) > 1e-6*(1+e.Upper) || got.Version != s.ModelVersion {
				t.Fatalf("profile %d %s: %+v, want %+v", anchor, name, got, e)
			}
		}
	}
	checkDetail(t, scores[1][LifetimeValue1y].Detail)
	checkPopulation(t, conn, s, scores)
	t.Logf("%v %v mean %.2f, total %.0f %s in %.2f s", s.Parameters, s.SpendParameters, s.SpendMean, s.TotalValue, s.Currency, s.Seconds)
}

// The rows of profile 0 sum up those of the profiles.
func checkPopulation(t *testing.T, conn driver.Conn, s Summary, scores map[uint64]map[string]row) {
	t.Helper()
	for _, name := range Names()[:4] {
		var mean, least, greatest float64
		if err := conn.QueryRow(t.Context(), "SELECT value, lower, upper FROM scores WHERE profile_id = 0 AND score = ?", name).Scan(&mean, &least, &greatest); err != nil {
			t.Fatal(err)
		}
		sum, low, high := 0.0, math.Inf(1), 0.0
		for _, of := range scores {
			sum, low, high = sum+of[name].Value, math.Min(low, of[name].Value), math.Max(high, of[name].Value)
		}
		if math.Abs(mean-sum/float64(len(scores))) > 1e-9*mean || least != low || greatest != high {
			t.Errorf("population %s: %v [%v, %v], want %v [%v, %v]", name, mean, least, greatest, sum/float64(len(scores)), low, high)
		}
		if name == LifetimeValue1y && math.Abs(s.TotalValue-sum) > 1e-6*sum {
			t.Errorf("total value %v, want %v", s.TotalValue, sum)
		}
	}
}

func checkDetail(t *testing.T, text string) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("detail %s: %v", text, err)
	}
	want := map[string]any{
		"unit": "GBP", "interval": "predictive", "confidence": .9, "model": "bgnbd", "time_unit": "week", "horizon_weeks": 52.,
		"yearly_rate": .1, "margin": 1., "frequency": 2., "recency": 30.4286, "age": 38.8571, "mean_spend": 22.345,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("detail (-want +got):\n%s", d)
	}
}

func TestUnchangedWritesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestRefreshAfterUpdates sees its goroutines")
	}
	conn := warehousetest.NewTestDatabase(t)
	facts, _ := cdnow(t)
	insertFacts(t, conn, facts)
	now := calibrationEnd
	w := worker(t, conn, func() time.Time { return now }, nil)
	first, err := w.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	count := func() (n uint64) {
		if err := conn.QueryRow(t.Context(), "SELECT count() FROM scores").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	rows := count()
	if want := uint64(4*first.CustomersWithValue + 7); rows != want {
		t.Errorf("%d rows, want %d", rows, want)
	}
	// Later on the same day, by another worker that knows nothing of the first.
	now = now.Add(time.Minute)
	again, err := worker(t, conn, func() time.Time { return now }, nil).Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !again.Unchanged || count() != rows || again.CustomersWithValue != first.CustomersWithValue || again.ModelVersion != first.ModelVersion {
		t.Errorf("second refresh: %+v, %d rows", again, count())
	}
	if math.Abs(again.TotalValue-first.TotalValue) > 1e-6*first.TotalValue {
		t.Errorf("total %v, then %v", first.TotalValue, again.TotalValue)
	}
	// One order more is another state.
	insertFacts(t, conn, []fact{{anchor: 1, time: calibrationEnd.Add(-time.Hour), amount: "9", messageHash: 5}})
	changed, err := w.Refresh(t.Context())
	if err != nil || changed.Unchanged || changed.ModelVersion == first.ModelVersion {
		t.Errorf("after an order: %+v, %v", changed, err)
	}
	// So is the next day.
	now = now.Add(24 * time.Hour)
	next, err := w.Refresh(t.Context())
	if err != nil || next.Unchanged {
		t.Errorf("next day: %+v, %v", next, err)
	}
}

// A profile that was merged away serves no score: at once in CurrentScores, and
// by the mark of the next refresh for any reader.
func TestMergedProfile(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn := warehousetest.NewTestDatabase(t)
	facts, customers := cdnow(t)
	insertFacts(t, conn, facts)
	// The clock stands still, so only the order of refreshes tells them apart.
	w := worker(t, conn, at(calibrationEnd), nil)
	before, err := w.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	alone := current(t, conn)
	assign(t, conn, 1, 2, 1) // profile 2 into profile 1
	merged := current(t, conn)
	if len(alone[2]) != 4 || len(merged[2]) != 0 || len(merged[1]) != 4 {
		t.Errorf("scores of 2 before and after its merge: %v, %v", alone[2], merged[2])
	}
	after, err := w.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if after.Customers != len(customers)-1 || !after.ComputedAt.After(before.ComputedAt) {
		t.Errorf("after the merge: %+v", after)
	}
	var standing uint64
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM scores WHERE workspace = {workspace:String} AND profile_id = 2 AND "+Standing,
		clickhouse.Named("workspace", "main")).Scan(&standing); err != nil {
		t.Fatal(err)
	}
	if standing != 0 {
		t.Errorf("%d rows of the merged profile stand", standing)
	}
	// Both had bought twice or more; together more often than either.
	var detail struct{ Frequency int }
	if err := json.Unmarshal([]byte(current(t, conn)[1][PAlive].Detail), &detail); err != nil {
		t.Fatal(err)
	}
	if want := customers[1].Frequency + customers[2].Frequency; detail.Frequency <= want-1 {
		t.Errorf("frequency %d after the merge of %d and %d", detail.Frequency, customers[1].Frequency, customers[2].Frequency)
	}
}

// Too little data withdraws what was said before: a number of yesterday is not
// an answer to "not enough data".
func TestNotEnoughDataWithdraws(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn := warehousetest.NewTestDatabase(t)
	facts, _ := cdnow(t)
	insertFacts(t, conn, facts)
	w := worker(t, conn, at(calibrationEnd), nil)
	if _, err := w.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(current(t, conn)); n == 0 {
		t.Fatal("no scores")
	}
	if err := conn.Exec(t.Context(), "TRUNCATE TABLE transaction_facts"); err != nil {
		t.Fatal(err)
	}
	insertFacts(t, conn, facts[:40])
	s, err := w.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s.NotEnoughData, "at least 100 are needed") || s.CustomersWithValue != 0 {
		t.Errorf("%+v", s)
	}
	if scores := current(t, conn); len(scores) != 0 {
		t.Errorf("%d profiles keep scores", len(scores))
	}
	// A reader of one profile sees it as well.
	var newest uint64
	if err := conn.QueryRow(t.Context(), `SELECT profile_id FROM scores
WHERE workspace = 'main' AND profile_id IN (1, 0) AND score = 'lifetime_value_1y'
ORDER BY computed_at DESC, profile_id = 0 LIMIT 1`).Scan(&newest); err != nil {
		t.Fatal(err)
	}
	if newest != 0 {
		t.Error("the newest row of profile 1 is its old score")
	}
}

func TestEmptyWorkspace(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	s, err := worker(t, conn, at(start), nil).Refresh(t.Context())
	if err != nil || s.NotEnoughData == "" || s.Customers != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// Run refreshes at once and on request, and ends with its context.
func TestRun(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	started := make(chan struct{}, 100)
	w := worker(t, conn, func() time.Time {
		started <- struct{}{}
		return start
	}, func(c *Config) { c.Period = time.Hour })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	// An empty refresh asks the clock at its start, when it writes, and at its
	// end; an unchanged one at its start and end.
	for range 3 {
		<-started
	}
	w.Request()
	for range 2 {
		<-started
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestConfigValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	bad := Config{Margin: 2}
	err := bad.Validate()
	for _, part := range []string{"no workspace", "period and timeout", "margin", "model", "confidence"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
	if _, err := New(DefaultConfig(), Deps{}); err == nil {
		t.Error("New without dependencies")
	}
}

// Whose processing is restricted has no score and teaches the models nothing, also when
// the restriction is held by what was merged into them; released they are as before.
func TestRestrictedAreNotValued(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn := warehousetest.NewTestDatabase(t)
	facts, customers := cdnow(t)
	insertFacts(t, conn, facts)
	w := worker(t, conn, at(calibrationEnd), nil)
	refreshed := func() (map[uint64]map[string]row, int) {
		t.Helper()
		s, err := w.Refresh(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return current(t, conn), s.Customers
	}
	before, n := refreshed()
	var who uint64
	for id := range customers {
		if before[id] != nil && (who == 0 || id < who) {
			who = id
		}
	}
	const email = 1 << 40
	assign(t, conn, 1, email, who)
	restrict := func(revision int, restricted bool) {
		t.Helper()
		if err := conn.Exec(t.Context(), "INSERT INTO restrictions (workspace, identifier_id, revision, restricted, changed_at) VALUES ('main', ?, ?, ?, ?)", uint64(email), revision, restricted, calibrationEnd); err != nil {
			t.Fatal(err)
		}
	}
	restrict(1, true)
	if at := current(t, conn); at[who] != nil || len(at) != len(before)-1 {
		t.Errorf("%d of %d profiles have scores at once, the restricted one %v", len(at), len(before), at[who])
	}
	if after, left := refreshed(); after[who] != nil || left != n-1 {
		t.Errorf("%d of %d customers are refreshed, the restricted one has %v", left, n, after[who])
	}
	restrict(2, false)
	if after, all := refreshed(); all != n || !cmp.Equal(before, after) {
		t.Errorf("%d of %d customers after the release:\n%s", all, n, cmp.Diff(before[who], after[who]))
	}
}
