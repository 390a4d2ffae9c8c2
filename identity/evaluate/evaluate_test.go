package evaluate

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kindred-cdp/kindred/identity"
)

func all(identity.Key) bool { return true }

func fixed(profiles map[identity.Key]identity.ProfileID) func(identity.Key) identity.ProfileID {
	return func(k identity.Key) identity.ProfileID { return profiles[k] }
}

// The expected values are worked out by hand in the comments.
func TestPairwise(t *testing.T) {
	for _, c := range []struct {
		name     string
		owner    map[identity.Key]string
		profiles map[identity.Key]identity.ProfileID
		counted  func(identity.Key) bool
		want     Quality
	}{
		{
			// Ana has 1 2 3 (3 pairs), Rui 4 5 (1 pair). Profiles: {1 2} {3 4 5},
			// 1 + 3 pairs, of which 1-2 and 4-5 are right.
			name:     "one identifier in the wrong profile",
			owner:    map[identity.Key]string{1: "ana", 2: "ana", 3: "ana", 4: "rui", 5: "rui"},
			profiles: map[identity.Key]identity.ProfileID{1: 1, 2: 1, 3: 3, 4: 3, 5: 3},
			counted:  all,
			want:     Quality{Precision: .5, Recall: .5, F1: .5, TruePairs: 4, FoundPairs: 4, CommonPairs: 2, Identifiers: 5},
		},
		{
			// 2 is shared and 6 unknown, so only 1-3 and 4-5 are true; found are
			// 1-3; 1-2, 2-3 and 2-6 do not count.
			name:     "shared and unknown identifiers are in no pair",
			owner:    map[identity.Key]string{1: "ana", 2: "", 3: "ana", 4: "rui", 5: "rui"},
			profiles: map[identity.Key]identity.ProfileID{1: 1, 2: 1, 3: 1, 4: 4, 5: 5, 6: 1},
			counted:  all,
			want:     Quality{Precision: 1, Recall: .5, F1: 2. / 3, TruePairs: 2, FoundPairs: 1, CommonPairs: 1, Identifiers: 4},
		},
		{
			// Without 3 (blocked) Ana has one pair, which is found.
			name:     "blocked identifiers are in no pair",
			owner:    map[identity.Key]string{1: "ana", 2: "ana", 3: "ana", 4: "rui"},
			profiles: map[identity.Key]identity.ProfileID{1: 1, 2: 1, 3: 4, 4: 4},
			counted:  func(k identity.Key) bool { return k != 3 },
			want:     Quality{Precision: 1, Recall: 1, F1: 1, TruePairs: 1, FoundPairs: 1, CommonPairs: 1, Identifiers: 3},
		},
		{
			// Profile 0 is no profile: nothing found, so nothing wrong.
			name:     "no profile at all",
			owner:    map[identity.Key]string{1: "ana", 2: "ana"},
			profiles: map[identity.Key]identity.ProfileID{},
			counted:  all,
			want:     Quality{Precision: 1, Recall: 0, F1: 0, TruePairs: 1, Identifiers: 2},
		},
		{
			// 4 identifiers of 4 people in one profile: 6 pairs, all wrong.
			name:     "strangers in one profile",
			owner:    map[identity.Key]string{1: "a", 2: "b", 3: "c", 4: "d"},
			profiles: map[identity.Key]identity.ProfileID{1: 1, 2: 1, 3: 1, 4: 1},
			counted:  all,
			want:     Quality{Precision: 0, Recall: 1, F1: 0, FoundPairs: 6, Identifiers: 4},
		},
		{
			name: "nothing", counted: all,
			want: Quality{Precision: 1, Recall: 1, F1: 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Pairwise(c.owner, fixed(c.profiles), c.counted)
			if diff := cmp.Diff(c.want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestPairwiseCountsPairs holds the counts by cells to counting every pair.
func TestPairwiseCountsPairs(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		owner := map[identity.Key]string{}
		profiles := map[identity.Key]identity.ProfileID{}
		for k := range identity.Key(2 + rng.IntN(40)) {
			owner[k+1] = []string{"", "a", "b", "c", "d"}[rng.IntN(5)]
			profiles[k+1] = identity.ProfileID(rng.IntN(6))
		}
		counted := func(k identity.Key) bool { return k%7 != 0 }
		var want Quality
		for a := range owner {
			for b := range owner {
				if a >= b || owner[a] == "" || owner[b] == "" || !counted(a) || !counted(b) {
					continue
				}
				same, together := owner[a] == owner[b], profiles[a] != 0 && profiles[a] == profiles[b]
				if same {
					want.TruePairs++
				}
				if together {
					want.FoundPairs++
				}
				if same && together {
					want.CommonPairs++
				}
			}
		}
		got := Pairwise(owner, fixed(profiles), counted)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Quality{}, "Precision", "Recall", "F1", "Identifiers")); diff != "" {
			t.Fatalf("seed %d (-want +got)\n%s", seed, diff)
		}
	}
}

// Ana logs in as 5 and has the cookie 12 and the e-mail 11, which was met with
// cookie 12 only, and with cookie 13. Rui (2) used Ana's cookie 12 later.
func TestBaselines(t *testing.T) {
	user := func(k identity.Key) identity.Node { return identity.Node{Key: k, Namespace: identity.UserID} }
	email := func(k identity.Key) identity.Node { return identity.Node{Key: k, Namespace: identity.Email} }
	cookie := func(k identity.Key) identity.Node { return identity.Node{Key: k, Namespace: identity.AnonymousID} }
	pairs := []Pair{
		{A: cookie(12), B: user(2), First: 50},
		{A: user(5), B: cookie(12), First: 10},
		{A: email(11), B: cookie(12), First: 20},
		{A: email(11), B: cookie(13), First: 30},
		{A: user(5), B: user(2), First: 5},
		{A: cookie(14), B: user(2), First: 7},
	}
	owner := map[identity.Key]string{5: "ana", 11: "ana", 12: "ana", 13: "ana", 2: "rui", 14: "rui"}
	for range 20 {
		rand.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })

		// {5 12} {2 14} 11 13: 2 pairs found, both right, of 6 + 1.
		got := Pairwise(owner, ByPrincipal(pairs, identity.UserID), all)
		want := Quality{Precision: 1, Recall: 2. / 7, F1: 4. / 9, TruePairs: 7, FoundPairs: 2, CommonPairs: 2, Identifiers: 6}
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
			t.Fatalf("by user id (-want +got)\n%s", diff)
		}

		// All six in one: 15 pairs, 7 of them right.
		components := Components(pairs)
		got = Pairwise(owner, components, all)
		want = Quality{Precision: 7. / 15, Recall: 1, F1: 14. / 22, TruePairs: 7, FoundPairs: 15, CommonPairs: 7, Identifiers: 6}
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
			t.Fatalf("components (-want +got)\n%s", diff)
		}
		if components(14) != 2 || components(99) != 99 {
			t.Fatalf("ids of components are %v and %v, want 2 and 99", components(14), components(99))
		}
	}
}
