package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// The review queue has two routes. A decision has one of its own, though it ends
// as a command like any other, because it is about a pair and not about
// identifiers: the pair's name holds no value, so whoever may not see values can
// name it, and a pair that does not wait any more is refused before anything is
// sent. What the command is, who gave it and how it is undone is as with every
// command.
const (
	reviewPattern   = "/v1/identity/review"
	decisionPattern = reviewPattern + "/:pair/decision"
)

// reviewLimit is the length of a part of the queue where none is asked for.
const reviewLimit = 20

// ReviewAnswer is a part of the review queue, in order, or what there is to say of
// one pair.
type ReviewAnswer struct {
	Model           string `json:"model"` // in force; empty for none
	ReviewThreshold int64  `json:"review_threshold"`
	LinkThreshold   int64  `json:"link_threshold"`
	// Waiting is the length of the queue, some seconds old. Standing, Pair and
	// Detail are there where one pair was asked for, and Waiting is not.
	Waiting   *int                    `json:"waiting,omitempty"`
	Standing  identity.ReviewStanding `json:"standing,omitempty"`
	Pair      string                  `json:"pair,omitempty"`
	Detail    string                  `json:"detail,omitempty"`
	Questions []ReviewQuestion        `json:"questions"`
	Next      identity.ReviewCursor   `json:"next,omitempty"`
}

// ReviewQuestion is a pair that waits.
type ReviewQuestion struct {
	Pair string     `json:"pair"` // names it in a decision
	A    ReviewSide `json:"a"`
	B    ReviewSide `json:"b"`
	Link LinkScore  `json:"link"`
	// Worth is Uncertainty, in bits, times Stake: the order of the queue.
	Worth       float64          `json:"worth"`
	Uncertainty float64          `json:"uncertainty"`
	Stake       float64          `json:"stake"`
	Barrier     ExplainedBarrier `json:"barrier"`
	Traits      []ReviewTrait    `json:"traits"`
}

// ReviewSide is one of the two records, with its profile.
type ReviewSide struct {
	Record      ShownIdentifier    `json:"record"`
	Key         identity.ProfileID `json:"key"` // finds the profile, like any id
	Profile     identity.ProfileID `json:"profile"`
	Identifiers int                `json:"identifiers"`
	Events      uint64             `json:"events"`
	Value       float64            `json:"value"`
}

func (s *Server) reviewRoutes() []route {
	return []route{
		{http.MethodGet, reviewPattern, RoleRead, s.getReview},
		{http.MethodPost, decisionPattern, RoleAdmin, s.postDecision},
	}
}

// getReview answers with the queue, or with one pair where the query names two
// records.
func (s *Server) getReview(c *gin.Context) error {
	graph, err := s.graph()
	if err != nil {
		return err
	}
	ask, named, err := s.reviewQuery(c)
	if err != nil {
		return err
	}
	found, err := graph.Review(c.Request.Context(), workspaceOf(c), ask)
	if err != nil {
		return err
	}
	r := ReviewAnswer{
		Model: found.Model, ReviewThreshold: found.ReviewThreshold, LinkThreshold: found.LinkThreshold, Next: found.Next,
		Waiting: &found.Waiting, Questions: make([]ReviewQuestion, len(found.Questions)),
	}
	if ask.Pair != nil {
		r.Waiting, r.Standing, r.Pair, r.Detail = nil, found.Standing, pairName(*ask.Pair), standingDetail[found.Standing]
	}
	v := s.veil(c, named...)
	traits, err := s.reviewTraits(c, v, found.Questions)
	if err != nil {
		return err
	}
	for i, q := range found.Questions {
		concerns(c, q.A.Key, q.B.Key)
		r.Questions[i] = ReviewQuestion{
			Pair: pairName([2]identity.Key{q.A.Key, q.B.Key}), A: v.side(q.A), B: v.side(q.B), Link: *linkScore(&q.Link),
			Worth: q.Worth, Uncertainty: q.Uncertainty, Stake: q.Stake, Traits: traits[i],
			Barrier: ExplainedBarrier{Kind: q.Barrier.Kind, Detail: q.Barrier.Detail, From: v.end(q.Barrier.From), To: v.end(q.Barrier.To)},
		}
	}
	return send(c, r)
}

