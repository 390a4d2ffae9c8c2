package identity

import (
	"errors"
	"fmt"
	"math"
)

// Review is a part of the review queue of a workspace: scored pairs of records,
// by the model in force, whose profiles are two and whom nobody has decided
// about. It holds the pairs between the review threshold and the link threshold,
// and those above it that a rule or the rest of their profiles kept apart.
//
// The order is that of what a decision is worth, the greatest first:
//
//	worth       = uncertainty × stake
//	uncertainty = -p·log2(p) - (1-p)·log2(1-p)   below the link threshold
//	            = 1                              from it on
//	stake       = mass(profile of A) + mass(profile of B)
//	mass        = log2(1 + identifiers + events) + log2(1 + value)
//
// Uncertainty is the entropy of the probability p of a match, in bits: what an
// answer tells beyond what is known. Of a pair above the link threshold that did
// not join two things that Kindred holds contradict each other, the model and
// what refused it; neither is taken for surer than the other, so it is even odds,
// one bit, and the model's own certainty, which would put such a pair last, does
// not count. The stake is what an answer would put right or wrong: the history of
// both profiles and what they are expected to spend, so that a pair of two full
// profiles comes before one of a full and an empty one. Logarithms, because a
// customer of ten times as many events is not ten times as much of a question,
// and so that the unit of value only adds the same to every profile that has one.
type Review struct {
	Model string // in force; empty for none, and then the queue is empty
	// ReviewThreshold and LinkThreshold are those of the rules, in hundredths of a
	// bit.
	ReviewThreshold, LinkThreshold int64
	// Waiting is the length of the queue, some seconds old. It is not counted where
	// one pair is asked for.
	Waiting int
	// Questions are in order, and Next is the cursor of those after them; empty at
	// the end.
	Questions []Question
	Next      ReviewCursor
	// Standing is that of the pair that was asked for, if one was.
	Standing ReviewStanding
}

// MaxReview is how many of the pairs that wait are put in order; further ones
// come up as those are decided. Those are kept that matter most by identifiers
// alone.
const MaxReview = 2000

// ReviewQuery asks for a part of the queue.
type ReviewQuery struct {
	Limit int // at most MaxReviewPage
	After ReviewCursor
	// Pair asks for one pair alone, wherever it is; its keys in order.
	Pair *[2]Key
}

// MaxReviewPage bounds a part of the queue.
const MaxReviewPage = 100

// Question is a pair that waits for a decision.
type Question struct {
	A, B ReviewRecord // in order of key
	// Link is the score of the pair with what it is made of.
	Link LinkScore
	// Worth, Uncertainty and Stake place it in the queue.
	Worth, Uncertainty, Stake float64
	// Barrier is what keeps the two profiles apart: of the kind weight where their
	// likeness is less than the link threshold asks for.
	Barrier Barrier
}

// ReviewRecord is one of the two records, with what hangs on it.
type ReviewRecord struct {
	Record  Identifier
	Key     Key
	Profile ProfileID
	Stake   Stake
}

// Stake is what hangs on the identity of a profile.
type Stake struct {
	Identifiers int
	Events      uint64
	Value       float64 // expected spending within a year, in the unit of its score
}

// Mass weighs s; see Review.
func (s Stake) Mass() float64 {
	return math.Log2(1+float64(s.Identifiers)+float64(s.Events)) + math.Log2(1+max(0, s.Value))
}

// Uncertainty returns that of a pair of two profiles; see Review.
func Uncertainty(weight, linkThreshold int64) float64 {
	if weight >= linkThreshold {
		return 1
	}
	p := LinkProbability(weight)
	if p <= 0 || p >= 1 {
		return 0
	}
	return -p*math.Log2(p) - (1-p)*math.Log2(1-p)
}

// ReviewStanding says whether a pair of records waits in the review queue, or why
// it does not.
type ReviewStanding string

// The standings.
const (
	ReviewWaiting   ReviewStanding = "waiting"
	ReviewUnknown   ReviewStanding = "unknown"     // the model in force scored no such pair
	ReviewWithdrawn ReviewStanding = "withdrawn"   // scored below the review threshold
	ReviewMuted     ReviewStanding = "muted"       // a record is blocked, generic or gone
	ReviewMerged    ReviewStanding = "one_profile" // the two are one profile
	ReviewDecided   ReviewStanding = "decided"     // somebody has said that the two are different
)

// ReviewCursor is a place in the queue, as text. Whoever pages passes it on as it
// is. Pairs that come, go or are worth something else meanwhile may be missed or
// met twice by who pages on; who begins again sees all.
type ReviewCursor string

// NewReviewCursor returns the place after a question.
func NewReviewCursor(worth float64, a, b Key) ReviewCursor {
	return ReviewCursor(fmt.Sprintf("%016x%016x%016x", math.Float64bits(worth), uint64(a), uint64(b)))
}

// ErrReviewCursor reports a text that is no cursor of the review queue.
var ErrReviewCursor = errors.New("is no cursor of the review queue")

// Place reads the cursor; that of an empty one is the begin.
func (c ReviewCursor) Place() (worth float64, a, b Key, err error) {
	if c == "" {
		return math.Inf(1), 0, 0, nil
	}
	var bits, low, high uint64
	if n, err := fmt.Sscanf(string(c), "%16x%16x%16x", &bits, &low, &high); len(c) != 48 || n != 3 || err != nil {
		return 0, 0, 0, ErrReviewCursor
	}
	if worth = math.Float64frombits(bits); math.IsNaN(worth) {
		return 0, 0, 0, ErrReviewCursor
	}
	return worth, Key(low), Key(high), nil
}
