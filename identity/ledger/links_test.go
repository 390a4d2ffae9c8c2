package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

var (
	crmAna  = id(identity.Record, "crm/7")
	shopAna = id(identity.Record, "shop/41")
	shopEve = id(identity.Record, "shop/42")
)

// records is a world with three records, one of Ana's in the CRM and two in a
// shop, that evidence does not connect.
func records(w *world) {
	at := testNow.Add(-240 * time.Hour)
	for _, ids := range [][]identity.Identifier{{crmAna, ana}, {shopAna, anaMail}, {shopEve, anaPhone}} {
		w.send(evidenceOf(w.workspaces[0], "crm", at, at, ids...))
	}
}

// scored are links of one pair of records.
func (w *world) scored(model string, at time.Time, weight int64, a, b identity.Identifier, why ...identity.Contribution) identity.Links {
	return identity.Links{
		Workspace: w.workspaces[0], Model: model, ScoredAt: at.UnixMilli(),
		Pairs: []identity.RecordLink{{A: a.Value, B: b.Value, Weight: weight, Contributions: why}},
	}
}

func (w *world) mustOwn() {
	w.t.Helper()
	if err := w.own(nil); err != nil {
		w.t.Fatal(err)
	}
}

// TestLinks: a score joins, a later one below the threshold takes it back, an
// earlier one that comes late says nothing, and one that says nothing of its
// records waits for them.
func TestLinks(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	records(w)
	w.mustOwn()
	apart := w.published(w.workspaces[0])
	at := testNow.Add(-time.Hour)
	for _, step := range []struct {
		name   string
		links  identity.Links
		joined bool
	}{
		{"of another model", w.scored("m2", at.Add(time.Minute), 1500, crmAna, shopAna), false},
		{"below the review threshold", w.scored("m1", at, 150, crmAna, shopAna), false},
		{"for review", w.scored("m1", at.Add(time.Second), 300, crmAna, shopAna), false},
		{"above the threshold, the other way round", w.scored("m1", at.Add(2*time.Second), 1500, shopAna, crmAna), true},
		{"an earlier one", w.scored("m1", at.Add(time.Second), -500, crmAna, shopAna), true},
		{"a lower one of the same time", w.scored("m1", at.Add(2*time.Second), -500, crmAna, shopAna), true},
		{"a later one below", w.scored("m1", at.Add(3*time.Second), 100, crmAna, shopAna), false},
		{"again above", w.scored("m1", at.Add(4*time.Second), 900, crmAna, shopAna), true},
		{"no longer supported", w.scored("m1", at.Add(5*time.Second), identity.Unsupported, crmAna, shopAna), false},
	} {
		w.sendLinks(step.links)
		w.mustOwn()
		if got := w.profile(crmAna) == w.profile(shopAna); got != step.joined {
			t.Fatalf("%s: joined: %v, want %v", step.name, got, step.joined)
		}
		w.mustCheck(step.name)
		if err := w.db.Exec(t.Context(), "OPTIMIZE TABLE record_links FINAL"); err != nil {
			t.Fatal(err)
		}
		w.mustCheck(step.name + ", merged")
	}
	for k, p := range w.published(w.workspaces[0]).profile { // Moved there and back.
		if was, ok := apart.profile[k]; ok && was != p || !ok && p != identity.ProfileID(k) {
			t.Errorf("identifier %x is of profile %s, was %s", k, p, was)
		}
	}
	later := id(identity.Record, "crm/later")
	w.sendLinks(w.scored("m1", at, 1500, later, shopAna))
	w.mustOwn()
	w.mustCheck("a record that was never seen")
	w.send(evidenceOf(w.workspaces[0], "crm", at, at, later))
	w.mustOwn()
	if w.profile(later) != w.profile(shopAna) {
		t.Error("a score made before its record was seen does not count after")
	}
	w.mustCheck("a record that was seen later")
}

