package evaluate

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The expected values are worked out by hand in the comments, or published.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name         string
		found, truth []int32
		want         Agreement
	}{
		{
			// Figures 1 and 2 of Bagga and Baldwin 1998: entities of 5, 2 and 5
			// mentions; the response joins the entities of 5 and 2. B-cubed
			// precision is (5·5/7 + 2·2/7 + 5·1) / 12 = 64/84 = 16/21, published as
			// 76 %; recall is 1. Pairs: 10 + 1 + 10 true, 21 + 10 found.
			name:  "Bagga and Baldwin, the first response",
			truth: []int32{0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2},
			found: []int32{0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2},
			want: Agreement{
				BCubed: Score{16. / 21, 1, 2 * (16. / 21) / (16./21 + 1)}, Pairs: Score{21. / 31, 1, 42. / 52}, TruePairs: 21, FoundPairs: 31, CommonPairs: 21,
				Exact: Score{.5, 1. / 3, .4}, TrueClusters: 3, FoundClusters: 2, ExactClusters: 1, Groups: Score{.5, 1. / 3, .4}, TrueGroups: 3, FoundGroups: 2, ExactGroups: 1, Records: 12, Clustered: 12,
			},
		},
		{
			// Their second response joins the two entities of 5: precision is
			// (10·5/10 + 2) / 12 = 7/12, published as 58 %.
			name:  "Bagga and Baldwin, the second response",
			truth: []int32{0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2},
			found: []int32{0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0},
			want: Agreement{
				BCubed: Score{7. / 12, 1, 14. / 19}, Pairs: Score{21. / 46, 1, 42. / 67}, TruePairs: 21, FoundPairs: 46, CommonPairs: 21,
				Exact: Score{.5, 1. / 3, .4}, TrueClusters: 3, FoundClusters: 2, ExactClusters: 1, Groups: Score{.5, 1. / 3, .4}, TrueGroups: 3, FoundGroups: 2, ExactGroups: 1, Records: 12, Clustered: 12,
			},
		},
		{
			// The truth is {0 1} {2} {3}; record 1 was left out, 4 has no truth.
			// Found are {0} {2 3 4}, of which 4 does not count: one pair, wrong.
			// B-cubed precision (1 + .5 + .5) / 3; recall (.5 + .5 + 1 + 1) / 4.
			name:  "missing on both sides",
			truth: []int32{7, 7, 8, 9, Missing},
			found: []int32{1, Missing, 2, 2, 2},
			want: Agreement{
				BCubed: Score{2. / 3, .75, 2 * (2. / 3) * .75 / (2./3 + .75)}, Pairs: Score{0, 0, 0}, TruePairs: 1, FoundPairs: 1,
				Exact: Score{0, 0, 0}, TrueClusters: 3, FoundClusters: 2, Groups: Score{0, 0, 0}, TrueGroups: 1, FoundGroups: 1, Records: 4, Clustered: 3,
			},
		},
		{
			// A single record that was left out is not found.
			name:  "nothing found",
			truth: []int32{0, 1, 1},
			found: []int32{Missing, Missing, Missing},
			want: Agreement{
				BCubed: Score{1, 2. / 3, .8}, Pairs: Score{1, 0, 0}, TruePairs: 1,
				Exact: Score{1, 0, 0}, TrueClusters: 2, Groups: Score{1, 0, 0}, TrueGroups: 1, Records: 3,
			},
		},
		{
			name: "nothing",
			want: Agreement{BCubed: Score{1, 1, 1}, Pairs: Score{1, 1, 1}, Exact: Score{1, 1, 1}, Groups: Score{1, 1, 1}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Compare(c.found, c.truth), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// bruteForce is Compare by its definition: every pair, and every record.
func bruteForce(found, truth []int32) Agreement {
	var a Agreement
	var precision, recall float64
	members := func(of []int32, cluster int32) map[int]bool {
		m := map[int]bool{}
		for i, c := range of {
			if c == cluster && truth[i] >= 0 {
				m[i] = true
			}
		}
		return m
	}
	foundSets, trueSets := map[string]int{}, map[string]int{}
	for i := range truth {
		if truth[i] < 0 {
			continue
		}
		a.Records++
		right := members(truth, truth[i])
		trueSets[fmt.Sprint(right)] = len(right)
		if found[i] < 0 {
			recall += 1 / float64(len(right))
			continue
		}
		a.Clustered++
		cluster := members(found, found[i])
		foundSets[fmt.Sprint(cluster)] = len(cluster)
		common := 0
		for j := range cluster {
			if right[j] {
				common++
			}
		}
		precision += float64(common) / float64(len(cluster))
		recall += float64(common) / float64(len(right))
		for j := range i {
			if found[j] == found[i] && truth[j] >= 0 {
				a.FoundPairs++
				if truth[i] == truth[j] {
					a.CommonPairs++
				}
			}
		}
	}
	for set, size := range trueSets {
		a.TruePairs += int64(size * (size - 1) / 2)
		a.TrueGroups += several(int64(size))
		if _, ok := foundSets[set]; ok {
			a.ExactClusters++
			a.ExactGroups += several(int64(size))
		}
	}
	for _, size := range foundSets {
		a.FoundGroups += several(int64(size))
	}
	a.TrueClusters, a.FoundClusters = int64(len(trueSets)), int64(len(foundSets))
	a.Pairs = score(share(a.CommonPairs, a.FoundPairs), share(a.CommonPairs, a.TruePairs))
	a.BCubed = score(mean(precision, a.Clustered), mean(recall, a.Records))
	a.Exact = score(share(a.ExactClusters, a.FoundClusters), share(a.ExactClusters, a.TrueClusters))
	a.Groups = score(share(a.ExactGroups, a.FoundGroups), share(a.ExactGroups, a.TrueGroups))
	return a
}

func TestCompareIsItsDefinition(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 3))
		n, k := rng.IntN(40), 1+rng.IntN(12)
		found, truth := make([]int32, n), make([]int32, n)
		for i := range n {
			found[i], truth[i] = int32(rng.IntN(k+1)-1), int32(rng.IntN(k+1)-1)
			if rng.IntN(2) == 0 {
				found[i] = truth[i]
			}
		}
		if diff := cmp.Diff(bruteForce(found, truth), Compare(found, truth), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
			t.Fatalf("seed %d (-want +got)\n%s", seed, diff)
		}
	}
}

