package forecast

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/features"
)

// TestLifeOfAModel declares a model, and follows it: it is trained, scores everybody, and
// who changes, is held against a challenger and against what happened, and ends.
func TestLifeOfAModel(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestResponse sees its goroutines")
	}
	w := newWorld(t, 1200, 1)
	w.live(0, 160)
	w.now = day(160)
	w.put(1, "will_buy", `{"target":{"ready":"purchase"},"horizon":"30d"}`)
	m := w.look("will_buy")
	if m.State != StateReady || m.Champion == "" || m.Champion != m.Latest || m.Scored < 1100 || !m.ScoredAt.After(w.now.Add(-time.Second)) {
		t.Fatalf("the model is %+v", m)
	}
	w.cardOf(m)
	scored := uint64(w.number("(SELECT count() " + standing("will_buy") + ")"))
	if people := uint64(w.number("(SELECT uniq(profile_id) " + standing("will_buy") + ")")); scored != m.Scored || people != scored {
		t.Errorf("%d rows of %d profiles, want %d", scored, people, m.Scored)
	}
	if n := w.number("(SELECT countIf(NOT (lower <= value AND value <= upper AND lower >= 0 AND upper <= 1 AND JSONLength(detail, 'reasons') <= 3)) " + standing("will_buy") + ")"); n != 0 {
		t.Errorf("%v scores are out of order", n)
	}
	events := w.number("(SELECT count() FROM model_events)")
	if w.look("will_buy"); w.number("(SELECT count() FROM model_events)") != events {
		t.Error("a second look did something")
	}
	w.follow(t, m)
	w.challenge(t, m)
	w.ripen(t)
	w.now = day(192)
	w.decide(9, "will_buy", Change{Kind: Archive, Expected: 1})
	if err := w.worker.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.number("(SELECT count() " + standing("will_buy") + ")"); n != 0 {
		t.Errorf("%v scores stand after the end of the model", n)
	}
	if _, err := NewStore(w.conn).Get(t.Context(), workspace, "will_buy"); !errors.Is(err, ErrNoModel) {
		t.Errorf("the model ended, and is there: %v", err)
	}
}

// cardOf holds the card against what the model must be.
func (w *world) cardOf(m *Model) {
	w.t.Helper()
	c, err := NewStore(w.conn).Card(w.t.Context(), workspace, m.Name, "")
	if err != nil {
		w.t.Fatal(err)
	}
	uses := []string{}
	for _, moment := range c.Moments {
		uses = append(uses, moment.Use)
		if end := moment.AsOf.Add(30 * 24 * time.Hour); end.After(w.now) || moment.Positives < 50 {
			w.t.Errorf("moment %+v at %v", moment, w.now)
		}
	}
	if !slices.Equal(uses, []string{"train", "train", "calibrate", "test"}) || c.Knowledge != features.Received || !c.Champion {
		w.t.Errorf("moments are for %v, knowledge is %s", uses, c.Knowledge)
	}
	if c.Metrics.AUC < .65 || !c.Baselines["base_rate"].Beaten.Better || c.Baselines["single_feature"].Rows == 0 || c.Baselines["recency"].AUC < .55 || c.Metrics.ECE > .05 {
		w.t.Errorf("measures are %+v beside %+v", c.Metrics, c.Baselines)
	}
	for _, f := range c.Features {
		if strings.Contains(f.Feature, "Order Completed") {
			w.t.Errorf("what is foretold is the feature %s", f.Feature)
		}
	}
	if c.Check == nil || c.Check.Profiles != m.Scored || c.Check.PSI > .25 || len(c.Check.Drift) == 0 || c.Check.Realised != nil {
		w.t.Errorf("the check is %+v", c.Check)
	}
	if text, err := json.Marshal(c); err != nil || strings.Contains(string(text), "null,") {
		w.t.Errorf("the card is %s (%v)", text, err)
	}
}

// follow lets somebody do something: they alone have a new score.
func (w *world) follow(t *testing.T, m *Model) {
	t.Helper()
	w.now = w.now.Add(time.Hour)
	before := w.number("(SELECT max(computed_at) FROM scores)")
	for i := range 9 {
		w.add(event{7, w.now.Add(-time.Duration(i+1) * time.Minute), "Product Viewed", false})
	}
	w.worker.Changed(workspace, identity.Key(person(7)), identity.Key(person(5000)))
	w.worker.Changed("other", 1)
	w.look(m.Name)
	if want := []identity.ProfileID{identity.ProfileID(person(7))}; !slices.Equal(w.told, want) {
		t.Errorf("told of %v, want %v", w.told, want)
	}
	newer := "(SELECT count() FROM scores WHERE toFloat64(computed_at) > " + digits(before) + ")"
	if n := w.number(newer); n != 1 {
		t.Errorf("%v scores were computed, want 1", n)
	}
	if n := w.number("(SELECT argMax(value, computed_at) > argMin(value, computed_at) " + standing(m.Name) + " AND profile_id = 1007)"); n != 1 {
		t.Error("nine visits leave the score as it was")
	}
}

