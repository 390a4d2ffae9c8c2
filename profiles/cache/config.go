package cache

import (
	"errors"
	"time"
)

// Config bounds the cache.
type Config struct {
	// MaxBytes is the memory that entries may take, with what the cache itself
	// needs for each, and with what is made of them for answers. Default 256 MiB.
	MaxBytes int64
	// Fresh is how old an answer may be when nobody vouches that all changes since
	// were named: see Watch. Default 1 min.
	Fresh time.Duration
	// TTL is the longest life of an entry. It bounds what a mistake in the list of
	// sources of change could do, in the doc of the package. Default 30 min.
	TTL time.Duration
	// NegativeTTL is how long it is remembered that there is no such
	// identifier. Default 1 s.
	NegativeTTL time.Duration
	// LoadTimeout bounds one read of the store; it does not end when one of
	// the callers that share it goes away. Default 10 s.
	LoadTimeout time.Duration
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{MaxBytes: 256 << 20, Fresh: time.Minute, TTL: 30 * time.Minute, NegativeTTL: time.Second, LoadTimeout: 10 * time.Second}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	var errs []error
	if c.MaxBytes < 1<<20 {
		errs = append(errs, errors.New("profile cache: less than 1 MiB of memory"))
	}
	if c.Fresh <= 0 || c.TTL < c.Fresh || c.NegativeTTL <= 0 || c.LoadTimeout <= 0 {
		errs = append(errs, errors.New("profile cache: times must be positive, and the longest life no shorter than that without a voucher"))
	}
	return errors.Join(errs...)
}
