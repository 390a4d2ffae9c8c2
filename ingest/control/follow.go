package control

import (
	"context"
	"log/slog"
	"time"
)

// Follow calls refresh at once and then every so often, until ctx ends: for whoever
// keeps a table of decisions in memory. What cannot be read is logged under the name
// what and tried again; what was known before stands meanwhile. It returns nil.
func Follow(ctx context.Context, every time.Duration, log *slog.Logger, what string, refresh func(context.Context) error) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := refresh(ctx); err != nil && ctx.Err() == nil {
			log.Warn("read "+what, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
