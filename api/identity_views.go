package api

import (
	"context"
	"fmt"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// veil hides values from all keys but those of role admin: they see their namespaces
// and what value_masked has in SQL, but for those that the request names itself.
type veil struct {
	off   bool
	named []identity.Identifier
}

// veil returns that of a request which names the identifiers.
func (s *Server) veil(c *gin.Context, named ...identity.Identifier) veil {
	key, _ := c.Get(contextKey)
	k, ok := key.(Key)
	return veil{off: ok && k.Role == RoleAdmin, named: named}
}

// value returns the value of id, or what of it may be shown.
func (v veil) value(id identity.Identifier) string {
	if v.off {
		return id.Value
	}
	for _, n := range v.named {
		if n == id {
			return id.Value
		}
	}
	return profiles.MaskIdentifier(id)
}

// ShownIdentifier is an identifier in an answer. Its value is masked but for
// keys of role admin, unless the request named it.
type ShownIdentifier struct {
	Namespace identity.Namespace `json:"namespace"`
	Value     string             `json:"value"`
}

// String returns namespace:value.
func (i ShownIdentifier) String() string { return string(i.Namespace) + ":" + i.Value }

func (v veil) show(id identity.Identifier) ShownIdentifier {
	return ShownIdentifier{id.Namespace, v.value(id)}
}

// text shows an identifier that is written namespace:value.
func (v veil) text(s string) string {
	id, err := identity.ParseIdentifier(s)
	if err != nil {
		return "" // Nothing is safer than what cannot be read.
	}
	return v.show(id).String()
}

// Explanation answers why two identifiers are one profile, or are not.
type Explanation struct {
	Same bool         `json:"same"`
	A    ExplainedEnd `json:"a"`
	B    ExplainedEnd `json:"b"`
	// Path leads from A to B where they are one profile.
	Path    []ExplainedHop    `json:"path"`
	Barrier *ExplainedBarrier `json:"barrier,omitempty"`
}

// ExplainedEnd is one of the two identifiers with its profile, which is empty
// where no event carried it.
type ExplainedEnd struct {
	ShownIdentifier
	Profile string `json:"profile,omitempty"`
}

// ExplainedHop is one step of a path.
type ExplainedHop struct {
	From ShownIdentifier  `json:"from"`
	To   ShownIdentifier  `json:"to"`
	Kind identity.HopKind `json:"kind"`
	Rule string           `json:"rule"`
	// Weight is that of a record link, in hundredths of a bit, and Link what it is
	// made of.
	Weight   int64      `json:"weight,omitempty"`
	Link     *LinkScore `json:"link,omitempty"`
	Evidence []SeenPair `json:"evidence,omitempty"`
	// Decision is the id of the command behind a must-link.
	Decision string `json:"decision,omitempty"`
}

// SeenPair is one row of evidence: a source saw the two together.
type SeenPair struct {
	Source     string    `json:"source"`
	Rule       string    `json:"rule"`
	Quarter    string    `json:"quarter"` // such as 2026-Q1
	FirstEvent time.Time `json:"first_event"`
	LastEvent  string    `json:"last_event"` // a date
	// MessageID names an event that shows the pair.
	MessageID   string    `json:"message_id"`
	WitnessTime time.Time `json:"witness_time"`
}

// ExplainedBarrier is what keeps the two apart.
type ExplainedBarrier struct {
	Kind   identity.BarrierKind `json:"kind"`
	From   *ShownIdentifier     `json:"from,omitempty"`
	To     *ShownIdentifier     `json:"to,omitempty"`
	Detail string               `json:"detail"`
	// Link is the score of the pair, where it is one of records.
	Link *LinkScore `json:"link,omitempty"`
}

// LinkScore is what a model of linkage says of two records: the log2 odds of one
// person in hundredths of a bit, the probability, and what each field says for
// (above 0) or against it.
type LinkScore struct {
	Model         string                  `json:"model"`
	Weight        int64                   `json:"weight"`
	Probability   float64                 `json:"probability"`
	ScoredAt      time.Time               `json:"scored_at,omitzero"`
	Contributions []identity.Contribution `json:"contributions,omitempty"`
}

func linkScore(l *identity.LinkScore) *LinkScore {
	if l == nil {
		return nil
	}
	s := &LinkScore{Model: l.Model, Weight: l.Weight, Probability: l.Probability, Contributions: l.Contributions}
	if l.ScoredAt != 0 {
		s.ScoredAt = milliseconds(l.ScoredAt)
	}
	return s
}

func (v veil) explanation(e *identity.Explanation) Explanation {
	r := Explanation{
		Same: e.Same, Path: make([]ExplainedHop, len(e.Path)),
		A: ExplainedEnd{v.show(e.A), idText(e.ProfileA)}, B: ExplainedEnd{v.show(e.B), idText(e.ProfileB)},
	}
	for i, h := range e.Path {
		hop := ExplainedHop{From: v.show(h.From), To: v.show(h.To), Kind: h.Kind, Rule: h.Rule, Weight: h.Weight, Link: linkScore(h.Link), Decision: h.Decision}
		for _, seen := range h.Evidence {
			hop.Evidence = append(hop.Evidence, SeenPair{
				Source: seen.Source, Rule: seen.Rule, Quarter: quarter(seen.Period), FirstEvent: milliseconds(seen.FirstEvent),
				LastEvent: date(seen.LastEvent), MessageID: seen.MessageID, WitnessTime: milliseconds(seen.WitnessTime),
			})
		}
		r.Path[i] = hop
	}
	if b := e.Barrier; b != nil {
		r.Barrier = &ExplainedBarrier{Kind: b.Kind, Detail: b.Detail, From: v.end(b.From), To: v.end(b.To), Link: linkScore(b.Link)}
	}
	return r
}

// end shows an end of a barrier, which may have none.
func (v veil) end(id identity.Identifier) *ShownIdentifier {
	if id == (identity.Identifier{}) {
		return nil
	}
	shown := v.show(id)
	return &shown
}

// Subgraph is what holds one profile together.
type Subgraph struct {
	Profile     identity.ProfileID `json:"profile"`
	Household   string             `json:"household,omitempty"`
	Identifiers []SubgraphNode     `json:"identifiers"` // by first seen
	Pairs       []SubgraphPair     `json:"pairs"`
	Truncated   bool               `json:"truncated"` // there is more than is shown
}

// SubgraphNode is an identifier of a profile.
type SubgraphNode struct {
	ShownIdentifier
	Key       identity.ProfileID `json:"key"` // finds the profile, like any id
	FirstSeen time.Time          `json:"first_seen"`
	State     string             `json:"state,omitempty"` // blocked, generic, crowded or gone
	Founder   bool               `json:"founder"`
	Follows   string             `json:"follows,omitempty"` // namespace:value
}

// SubgraphPair is a pair that was seen, and whether it links.
type SubgraphPair struct {
	A     ShownIdentifier `json:"a"`
	B     ShownIdentifier `json:"b"`
	Links bool            `json:"links"`
	State string          `json:"state"` // linking, redundant, must_link, record_link, or what keeps the two apart
	// Link is the score behind a record link.
	Link *LinkScore `json:"link,omitempty"`
	// FirstSeen and LastSeen, a date, are left out where an operator fused two that
	// were never seen together, or a score linked them.
	FirstSeen time.Time `json:"first_seen,omitzero"`
	LastSeen  string    `json:"last_seen,omitempty"`
}

func (v veil) subgraph(g *identity.Subgraph) Subgraph {
	r := Subgraph{
		Profile: g.Profile, Household: g.Household, Truncated: g.Truncated,
		Identifiers: make([]SubgraphNode, len(g.Identifiers)), Pairs: make([]SubgraphPair, len(g.Pairs)),
	}
	for i, n := range g.Identifiers {
		r.Identifiers[i] = SubgraphNode{
			ShownIdentifier: v.show(n.Identifier), Key: identity.ProfileID(n.Key), FirstSeen: milliseconds(n.FirstSeen),
			State: n.State, Founder: n.Founder, Follows: v.text(n.Follows),
		}
	}
	for i, p := range g.Pairs {
		r.Pairs[i] = SubgraphPair{
			A: v.show(p.A), B: v.show(p.B), Links: p.Links, State: p.State, Link: linkScore(p.Link),
		}
		if p.State != string(identity.HopLinked) && p.State != string(identity.HopFused) || p.First != 0 {
			r.Pairs[i].FirstSeen, r.Pairs[i].LastSeen = milliseconds(p.First), date(p.Last)
		}
	}
	return r
}

// idText is empty for no profile.
func idText(id identity.ProfileID) string {
	if id == 0 {
		return ""
	}
	return id.String()
}

func milliseconds(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func date(d identity.Day) string {
	return time.Unix(int64(d)*24*60*60, 0).UTC().Format(time.DateOnly)
}

func quarter(p identity.Period) string { return fmt.Sprintf("%d-Q%d", p/4, p%4+1) }

// Values returns the identifiers of keys, those that are known. It is safe for
// concurrent use.
type Values func(ctx context.Context, workspace string, keys []identity.Key) (map[identity.Key]identity.Identifier, error)
