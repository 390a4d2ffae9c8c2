package clickhouse

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// spill is how many bytes the groups, or the sorted rows, of a query that reads the
// history of everybody may take before it goes on on disk.
const spill = 512 << 20

// Spilling returns a context for queries whose groups are as many as orders or people:
// what they keep in the engine's memory does not grow with them.
func Spilling(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"max_bytes_before_external_group_by": spill, "max_bytes_before_external_sort": spill,
	}))
}
