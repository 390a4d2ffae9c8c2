package segments

import (
	"context"
	"encoding/json"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// Part is something to tell of the members of a definition beside their number.
type Part string

// The parts.
const (
	PartReach    Part = "reach"
	PartOverlap  Part = "overlap"
	PartInsights Part = "insights"
)

// Parts are all there are.
func Parts() []Part { return []Part{PartReach, PartOverlap, PartInsights} }

// Question asks for parts.
type Question struct {
	Parts []Part
	// Purpose is what the members are to be addressed for; "" is marketing.
	Purpose string
	// Self is the segment that the definition is of, which no overlap is told with;
	// "" for none.
	Self ID
}

// DefaultPurpose is that of statements of consent that name none.
const DefaultPurpose = "marketing"

// Explainer tells more of a definition than a preview, and compares several.
// Implementations are safe for concurrent use.
type Explainer interface {
	// Explain tells what is asked of the members of d as of the time of its preview. A
	// part that meets the limits of a preview is left out and named in Unanswered: the
	// others are told all the same.
	Explain(ctx context.Context, workspace string, d Definition, of *Preview, q Question) (*Explanation, error)
	// Intersect counts who is in which of 2 to MaxIntersected definitions. The pointers
	// of an *Invalid and a *TooLarge begin with the place of the definition, such as
	// "/1". It returns ErrTooExpensive as Preview does.
	Intersect(ctx context.Context, workspace string, ds []Definition) (*Intersections, error)
}

// MaxIntersected is the number of definitions that can be intersected.
const MaxIntersected = 10

// Explanation is what an Explainer tells. Of the parts that were not asked for, or not
// answered, nothing is there.
type Explanation struct {
	Purpose    string
	Reach      []ChannelReach
	Overlap    []SegmentOverlap
	Insights   *Insights
	Unanswered []Part
	Took       map[Part]time.Duration
}

// Channel is a way to address people, and the namespace of its addresses.
type Channel struct {
	Name      string
	Namespace identity.Namespace
}

// Channels are those whose reach is told, with the names that statements of consent
// have for them.
func Channels() []Channel {
	return []Channel{{"email", identity.Email}, {"sms", identity.Phone}, {"push", identity.PushToken}, {"whatsapp", identity.Phone}, {"phone", identity.Phone}, {"post", identity.Address}}
}

// ChannelReach counts the members who have an address of a channel, and what stands of
// their statements for the purpose and the channel, as a Consent leaf has it. Who may
// be addressed is for the law of the place: those who have granted where consent is
// asked for first, and those of whom nothing is known as well where it is not.
type ChannelReach struct {
	Channel
	Addressable     uint64 // Granted and Denied are of these; of the rest nothing is known
	Granted, Denied uint64
}

// Unknown is how many have an address and have stated nothing.
func (r ChannelReach) Unknown() uint64 { return r.Addressable - r.Granted - r.Denied }

// SegmentOverlap says how many members are in a live segment too.
type SegmentOverlap struct {
	Segment ID
	Members uint64 // of the segment, as the store has them
	Of      uint64 // members of the definition, counted with them
	Both    uint64
}

// Jaccard is how alike both are: the members of both as a part of those of either; 0
// where there are none.
func (o SegmentOverlap) Jaccard() float64 { return part(o.Both, o.Members+o.Of-o.Both) }

// ShareOfSegment is the part of the segment that is in the definition, and
// ShareOfDefinition the part of the definition that is in the segment.
func (o SegmentOverlap) ShareOfSegment() float64 { return part(o.Both, o.Members) }

// ShareOfDefinition is described at ShareOfSegment.
func (o SegmentOverlap) ShareOfDefinition() float64 { return part(o.Both, o.Of) }

func part(n, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// MinInsight is the least number of members, of those looked at, that a feature may be
// told of: of fewer it would speak of persons.
const MinInsight = 10

// Insights are what distinguishes members from all others.
type Insights struct {
	// Members and Others are how many were looked at: all of them where there are few,
	// and where there are many those with the least hash of their id, the same ones
	// every time.
	Members, Others Sampled
	Features        []Feature // the most telling first
}

// Sampled is how many of how many were looked at.
type Sampled struct{ Looked, All uint64 }

// FeatureKind says what a feature is of.
type FeatureKind string

// The kinds of features.
const (
	FeatureTrait    FeatureKind = "trait"
	FeatureScore    FeatureKind = "score"
	FeatureEvent    FeatureKind = "event"    // did it at least once
	FeatureProduct  FeatureKind = "product"  // has it in an order that stands
	FeatureCategory FeatureKind = "category" // has something of it in such an order
)

// Feature is something that more of the members have than of the others. It never has
// a value that a mask would hide.
type Feature struct {
	Kind  FeatureKind
	Name  string
	Label string // of a product, where its lines name it
	// Value is what a trait is, or what is an element of it: a JSON text, boolean or
	// number. Where it is nil, From and To bound the number that the trait or score is:
	// at least From and less than To; both nil for any number.
	Value    json.RawMessage
	From, To *float64
	// Within is the window of events and orders.
	Within time.Duration
	// Members and Others are how many have it, of those looked at.
	Members, Others uint64
	// Lift is how many times as frequent it is among the members, drawn towards 1 where
	// few were looked at. Bound is the least that the difference can be taken to be, the
	// lower end of the logarithm of the odds ratio, by which features are ordered.
	Lift, Bound float64
	// Defining says that the definition itself asks for its name.
	Defining bool
}

// Intersections counts who is in which of several definitions.
type Intersections struct {
	AsOf     time.Time
	Profiles uint64
	Counts   []uint64 // members of each definition
	// Regions are all intersections that have members, the larger first.
	Regions []Region
}

// Region is one intersection: bit i of In is set for definition i.
type Region struct {
	In      uint64
	Members uint64 // who is in all of In
	Only    uint64 // of these, who is in none of the others
}
