package live_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/live"
)

// history lets time pass over a few people and one worker, which is told what an
// ingest and an identity role tell.
type history struct {
	*stage
	random      *rand.Rand
	definitions map[segments.ID]string
	revisions   map[segments.ID]uint64
	worker      *live.Worker
	next        time.Time // when the worker wants to be asked again
	messages    int
	past        []date
}

// date is who was in which segment at a time.
type date struct {
	at  time.Time
	who map[segments.ID][]identity.ProfileID
}

const people = 8

func user(n int) string { return fmt.Sprintf("user_id:%d", n) }

// happen adds an event of somebody, most of them late, some of the future.
func (h *history) happen() {
	h.messages++
	id := user(h.random.IntN(people))
	at := h.now.Add(-time.Duration(h.random.Int64N(int64(40 * time.Hour)))).Truncate(time.Millisecond)
	if h.random.IntN(8) == 0 {
		at = h.now.Add(time.Duration(h.random.Int64N(int64(10 * time.Hour)))).Truncate(time.Millisecond)
	}
	e := clickhousetest.Event{
		MessageID: fmt.Sprint("m", h.messages), Name: []string{"View", "Cart", "Buy", "Noise"}[h.random.IntN(4)], Time: at, Received: h.now, Identifiers: []string{id},
	}
	name := e.Name // Of an event that states no more, that is all that the worker is told.
	switch h.random.IntN(6) {
	case 0:
		e.Consents = []clickhousetest.Consent{{Purpose: "news", Granted: h.random.IntN(3) > 0}}
	case 1:
		e.Name, e.Type = "Group", "group"
		e.Properties = map[string]any{"groupId": "acme", "traits": map[string]any{"plan": []string{"free", "paid"}[h.random.IntN(2)]}}
	case 2, 3:
		e.Traits = map[string]any{"country": []string{"PT", "BR"}[h.random.IntN(2)]}
	}
	if len(e.Consents) > 0 || e.Type == "group" || e.Traits != nil {
		name = ""
	}
	h.world.Add(e)
	h.worker.Happened("main", name, h.world.Key(id))
}

// move brings two people together, or takes one out of where it is.
func (h *history) move() {
	a, b := user(h.random.IntN(people)), user(h.random.IntN(people))
	tell := func(ids ...string) {
		for _, id := range ids {
			h.worker.Changed("main", h.world.Key(id), identity.Key(h.world.Profile(h.world.Key(id))))
		}
	}
	tell(a, b)
	if h.random.IntN(2) == 0 && a != b {
		h.world.Person(a, b)
	} else {
		h.world.Person(a)
	}
	tell(a, b)
}

// compare holds the members against a full evaluation.
func (h *history) compare(step int) {
	h.Helper()
	d := date{h.now, map[segments.ID][]identity.ProfileID{}}
	for id, definition := range h.definitions {
		want := h.previewed(definition)
		if got := h.members(id, time.Time{}); !slices.Equal(got, want) {
			h.Fatalf("step %d, %s: %s has %v, want %v", step, h.now.Format(time.RFC3339Nano), id, got, want)
		}
		d.who[id] = want
	}
	h.past = append(h.past, d)
}

// pass moves the clock: to when the worker wants to be asked, to just before, or by
// some hours, as while the process is stopped or busy.
func (h *history) pass() {
	now := h.now
	switch h.random.IntN(4) {
	case 0:
		h.now = h.now.Add(time.Duration(1 + h.random.Int64N(int64(9*time.Hour)))).Truncate(time.Millisecond)
	case 1:
		h.now = h.next.Add(-time.Millisecond)
	default:
		h.now = h.next
	}
	if !h.now.After(now) {
		h.now = now.Add(time.Millisecond)
	}
}

// TestLiveMembersAreThoseOfAFullEvaluation lets days pass with late events, events of
// the future, merges, unmerges, changed definitions and workers that start anew, and
// compares at every step. At the end it asks who was in on each date, and whether each
// change was told once and in order.
func TestLiveMembersAreThoseOfAFullEvaluation(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	ctx := context.Background()
	seed, steps := uint64(time.Now().UnixNano()), 16
	if n, err := strconv.ParseUint(os.Getenv("KINDRED_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	if n, err := strconv.Atoi(os.Getenv("KINDRED_TEST_COUNT")); err == nil {
		steps = max(steps, n/50) // Each is some twenty queries on a real engine.
	}
	t.Logf("KINDRED_TEST_SEED=%d", seed)
	h := &history{
		stage: newStage(t), random: rand.New(rand.NewPCG(seed, 1)), revisions: map[segments.ID]uint64{},
		definitions: map[segments.ID]string{
			"recent":   `{"event":"View","within":"2d"}`,
			"frequent": `{"event":"View","count":{"gte":2},"within":"3d"}`,
			"few":      `{"event":"Cart","count":{"lte":1},"within":"1d"}`,
			"lapsed":   `{"all":[{"event":"View"},{"not":{"event":"View","within":"2d"}}]}`,
			"country":  `{"trait":"country","op":"eq","value":"PT"}`,
			"both":     `{"any":[{"trait":"country","op":"eq","value":"BR"},{"event":"Buy","within":"6h"}]}`,
			"funnel":   `{"sequence":[{"event":"View"},{"event":"Cart"},{"event":"Buy"}],"within":"2d"}`,
			"known":    `{"identifier":"user_id"}`,
			"never":    `{"not":{"event":"Buy"}}`,
			"agreed":   `{"consent":"news","is":"granted"}`,
			"paying":   `{"accounts":{"gte":1},"where":[{"trait":"plan","op":"eq","value":"paid"}]}`,
			"half":     `{"all":[{"holdout":"test","percent":{"lt":50}},{"not":{"segment":"recent"}}]}`,
		},
	}
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(h.definitions))) { // One names another.
		h.revisions[id] = h.define(id, 0, h.definitions[id])
	}
	h.worker = h.stage.worker()
	for step := range steps {
		for range h.random.IntN(3) {
			h.happen()
		}
		if h.random.IntN(5) == 0 {
			h.move()
		}
		if h.random.IntN(10) == 0 {
			h.definitions["recent"] = fmt.Sprintf(`{"event":"View","within":"%dh"}`, 1+h.random.IntN(60))
			h.revisions["recent"] = h.define("recent", h.revisions["recent"], h.definitions["recent"])
			h.worker.Redefined()
		}
		h.world.Flush(ctx)
		if h.random.IntN(12) == 0 {
			h.worker = h.stage.worker()
		}
		h.next = h.step(h.worker)
		h.compare(step)
		h.pass()
	}
	h.review()
}

// review looks back: at the members of every date, and at what was told.
func (h *history) review() {
	for i, d := range h.past {
		if i%4 != 0 { // Each is a query for every segment.
			continue
		}
		for id, want := range d.who {
			if got := h.members(id, d.at); !slices.Equal(got, want) {
				h.Errorf("at step %d %s had %v, now it is said %v", i, id, want, got)
			}
		}
	}
	in := map[segments.ID]map[identity.ProfileID]bool{}
	block := uint64(0)
	for _, c := range h.told.changes {
		if in[c.Segment] == nil {
			in[c.Segment] = map[identity.ProfileID]bool{}
		}
		if in[c.Segment][c.Profile] == c.Entered || c.Block < block {
			h.Errorf("told twice or out of order: %+v", c)
		}
		in[c.Segment][c.Profile], block = c.Entered, c.Block
	}
	if len(h.told.changes) < len(h.past)/2 {
		h.Errorf("only %d changes in %d steps: the history tests nothing", len(h.told.changes), len(h.past))
	}
}
