package views

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// fed is a history whose notes the projector and a reader's feed get as they would by a
// topic: all of them, in order, the projector late.
type fed struct {
	*history
	log       []Note
	taken     int   // by the projector
	committed int64 // and what the feed will hear of that
}

// write writes the note of what was stored; a process that stored it itself announced it.
func (f *fed) write() {
	if len(f.named) == 0 {
		return
	}
	n := Note{Workspace: "main", Keys: f.named, Place: int64(len(f.log))}
	f.named = nil
	own := f.IntN(2) == 0
	if own {
		f.feed.Announce(n.Workspace, n.Keys)
	}
	f.log = append(f.log, n)
	f.notes.end = int64(len(f.log))
	if own && f.IntN(3) == 0 {
		return // It comes back with the next one.
	}
	f.hear()
}

// hear gives the feed what it has not heard.
func (f *fed) hear() {
	f.feed.mu.Lock()
	next := f.feed.next
	f.feed.mu.Unlock()
	for _, n := range f.log[next:] {
		f.feed.Note(n.Workspace, n.Keys, n.Place, f.feed.coming["main"][n.Keys[0]] > 0)
	}
	f.feed.Reached(f.notes.end, f.clock)
}

// work lets the projector do what it has notes of.
func (f *fed) work() {
	f.notes.next = append(f.notes.next, f.log[f.taken:]...)
	f.taken = len(f.log)
	for range 40 {
		f.clock = f.clock.Add(time.Millisecond)
		if err := f.scene.work.round(f.Context()); err != nil {
			f.Fatal(err)
		}
		if f.scene.work.notes == 0 && f.scene.work.due() == 0 {
			f.committed = int64(f.taken)
			return
		}
	}
	f.Fatal("the projector does not end")
}

// TestRowsThatNoNoteNamesAreTrusted: whatever happens, rows that are not compared with
// events because no note names their profile are what the events tell. Most are.
func TestRowsThatNoNoteNamesAreTrusted(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	form := clickhouse.DefaultConfig()
	form.Recent = 3
	f := &fed{history: &history{scene: newScene(t, form), Rand: rand.New(rand.NewPCG(seed, 1))}}
	f.feed = NewFeed(time.Hour, 1000)
	f.feed.Start(0)
	f.open(form)
	f.scene.rows.cfg.MarkAge = 0
	var keys []identity.Key
	for p := range people {
		f.Person(ids(p)...)
		for range 3 {
			f.event()
		}
		for _, id := range ids(p) {
			keys = append(keys, f.Key(id))
		}
	}
	f.Flush(t.Context())
	f.write()
	var happened []string
	for step := range steps {
		if step == 0 || f.IntN(2) == 0 {
			happened = append(happened, "projected")
			f.work()
		}
		if f.IntN(3) > 0 {
			f.feed.Projected(f.committed)
		}
		happened = append(happened, f.step())
		f.write()
		f.mustEqual(fmt.Sprintf("seed %d, step %d of %v", seed, step, happened), keys)
		if f.IntN(3) == 0 {
			f.hear()
		}
	}
	if n := testutil.ToFloat64(f.scene.rows.metrics.trusted); n < steps {
		t.Errorf("only %v rows were trusted", n)
	}
}

