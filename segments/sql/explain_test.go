package sql_test

import (
	"fmt"
	"math/bits"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/segmentstest"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// seeded returns a maker of the seed of the environment, or of a new one.
func seeded(t *testing.T, stream uint64) maker {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("KINDRED_TEST_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("KINDRED_TEST_SEED=%d", seed)
	return maker{segmentstest.New(seed, stream)}
}

// TestReachAndOverlapAgreeWithOracle asks for random definitions whom they reach, and
// whom they share with live segments, of which one has ended and one has members of
// before, and counts the same one person at a time.
func TestReachAndOverlapAgreeWithOracle(t *testing.T) {
	ctx, m := t.Context(), seeded(t, 5)
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	o := m.history(w, 40)
	w.Flush(ctx)
	people := o.people()
	cfg := sql.DefaultConfig()
	cfg.Rules, cfg.MaxExecution = ruleTable(), time.Minute // However busy the machine is.
	p, err := sql.New(cfg, conn, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	live := map[segments.ID][]identity.ProfileID{}
	for i := range 4 {
		id := segments.ID(fmt.Sprintf("s%d", i))
		for tries := 0; tries < 20 && len(live[id]) == 0; tries++ {
			_, live[id] = m.selective(o, len(people))
		}
		keep(t, w, id, live[id], i == 3)
	}
	delete(live, "s3")
	reached, shared := 0, 0
	for range testCount(t, 6) {
		d, in := m.selective(o, len(people))
		text, _ := d.MarshalJSON()
		preview, err := p.Preview(ctx, "main", d, 0)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Explain(ctx, "main", d, preview, segments.Question{Parts: []segments.Part{segments.PartReach, segments.PartOverlap}, Self: "s0"})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, r := range got.Reach {
			var want segments.ChannelReach
			want.Channel = r.Channel
			for _, id := range in {
				if person := people[id]; person.namespaces[r.Namespace] {
					want.Addressable++
					switch o.stance(person, "marketing", r.Name) {
					case segments.Granted:
						want.Granted++
					case segments.Denied:
						want.Denied++
					}
				}
			}
			if diff := cmp.Diff(want, r); diff != "" {
				t.Fatalf("%s: reach (-oracle +sql):\n%s", text, diff)
			}
			reached += int(want.Granted)
		}
		if len(got.Reach) != len(segments.Channels()) || len(got.Overlap) != 2 {
			t.Fatalf("%s: %d channels, %d segments; live have %d and %d, in %d, unanswered %v", text, len(got.Reach), len(got.Overlap), len(live["s1"]), len(live["s2"]), len(in), got.Unanswered)
		}
		for _, s := range got.Overlap {
			want := segments.SegmentOverlap{Segment: s.Segment, Members: uint64(len(live[s.Segment])), Of: uint64(len(in)), Both: common(in, live[s.Segment])}
			if diff := cmp.Diff(want, s); diff != "" {
				t.Fatalf("%s: overlap (-oracle +sql):\n%s", text, diff)
			}
			shared += int(want.Both)
		}
	}
	if reached+shared == 0 { // Either alone may be, of so few definitions.
		t.Errorf("%d reached and %d shared: nothing was tested", reached, shared)
	}
}

func common(a, b []identity.ProfileID) (n uint64) {
	for _, id := range a {
		if slices.Contains(b, id) {
			n++
		}
	}
	return n
}

// keep writes a live segment as its worker would have: members, one that has left
// again, and the end of it.
func keep(t *testing.T, w *clickhousetest.World, id segments.ID, members []identity.ProfileID, archived bool) {
	t.Helper()
	exec := func(query string, args ...any) {
		t.Helper()
		if err := w.Conn.Exec(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("INSERT INTO segment_definitions (workspace, segment, revision, archived) VALUES (?, ?, 1, false), (?, ?, 2, ?)", w.Workspace, string(id), w.Workspace, string(id), archived)
	const row = "INSERT INTO segment_changes (workspace, segment, profile_id, block, entered) SELECT ?, ?, arrayJoin(?), ?, ?"
	ids := []uint64{4711}
	for _, m := range members {
		ids = append(ids, uint64(m))
	}
	exec(row, w.Workspace, string(id), ids, 1, true)
	exec(row, w.Workspace, string(id), []uint64{4711}, 2, false)
}

// TestIntersectionsAgreeWithOracle counts every intersection of up to ten definitions,
// which have more leaves than fit into one query.
func TestIntersectionsAgreeWithOracle(t *testing.T) {
	ctx, m := t.Context(), seeded(t, 6)
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	o := m.history(w, 40)
	w.Flush(ctx)
	people := o.people()
	cfg := sql.DefaultConfig()
	cfg.Rules, cfg.MaxExecution = ruleTable(), time.Minute // However busy the machine is.
	p, err := sql.New(cfg, conn, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	many := segments.All{}
	for n := range 60 { // Leaves that hold for nobody.
		many = append(many, segments.Trait{Name: "newest", Test: segments.Test{Op: segments.Eq, Values: []segments.Scalar{{Kind: segments.Number, Number: float64(n) + .125}}}})
	}
	for size := range testCount(t, 3) {
		ds := make([]segments.Definition, 2+size*4%9)
		in := make([][]identity.ProfileID, len(ds))
		for i := range ds {
			ds[i], in[i] = m.selective(o, len(people))
			if i < 2 && len(ds) > 2 {
				ds[i].Root = segments.Any{ds[i].Root, segments.Any(many[30*i : 30*i+30])}
				in[i] = o.members(ds[i])
			}
		}
		got, err := p.Intersect(ctx, "main", ds)
		if err != nil {
			t.Fatal(err)
		}
		if got.Profiles != uint64(len(people)) {
			t.Errorf("%d profiles, want %d", got.Profiles, len(people))
		}
		told := map[uint64]segments.Region{}
		for _, r := range got.Regions {
			told[r.In] = r
		}
		for set := uint64(1); set < 1<<len(ds); set++ {
			want := segments.Region{In: set}
			for id := range people {
				all, only := true, true
				for i := range ds {
					is := slices.Contains(in[i], id)
					all = all && (is || set>>i&1 == 0)
					only = only && is == (set>>i&1 == 1)
				}
				if all {
					want.Members++
				}
				if only {
					want.Only++
				}
			}
			if _, there := told[set]; there != (want.Members > 0) || there && told[set] != want {
				t.Fatalf("intersection %b of %d: %+v, want %+v", set, len(ds), told[set], want)
			}
			if bits.OnesCount64(set) == 1 && got.Counts[bits.TrailingZeros64(set)] != want.Members {
				t.Fatalf("counts %v, want %d of %b", got.Counts, want.Members, set)
			}
		}
	}
}
