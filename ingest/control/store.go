package control

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Insert stores rows of one table as one block under a token: a second insert
// with the token is ignored, from any process at any time.
func Insert(ctx context.Context, conn driver.Conn, token, table, columns string, rows ...[]any) error {
	if len(rows) == 0 {
		return nil
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"insert_deduplicate":         1,
		"insert_deduplication_token": token,
		"async_insert":               0,
	}))
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+columns+")")
	if err != nil {
		return fmt.Errorf("insert %s: %w", table, err)
	}
	defer func() { _ = batch.Close() }()
	for _, row := range rows {
		if err := batch.Append(row...); err != nil {
			return fmt.Errorf("insert %s: %w", table, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert %s: %w", table, err)
	}
	return nil
}

// outcomeOf returns the outcome of a command that was applied below a revision,
// nil when there is none.
func outcomeOf(ctx context.Context, conn driver.Conn, workspace, id string, below uint64) (*Outcome, error) {
	rows, err := conn.Query(ctx, `
		SELECT revision, outcome, detail, result FROM control_outcomes
		WHERE workspace = ? AND command_id = ? AND revision < ? ORDER BY revision LIMIT 1`, workspace, id, below)
	if err != nil {
		return nil, fmt.Errorf("read outcome: %w", err)
	}
	defer func() { _ = rows.Close() }()
	if !rows.Next() {
		return nil, rows.Err()
	}
	o := &Outcome{CommandID: id}
	var verdict, body string
	if err := rows.Scan(&o.Revision, &verdict, &o.Detail, &body); err != nil {
		return nil, fmt.Errorf("read outcome: %w", err)
	}
	o.Verdict, o.Body = Verdict(verdict), []byte(body)
	return o, nil
}
