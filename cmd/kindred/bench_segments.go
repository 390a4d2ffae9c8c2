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
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
)

// segmentsBench is what bench segments is asked to do.
type segmentsBench struct {
	events, people uint64
	segments       int
	rate           float64 // events a second while changes are watched
	length         time.Duration
	loaded         string // a folder that bench load has filled
}

func benchSegmentsCommand() *cobra.Command {
	o := segmentsBench{}
	cmd := &cobra.Command{
		Use:   "segments",
		Short: "Live segments: previews, an evaluation over everybody, and from an event to its change in the topic",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return benchSegments(cmd, o) },
	}
	cmd.Flags().Uint64Var(&o.events, "events", 10_000_000, "events stored before")
	cmd.Flags().Uint64Var(&o.people, "people", 1_000_000, "people who caused them")
	cmd.Flags().IntVar(&o.segments, "segments", 100, "live segments")
	cmd.Flags().Float64Var(&o.rate, "rate", 2000, "events a second while changes are watched")
	cmd.Flags().DurationVar(&o.length, "length", time.Minute, "how long changes are watched")
	loadedFlag(cmd, &o.loaded)
	return cmd
}

func benchSegments(cmd *cobra.Command, o segmentsBench) error {
	return runOn(cmd, o.loaded, newStock(o.events, o.people, 0), func(*bench, stock) {}, func(ctx context.Context, b *bench, found stock) error {
		t := found.traffic()
		if err := b.previews(ctx); err != nil {
			return err
		}
		if err := b.refresh(ctx, o); err != nil {
			return err
		}
		if err := b.projected(ctx); err != nil { // Then nothing is left to do.
			return err
		}
		if err := b.idle(ctx, 20*time.Second); err != nil {
			return err
		}
		if err := b.merged(ctx, "events", "seen_messages", "identifiers"); err != nil {
			return err
		}
		if err := b.entering(ctx, t, o); err != nil {
			return err
		}
		if err := b.passing(ctx, t, o); err != nil {
			return err
		}
		return b.exiting(ctx, t)
	})
}

// fewParts is the number of parts at which a table owes no merge of note, and mostMerges
// how many are made of one at most.
const (
	fewParts   = 8
	mostMerges = 5
)

// merged has the engine make the merges that tables owe. What was loaded at once owes one
// of millions of rows, which steady traffic makes little by little; it would begin with the
// first events that come now, and take a processor for half of the time that is watched.
func (b *bench) merged(ctx context.Context, tables ...string) error {
	const parts = "SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = ?"
	start := now()
	for _, t := range tables {
		for range mostMerges {
			n, err := b.count(ctx, parts, t)
			if err != nil {
				return err
			}
			if n <= fewParts {
				break
			}
			if err := b.p.conn.Exec(ctx, "OPTIMIZE TABLE "+t); err != nil {
				return fmt.Errorf("merge %s: %w", t, err)
			}
		}
	}
	b.out("merges that the load owed, made before what follows: %.1f s", now().Sub(start).Seconds())
	return nil
}

// benchSegment is the i-th of the live segments, of five kinds. They hold between a
// thousandth and two fifths of the people, a twentieth on average, as audiences do.
func benchSegment(i int) string {
	switch i % 5 {
	case 0:
		return fmt.Sprintf(`did "Product Viewed" >= %d times in 30d`, 12+i/10)
	case 1:
		return fmt.Sprintf(`did "Product Viewed" >= 3 times in 7d where (price > %d)`, 80+i/6)
	case 2:
		return fmt.Sprintf(`did "Product Viewed" sum(quantity) >= %d in 30d`, 28+i/2)
	case 3:
		return fmt.Sprintf(`not did "Product Viewed" in 2d where (position < %d)`, 3+i/5)
	}
	return fmt.Sprintf(`has user_id and did "Product Viewed" in 2d where (position < %d)`, 1+i/5)
}

// refresh makes the segments, waits until all have members, and times an evaluation
// over everybody.
func (b *bench) refresh(ctx context.Context, o segmentsBench) error {
	texts := map[string]string{"probe": `did "Watched" in 1h`}
	for i := range o.segments - 1 {
		texts[fmt.Sprintf("s%d", i)] = benchSegment(i)
	}
	for name, text := range texts {
		body, err := json.Marshal(map[string]any{"expected_revision": 0, "text": text})
		if err != nil {
			return err
		}
		if _, err := b.call(ctx, http.MethodPut, "/v1/segments/"+name, "admin-dev", string(body)); err != nil {
			return fmt.Errorf("segment %s: %w", text, err)
		}
	}
	var members uint64
	if err := waitFor(ctx, time.Second, func() (ready bool, err error) {
		ready, members, err = b.segmentsReady(ctx)
		return ready, err
	}); err != nil {
		return err
	}
	n, before := b.evaluations(overEverybody)
	own, engine := processor()
	b.r.decided.live.ChangedUnknown()
	if err := waitFor(ctx, 100*time.Millisecond, func() (bool, error) {
		more, _ := b.evaluations(overEverybody)
		return more > n, nil
	}); err != nil {
		return err
	}
	more, after := b.evaluations(overEverybody)
	own2, engine2 := processor()
	b.out("segments: %d segments with %d members over everybody: %.1f s, processor %.1f s in kindred, %.1f s in the engine", o.segments, members, (after-before)/float64(more-n), own2-own, engine2-engine)
	return nil
}

