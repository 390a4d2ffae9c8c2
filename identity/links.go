package identity

import (
	"errors"
	"fmt"
	"math"
)

// HeaderLinks is the header that tells scored pairs of records from evidence and
// commands on the topic of evidence. They travel there because their effect is
// part of the same ledger: one owner stores them, under the same fence.
const HeaderLinks = "kindred-links"

// Links is a batch of scored pairs of records: what one model of linkage said of
// them at one time. A score is an entry of the ledger like evidence: of the
// scores of one pair by one model the greatest (ScoredAt, Weight) stands, so
// that batches may come in any order and any number. A later score below the
// review threshold of the rules takes the pair back, and Unsupported does where
// the model does not compare the two any more; there is no other retraction.
//
// Records are named by the values of their identifiers, not by keys. The owner
// makes the keys, in the namespace record: whoever scores needs no secret, and
// can never score what is no record, such as an e-mail address. A score says
// nothing of the records on their own: it counts from their first sightings on.
type Links struct {
	Workspace string
	Model     string // version of the frozen model
	ScoredAt  int64  // milliseconds since 1970 UTC
	Pairs     []RecordLink
}

// RecordLink is one scored pair, in any order.
type RecordLink struct {
	A, B string // "<source>/<id>", as identifiers of the namespace record are written
	// Weight is the log2 odds of a match in hundredths of a bit.
	Weight int64
	// Contributions explain Weight. They may be left out.
	Contributions []Contribution
}

// Contribution is what one field says for (above 0) or against two records being
// one person, in hundredths of a bit. The contributions of a pair add up to its
// weight, but for rounding and bounds of the model; what the model assumes before
// it looks at any field is one of them.
//
// Field and Level are words of the model and never values of records: they are
// shown to whoever may ask why, and kept when a person is erased.
type Contribution struct {
	Field  string `json:"field"`
	Level  string `json:"level,omitempty"` // how the two compare, such as "equal" or "one letter off"
	Weight int64  `json:"weight"`
}

// Unsupported is the weight of a pair that its model no longer finds any reason
// to compare.
const Unsupported = math.MinInt32

// Bounds of a batch. Whoever has more makes several.
const (
	MaxLinks         = 2000 // pairs
	MaxContributions = 64   // of one pair
	maxLinkName      = 200  // bytes of a workspace, model, field or level
	maxRecord        = 512  // bytes of the value of a record
)

// LinkScore is the standing score of a pair of records, in explanations.
type LinkScore struct {
	Model  string `json:"model"`
	Weight int64  `json:"weight"` // hundredths of a bit
	// Probability is that of a match, by the weight alone: LinkProbability.
	Probability   float64        `json:"probability"`
	ScoredAt      int64          `json:"scored_at"` // milliseconds since 1970 UTC
	Contributions []Contribution `json:"contributions,omitempty"`
}

// LinkProbability returns the probability of a match whose log2 odds are weight
// hundredths of a bit.
func LinkProbability(weight int64) float64 { return 1 / (1 + math.Exp2(-float64(weight)/100)) }

// The range of times that the tables hold.
const (
	leastLinkTime    = -2208902400000 // 1900-01-02
	greatestLinkTime = 9214646400000  // 2262-01-01
)

// Validate reports the first thing that is wrong with l, and never a value.
func (l *Links) Validate() error {
	switch {
	case l.Workspace == "" || len(l.Workspace) > maxLinkName:
		return fmt.Errorf("workspace must be 1 to %d bytes", maxLinkName)
	case l.Model == "" || len(l.Model) > maxLinkName:
		return fmt.Errorf("model must be 1 to %d bytes", maxLinkName)
	case l.ScoredAt < leastLinkTime || l.ScoredAt > greatestLinkTime:
		return errors.New("scored at lies outside the years 1900 to 2261")
	case len(l.Pairs) == 0 || len(l.Pairs) > MaxLinks:
		return fmt.Errorf("links must have 1 to %d pairs", MaxLinks)
	}
	for i := range l.Pairs {
		if err := l.Pairs[i].validate(); err != nil {
			return fmt.Errorf("pair %d: %w", i+1, err)
		}
	}
	return nil
}

func (p *RecordLink) validate() error {
	switch {
	case p.A == "" || len(p.A) > maxRecord || p.B == "" || len(p.B) > maxRecord:
		return fmt.Errorf("a record must be 1 to %d bytes", maxRecord)
	case p.A == p.B:
		return errors.New("a record is scored with itself")
	case p.Weight != int64(int32(p.Weight)):
		return errors.New("weight must fit into 32 bits")
	case len(p.Contributions) > MaxContributions:
		return fmt.Errorf("a pair has at most %d contributions", MaxContributions)
	}
	for _, c := range p.Contributions {
		if c.Field == "" || len(c.Field) > maxLinkName || len(c.Level) > maxLinkName {
			return fmt.Errorf("the field and level of a contribution must be at most %d bytes, and a field not empty", maxLinkName)
		}
		if c.Weight != int64(int32(c.Weight)) {
			return errors.New("the weight of a contribution must fit into 32 bits")
		}
	}
	return nil
}
