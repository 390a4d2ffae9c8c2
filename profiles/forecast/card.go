package forecast

import (
	"fmt"
	"time"

	"github.com/kindred-cdp/kindred/profiles/features"
	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// Card is a version for people: what it was learnt from, how good it is beside three
// baselines, and what it cannot do.
type Card struct {
	Model     string    `json:"model"`
	Version   string    `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	Champion  bool      `json:"champion"`
	Purpose   string    `json:"purpose"`
	Target    Target    `json:"target"`
	Horizon   string    `json:"horizon"`
	Gap       string    `json:"gap"`
	// Segment says that a segment restricts who is eligible.
	Segment   bool               `json:"segment"`
	Knowledge features.Knowledge `json:"knowledge"`
	Identity  string             `json:"identity"`
	Moments   []Moment           `json:"moments"`
	DataHash  string             `json:"data_sha256"`
	Minimum   int                `json:"minimum_positives"`
	Currency  string             `json:"currency"`

	Family      propensity.Family      `json:"family"`
	Reason      string                 `json:"reason"`
	Calibration string                 `json:"calibration"`
	Features    []propensity.Weight    `json:"features"`
	Excluded    []propensity.Exclusion `json:"excluded"`
	Leaks       []propensity.Leak      `json:"leaks"`

	Metrics     propensity.Metrics             `json:"metrics"`
	Intervals   map[string]propensity.Interval `json:"intervals"`
	Baselines   map[string]propensity.Baseline `json:"baselines"`
	Reliability []propensity.Bin               `json:"reliability"`
	Prior       prior                          `json:"prior_shift"`
	Drift       []propensity.Drift             `json:"drift"`
	// Against compares it with the champion of its time, on the examples that judge.
	Against *Against `json:"against_champion,omitempty"`
	Limits  []string `json:"limits"`
	// Check is what was seen of it since; nil before the first whole run.
	Check *Check `json:"check,omitempty"`
}

// Moment is when examples are of, and what they are for.
type Moment struct {
	AsOf      time.Time `json:"as_of"`
	Use       string    `json:"use"` // train, calibrate or test
	Rows      int       `json:"rows"`
	Positives int       `json:"positives"`
}

// Against is a comparison with the champion.
type Against struct {
	Version string `json:"version"`
	propensity.Comparison
}

// identityText says by which identity the examples are.
func identityText(k features.Knowledge, then bool) string {
	switch {
	case k == features.Received:
		return "as it was held to be at each moment"
	case then:
		return "as the evidence of before each moment gives it, by the rules of today"
	}
	return "as it is today: a later merge can tell of what is foretold"
}

// newCard describes what was learnt.
func newCard(name string, d Definition, e *examples, l *learnt, r *propensity.Result, then bool, at time.Time) *Card {
	m := l.Model
	c := &Card{
		Model: name, CreatedAt: at, Purpose: d.Description, Target: d.Target, Horizon: d.Horizon, Gap: d.Gap, Segment: len(d.Eligible) > 0,
		Knowledge: e.knowledge, Identity: identityText(e.knowledge, then), DataHash: e.hash(), Minimum: d.minPositives(), Currency: e.catalogue.Currency,
		Family: m.Family, Reason: m.Reason, Calibration: m.Calibration.Kind, Features: m.Weights(),
		Excluded: append([]propensity.Exclusion{}, r.Exclusions...), Leaks: append([]propensity.Leak{}, r.Leaks...),
		Metrics: r.Metrics, Intervals: r.Intervals, Baselines: r.Baselines, Reliability: r.Reliability, Prior: l.Prior, Drift: r.Drift,
	}
	if c.Gap == "" {
		c.Gap = "0d"
	}
	from := 0
	for i, at := range e.moments {
		use := "train"
		switch i {
		case len(e.moments) - 2:
			use = "calibrate"
		case len(e.moments) - 1:
			use = "test"
		}
		c.Moments = append(c.Moments, Moment{at, use, e.counts[i], positives(e.y[from : from+e.counts[i]])})
		from += e.counts[i]
	}
	c.Limits = limits(d, e, c)
	return c
}

// limits are what a reader must know before they rely on a version.
func limits(d Definition, e *examples, c *Card) []string {
	list := []string{
		"The probability is that of the whole horizon, for people as they were in the examples; it does not say what would change it.",
		"It is trained on the moments before the last, and judged on the last, which it has not seen. The moment that calibrates also trains, once the calibration was chosen on models that had not seen it.",
		"A person who is two profiles at a moment counts as two examples, with the answer of the person.",
	}
	if e.knowledge == features.EventTime {
		list = append(list, "What had happened counts from the time it happened, whenever it came: late data is known earlier than it will be in use. Identity is "+c.Identity+".")
	}
	if len(d.Eligible) > 0 {
		list = append(list, "Who was eligible at a moment is by the events of up to then, and by the traits and the identity of today.")
	}
	if d.Target.Ready == Response {
		list = append(list, "The examples are people who were contacted on the channel: of people who never are, or by other choice than in the examples, it tells less. A response is a click or a reply within the horizon, after a message in it; opens are not counted, because mail programs open by themselves.")
	}
	if e.last > 1 {
		list = append(list, fmt.Sprintf("Examples are of one in %d profiles.", e.last))
	}
	if !c.Baselines["single_feature"].Beaten.Better {
		list = append(list, "It is not better than the feature "+c.Baselines["single_feature"].Feature+" alone, by more than the standard error.")
	}
	return list
}
