// Package progress tells when what was acknowledged can be read: it follows
// records from the log that took them through the consumer groups that work on
// them, by the offsets that these commit. A group commits an offset only when what
// its records lead to is stored and written on (see packages ingest and
// identity/ledger), so that the end of what it wrote by then is where to wait next.
//
// It holds no state: an answer is right whatever brokers and groups have been
// through. cmd plugs it between the API and Kafka.
package progress

import (
	"context"
	"fmt"
	"time"

	"github.com/kindred-cdp/kindred/ingest/intake"
)

// Log knows the offsets of a Kafka cluster. Implementation: kafka.Offsets.
type Log interface {
	// Committed returns the offsets that a group has committed of places; those
	// that it never committed are missing.
	Committed(ctx context.Context, group string, places []intake.Place) (intake.Positions, error)
	// Ends returns the offsets behind the last records of all partitions of topics.
	Ends(ctx context.Context, topics []string) (intake.Positions, error)
}

// Stage is a consumer group that works on topics, and the topics that it writes.
type Stage struct {
	Group  string
	Reads  []string
	Writes []string // what the next stages wait for; none at the last
}

// The pauses between two looks at the offsets of a group: short at first, because
// most records are worked on within a few of them.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = 100 * time.Millisecond
)

// Await returns when each stage is past its share of positions and past what the
// stages before it have written by then. It returns ctx's error when that takes
// longer than ctx does.
func Await(ctx context.Context, log Log, stages []Stage, positions intake.Positions) error {
	wanted := intake.Positions{}
	for at, end := range positions {
		wanted[at] = end
	}
	for _, stage := range stages {
		mine := stage.share(wanted)
		if len(mine) == 0 {
			continue
		}
		if err := pass(ctx, log, stage.Group, mine); err != nil {
			return err
		}
		if len(stage.Writes) == 0 {
			continue
		}
		ends, err := log.Ends(ctx, stage.Writes)
		if err != nil {
			return fmt.Errorf("await what group %s wrote: %w", stage.Group, err)
		}
		for at, end := range ends {
			wanted[at] = max(wanted[at], end)
		}
	}
	return nil
}

// share returns the positions in the topics that the stage reads.
func (s Stage) share(wanted intake.Positions) intake.Positions {
	mine := intake.Positions{}
	for _, topic := range s.Reads {
		for at, end := range wanted {
			if at.Topic == topic && end > 0 {
				mine[at] = end
			}
		}
	}
	return mine
}

// pass waits until a group has committed positions.
func pass(ctx context.Context, log Log, group string, positions intake.Positions) error {
	timer := time.NewTimer(firstPause)
	defer timer.Stop()
	for pause := firstPause; ; pause = min(pause*3/2, lastPause) {
		places := make([]intake.Place, 0, len(positions))
		for at := range positions {
			places = append(places, at)
		}
		committed, err := log.Committed(ctx, group, places)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("await group %s: %w", group, err)
		}
		for at, end := range positions {
			if committed[at] >= end {
				delete(positions, at)
			}
		}
		if len(positions) == 0 {
			return nil
		}
		timer.Reset(pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
	}
}
