package ledger

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestPendingSets stops an owner between the sets of a batch and the rows that
// decide them. Whether the ledger counts them as few or as many, it decides the
// same ones, each once, however often the engine holds them, and whatever an owner
// whose rows do not count said of them.
func TestPendingSets(t *testing.T) {
	db := warehousetest.NewTestDatabase(t)
	w := newWorld(t, db, firstSeed)
	for range 20 {
		w.sendRandom()
	}
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	name := w.workspaces[0]
	before := w.published(name)
	for range 40 {
		w.sendRandom()
	}
	w.whole = true
	if err := w.own(stopAt("reading")); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	for _, again := range []string{
		`INSERT INTO anchors SELECT * FROM anchors`,
		`INSERT INTO anchor_owner (workspace, anchor_id, epoch, sequence, owner_id, previous_id)
			SELECT workspace, anchor_id, 1000000, 1, 1, 0 FROM anchors`,
	} {
		if err := db.Exec(t.Context(), again); err != nil {
			t.Fatal(err)
		}
	}
	o, sp := w.loaded(name)
	want := map[identity.AnchorID]identity.Key{}
	for _, e := range w.sent[name] {
		if _, decided := before.owner[e.Anchor]; e.Anchor.IsSet() && !decided {
			if key, ok := sp.graph.Deciding(e.Sighting().Members); ok {
				want[e.Anchor] = key
			}
		}
	}
	if len(want) < 5 || len(before.owner) == 0 {
		t.Fatalf("%d sets are pending and %d are not: too few to tell", len(want), len(before.owner))
	}
	for _, few := range []int{2, fewPending} {
		c := o.newChanges(causeRestart)
		pending, err := o.pendingSets(t.Context(), sp, few)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.decidePending(t.Context(), sp, c, pending, few); err != nil {
			t.Fatal(err)
		}
		got := map[identity.AnchorID]identity.Key{}
		for i, a := range c.owners.subject {
			got[identity.AnchorID(a)] = identity.Key(c.owners.now[i])
		}
		if !maps.Equal(got, want) || len(c.owners.subject) != len(want) {
			t.Errorf("few are %d: %d sets decided by %d rows, want %d: %v, want %v", few, len(got), len(c.owners.subject), len(want), got, want)
		}
	}
}

// stopAt is a step that stops an owner before name.
func stopAt(name string) func(string) error {
	return func(step string) error {
		if step == name {
			return errCrash
		}
		return nil
	}
}

// loaded returns a new owner with the ledger of a workspace, of which it has
// published nothing yet.
func (w *world) loaded(name string) (*owner, *space) {
	w.t.Helper()
	o := newOwner(w.ledger(nil), w.topic.join())
	last, err := o.store.lastEpochs(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, epoch := range last {
		o.epoch = max(o.epoch, epoch+1)
	}
	sp := &space{name: name, owner: o, rules: w.rules, flips: newFlips(), keyer: o.deps.Keyer(name), graph: w.newGraph(w.rules)}
	if sp.cuts, err = o.begin(w.t.Context(), name); err != nil {
		w.t.Fatal(err)
	}
	if _, err := o.store.load(w.t.Context(), sp); err != nil {
		w.t.Fatal(err)
	}
	sp.flush()
	return o, sp
}

// TestPublishedProfile compares the profiles that an owner takes for published with
// the definition: of the rows that count, that of the highest version. The rows are
// stored in random order, in parts that the engine has not merged, some twice.
func TestPublishedProfile(t *testing.T) {
	db := warehousetest.NewTestDatabase(t)
	w := newWorld(t, db, firstSeed)
	r := rand.New(rand.NewPCG(firstSeed, 4))
	t.Logf("seed %d", firstSeed)
	o := newOwner(w.ledger(nil), w.topic.join())
	sp := &space{name: w.workspaces[0], cuts: cuts{1: 40, 2: 70, 4: 1 << 63}}
	type profileRow struct {
		version
		id, profile uint64
	}
	var rows []profileRow
	for epoch := range uint64(4) { // Epoch 3 counts for nothing.
		for sequence := range uint64(90) {
			rows = append(rows, profileRow{version{epoch + 1, sequence + 1}, 1 + r.Uint64N(25), 1 + r.Uint64N(1000)})
		}
	}
	want, highest := map[identity.Key]uint64{}, map[identity.Key]version{}
	for _, row := range rows {
		k := identity.Key(row.id)
		if row.Sequence <= sp.cuts[row.Epoch] && row.after(highest[k]) {
			want[k], highest[k] = row.profile, row.version
		}
	}
	rows = append(rows, rows[:50]...)
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for part := range slices.Chunk(rows, 60) {
		b := newProfileBlock()
		for _, row := range part {
			b.add(sp.name, row.version, row.id, row.profile, 0)
		}
		if err := o.store.insert(t.Context(), fmt.Sprint("part ", len(want), part[0]), b); err != nil {
			t.Fatal(err)
		}
	}
	got, last := map[identity.Key]uint64{}, identity.Key(0)
	err := o.eachPublished(t.Context(), sp, func(key identity.Key, profile uint64) error {
		if key <= last {
			t.Errorf("identifier %d comes after %d", key, last)
		}
		got[key], last = profile, key
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		t.Errorf("published profiles %v, want %v", got, want)
	}
}