func digits(n float64) string {
	text, _ := json.Marshal(math.Round(n*1000) / 1000)
	return string(text)
}

// challenge orders a training on the same answers: the challenger is not better, and the
// champion stays, until somebody promotes it.
func (w *world) challenge(t *testing.T, m *Model) {
	t.Helper()
	w.decide(2, m.Name, Change{Kind: Train})
	w.worker.cfg.Propensity.Logistic.L2 = 1e8 // Worse.
	after := w.look(m.Name)
	if after.Champion != m.Champion || after.Latest == m.Champion || !strings.Contains(after.Reason, "stays") {
		t.Fatalf("after a worse challenger the model is %+v", after)
	}
	c, err := NewStore(w.conn).Card(t.Context(), workspace, m.Name, after.Latest)
	if err != nil || c.Champion || c.Against == nil || c.Against.Version != m.Champion || c.Against.Better {
		t.Errorf("the card of the challenger is %+v (%v)", c, err)
	}
	w.decide(3, m.Name, Change{Kind: Promote, Version: after.Latest})
	if promoted := w.look(m.Name); promoted.Champion != after.Latest || promoted.State != StateReady {
		t.Errorf("promoted, the model is %+v", promoted)
	}
	if n := w.number("(SELECT count() " + standing(m.Name) + " AND model_version != '" + after.Latest + "')"); n != 0 {
		t.Errorf("%v scores of the old version stand", n)
	}
	w.worker.cfg.Propensity.Logistic.L2 = 2
	w.decide(4, m.Name, Change{Kind: Train})
	if better := w.look(m.Name); better.Champion == after.Latest {
		t.Errorf("after a better challenger the model is %+v", better)
	}
}

// ripen lets the horizon pass: what was foretold is held against what happened, and the
// schedule trains again.
func (w *world) ripen(t *testing.T) {
	t.Helper()
	w.live(160, 191)
	w.now = day(191).Add(2 * time.Hour)
	trained := w.number("(SELECT countIf(event = 'trained') FROM model_events)")
	w.look("will_buy")
	if n := w.number("(SELECT countIf(event = 'trained') FROM model_events)"); n != trained+1 {
		t.Errorf("%v trainings after a month, want %v", n, trained+1)
	}
	c, err := NewStore(w.conn).Card(t.Context(), workspace, "will_buy", "")
	if err != nil || c.Check == nil || c.Check.Realised == nil {
		t.Fatalf("nothing is told of what happened: %+v (%v)", c, err)
	}
	if r := c.Check.Realised; r.Profiles < 1100 || math.Abs(r.Expected-r.Observed) > .05 || r.AUC < .6 || !r.AsOf.Before(day(161)) {
		t.Errorf("what happened is %+v", r)
	}
}

// TestRefusals declares what cannot be learnt: of too few answers, of too short a history,
// of what nothing tells, and of what is told by one feature alone.
func TestRefusals(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := newWorld(t, 600, 3)
	w.live(0, 130)
	w.now = day(130)
	for i := range 20 {
		w.add(event{i, day(20 + 5*i), "Rare", false})
	}
	w.put(1, "rare", `{"target":{"event":"Rare"},"horizon":"20d"}`)
	w.put(2, "long", `{"target":{"ready":"purchase"},"horizon":"90d"}`)
	w.put(3, "coin", `{"target":{"event":"Coin Tossed"},"horizon":"20d"}`)
	if err := w.worker.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, why := range map[string]string{"rare": "at least 50 of each", "long": "goes back 129 days; 360 are needed", "coin": "no more than the base rate"} {
		if m, err := NewStore(w.conn).Get(t.Context(), workspace, name); err != nil || m.State != StateRefused || m.Champion != "" || !strings.Contains(m.Reason, why) {
			t.Errorf("%s is %+v (%v)", name, m, err)
		}
	}
	if n := w.number("(SELECT count() FROM scores)"); n != 0 {
		t.Errorf("%v scores of no model", n)
	}
	events := w.number("(SELECT count() FROM model_events)")
	if w.look("rare"); w.number("(SELECT count() FROM model_events)") != events {
		t.Error("what was refused is tried again at once")
	}
	var often []event
	for i := range 300 { // Half of the town reads the letter every week, and nobody else.
		for n := 0; n < 130; n += 7 {
			often = append(often, event{i, day(n).Add(time.Hour), "Letter Read", false})
		}
	}
	w.add(often...)
	w.put(4, "reads", `{"target":{"event":"Letter Read"},"horizon":"20d","allow":["target"]}`)
	if m := w.look("reads"); m.State != StateStopped || !strings.Contains(m.Reason, "Letter Read] alone has an AUC of 1.000") {
		t.Errorf("told by one feature alone the model is %+v", m)
	}
}

