package clickhouse_test

import (
	"context"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestComputed: whatever comes into the scores or the groups of a workspace is seen,
// nothing else is, and looking reads next to nothing of half a million scores.
func TestComputed(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	s, err := profilestore.New(profilestore.DefaultConfig(), conn, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var read uint64
	ctx := clickhouse.Context(t.Context(), clickhouse.WithProgress(func(p *clickhouse.Progress) { read += p.Rows }))
	look := func() uint64 {
		t.Helper()
		n, err := s.Computed(ctx, "main")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	insert := func(query string) {
		t.Helper()
		if err := conn.Exec(context.Background(), query); err != nil {
			t.Fatal(err)
		}
	}
	before := look()
	for _, step := range []struct {
		query   string
		changes bool
	}{
		{"INSERT INTO scores (workspace, profile_id, score, computed_at) SELECT 'main', number, 'churn', toDateTime64('2026-01-01', 3) FROM numbers(1, 500000)", true},
		{"INSERT INTO scores (workspace, profile_id, score, computed_at) VALUES ('main', 0, 'churn', '2026-01-01')", true},
		{"INSERT INTO scores (workspace, profile_id, score, computed_at) VALUES ('other', 0, 'churn', '2026-01-01')", false},
		{"INSERT INTO profile_groups (workspace, profile_id, time, stage) VALUES ('main', 1, '2026-01-01', 'new')", true},
		{"INSERT INTO profile_groups (workspace, profile_id, time, stage) VALUES ('other', 1, '2026-01-01', 'new')", false},
		{"OPTIMIZE TABLE scores FINAL", false},
	} {
		insert(step.query)
		read = 0
		after := look()
		if (after != before) != step.changes {
			t.Errorf("%s: is seen as a change: %v", step.query, after != before)
		}
		if read > 20_000 {
			t.Errorf("%s: %d rows were read to look", step.query, read)
		}
		before = after
	}
	t.Logf("%d rows read by the last look", read)
}
