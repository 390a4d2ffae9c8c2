package lifetime

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
)

// Scored on all processors every customer has the score that it has alone, the
// refused ones their reason, and each is told of once.
func TestScoreAllIsScore(t *testing.T) {
	all := sample(t).summarize(calibrationEnd)
	f := fit(t, all, BGNBD)
	customers := make([]Customer, 0, 3*scoredTogether)
	for i := range cap(customers) - 7 {
		c := all[i%len(all)]
		if i%1000 == 999 {
			c.Recency = c.Age + 1
		}
		customers = append(customers, c)
	}
	horizons, terms := []float64{4, 13}, DefaultTerms()
	scores, faults, told := make([]Score, len(customers)), make([]error, len(customers)), make([]int, len(customers))
	if err := f.ScoreAll(t.Context(), customers, horizons, terms, func(i int, s Score, err error) {
		scores[i], faults[i] = s, err
		told[i]++
	}); err != nil {
		t.Fatal(err)
	}
	scorer, err := f.Scorer(horizons, terms)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i, c := range customers {
		want, err := scorer.Score(c)
		if told[i] != 1 || !reflect.DeepEqual(scores[i], want) || (err == nil) != (faults[i] == nil) {
			t.Fatalf("customer %d: told %d times, %+v and %v, want %+v and %v", i, told[i], scores[i], faults[i], want, err)
		}
		if err != nil {
			refused++
		}
	}
	if refused != 12 {
		t.Errorf("%d refused, want 12", refused)
	}
	next := 0
	if err := f.ScoreInOrder(t.Context(), customers, horizons, terms, func(i int, s Score, err error) error {
		if i != next || !reflect.DeepEqual(s, scores[i]) || (err == nil) != (faults[i] == nil) {
			return fmt.Errorf("customer %d after %d others: %+v and %w", i, next, s, err)
		}
		next++
		return nil
	}); err != nil || next != len(customers) {
		t.Errorf("%d in order, %v", next, err)
	}
	if f.ScoreAll(t.Context(), customers, []float64{-1}, terms, nil) == nil || f.ScoreInOrder(t.Context(), customers, []float64{-1}, terms, nil) == nil {
		t.Error("a horizon below 0 was accepted")
	}
	enough := errors.New("enough")
	if err := f.ScoreInOrder(t.Context(), customers, horizons, terms, func(i int, _ Score, _ error) error {
		if i < 10 {
			return nil
		}
		return enough
	}); !errors.Is(err, enough) {
		t.Errorf("ended: %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := f.ScoreAll(stopped, customers, horizons, terms, func(int, Score, error) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := f.ScoreInOrder(stopped, customers, horizons, terms, func(int, Score, error) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in order: %v", err)
	}
}