func (v veil) side(r identity.ReviewRecord) ReviewSide {
	return ReviewSide{
		Record: v.show(r.Record), Key: identity.ProfileID(r.Key), Profile: r.Profile,
		Identifiers: r.Stake.Identifiers, Events: r.Stake.Events, Value: r.Stake.Value,
	}
}

// reviewQuery reads what part of the queue is asked for, or which pair.
func (s *Server) reviewQuery(c *gin.Context) (ask identity.ReviewQuery, named []identity.Identifier, err error) {
	ask = identity.ReviewQuery{Limit: reviewLimit, After: identity.ReviewCursor(c.Query("after"))}
	if text, ok := c.GetQuery("limit"); ok {
		if ask.Limit, err = strconv.Atoi(text); err != nil || ask.Limit < 1 || ask.Limit > identity.MaxReviewPage {
			return ask, nil, badRequest(fmt.Sprintf("the query parameter \"limit\" must be 1 to %d", identity.MaxReviewPage))
		}
	}
	if _, _, _, err := ask.After.Place(); err != nil {
		return ask, nil, err
	}
	_, a := c.GetQuery("a")
	_, b := c.GetQuery("b")
	switch text, pair := c.GetQuery("pair"); {
	case pair && (a || b):
		return ask, nil, badRequest("the query names a pair by \"pair\", or by \"a\" and \"b\", not both")
	case pair:
		p, err := parsePair(text)
		ask.Pair = &p
		return ask, nil, err
	case !a && !b:
		return ask, nil, nil
	}
	return s.reviewRecords(c, ask)
}

// reviewRecords reads the two records of a pair.
func (s *Server) reviewRecords(c *gin.Context, ask identity.ReviewQuery) (_ identity.ReviewQuery, named []identity.Identifier, err error) {
	keyer := s.deps.Keyer(workspaceOf(c))
	var keys []identity.Key
	for _, name := range []string{"a", "b"} {
		id, err := s.identifierQuery(c, name)
		if err != nil {
			return ask, nil, err
		}
		named, keys = append(named, id), append(keys, keyer.Key(id))
	}
	if keys[0] == keys[1] {
		return ask, nil, badRequest("the query parameters \"a\" and \"b\" are the same record")
	}
	slices.Sort(keys)
	ask.Pair = &[2]identity.Key{keys[0], keys[1]}
	return ask, named, nil
}

// pairName is how a pair is named in a path.
func pairName(p [2]identity.Key) string {
	return identity.ProfileID(p[0]).String() + "-" + identity.ProfileID(p[1]).String()
}

// parsePair reads what pairName writes.
func parsePair(text string) (p [2]identity.Key, err error) {
	low, high, _ := strings.Cut(text, "-")
	a, err1 := identity.ParseProfileID(strings.ToLower(low))
	b, err2 := identity.ParseProfileID(strings.ToLower(high))
	if errors.Join(err1, err2) != nil || a >= b {
		return p, badRequest("a pair is named by two keys of 16 hexadecimal digits with a hyphen between them, the lesser first, as GET " + reviewPattern + " names it")
	}
	return [2]identity.Key{identity.Key(a), identity.Key(b)}, nil
}

// decisionRequest is what somebody decides about a pair.
type decisionRequest struct {
	Answer   string `json:"answer"`
	ID       string `json:"id"`
	Reason   string `json:"reason"`
	Override bool   `json:"override"`
	DryRun   bool   `json:"dry_run"`
}

// The answers, and the command that each is.
var reviewAnswers = map[string]identity.CommandKind{"same": identity.Link, "different": identity.Separate}

