package evaluate_test

import (
	"fmt"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/evaluate"
)

func ExamplePairwise() {
	owner := map[identity.Key]string{1: "ana", 2: "ana", 3: "ana", 4: "rui"}
	profile := map[identity.Key]identity.ProfileID{1: 1, 2: 1, 3: 3, 4: 4}
	q := evaluate.Pairwise(owner,
		func(k identity.Key) identity.ProfileID { return profile[k] },
		func(identity.Key) bool { return true })
	fmt.Printf("precision %.2f, recall %.2f, F1 %.2f\n", q.Precision, q.Recall, q.F1)
	// Output: precision 1.00, recall 0.33, F1 0.50
}

func ExampleCompare() {
	truth := []int32{0, 0, 0, 1, 1}
	found := []int32{0, 0, 2, 2, 2}
	a := evaluate.Compare(found, truth)
	fmt.Printf("pairs %.2f, B-cubed %.2f, exact clusters %.2f\n", a.Pairs.F1, a.BCubed.F1, a.Exact.F1)
	// Output: pairs 0.50, B-cubed 0.73, exact clusters 0.00
}
