package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// computedSQL counts by the sort key alone. Rows of both tables are only appended, but
// when those of an erased person or of a month are dropped.
const computedSQL = `SELECT cityHash64(
    (SELECT count() FROM scores WHERE workspace = {workspace:String}),
    (SELECT count() FROM profile_groups WHERE workspace = {workspace:String})
)`

// Computed returns a number that is another one after rows of scores or groups of a
// workspace came or went.
func (s *Store) Computed(ctx context.Context, workspace string) (n uint64, err error) {
	err = s.query(ctx, computedSQL, func(rows driver.Rows) error { return rows.Scan(&n) }, clickhouse.Named("workspace", workspace))
	if err != nil {
		return 0, fmt.Errorf("look for new scores: %w", err)
	}
	return n, nil
}
