package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
)

// Of the people who leave a segment by the time alone: how many a second, and how many at
// most.
const (
	dueRate = 20_000
	mostDue = 5 * dueRate
)

// exits are people who are to leave a segment when an hour has passed since they did
// something.
type exits struct {
	begin time.Time // when the first is due
	mu    sync.Mutex
	due   map[identity.Key]time.Time // Protected by mu, as what follows.
	waits []time.Duration
	all   chan struct{} // closed when nobody is left
}

// at is when person i is due.
func (x *exits) at(i uint64) time.Time {
	return x.begin.Add(time.Duration(i) * time.Second / dueRate).Truncate(time.Millisecond)
}

// exiting has many people leave a segment by the passing of time, and times from the
// moment they are due to the change on the topic.
func (b *bench) exiting(ctx context.Context, t traffic) error {
	const name = "leaving"
	body := []byte(`{"expected_revision":0,"text":"did \"Held\" in 1h"}`)
	if _, err := b.call(ctx, http.MethodPut, "/v1/segments/"+name, "admin-dev", string(body)); err != nil {
		return fmt.Errorf("segment %s: %w", name, err)
	}
	// They are so many that all people are evaluated for them before.
	lead := 30*time.Second + time.Duration(t.people/10_000)*time.Second
	count := min(mostDue, t.people/5*4)
	x := &exits{begin: now().Add(lead).UTC(), due: map[identity.Key]time.Time{}, all: make(chan struct{})}
	keyer := identity.NewKeyer(b.p.secret, b.p.settings.workspace)
	end, err := endOfTopic(ctx, b.p, segmentsTopic)
	if err != nil {
		return err
	}
	err = b.produce(ctx, "bench", count, func(i uint64) (string, []byte) {
		person := string(t.anonymousID(nil, i/4*5+i%4+1)) // Of those who never log in: the id is their profile's.
		x.due[keyer.Key(identity.Identifier{Namespace: identity.AnonymousID, Value: person})] = x.at(i)
		return "held-" + person, fmt.Appendf(nil, `{"id":%q,"name":"Held","type":"track","source":"bench","time":%q,"identifiers":[{"namespace":"anonymous_id","value":%q}],"properties":{}}`,
			"held-"+person, x.at(i).Add(-time.Hour).Format(time.RFC3339Nano), person)
	})
	if err != nil {
		return err
	}
	following, stop := context.WithTimeout(ctx, lead+2*time.Minute)
	defer stop()
	g, following := errgroup.WithContext(following)
	g.Go(func() error {
		return followTopicFrom(following, b.p, segmentsTopic, end, func(m *kafka.Message) error { return x.take(m, name) })
	})
	g.Go(func() error {
		defer stop()
		select {
		case <-following.Done():
		case <-x.all:
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if len(x.waits) == 0 {
		return fmt.Errorf("%w: nobody left", errShort)
	}
	slices.Sort(x.waits)
	b.out("segments, %d people due, %d a second: due to `exited` on the topic p50 %.2f s, p99 %.2f s, last %.2f s (%d of %d seen)", count, dueRate,
		x.waits[len(x.waits)/2].Seconds(), x.waits[len(x.waits)*99/100].Seconds(), x.waits[len(x.waits)-1].Seconds(), len(x.waits), len(x.waits)+len(x.due))
	return nil
}

// take notes a change of the topic.
func (x *exits) take(m *kafka.Message, segment string) error {
	at := now()
	var c segmentMessage
	if err := json.Unmarshal(m.Value, &c); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	due, ok := x.due[identity.Key(c.Profile)]
	if !ok || string(c.Segment) != segment || c.Change != "exited" {
		return nil
	}
	x.waits = append(x.waits, at.Sub(due))
	if delete(x.due, identity.Key(c.Profile)); len(x.due) == 0 {
		close(x.all)
	}
	return nil
}
