package linkage_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/synthetic"
)

// Tables that say nothing are refused, and those that say little are linked.
func TestSmallAndEmpty(t *testing.T) {
	header := "given_name|surname|birth_date|sex"
	one := "ana|costa|1980-02-03|f"
	for _, c := range []struct {
		lines []string
		err   error
	}{
		{[]string{header}, linkage.ErrNothingToCompare},
		{[]string{header, one}, linkage.ErrFewRecords},
		{[]string{header, "N/A|-|1900-01-01|", "||0000-00-00|null"}, linkage.ErrNothingToCompare},
		{[]string{"sex", "f", "f", "f"}, linkage.ErrNothingToCompare},
		{[]string{header, one, one}, nil},
		{[]string{header, one, "rui|silva|1990-05-06|m"}, nil},
		{[]string{header, one, "|||", "|||"}, nil},
		{[]string{header, one, one, one, "rui|silva|1990-05-06|m"}, nil},
	} {
		r, err := linkage.Link(t.Context(), linkage.TableOf(c.lines...), linkage.Options{}.Sampling(1<<12))
		if !errors.Is(err, c.err) {
			t.Errorf("%q: error %v, want %v", c.lines, err, c.err)
		}
		if err == nil {
			checkResult(t, r, len(c.lines)-1)
		}
	}
}

// checkResult checks that a result is a partition with finite numbers.
func checkResult(t *testing.T, r *linkage.Result, rows int) {
	t.Helper()
	if len(r.Clusters) != rows {
		t.Fatalf("%d records have %d clusters", rows, len(r.Clusters))
	}
	for i, first := range r.Clusters {
		if first < 0 || int(first) > i || r.Clusters[first] != first {
			t.Fatalf("record %d is in a cluster called %d", i, first)
		}
	}
	if _, err := json.Marshal(r.Model); err != nil { // a number that is none
		t.Fatal(err)
	}
	for _, p := range r.Pairs {
		checkSum(t, r.Explain(p))
	}
}

func TestLinkRefuses(t *testing.T) {
	table, _ := invented(t, synthetic.FebrlLike(), 200, 16)
	_, err := linkage.Link(t.Context(), table, linkage.Options{Types: map[string]linkage.Type{"surname": "sirname", "shoe": linkage.Number}})
	if err == nil || !strings.Contains(err.Error(), `no type is called "sirname"`) || !strings.Contains(err.Error(), `no column is called "shoe"`) {
		t.Errorf("%v", err)
	}
	bad := *table
	bad.Rows++
	if _, err := linkage.Link(t.Context(), &bad, linkage.Options{}); err == nil {
		t.Error("a table with a record too few was linked")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, budget := range []int{0, 2000} {
		if _, err := linkage.Link(ctx, table, linkage.Options{Budget: budget}); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}
