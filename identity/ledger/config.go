package ledger

import (
	"errors"
	"time"
)

// Config are the bounds of the identity role.
type Config struct {
	// BatchRecords is the greatest number of evidence records in one flush; a
	// flush with as many waits for nothing. Default 50 000, for which a flush
	// allocates some 140 MB.
	BatchRecords int
	// BatchWait is how long a flush waits for further records after its first.
	// Default 100 ms.
	BatchWait time.Duration
	// FlushPause is the least time from the begin of one flush to that of the
	// next. Nine inserts cost the engine some 50 ms of a processor whatever is
	// in them: under steady traffic they are made this often, and the first
	// evidence after a pause is published as soon as ever. Default 500 ms.
	FlushPause time.Duration
	// FlipSets is the greatest number of sets decided again in one flush because
	// a member's class flipped. Default 1 000.
	FlipSets int
	// CacheEntries bounds the caches of what is stored already: evidence rows
	// and decided sets, and four times as many names of identifiers; what a
	// batch needs comes on top. A miss costs a redundant row or a look-up, never
	// a wrong state. Default 250 000, which is about 80 MB for all when full.
	CacheEntries int
	// InsertRows is the greatest number of rows in one insert. Default 500 000.
	InsertRows int
	// InsertAttempts is how often an insert is tried before the owner gives up
	// the partition. Default 3.
	InsertAttempts int
	// NoticeChanges is the greatest number of changes in one notice. Default 500.
	NoticeChanges int
	// DrainTimeout is how long a batch in progress may go on after the context
	// has ended. Default 10 s.
	DrainTimeout time.Duration
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{
		BatchRecords: 50_000, BatchWait: 100 * time.Millisecond, FlushPause: 500 * time.Millisecond, FlipSets: 1000,
		CacheEntries: 250_000, InsertRows: 500_000, InsertAttempts: 3,
		NoticeChanges: 500, DrainTimeout: 10 * time.Second,
	}
}

// Validate reports every field that is out of range.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, text string) {
		if !ok {
			errs = append(errs, errors.New(text))
		}
	}
	check(c.BatchRecords > 0, "batch records must be above 0")
	check(c.BatchWait >= 0, "batch wait must not be negative")
	check(c.FlushPause >= 0, "flush pause must not be negative")
	check(c.FlipSets > 0, "flip sets must be above 0")
	check(c.CacheEntries > 0, "cache entries must be above 0")
	check(c.InsertRows > 0, "insert rows must be above 0")
	check(c.InsertAttempts > 0, "insert attempts must be above 0")
	check(c.NoticeChanges > 0, "notice changes must be above 0")
	check(c.DrainTimeout >= 0, "drain timeout must not be negative")
	return errors.Join(errs...)
}