func TestCompareByID(t *testing.T) {
	add := func(pairs ...string) *Partition {
		p := &Partition{}
		for i := 0; i < len(pairs); i += 2 {
			if err := p.Add(pairs[i], pairs[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		return p
	}
	found := add("a", "1", "b", "1", "c", "2", "x", "2")
	truth := add("b", "ana", "a", "ana", "d", "ana", "c", "rui")
	got, unmatched := CompareByID(found, truth)
	if got.TruePairs != 3 || got.FoundPairs != 1 || got.CommonPairs != 1 || got.Records != 4 || got.Clustered != 3 {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(Unmatched{Found: 1, Truth: 1, FoundIDs: []string{"x"}, TruthIDs: []string{"d"}}, unmatched); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := found.Add("a", "2"); err == nil {
		t.Error("a record is in two clusters")
	}
	if err := found.Add("a", "1"); err != nil {
		t.Errorf("the same again: %v", err)
	}
	// A truth of pairs: a-b, b-d and e-f, and c alone.
	var l Links
	for _, p := range [][2]string{{"a", "b"}, {"d", "b"}, {"e", "f"}, {"f", "e"}} {
		l.Add(p[0], p[1])
	}
	got, unmatched = CompareByID(found, l.Partition(found))
	if got.TruePairs != 4 || got.CommonPairs != 1 || got.Records != 7 || unmatched.Truth != 3 || unmatched.Found != 0 {
		t.Errorf("%+v, %+v", got, unmatched)
	}
}

// Two clusters that a later link connects are one.
func TestLinksConnect(t *testing.T) {
	var l Links
	for _, p := range [][2]string{{"a", "b"}, {"c", "d"}, {"d", "b"}} {
		l.Add(p[0], p[1])
	}
	p := l.Partition(&Partition{})
	if diff := cmp.Diff([]int32{0, 0, 0, 0}, p.cluster); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// BenchmarkCompare scores a million records, of which one cluster holds 10 000.
func BenchmarkCompare(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	found, truth := make([]int32, 1_000_000), make([]int32, 1_000_000)
	for i := range truth {
		truth[i] = int32(rng.IntN(700_000))
		found[i] = truth[i]
		if i < 10_000 {
			found[i] = 0
		}
	}
	for b.Loop() {
		Compare(found, truth)
	}
}
