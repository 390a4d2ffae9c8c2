package sql

import (
	"context"
	"fmt"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
)

// WithIDs has the queries of a context carry a table of one column id UInt64, which
// they find under a name. Several queries may carry it at a time.
func WithIDs(ctx context.Context, name string, ids []uint64) (context.Context, error) {
	table, err := ext.NewTable(name, ext.Column("id", "UInt64"))
	if err != nil {
		return nil, fmt.Errorf("make table %s: %w", name, err)
	}
	for _, id := range ids {
		if err := table.Append(id); err != nil {
			return nil, fmt.Errorf("fill table %s: %w", name, err)
		}
	}
	return clickhousego.Context(ctx, clickhousego.WithExternalTable(table)), nil
}

// WithAsked has queries for some profiles carry what they ask for.
func WithAsked(ctx context.Context, profiles, anchors, scored []uint64) (context.Context, error) {
	for _, t := range []struct {
		name string
		ids  []uint64
	}{{AskedProfiles, profiles}, {AskedAnchors, anchors}, {AskedScored, scored}} {
		var err error
		if ctx, err = WithIDs(ctx, t.name, t.ids); err != nil {
			return nil, err
		}
	}
	return ctx, nil
}
