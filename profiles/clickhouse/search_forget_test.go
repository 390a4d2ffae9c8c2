package clickhouse_test

import (
	"context"
	"testing"

	"github.com/kindred-cdp/kindred/profiles"
)

// An identifier whose rows are deleted is not found by its beginning any more.
func TestSearchForgets(t *testing.T) {
	ctx := context.Background()
	store, w := newStore(t)
	anaAndBen(w)
	w.Flush(ctx)
	find := func() int {
		t.Helper()
		matches, err := store.ByPrefix(ctx, "main", "", "ana@", profiles.SearchQuery{Limit: 5})
		if err != nil {
			t.Fatal(err)
		}
		return len(matches)
	}
	if n := find(); n != 1 {
		t.Fatalf("found %d times", n)
	}
	if err := w.Conn.Exec(ctx, "DELETE FROM identifiers WHERE namespace = 'email'"); err != nil {
		t.Fatal(err)
	}
	if n := find(); n != 0 {
		t.Errorf("found %d times after it was deleted", n)
	}
}