// TestLinksExplained: why, the graph of a profile and what stands between two
// show the score with its contributions.
func TestLinksExplained(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	w.cfg.BatchWait = time.Millisecond
	records(w)
	at := testNow.Add(-time.Hour)
	why := []identity.Contribution{{Field: "prior", Weight: -900}, {Field: "surname", Level: "equal", Weight: 1600}, {Field: "birth date", Level: "one digit off", Weight: 540}}
	w.sendLinks(w.scored("m1", at, 1240, crmAna, shopAna, why...))
	w.sendLinks(w.scored("m1", at, 310, shopEve, crmAna, identity.Contribution{Field: "street", Level: "equal", Weight: 310}))
	want := &identity.LinkScore{
		Model: "m1", Weight: 1240, Probability: identity.LinkProbability(1240), ScoredAt: at.UnixMilli(), Contributions: why,
	}
	l := w.ledger(nil)
	ws := w.workspaces[0]
	w.owned(l, func(ctx context.Context) {
		e, err := l.Why(ctx, ws, memberOf(ws, ana), memberOf(ws, anaMail))
		if err != nil || !e.Same || len(e.Path) != 3 || e.Path[1].Kind != identity.HopLinked || e.Path[1].Weight != 1240 {
			t.Fatalf("why: %v, %+v", err, e)
		}
		if diff := cmp.Diff(want, e.Path[1].Link); diff != "" || e.Path[0].Link != nil || len(e.Path[0].Evidence) != 1 {
			t.Errorf("the hops of a record link: %s\n%+v", diff, e.Path)
		}
		e, err = l.Why(ctx, ws, memberOf(ws, anaPhone), memberOf(ws, ana))
		if err != nil || e.Same || e.Barrier == nil || e.Barrier.Kind != identity.BarrierWeight {
			t.Fatalf("why not: %v, %+v", err, e)
		}
		if s := e.Barrier.Link; s == nil || s.Weight != 310 || len(s.Contributions) != 1 || s.Contributions[0].Level != "equal" {
			t.Errorf("the score in the way: %+v", s)
		}
		g, err := l.Subgraph(ctx, ws, identity.ProfileID(w.key(ana)))
		if err != nil || len(g.Identifiers) != 4 || len(g.Pairs) != 3 {
			t.Fatalf("subgraph: %v, %+v", err, g)
		}
		linked := 0
		for _, p := range g.Pairs {
			if (p.Link != nil) != (p.State == string(identity.HopLinked)) {
				t.Errorf("pair %+v", p)
			}
			if p.Link != nil {
				linked++
				if diff := cmp.Diff(want, p.Link); diff != "" {
					t.Error(diff)
				}
			}
		}
		if linked != 1 {
			t.Errorf("%d record links, want 1", linked)
		}
	})
}

// TestScoringOfAnotherMoment: where the tables know a later score than the graph,
// what is shown is that of the graph, without what the other is made of.
func TestScoringOfAnotherMoment(t *testing.T) {
	s := newScoring()
	s.model = "m1"
	s.want(2, 1)
	s.found = map[[2]identity.Key]identity.LinkScore{{1, 2}: {Model: "m1", Weight: 900, ScoredAt: 7}}
	if got := s.score(1, 2, 900); got == nil || got.ScoredAt != 7 {
		t.Errorf("%+v", got)
	}
	if got := s.score(1, 2, 800); got == nil || got.Weight != 800 || got.ScoredAt != 0 {
		t.Errorf("%+v", got)
	}
	if got := s.score(1, 3, 900); got != nil {
		t.Errorf("%+v", got)
	}
}

// TestLinksStopped stops an owner before each step of a flush with links, and lets
// another one go on: all is as if nothing had happened.
func TestLinksStopped(t *testing.T) {
	db := warehousetest.Shared(t)
	steps := map[string]bool{}
	first, by := strides(t)
	for stop, ended := first, false; !ended; stop += by {
		w := newWorld(t, db, firstSeed)
		w.whole = true
		records(w)
		w.mustOwn()
		w.sendLinks(w.scored("m1", testNow, 1500, crmAna, shopAna))
		left, name := stop, ""
		err := w.own(func(step string) error {
			if left--; left < 0 {
				name = step
				return errCrash
			}
			return nil
		})
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		ended = err == nil
		steps[name] = true
		w.mustOwn()
		w.mustCheck(fmt.Sprintf("stopped before %q", name))
		if w.profile(crmAna) != w.profile(shopAna) {
			t.Errorf("stopped before %q: not joined", name)
		}
	}
	mustHaveStopped(t, by, steps, "links", "reading", "version", "notices", "commit")
}

