package warehouse_test

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2"
)

func queryID(id string) context.Context {
	return clickhouse.Context(context.Background(), clickhouse.WithQueryID(id))
}