func (b *bench) segmentsReady(ctx context.Context) (ready bool, members uint64, err error) {
	answer, err := b.call(ctx, http.MethodGet, "/v1/segments", "read-dev", "")
	if err != nil {
		return false, 0, err
	}
	var list struct {
		Segments []struct {
			ID       string
			Revision uint64
			State    struct {
				Revision, Members uint64
				Error             string
			}
		}
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return false, 0, err
	}
	for _, s := range list.Segments {
		if s.State.Error != "" {
			return false, 0, fmt.Errorf("segment %s: %s", s.ID, s.State.Error)
		}
		if s.State.Revision != s.Revision {
			return false, 0, nil
		}
		members += s.State.Members
	}
	return true, members, nil
}

const (
	overEverybody = "all"
	overSomebody  = "some"
)

// evaluations returns how many evaluations there were and how long they took.
func (b *bench) evaluations(over string) (n uint64, seconds float64) {
	families, _ := b.r.registry.Gather()
	for _, f := range families {
		if f.GetName() != "kindred_segments_evaluation_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			if labels := m.GetLabel(); len(labels) > 0 && labels[0].GetValue() == over {
				return m.GetHistogram().GetSampleCount(), m.GetHistogram().GetSampleSum()
			}
		}
	}
	return 0, 0
}

// total adds the counters of a name.
func (b *bench) total(name string) (sum float64) {
	families, _ := b.r.registry.Gather()
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue()
		}
	}
	return sum
}

// idle prints what the whole takes when nothing happens.
func (b *bench) idle(ctx context.Context, length time.Duration) error {
	own, engine := processor()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(length):
	}
	own2, engine2 := processor()
	b.out("segments, nothing happens: %.1f %% of a core in kindred, %.1f %% in the engine", 100*(own2-own)/length.Seconds(), 100*(engine2-engine)/length.Seconds())
	return nil
}

// lastOnes is how long changes are watched after the load: the last are still on their way.
const lastOnes = 20 * time.Second

// entering sends events at the rate, and among them those of new people who enter a
// segment by them; it times from sending one to the change on the topic.
func (b *bench) entering(ctx context.Context, t traffic, o segmentsBench) error {
	end, err := endOfTopic(ctx, b.p, segmentsTopic)
	if err != nil {
		return err
	}
	news, err := endOfTopic(ctx, b.p, storedTopic)
	if err != nil {
		return err
	}
	w := &entries{keyer: identity.NewKeyer(b.p.secret, b.p.settings.workspace), sent: map[identity.Key]*entry{}}
	load := &httpLoad{address: b.api, connections: 16, batch: 20, rate: o.rate, traffic: t}
	load.traffic.source = "live"
	timed, stop := context.WithTimeout(ctx, o.length)
	defer stop()
	following, stopFollowing := context.WithCancel(ctx)
	defer stopFollowing()
	n, seconds := b.evaluations(overSomebody)
	own, engine := processor()
	rows, people := b.total("kindred_segments_rows_read_total"), b.total("kindred_segments_evaluated_profiles_total")
	g := new(errgroup.Group)
	g.Go(func() error { return followTopicFrom(following, b.p, segmentsTopic, end, w.take) })
	g.Go(func() error { return followTopicFrom(following, b.p, storedTopic, news, w.takeNote) })
	g.Go(func() error { return load.run(timed) })
	g.Go(func() error {
		defer time.AfterFunc(lastOnes, stopFollowing)
		return w.send(timed, b)
	})
	if err := g.Wait(); err != nil {
		return err
	}
	sent, acked, noted, begun, seen := func(e *entry) time.Time { return e.sent }, func(e *entry) time.Time { return e.acked }, func(e *entry) time.Time { return e.noted },
		func(e *entry) time.Time { return e.evaluated }, func(e *entry) time.Time { return e.seen }
	whole := w.between(sent, seen)
	if len(whole) == 0 {
		more, _ := b.evaluations(overSomebody)
		return fmt.Errorf("%w: nobody entered, by %d evaluations of %.0f identifiers", errShort, more-n, b.total("kindred_segments_evaluated_profiles_total")-people)
	}
	n2, seconds2 := b.evaluations(overSomebody)
	own2, engine2 := processor()
	rows, people = b.total("kindred_segments_rows_read_total")-rows, b.total("kindred_segments_evaluated_profiles_total")-people
	b.out("segments, %.0f events/s with %d segments: event to `entered` on the topic %s (%d of %d seen)", float64(load.acked.Load())/o.length.Seconds(), o.segments,
		quantiles(whole), len(whole), len(whole)+len(w.sent))
	b.out("  until taken %s; stored and told %s; then the evaluation begins %s; then the change is seen %s", quantiles(w.between(sent, acked)), quantiles(w.between(acked, noted)), quantiles(w.between(noted, begun)), quantiles(w.between(begun, seen)))
	b.out("  %d evaluations of %.2f s on average, %.0f identifiers and profiles evaluated, %.0f rows read for each; processor %.0f s in kindred with the load, %.0f s in the engine, of %.0f s", n2-n, (seconds2-seconds)/float64(max(1, n2-n)), people, rows/max(1, people),
		own2-own, engine2-engine, (o.length + lastOnes).Seconds())
	return nil
}

