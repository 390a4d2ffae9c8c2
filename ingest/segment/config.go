package segment

import "errors"

// Config bounds what one call may hold. Segment's own limits are 32 KB for an
// event, 500 KB for a request and 2500 events; RudderStack takes 4000 KB.
type Config struct {
	// MaxEvent is the greatest size of one event in bytes; larger ones are
	// refused one by one. Default 256 KiB. Kafka must take records of twice the size.
	MaxEvent int
	// MaxBatch is the greatest number of events in one call; a larger batch is
	// refused as a whole. Default 2500.
	MaxBatch int
	// MaxLetter is how much is kept of what is refused, in bytes. Default 512 KiB.
	MaxLetter int
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config { return Config{MaxEvent: 256 << 10, MaxBatch: 2500, MaxLetter: 512 << 10} }

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	var errs []error
	if c.MaxEvent < 1<<10 || c.MaxLetter < c.MaxEvent {
		errs = append(errs, errors.New("segment: an event of 1 KiB and a letter as large as an event are the least"))
	}
	if c.MaxBatch < 1 {
		errs = append(errs, errors.New("segment: a batch of one event is the least"))
	}
	return errors.Join(errs...)
}
