package control

import (
	"context"
	"hash/fnv"
	"log/slog"
	"time"
)

// Follow calls refresh at once and then every so often, until ctx ends: for whoever
// keeps a table of decisions in memory. What cannot be read is logged under the name
// what and tried again; what was known before stands meanwhile. It returns nil.
func Follow(ctx context.Context, every time.Duration, log *slog.Logger, what string, refresh func(context.Context) error) error {
	// Different things are read at different moments: all at once would hold up who reads
	// profiles.
	named := fnv.New32a()
	_, _ = named.Write([]byte(what)) // Never fails.
	ticker := time.NewTicker(every * time.Duration(1+named.Sum32()%64) / 64)
	defer ticker.Stop()
	first := true
	for {
		if err := refresh(ctx); err != nil && ctx.Err() == nil {
			log.Warn("read "+what, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if first {
				first = false
				ticker.Reset(every)
			}
		}
	}
}
