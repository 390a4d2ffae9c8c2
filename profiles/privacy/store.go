package privacy

import (
	"context"
	"errors"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// ErrNoErasure reports that the workspace knows no erasure of an id.
var ErrNoErasure = errors.New("there is no such erasure")

// The states of an erasure.
const (
	// Masked is one that is applied: the person is nobody to every reader, and the
	// tables wait to be rewritten.
	Masked = "masked"
	// Rewriting is one whose tables are being rewritten.
	Rewriting = "rewriting"
	// Done is one with a certificate.
	Done = "done"
)

// Status is how far an erasure is.
type Status struct {
	State    string
	ErasedAt time.Time
	// Identifiers, Shared and Sets are how many were erased, stay because others were
	// seen with them, and were the person's sets.
	Identifiers, Shared, Sets uint64
	Steps                     []Step
	Signed                    *Signed // nil before it is done
}

// Step is one that has ended: begun, the name of a table, or done.
type Step struct {
	Name string
	Rows uint64
	Time time.Time
}

// Store reads what the worker has written. It is safe for concurrent use.
type Store struct{ conn driver.Conn }

// NewStore returns a store on conn.
func NewStore(conn driver.Conn) *Store { return &Store{conn} }

const statusSQL = `SELECT count(), max(erased_at), uniqExactIf(id, what = 'identifier'), uniqExactIf(id, what = 'shared'), uniqExactIf(id, what = 'set')
FROM identity_erasures
WHERE workspace = {workspace:String} AND erasure_id = {id:String}`

const stepsSQL = `SELECT toString(step), argMin(rows, done_at), max(erasure_steps.done_at)
FROM erasure_steps
WHERE workspace = {workspace:String} AND erasure_id = {id:String}
GROUP BY step ORDER BY max(erasure_steps.done_at), step`

const certificateSQL = `SELECT issued_at, certificate, signature, public_key
FROM erasure_certificates
WHERE workspace = {workspace:String} AND erasure_id = {id:String}
ORDER BY issued_at LIMIT 1`

// Erasure returns how far an erasure is that was applied, or ErrNoErasure.
func (s *Store) Erasure(ctx context.Context, workspace, id string) (*Status, error) {
	args := []any{clickhouse.Named("workspace", workspace), clickhouse.Named("id", id)}
	out, rows := &Status{State: Masked, Steps: []Step{}}, uint64(0)
	err := query(ctx, s.conn, "read an erasure", statusSQL, func(r driver.Rows) error {
		return r.Scan(&rows, &out.ErasedAt, &out.Identifiers, &out.Shared, &out.Sets)
	}, args...)
	if err != nil {
		return nil, err
	}
	if rows == 0 {
		return nil, ErrNoErasure
	}
	out.ErasedAt = out.ErasedAt.UTC()
	err = query(ctx, s.conn, "read steps", stepsSQL, func(r driver.Rows) error {
		var step Step
		err := r.Scan(&step.Name, &step.Rows, &step.Time)
		step.Time, out.State = step.Time.UTC(), Rewriting
		out.Steps = append(out.Steps, step)
		return err
	}, args...)
	if err != nil {
		return nil, err
	}
	return out, query(ctx, s.conn, "read a certificate", certificateSQL, func(r driver.Rows) error {
		c := &Signed{}
		err := r.Scan(&c.IssuedAt, &c.Certificate, &c.Signature, &c.PublicKey)
		c.IssuedAt, out.Signed, out.State = c.IssuedAt.UTC(), c, Done
		return err
	}, args...)
}
