package warehouse_test

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

func queryID(id string) context.Context {
	return clickhouse.Context(context.Background(), clickhouse.WithQueryID(id))
}

// newValue makes a variable to scan a column into.
func newValue(c driver.ColumnType) any { return reflect.New(c.ScanType()).Interface() }

// asText writes a scanned value; times as days.
func asText(v any) string {
	value := reflect.ValueOf(v).Elem()
	if value.Kind() == reflect.Pointer && !value.IsNil() { // A Nullable column.
		value = value.Elem()
	}
	v = value.Interface()
	if at, ok := v.(time.Time); ok {
		return at.UTC().Format(time.DateOnly)
	}
	return fmt.Sprint(v)
}
