package intake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Positions are places in the log by topic and partition: of each the offset
// behind the last record that is meant.
type Positions map[Place]int64

// Place is a partition of a topic.
type Place struct {
	Topic     string
	Partition int
}

// String writes positions as topic/partition:offset, separated by blanks.
func (p Positions) String() string {
	places := slices.SortedFunc(maps.Keys(p), func(a, b Place) int {
		return strings.Compare(a.Topic+"/"+strconv.Itoa(a.Partition), b.Topic+"/"+strconv.Itoa(b.Partition))
	})
	texts := make([]string, len(places))
	for i, at := range places {
		texts[i] = fmt.Sprintf("%s/%d:%d", at.Topic, at.Partition, p[at])
	}
	return strings.Join(texts, " ")
}

// maxPositions bounds what is read: no installation has more partitions for events.
const maxPositions = 4096

// ParsePositions reads what String writes.
func ParsePositions(text string) (Positions, error) {
	fields := strings.Fields(text)
	if len(fields) > maxPositions {
		return nil, errors.New("more positions than partitions")
	}
	p := make(Positions, len(fields))
	for _, f := range fields {
		place, offset, ok := strings.Cut(f, ":")
		slash := strings.LastIndexByte(place, '/')
		if !ok || slash < 1 {
			return nil, errors.New("a position is topic/partition:offset")
		}
		id, err1 := strconv.Atoi(place[slash+1:])
		end, err2 := strconv.ParseInt(offset, 10, 64)
		if err := errors.Join(err1, err2); err != nil || id < 0 || end < 0 {
			return nil, errors.New("a position is topic/partition:offset")
		}
		p[Place{place[:slash], id}] = end
	}
	return p, nil
}

// Receipt collects where the broker has put what is submitted. It is safe for
// concurrent use.
type Receipt struct {
	mu sync.Mutex // Protects positions.
	at Positions
}

type receiptKey struct{}

// WithReceipt returns a context under which Gate.Submit notes where each record
// that the broker acknowledges has gone. A submission may pass several hands that
// know nothing of places, which is why it travels so.
func WithReceipt(ctx context.Context) (context.Context, *Receipt) {
	r := &Receipt{at: Positions{}}
	return context.WithValue(ctx, receiptKey{}, r), r
}

// Positions returns what was noted so far.
func (r *Receipt) Positions() Positions {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.at)
}

// note adds positions to the receipt of ctx, if it has one.
func note(ctx context.Context, at map[place]int64) {
	r, ok := ctx.Value(receiptKey{}).(*Receipt)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for p, end := range at {
		key := Place{p.topic, p.partition}
		r.at[key] = max(r.at[key], end)
	}
}
