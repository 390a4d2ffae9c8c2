package ingest

import (
	"errors"
	"time"
)

// Config bounds a pipeline.
type Config struct {
	// BatchRecords is the greatest number of records in one batch. Default
	// 50 000: a part of 15 000 events costs the engine 15 µs an event with all
	// its merges, one of 40 000 ten.
	BatchRecords int
	// BatchBytes is the greatest sum of record values in one batch. Default 24 MiB.
	BatchBytes int
	// BufferBytes bounds the record values of all partitions together that are
	// read and not yet stored. A record takes about three times its size until it
	// is stored. Default 48 MiB: two batches.
	BufferBytes int64
	// Pace is the least time between the beginnings of two batches of a
	// partition. Default 150 ms.
	Pace time.Duration
	// MaxPace is what Pace grows to while batches are large or the store is slow.
	// Default 1.5 s.
	MaxPace time.Duration
	// FilterBytes is the size of the filter before the exact duplicate check.
	// Default 32 MiB: 1 % false hits at 25 million messages.
	FilterBytes int
	// EvidenceCache is the number of acknowledged claims remembered, some 55
	// bytes each. Default 2 000 000.
	EvidenceCache int
	// CatalogueCache is the number of products remembered with what is stored of
	// them, some 90 bytes each. Default 100 000.
	CatalogueCache int
	// RetryMin and RetryMax bound the pause after a failed insert or publication.
	// Defaults 100 ms and 5 s.
	RetryMin, RetryMax time.Duration
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{
		BatchRecords: 50_000, BatchBytes: 24 << 20, BufferBytes: 48 << 20, Pace: 150 * time.Millisecond, MaxPace: 1500 * time.Millisecond, FilterBytes: 32 << 20,
		EvidenceCache: 2_000_000, CatalogueCache: 100_000, RetryMin: 100 * time.Millisecond, RetryMax: 5 * time.Second,
	}
}

// Validate reports every fault of c.
func (c Config) Validate() error {
	var errs []error
	if c.BatchRecords < 1 || c.BatchBytes < 1 || c.BufferBytes < 1 || c.EvidenceCache < 1 || c.CatalogueCache < 1 {
		errs = append(errs, errors.New("ingest: batch records, batch bytes, buffer bytes, evidence cache and catalogue cache must be positive"))
	}
	if c.Pace < 0 || c.MaxPace < 0 || c.RetryMin <= 0 || c.RetryMax < c.RetryMin {
		errs = append(errs, errors.New("ingest: pace must not be negative, and 0 < retry min <= retry max"))
	}
	if c.FilterBytes < blockWords*8 {
		errs = append(errs, errors.New("ingest: filter must have at least 64 bytes"))
	}
	return errors.Join(errs...)
}