// postDecision takes a decision about a pair that waits, as a command.
func (s *Server) postDecision(c *gin.Context) error {
	graph, err := s.graph()
	if err != nil {
		return err
	}
	if s.deps.Commands == nil {
		return ErrIdentityNotHere
	}
	pair, err := parsePair(c.Param("pair"))
	if err != nil {
		return err
	}
	var r decisionRequest
	if err := decode(c, &r); err != nil {
		return err
	}
	command, err := r.command(c)
	if err != nil {
		return err
	}
	again, err := s.given(c, r.ID)
	if err != nil {
		return err
	}
	if !again { // Given again, the pair waits no more, and the outcome is the answer.
		found, err := graph.Review(c.Request.Context(), command.Workspace, identity.ReviewQuery{Pair: &pair})
		if err != nil {
			return err
		}
		if found.Standing != identity.ReviewWaiting {
			return notWaiting(found.Standing)
		}
	}
	known, err := s.valuesOf(c, pair[:])
	if err != nil {
		return err
	}
	if len(known) < len(pair) {
		return notWaiting(identity.ReviewUnknown)
	}
	command.Identifiers = []identity.Identifier{known[pair[0]], known[pair[1]]}
	return s.give(c, command, r.DryRun)
}

// given reports whether a command of an id that a request gave has an outcome.
func (s *Server) given(c *gin.Context, id string) (bool, error) {
	if id == "" {
		return false, nil
	}
	_, err := s.deps.Commands.Get(c.Request.Context(), workspaceOf(c), id)
	if errors.Is(err, profiles.ErrNoCommand) {
		return false, nil
	}
	return err == nil, err
}

// command checks a decision and turns it into a command, but for the identifiers.
// Whoever says against a limit that two are one person means all of both.
func (r *decisionRequest) command(c *gin.Context) (identity.Command, error) {
	var faults faultList
	kind, ok := reviewAnswers[r.Answer]
	if !ok {
		faults.add("/answer", `must be "same" or "different"`)
	}
	if r.ID != "" && !isCommandID(r.ID) {
		faults.add("/id", commandIDRule)
	}
	if r.Override && kind == identity.Separate {
		faults.add("/override", `is only for the answer "same"`)
	}
	if r.Override && strings.TrimSpace(r.Reason) == "" {
		faults.add("/reason", "is missing: an override needs one")
	}
	if len(r.Reason) > maxCommandReason || !utf8.ValidString(r.Reason) {
		faults.add("/reason", fmt.Sprintf("must be UTF-8 of at most %d bytes", maxCommandReason))
	}
	if len(faults) > 0 {
		return identity.Command{}, badRequest("the decision breaks rules", faults...)
	}
	id := r.ID
	if id == "" {
		id = newCommandID()
	}
	return identity.Command{
		ID: id, Workspace: workspaceOf(c), Kind: kind, Override: r.Override, Whole: r.Override, Reason: r.Reason, Actor: actorOf(c),
	}, nil
}

// standingDetail says why a pair does not wait.
var standingDetail = map[identity.ReviewStanding]string{
	identity.ReviewUnknown:   "the model in force has scored no such pair of records",
	identity.ReviewWithdrawn: "the model in force says by now that the two are unlike",
	identity.ReviewMuted:     "one of the two records is blocked, was seen with too many, or is gone",
	identity.ReviewMerged:    "the two are one profile; POST /v1/identity/unmerge parts them",
	identity.ReviewDecided:   "somebody has decided already that the two are different; GET /v1/identity/why says what stands between them",
}

// notWaiting refuses a decision about a pair that does not wait.
func notWaiting(standing identity.ReviewStanding) *problem {
	status, slug, title := http.StatusConflict, "pair-not-waiting", "The pair does not wait for a decision any more"
	if standing == identity.ReviewUnknown {
		status, slug, title = http.StatusNotFound, "pair-not-found", "There is no such pair in the review queue"
	}
	p := newProblem(status, slug, title, standingDetail[standing]+"; nothing was changed")
	p.Code = string(standing)
	return p
}
