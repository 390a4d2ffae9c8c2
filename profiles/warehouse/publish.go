package warehouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Version is a point of the published reading: the last row of a flush.
type Version struct {
	Epoch    uint64
	Sequence uint64
}

// PublishReading makes the flush whose last row has version v visible to
// queries, all of it at once. Call it after the rows of the flush have been
// inserted into anchor_owner, identifier_profile, identifier_tenures,
// household_profile and identity_changes; each of those inserts must have succeeded. Publishing the
// same version again changes nothing. at is the time of publication.
func PublishReading(ctx context.Context, conn driver.Conn, workspace string, v Version, at time.Time) error {
	// As a block: the engine takes a fifth less time than for values in a text.
	batch, err := conn.PrepareBatch(atOnce(ctx), "INSERT INTO identity_versions (workspace, epoch, sequence, published_at)")
	if err != nil {
		return fmt.Errorf("publish reading: %w", err)
	}
	defer func() { _ = batch.Close() }()
	err = batch.Append(workspace, v.Epoch, v.Sequence, at)
	if err == nil {
		err = batch.Send()
	}
	if err != nil {
		return fmt.Errorf("publish reading: %w", err)
	}
	return nil
}

// atOnce is the context of an insert for which somebody waits: a server with
// async_insert, which new releases have by default and the embedded engine does not heed,
// would keep it back for others to come.
func atOnce(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0}))
}

// PublishedReading returns the greatest counted version of a workspace: what a
// query that starts now sees. It is zero before the first publication.
func PublishedReading(ctx context.Context, conn driver.Conn, workspace string) (Version, error) {
	const query = `SELECT max((epoch, last_sequence)).1, max((epoch, last_sequence)).2
FROM identity_counted WHERE workspace = ? AND last_sequence > 0`
	var v Version
	if err := conn.QueryRow(ctx, query, workspace).Scan(&v.Epoch, &v.Sequence); err != nil {
		return Version{}, fmt.Errorf("read published version: %w", err)
	}
	return v, nil
}

// StartEpoch records that the owner with epoch succeeds whoever owned the
// workspace before, and returns the version at which the rows of its
// predecessor are cut: the last that was published. Rows past it count for no
// reader from then on, even when a paused predecessor wakes up and publishes
// more. The new owner reads the ledger and the published reading only after
// StartEpoch returned. epoch must be greater than every epoch before it.
func StartEpoch(ctx context.Context, conn driver.Conn, workspace string, epoch uint64, at time.Time) (Version, error) {
	cut, err := PublishedReading(ctx, conn, workspace)
	if err != nil {
		return Version{}, err
	}
	if cut.Epoch >= epoch {
		return Version{}, fmt.Errorf("start epoch %d: workspace already has epoch %d", epoch, cut.Epoch)
	}
	const insert = "INSERT INTO identity_epochs (workspace, epoch, started_at, previous_epoch, last_sequence_seen) VALUES (?, ?, ?, ?, ?)"
	if err := conn.Exec(atOnce(ctx), insert, workspace, epoch, at, cut.Epoch, cut.Sequence); err != nil {
		return Version{}, fmt.Errorf("start epoch: %w", err)
	}
	if err := mendBase(ctx, conn, workspace, cut); err != nil {
		return Version{}, fmt.Errorf("start epoch: %w", err)
	}
	return cut, nil
}

// mendBase loads the base again when it was folded past a cut: a predecessor
// may have published and folded between the look at the published version and
// the row that cuts it.
func mendBase(ctx context.Context, conn driver.Conn, workspace string, cut Version) error {
	var beyond uint64
	const folded = "SELECT count() FROM reading_folds WHERE workspace = ? AND (epoch, sequence) > (?, ?)"
	if err := conn.QueryRow(ctx, folded, workspace, cut.Epoch, cut.Sequence).Scan(&beyond); err != nil {
		return fmt.Errorf("read folds: %w", err)
	}
	if beyond == 0 {
		return nil
	}
	return reloadBase(ctx, conn, "")
}
