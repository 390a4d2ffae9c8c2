package grouping

import (
	"math"

	"github.com/kindred-cdp/kindred/profiles/personas"
)

// The places of the features that every workspace has.
const (
	pages = iota
	activeDays
	quietDays
	knownDays
	inStores
	purchases
	basket
	refunds
	opened
	social
	support
	answers
	grade
	mood
	fixedFeatures
)

// Features are the columns that people are told apart by: those of every workspace,
// and one per topic of support contacts.
func Features(topics []string) []personas.Feature {
	list := make([]personas.Feature, fixedFeatures, fixedFeatures+len(topics))
	list[pages] = personas.Feature{Name: "pages", Label: "pages and actions on the site", High: "much on the site", Low: "rarely on the site"}
	list[activeDays] = personas.Feature{Name: "active_days", Label: "days with an event", High: "active on many days", Low: "active on few days"}
	list[quietDays] = personas.Feature{Name: "quiet_days", Label: "days since the last event", High: "not seen for long", Low: "seen lately"}
	list[knownDays] = personas.Feature{Name: "known_days", Label: "days since the first event", High: "known for long", Low: "known for a short time"}
	list[inStores] = personas.Feature{Name: "in_stores", Label: "sightings in stores and places", High: "often in stores", Low: "rarely in stores"}
	list[purchases] = personas.Feature{Name: "purchases", Label: "days with a purchase", High: "frequent buyers", Low: "rarely buy"}
	list[basket] = personas.Feature{Name: "basket", Label: "spent per purchase", High: "large baskets", Low: "small baskets"}
	list[refunds] = personas.Feature{Name: "refunds", Label: "refunds", High: "often send back", Low: "rarely send back"}
	list[opened] = personas.Feature{Name: "opened", Label: "share of messages that were answered by an opening, a click or a reply", High: "open messages", Low: "leave messages unopened", Linear: true, Step: .1}
	list[social] = personas.Feature{Name: "social", Label: "posts and messages on social networks", High: "talk on social networks", Low: "silent on social networks"}
	list[support] = personas.Feature{Name: "support", Label: "messages to support", High: "often in support", Low: "rarely in support"}
	list[answers] = personas.Feature{Name: "answers", Label: "answers to surveys", High: "answer surveys", Low: "rarely answer surveys"}
	list[grade] = personas.Feature{Name: "grade", Label: "grade in surveys, 0 to 1", High: "give good grades", Low: "give bad grades", Linear: true, Step: .1}
	list[mood] = personas.Feature{Name: "mood", Label: "sentiment, -1 to 1", High: "sound content", Low: "sound discontent", Linear: true, Step: .2}
	for _, topic := range topics {
		list = append(list, personas.Feature{Name: topicPrefix + topic, Label: "messages to support on " + topic, High: "ask about " + topic})
	}
	return list
}

// topicPrefix begins the names of features that are topics.
const topicPrefix = "topic:"

// people is what is known of all profiles, one row each, by id.
type people struct {
	ids   []uint64
	place map[uint64]int
	// values are the rows of Features.
	features []personas.Feature
	values   []float64
	known    []bool
	alive    []float64
	bought   []bought
	currency string
}

// bought sums up the purchases of one profile: days since 1970, ascending.
type bought struct {
	days  []int32
	spend float64 // net of refunds, in the currency of people
}

func newPeople(topics []string) *people {
	return &people{place: map[uint64]int{}, features: Features(topics)}
}

// add appends a profile; what is not said of it later is nothing, or not known.
func (p *people) add(id uint64) []float64 {
	p.place[id] = len(p.ids)
	p.ids = append(p.ids, id)
	row := make([]float64, len(p.features))
	row[basket], row[opened], row[grade], row[mood] = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	p.values = append(p.values, row...)
	p.known, p.alive, p.bought = append(p.known, false), append(p.alive, math.NaN()), append(p.bought, bought{})
	return p.row(len(p.ids) - 1)
}

func (p *people) row(i int) []float64 {
	d := len(p.features)
	return p.values[i*d : (i+1)*d]
}
