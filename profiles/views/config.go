package views

import (
	"encoding/json"
	"errors"
	"hash/fnv"
	"time"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/gather"
)

// Config bounds what is kept and what is done at a time.
type Config struct {
	// Gather is how reads of rows share questions. By default 256 ids at most in one, and
	// one begins up to 6 ms after the other: a question costs the engine about as much for
	// one id as for many.
	Gather gather.Config
	// MaxChanges is how many changes of identity since the mark a reader keeps in
	// memory; while there are more, rows are not read. Default 200 000.
	MaxChanges int
	// MarkAge is how long a reader does not ask how far the projector is. Default 2 s.
	MarkAge time.Duration
	// Fresh is how long a view holds that depends on the time, because a trait is
	// computed over a window. Default 1 min, the life of an entry of the cache.
	Fresh time.Duration
	// Batch is how many profiles are projected together. Default 4000.
	Batch int
	// Delay is how long stored events wait for others of the same profiles, and for
	// the identity role to have seen them. Default 1 s.
	Delay time.Duration
	// MaxDirty is how many keys of stored events are taken together. Default 2 000 000.
	MaxDirty int
	// Share is the part of the time that the projector works when there is much to do
	// and others leave the processors of the engine to it. Default 0.8.
	Share float64
	// SweepEvery is how often all profiles are looked at. Default 24 h.
	SweepEvery time.Duration
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	g := gather.DefaultConfig()
	g.Most, g.Apart = 256, 6*time.Millisecond
	return Config{
		Gather: g, MaxChanges: 200_000, MarkAge: 2 * time.Second, Fresh: time.Minute,
		Batch: 4000, Delay: time.Second, MaxDirty: 2_000_000, Share: .8, SweepEvery: 24 * time.Hour,
	}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	errs := []error{c.Gather.Validate()}
	if c.MaxChanges < 1 || c.Batch < 1 || c.MaxDirty < 1 {
		errs = append(errs, errors.New("views: at least one change, one profile in a batch and one key"))
	}
	if c.MarkAge < 0 || c.Fresh < 0 || c.Delay < 0 || c.SweepEvery <= 0 || c.Share <= 0 || c.Share > 1 {
		errs = append(errs, errors.New("views: times are not negative, and a share of the time lies between 0 and 1"))
	}
	return errors.Join(errs...)
}

// formOf is a hash of what makes two views of the same facts differ.
func formOf(cfg clickhouse.Config) (uint64, error) {
	text, err := json.Marshal(struct {
		Encoding                      int
		Rules                         profiles.Rules
		Computed                      []profiles.ComputedTrait
		Identifiers, Recent, Products int
	}{encoding, cfg.Rules, cfg.Computed, cfg.MaxIdentifiers, cfg.Recent, cfg.Products})
	h := fnv.New64a()
	_, _ = h.Write(text)
	return h.Sum64(), err
}
