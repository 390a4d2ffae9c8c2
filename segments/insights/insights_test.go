package insights_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/insights"
)

func TestBound(t *testing.T) {
	f := func(members, of, others, rest uint64, lift, bound float64) {
		t.Helper()
		l, b := insights.Bound(insights.Counts{Members: members, Others: others}, insights.Counts{Members: of, Others: rest})
		if math.Abs(l/lift-1) > .001 || math.Abs(b-bound) > .001 {
			t.Errorf("%d of %d against %d of %d: lift %.4f and bound %.4f, want %.3f and %.3f", members, of, others, rest, l, b, lift, bound)
		}
	}
	f(0, 100, 0, 100, 1, 0)
	f(100, 100, 100, 100, 1, 0)
	f(5, 10, 0, 0, 1, 0)
	// Worked out by hand: 10 average profiles a side, of which 3 have it, and two halves:
	// ln(503.5/507.5) - ln(103.5/907.5) - 4 sqrt(1/503.5 + 1/507.5 + 1/103.5 + 1/907.5).
	f(500, 1000, 100, 1000, 503.5/103.5, 1.6779)
	// What half of the members have and nobody of very many others is told.
	f(50, 100, 0, 10_000, 8296.7, 4.1815)
}

// TestSmallCellsDoNotWin has a feature of ten members and nobody else, of infinite lift,
// below one that says something of half of them.
func TestSmallCellsDoNotWin(t *testing.T) {
	of := func(name string, members, others uint64) segments.Feature {
		return segments.Feature{Kind: segments.FeatureTrait, Name: name, Value: json.RawMessage("true"), Members: members, Others: others}
	}
	got := insights.Rank([]segments.Feature{
		of("few and only they", 12, 0), of("fewer than may be told", 9, 0), of("half", 500, 100), of("as many", 500, 500),
		of("hardly more", 520, 500), of("fewer", 100, 500), of("some", 300, 100),
	}, insights.Counts{Members: 1000, Others: 1000}, 20)
	var names []string
	for _, f := range got {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"half", "some"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFewMembersAreNotTold has a feature that is certain, of fewer members than may be
// told of.
func TestFewMembersAreNotTold(t *testing.T) {
	all := insights.Counts{Members: 20, Others: 10_000}
	if _, bound := insights.Bound(insights.Counts{Members: 9}, all); bound <= 0 {
		t.Fatalf("the feature is not certain: %f", bound)
	}
	list := []segments.Feature{{Name: "nine", Members: 9}, {Name: "ten", Members: 10}}
	if got := insights.Rank(list, all, 20); len(got) != 1 || got[0].Name != "ten" {
		t.Errorf("told %+v", got)
	}
}

// TestWhatDefinesIsKeptApart has more features than are told, of both sorts.
func TestWhatDefinesIsKeptApart(t *testing.T) {
	var list []segments.Feature
	for i := range 10 {
		list = append(list, segments.Feature{Name: fmt.Sprint(i), Members: 500 + uint64(i), Others: 100, Defining: i%2 == 1})
	}
	got := insights.Rank(list, insights.Counts{Members: 1000, Others: 1000}, 3)
	var names string
	for _, f := range got {
		names += f.Name
	}
	if names != "987654" {
		t.Errorf("told %s", names)
	}
	list = append(list, segments.Feature{Kind: segments.FeatureEvent, Name: "a", Within: 2, Members: 400, Others: 100}, segments.Feature{Kind: segments.FeatureEvent, Name: "a", Within: 1, Members: 400, Others: 90})
	got = insights.Rank(list, insights.Counts{Members: 1000, Others: 1000}, 1)
	if len(got) != 3 || got[2].Name != "a" || got[2].Within != 1 {
		t.Errorf("told %+v", got)
	}
}

// TestNothingDistinguishesHalves draws who is a member by lot: whatever is told then is
// chance. Of the plain quotient, or an interval of two deviations, it would be much.
func TestNothingDistinguishesHalves(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	const people, features = 2000, 3000
	all := insights.Counts{Members: people, Others: people}
	var list []segments.Feature
	for i := range features {
		share := math.Pow(r.Float64(), 3) / 2
		f := segments.Feature{Kind: segments.FeatureTrait, Name: fmt.Sprint(i)}
		for range people {
			if r.Float64() < share {
				f.Members++
			}
			if r.Float64() < share {
				f.Others++
			}
		}
		list = append(list, f)
	}
	for range 20 {
		var numbers []insights.Number
		for range people {
			numbers = append(numbers, insights.Number{Value: r.NormFloat64(), Counts: insights.Counts{Members: 1}}, insights.Number{Value: r.NormFloat64(), Counts: insights.Counts{Others: 1}})
		}
		if s, ok := insights.Split(numbers, all, segments.MinInsight); ok {
			list = append(list, segments.Feature{Kind: segments.FeatureScore, Members: s.Members, Others: s.Others})
		}
	}
	if got := insights.Rank(list, all, features); len(got) > 2 { // 1 in 31 000 each.
		t.Errorf("%d features distinguish what nothing does: %+v", len(got), got[:3])
	}
}

// TestSplit cuts numbers where the members are.
func TestSplit(t *testing.T) {
	var numbers []insights.Number
	for x := range 100 { // Members have the upper third.
		n := insights.Number{Value: float64(x), Counts: insights.Counts{Others: 10}}
		if x >= 70 {
			n.Members = 20
		}
		numbers = append(numbers, n)
	}
	all := insights.Counts{Members: 600, Others: 1000}
	got, ok := insights.Split(numbers, all, 10)
	if !ok || got.From == nil || *got.From < 60 || *got.From > 75 || got.To != nil {
		t.Errorf("split: %+v, %v", got, ok)
	}
	// Nearly all have one value: it is a range of its own, and no cut is within it.
	same := []insights.Number{{3, insights.Counts{Members: 5, Others: 900}}, {3, insights.Counts{Members: 5}}, {7, insights.Counts{Members: 90, Others: 5}}}
	got, ok = insights.Split(same, insights.Counts{Members: 100, Others: 905}, 10)
	if !ok || got.From == nil || *got.From != 7 || got.To != nil || got.Members != 90 || got.Others != 5 {
		t.Errorf("split of few values: %+v, %v", got, ok)
	}
	if _, ok := insights.Split(same[:2], insights.Counts{Members: 100, Others: 905}, 11); ok {
		t.Error("a range of ten members was told where eleven are the least")
	}
	if _, ok := insights.Split(nil, all, 10); ok {
		t.Error("a range of no numbers")
	}
}
