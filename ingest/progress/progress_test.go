package progress

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/intake"
)

var stages = []Stage{
	{Group: "overflow", Reads: []string{"spare"}, Writes: []string{"events"}},
	{Group: "ingest", Reads: []string{"events", "orders"}, Writes: []string{"evidence"}},
	{Group: "identity", Reads: []string{"evidence"}},
}

// script is a log in which every look at a group takes it one record further, and
// what it has worked on appears in the next topic.
type script struct {
	at    map[string]int64 // committed, by group and place
	ends  intake.Positions
	said  []string
	stuck string // group that stands still
	err   error
}

func (s *script) Committed(_ context.Context, group string, places []intake.Place) (intake.Positions, error) {
	out := intake.Positions{}
	for _, at := range places {
		key := fmt.Sprintf("%s %s", group, at.Topic)
		if group != s.stuck {
			s.at[key]++
		}
		out[at] = s.at[key]
		s.said = append(s.said, fmt.Sprintf("%s %d", key, s.at[key]))
	}
	return out, s.err
}

func (s *script) Ends(_ context.Context, topics []string) (intake.Positions, error) {
	s.said = append(s.said, "ends of "+strings.Join(topics, ","))
	out := intake.Positions{}
	for at, end := range s.ends {
		if strings.Contains(strings.Join(topics, ","), at.Topic) {
			out[at] = end
		}
	}
	return out, s.err
}

func TestAwait(t *testing.T) {
	f := func(name string, wanted intake.Positions, want ...string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := &script{at: map[string]int64{}, ends: intake.Positions{{Topic: "events"}: 2, {Topic: "evidence"}: 1}}
			if err := Await(t.Context(), s, stages, wanted); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if d := cmp.Diff(want, s.said); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		})
	}
	f("an event", intake.Positions{{Topic: "orders"}: 2},
		"ingest orders 1", "ingest orders 2", "ends of evidence", "identity evidence 1")
	f("through the overflow", intake.Positions{{Topic: "spare"}: 1},
		"overflow spare 1", "ends of events", "ingest events 1", "ingest events 2", "ends of evidence", "identity evidence 1")
	f("nothing", intake.Positions{})
	f("the beginning", intake.Positions{{Topic: "events"}: 0})
	f("a topic of nobody", intake.Positions{{Topic: "x"}: 5})
}

// A group that stands still is waited for as long as the caller wants, and an error
// of the broker ends the wait.
func TestAwaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{at: map[string]int64{}, ends: intake.Positions{{Topic: "evidence"}: 1}, stuck: "identity"}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := Await(ctx, s, stages, intake.Positions{{Topic: "events"}: 1}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a group that stands still: %v", err)
		}
		if looks := len(s.said); looks < 8 || looks > 40 {
			t.Errorf("%d looks in a second", looks)
		}
		broken := errors.New("no broker")
		s = &script{at: map[string]int64{}, err: broken}
		if err := Await(t.Context(), s, stages, intake.Positions{{Topic: "events"}: 9}); !errors.Is(err, broken) {
			t.Errorf("no broker: %v", err)
		}
	})
}