// passing sends events that no segment asks for, of few people, so that nobody of them is
// new for long, and prints what live segments do of it.
func (b *bench) passing(ctx context.Context, t traffic, o segmentsBench) error {
	t.people, t.event = min(t.people, 5000), "Banner Seen"
	half := func(source string) (acked uint64, err error) {
		t.source = source
		load := &httpLoad{address: b.api, connections: 16, batch: 20, rate: o.rate, traffic: t}
		timed, stop := context.WithTimeout(ctx, o.length/2)
		defer stop()
		err = load.run(timed)
		return load.acked.Load(), err
	}
	if _, err := half("meeting"); err != nil {
		return err
	}
	n, seconds := b.evaluations(overSomebody)
	people, passed := b.total("kindred_segments_evaluated_profiles_total"), b.total("kindred_segments_passed_identifiers_total")
	own, engine := processor()
	acked, err := half("passing")
	if err != nil {
		return err
	}
	more, seconds2 := b.evaluations(overSomebody)
	own2, engine2 := processor()
	b.out("segments, %.0f events/s that none of %d segments asks for: %d evaluations of %.1f s in all, %.0f identifiers and profiles evaluated, %.0f passed over; processor %.1f s in kindred with the load, %.1f s in the engine, of %.0f s",
		float64(acked)/(o.length/2).Seconds(), o.segments, more-n, seconds2-seconds, b.total("kindred_segments_evaluated_profiles_total")-people,
		b.total("kindred_segments_passed_identifiers_total")-passed, own2-own, engine2-engine, (o.length / 2).Seconds())
	return nil
}

// entry is one of those who are to enter, and when what became of it was seen.
type entry struct{ sent, acked, noted, evaluated, seen time.Time }

// entries are people who are to enter.
type entries struct {
	keyer identity.Keyer
	mu    sync.Mutex // Protects the fields below.
	sent  map[identity.Key]*entry
	done  []*entry
}

// send has somebody new enter ten times a second.
func (w *entries) send(ctx context.Context, b *bench) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		id := fmt.Sprintf("entering-%d", n)
		e := &entry{sent: now()}
		w.mu.Lock()
		w.sent[w.keyer.Key(identity.Identifier{Namespace: identity.AnonymousID, Value: id})] = e
		w.mu.Unlock()
		body := fmt.Sprintf(`{"messageId":%q,"event":"Watched","timestamp":%q,"anonymousId":%q}`, id, e.sent.UTC().Format(time.RFC3339Nano), id)
		if _, err := b.call(context.WithoutCancel(ctx), http.MethodPost, "/v1/track", "write-dev", body); err != nil {
			return err
		}
		w.mu.Lock()
		e.acked = now()
		w.mu.Unlock()
	}
}

// take notes a change of the topic.
func (w *entries) take(m *kafka.Message) error {
	at := now()
	var c segmentMessage
	if err := json.Unmarshal(m.Value, &c); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if e, ok := w.sent[identity.Key(c.Profile)]; ok && c.Segment == "probe" && c.Change == "entered" {
		e.evaluated, e.seen = c.Time, at
		w.done = append(w.done, e)
		delete(w.sent, identity.Key(c.Profile))
	}
	return nil
}

// takeNote notes what the pipeline says that it has stored.
func (w *entries) takeNote(m *kafka.Message) error {
	at := now()
	_, _, keys, err := readNews(m)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range keys {
		if e := w.sent[k]; e != nil && e.noted.IsZero() {
			e.noted = at
		}
	}
	return err
}

// between is a part of the way of all who entered, from the shortest to the longest.
func (w *entries) between(from, to func(*entry) time.Time) []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]time.Duration, len(w.done))
	for i, e := range w.done {
		list[i] = to(e).Sub(from(e))
	}
	slices.Sort(list)
	return list
}

// quantiles are the middle and the ninety-ninth of a hundred.
func quantiles(sorted []time.Duration) string {
	return fmt.Sprintf("p50 %.2f s, p99 %.2f s", sorted[len(sorted)/2].Seconds(), sorted[len(sorted)*99/100].Seconds())
}