// TestFeedBelievesNothingItDoesNotKnow has every reason for which a row is compared.
func TestFeedBelievesNothingItDoesNotKnow(t *testing.T) {
	var f *Feed
	at := day
	fresh := func() {
		f = NewFeed(time.Second, 3)
		f.Start(10)
		f.Reached(10, at)
	}
	trusts := func(what string, wanted bool, read, marked int64, keys ...uint64) {
		t.Helper()
		if got := f.Trusts("main", read, marked, keys, at.Add(time.Second)); got != wanted {
			t.Errorf("%s: %v", what, got)
		}
	}
	trusts("no feed", false, 0, 0, 1)
	f = NewFeed(time.Second, 3)
	trusts("nothing known", false, 0, 0, 1)
	fresh()
	trusts("nothing happened", true, 10, 10, 1)
	trusts("the projector went on since the row was read", false, 9, 10, 1)
	if f.Trusts("main", 10, 10, []uint64{1}, at.Add(time.Second+1)) {
		t.Error("what is old is believed")
	}

	f.Announce("main", []identity.Key{1})
	trusts("announced", false, 10, 10, 1)
	f.Note("main", []identity.Key{1}, 10, false)
	trusts("noted by another, and announced", false, 10, 10, 1)
	f.Projected(11)
	trusts("projected, and announced", false, 11, 11, 1)
	f.Note("main", []identity.Key{1}, 11, true)
	trusts("noted", false, 11, 11, 1)
	trusts("another", true, 11, 11, 2)
	f.Note("main", []identity.Key{3}, 12, false)
	f.Projected(12)
	trusts("projected", true, 12, 12, 1)
	trusts("the next to be projected", false, 12, 12, 3)

	fresh()
	f.Reached(12, at.Add(time.Minute))
	f.Note("main", []identity.Key{1}, 10, false)
	if f.Trusts("main", 10, 10, []uint64{2}, at.Add(time.Minute)) {
		t.Error("a feed that is behind is believed")
	}
	f.Note("main", []identity.Key{1}, 11, false)
	if !f.Trusts("main", 10, 10, []uint64{2}, at.Add(time.Minute)) {
		t.Error("a feed that has caught up is not believed")
	}

	fresh()
	f.Note("main", nil, 10, false)
	f.Projected(11)
	trusts("notes were lost, and the mark was read before", false, 11, 10, 1)
	trusts("notes were lost, and the mark was read after", true, 11, 11, 1)

	fresh()
	f.Announce("main", []identity.Key{1})
	f.Note("main", nil, 10, true)
	trusts("what was announced is lost", false, 10, 10, 1)
	f.Projected(11)
	trusts("a sweep has mended it", true, 11, 11, 1)

	fresh()
	f.Stop()
	f.Announce("main", []identity.Key{1})
	f.Note("main", []identity.Key{1}, 10, false)
	trusts("nobody gives notes", false, 10, 10, 2)
	if len(f.coming)+len(f.waiting) > 0 {
		t.Error("a feed that was stopped keeps something")
	}

	fresh()
	f.Note("main", []identity.Key{1}, 11, false)
	trusts("a note is missing", false, 10, 10, 2)

	fresh()
	f.Note("main", []identity.Key{1, 2, 3, 4}, 10, false)
	trusts("too many wait", false, 10, 10, 9)
	f.Projected(11)
	trusts("they are projected", true, 11, 11, 1)
}

// TestLostNotesAreSwept: a row is compared until a sweep has looked at everybody again,
// and until that is on record.
func TestLostNotesAreSwept(t *testing.T) {
	s, ana := one(t, clickhouse.DefaultConfig())
	s.feed = NewFeed(time.Hour, 1000)
	s.feed.Start(1)
	s.open(clickhouse.DefaultConfig())
	s.rows.cfg.MarkAge = 0
	s.feed.Reached(1, s.clock)
	trusted := func() float64 {
		t.Helper()
		before := testutil.ToFloat64(s.rows.metrics.trusted)
		if !s.fromRow(ana) {
			t.Error("no row is read")
		}
		return testutil.ToFloat64(s.rows.metrics.trusted) - before
	}
	s.project(identity.Key(ana)) // And sweeps.
	if trusted() != 1 {
		t.Fatal("the row is compared")
	}
	s.notes.next = []Note{{Place: 1}}
	s.notes.end = 2
	s.work.sweeps = map[string]uint64{"main": 1} // One that had passed by.
	if err := s.work.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.feed.Note("", nil, 1, false)
	if trusted() != 0 {
		t.Error("the row is trusted though notes were lost")
	}
	s.feed.Projected(2)
	if trusted() != 0 {
		t.Error("the row is trusted before the sweep has ended")
	}
	for s.work.due() > 0 {
		s.clock = s.clock.Add(time.Millisecond)
		if err := s.work.round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if trusted() != 1 {
		t.Error("the row is compared after a sweep")
	}
}

// TestFeedIsWhole: what was written until a time is heard once the notes before the end
// of that time are, and a place that is left out is told.
func TestFeedIsWhole(t *testing.T) {
	f := NewFeed(time.Minute, 100)
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	note := func(place int64) bool { return f.Note("main", []identity.Key{7}, place, false) }
	f.Start(5)
	if !f.Until().IsZero() {
		t.Error("something is heard before anything was asked")
	}
	f.Reached(5, at(1))
	if !f.Until().Equal(at(1)) {
		t.Errorf("nothing was written, and all is heard until %v", f.Until())
	}
	f.Reached(7, at(2))
	f.Reached(9, at(3)) // The one before comes first.
	if !note(5) || !f.Until().Equal(at(1)) {
		t.Errorf("one of two notes is all until %v", f.Until())
	}
	if !note(6) || !f.Until().Equal(at(2)) {
		t.Errorf("both notes are all until %v", f.Until())
	}
	if !note(6) || note(8) || !note(9) {
		t.Error("only place 7 was left out")
	}
	f.Reached(9, at(4))
	if !f.Until().Equal(at(4)) {
		t.Errorf("all that was lost is passed, and heard until %v", f.Until())
	}
}