// TestLinkStream sends mostly scored pairs, with owners that stop before random
// steps or are replaced in the midst of one: the reading, a rebuild, the history
// and the table of links end equal to the definition, and links move people.
func TestLinkStream(t *testing.T) {
	db := warehousetest.Shared(t)
	moved := 0
	for i := range histories(t) {
		seed := firstSeed + uint64(i)
		w := newWorld(t, db, seed)
		w.rules.UnitCap = []int{3, 5, 256}[w.r.IntN(3)]
		stops := map[string]int{}
		for range 4 {
			for range 12 {
				w.send(w.random())
				w.sendLinks(w.randomLinks())
				if w.r.IntN(6) == 0 {
					w.ask(w.randomCommand())
				}
			}
			for range 3 {
				left, replace := w.r.IntN(30), w.r.IntN(2) == 0
				err := w.own(func(name string) error {
					if left--; left >= 0 {
						return nil
					}
					stops[name]++
					if replace && left == -1 {
						return w.own(nil)
					}
					if replace {
						return nil // It goes on, to the fence.
					}
					return errCrash
				})
				if err != nil && !errors.Is(err, errCrash) && !errors.Is(err, errFence) && !strings.Contains(err.Error(), "already has epoch") {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		}
		w.mustOwn()
		if err := w.check(); err != nil {
			t.Fatalf("seed %d, stops %v: %v", seed, stops, err)
		}
		for _, name := range w.workspaces {
			with := w.truth(name).result.Profile
			without := *w.rules
			without.ModelVersion = "m0"
			rules := w.rules
			w.rules = &without
			for k, p := range w.truth(name).result.Profile {
				if with[k] != p {
					moved++
				}
			}
			w.rules = rules
		}
	}
	if moved == 0 {
		t.Error("no link moved an identifier")
	}
	t.Logf("%d identifiers have another profile for the links", moved)
}

// TestModelSwitch: an owner under rules of another model loads what that one has
// scored, and a dry run under such rules, or another threshold, says before what
// it will change, and changes nothing.
func TestModelSwitch(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	db := warehousetest.Shared(t)
	joins, splits := 0, 0
	for i := range max(4, 2*histories(t)) {
		seed := firstSeed + uint64(i)
		w := newWorld(t, db, seed)
		for range 30 {
			w.send(w.random())
			w.sendLinks(w.randomLinks())
		}
		w.whole = true
		l := w.ledger(nil)
		o := newOwner(l, w.topic.join())
		if err := o.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := o.process(t.Context(), w.topic.log); err != nil {
			t.Fatal(err)
		}
		name := w.workspaces[0]
		before, reading := w.truth(name), w.readings()
		for _, change := range []func(*identity.Rules){
			func(r *identity.Rules) { r.ModelVersion = "m2" },
			func(r *identity.Rules) { r.LinkThreshold = 300 },
			func(r *identity.Rules) { r.LinkThreshold = 1000 },
			func(r *identity.Rules) { r.ReviewThreshold, r.LinkThreshold = 800, 900 },
		} {
			first, other := w.rules, *w.rules
			change(&other)
			w.rules = &other
			f := fileOf(w.rules)
			f.Rename = slices.DeleteFunc(f.Rename, func(source string) bool { return w.rules.Untrusted[source] }) // which no file may name
			report, err := l.DryRun(t.Context(), name, f)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			after := w.truth(name)
			moves := 0
			for k, p := range after.result.Profile {
				if was, ok := before.result.Profile[k]; !ok && p != identity.ProfileID(k) || ok && was != p {
					moves++
				}
			}
			if report.Moves != moves || report.After.Profiles != after.Stats().Profiles {
				t.Errorf("seed %d: %+v, want %d moves to %d profiles", seed, report, moves, after.Stats().Profiles)
			}
			joins, splits = joins+report.Joins, splits+report.Splits
			w.rules = first
		}
		if diff := cmp.Diff(reading, w.readings(), cmp.AllowUnexported(reading[name])); diff != "" {
			t.Fatalf("seed %d: a dry run changed the reading: %s", seed, diff)
		}
		w.rules.ModelVersion = "m2"
		w.mustOwn()
		w.mustCheck(fmt.Sprintf("seed %d, under the other model", seed))
	}
	if joins == 0 || splits == 0 {
		t.Errorf("other models and thresholds joined %d profiles and split %d", joins, splits)
	}
}