// TestKnowledge trains on a history that was imported: all of it came today.
func TestKnowledge(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := newWorld(t, 800, 5)
	w.received = func(time.Time) time.Time { return day(129) }
	w.live(0, 130)
	w.now = day(130)
	w.put(1, "strict", `{"target":{"ready":"purchase"},"horizon":"20d","knowledge":"received"}`)
	w.put(2, "lenient", `{"target":{"ready":"churn"},"horizon":"20d","eligible":{"all":[]}}`)
	if m := w.look("strict"); m.State != StateRefused || !strings.Contains(m.Reason, "history of received") {
		t.Errorf("by what was received the model is %+v", m)
	}
	m := w.look("lenient")
	c, err := NewStore(w.conn).Card(t.Context(), workspace, "lenient", "")
	if err != nil {
		t.Fatalf("%+v: %v", m, err)
	}
	if c.Knowledge != features.EventTime || !strings.Contains(c.Identity, "as it is today") || !slices.ContainsFunc(c.Limits, func(s string) bool { return strings.Contains(s, "late data") }) {
		t.Errorf("the card says %s, %q, %q", c.Knowledge, c.Identity, c.Limits)
	}
	// Churn is of those who have bought, and half of the people are eligible.
	if n := w.number("(SELECT countIf(profile_id % 2 = 1) " + standing("lenient") + ")"); n != 0 || m.Scored == 0 || m.Scored > 400 {
		t.Errorf("%v scores of who is not eligible, of %d", n, m.Scored)
	}
	// Who is eligible is asked of everybody: those who change wait for each other.
	who := identity.Key(w.number("(SELECT min(profile_id) " + standing("lenient") + ")"))
	for i, want := range []int{1, 1, 2} {
		w.now = w.now.Add([]time.Duration{time.Hour, time.Second, time.Minute}[i])
		if w.worker.Changed(workspace, who); i > 0 {
			w.worker.Changed(workspace, who+1) // Of no person, or not eligible.
		}
		if w.look("lenient"); len(w.told) != want {
			t.Errorf("after look %d, %v were told, want %d", i, w.told, want)
		}
	}
}

func TestDefinitions(t *testing.T) {
	f := func(definition string, pointers ...string) {
		t.Helper()
		_, err := Parse([]byte(definition))
		var got []string
		var invalid *Invalid
		if errors.As(err, &invalid) {
			for _, fault := range invalid.Faults {
				got = append(got, fault.Pointer)
			}
		}
		if !cmp.Equal(got, pointers) {
			t.Errorf("%s: %v, want faults at %v", definition, err, pointers)
		}
	}
	f(`{"target":{"event":"A"},"horizon":"30d"}`)
	f(`{"target":{"ready":"repeat"},"horizon":"365d","gap":"0d","schedule":"never","knowledge":"event_time","minimum_positives":10,"allow":["a"],"eligible":{"trait":"x"},"description":"why"}`)
	f(`{"target":{"ready":"response","channel":"email"},"horizon":"14d"}`)
	f(`{"target":{"ready":"response"},"horizon":"14d"}`, "/target/channel")
	f(`{"target":{"ready":"churn","channel":"email"},"horizon":"14d"}`, "/target/channel")
	f(`{}`, "/target", "/horizon")
	f(`{"target":{"event":"A","ready":"churn"},"horizon":"366d","gap":"1h","schedule":"0d"}`, "/target", "/horizon", "/gap", "/schedule")
	f(`{"target":{"ready":"luck"},"horizon":"30d","knowledge":"all","minimum_positives":9}`, "/target/ready", "/knowledge", "/minimum_positives")
	f(`{"target":{"event":"A"},"horizon":"30d","more":1}`, "/more")
	f(`{"target":{"event":"A"},"horizon":"30d","a value <of> somebody":1}`, "")
	f(`{"target":{"event":7},"horizon":"30d"}`, "/target/event")
	f(`[]`, "")
	for name, valid := range map[string]bool{"will_buy": true, "a-1": true, "p_alive": false, "next_product": false, "lifetime": false, "": false, "1a": false, "A": false} {
		if ValidName(name) != valid {
			t.Errorf("name %q is valid: %v", name, !valid)
		}
	}
}
