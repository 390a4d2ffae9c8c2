package clickhouse_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/clickhouse"
	"github.com/kindred-cdp/kindred/ingest/files"
	"github.com/kindred-cdp/kindred/ingest/simulate"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

var dataEnd = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func plain(ns identity.Namespace, v string) (identity.Identifier, bool, error) {
	v = strings.TrimSpace(v)
	return identity.Identifier{Namespace: ns, Value: v}, v != "", nil
}

func decoder() *ingest.Decoder { return ingest.NewDecoder(identity.Secret{1}, plain) }

// shoppers are customers with an order each, so that they exist.
func shoppers(n int) (all []files.Customer) {
	for i := range n {
		id := fmt.Sprintf("c%04d", i)
		all = append(all, files.Customer{ID: id, Orders: []files.Purchase{{OrderID: "o" + id, Time: dataEnd.Add(-time.Duration(1+i%300) * 24 * time.Hour), Products: []string{"p1"}}}})
	}
	return all
}

// shopping is a world in which everybody has a tag and every store has readers.
func shopping(seed uint64) simulate.Config {
	cfg := simulate.DefaultConfig()
	cfg.Seed, cfg.End = seed, dataEnd
	cfg.LoyaltyCard, cfg.Tagged, cfg.SensedStores, cfg.StoreVisits = 1, 1, cfg.Stores, 3
	return cfg
}

// events decodes the records of a kind, each message once.
func events(t *testing.T, w *simulate.World, kind wire.Kind) (all []*ingest.Event) {
	t.Helper()
	d, known := decoder(), map[string]bool{}
	err := w.Records(t.Context(), func(r files.Record) error {
		if r.Topic != kind.Topic() {
			return nil
		}
		e, letter := d.Decode(kind, &kafka.Message{Topic: r.Topic, Value: r.Value, Time: dataEnd})
		if letter != nil {
			t.Fatalf("%s: %s", letter.Reason, letter.Detail)
		}
		if !known[e.ID] {
			known[e.ID] = true
			all = append(all, e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// store inserts events in batches.
func store(t *testing.T, conn driver.Conn, kind wire.Kind, all []*ingest.Event, batch int) {
	t.Helper()
	s := clickhouse.New(conn)
	for i := 0; len(all) > 0; i++ {
		n := min(batch, len(all))
		b := &ingest.Batch{Kind: kind, Events: all[:n], Catalogue: ingest.CatalogueRows(all[:n])}
		for range 2 { // Every insert comes twice; the token makes it one.
			if err := s.Insert(t.Context(), fmt.Sprintf("%s/%d/%d", kind, batch, i), b); err != nil {
				t.Fatal(err)
			}
		}
		all = all[n:]
	}
}

// stay is a visit, true or found.
type stay struct {
	anchor        uint64
	zone          string
	entered, left int64
}

func found(t *testing.T, conn driver.Conn) (all []stay) {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT anchor_id, toString(zone), toUnixTimestamp64Milli(entered), toUnixTimestamp64Milli(left) FROM visits WHERE workspace = 'main' ORDER BY ALL")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s stay
		if err := rows.Scan(&s.anchor, &s.zone, &s.entered, &s.left); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func truth(w *simulate.World) (all []stay) {
	keyer := identity.NewKeyer(identity.Secret{1}, "main")
	for _, s := range w.Stays {
		members, _ := keyer.Members([]identity.Identifier{{Namespace: identity.Namespace(s.Namespace), Value: s.Value}})
		all = append(all, stay{uint64(keyer.Anchor(members)), s.Zone, s.Entered, s.Left})
	}
	return all
}

// match counts the found stays that are a true one: the same tag and zone, and
// an overlap of at least half of the longer of the two; each is used once.
func match(truth, found []stay) (right int) {
	type key struct {
		anchor uint64
		zone   string
	}
	open := map[key][]stay{}
	for _, s := range truth {
		open[key{s.anchor, s.zone}] = append(open[key{s.anchor, s.zone}], s)
	}
	for _, f := range found {
		k := key{f.anchor, f.zone}
		i := slices.IndexFunc(open[k], func(s stay) bool {
			overlap := min(s.left, f.left) - max(s.entered, f.entered)
			return 2*overlap >= max(s.left-s.entered, f.left-f.entered)
		})
		if i >= 0 {
			right++
			open[k] = slices.Delete(open[k], i, i+1)
		}
	}
	return right
}

// The bar: visits folded from noisy readings against the truth of the
// simulation, F1 of .98 and more under the default noise. Harder noise is
// printed beside it.
func TestVisits(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	const seed = 1
	for _, noise := range []struct {
		name   string
		change func(*simulate.Config)
		least  float64
	}{
		{"default noise (30 % missed, 12 % ghosts of each neighbour)", func(*simulate.Config) {}, .98},
		{"no noise", func(c *simulate.Config) { c.ReadMissed, c.GhostRead, c.ReadRepeated, c.LeaveMissed = 0, 0, 0, 0 }, .99},
		{"twice as many ghosts", func(c *simulate.Config) { c.GhostRead = .25 }, .97},
		{"half of the readings missed", func(c *simulate.Config) { c.ReadMissed = .5 }, .94},
		{"half missed, 30 % ghosts", func(c *simulate.Config) { c.ReadMissed, c.GhostRead = .5, .3 }, .90},
	} {
		cfg := shopping(seed)
		noise.change(&cfg)
		w, err := simulate.Generate(cfg, shoppers(100), "")
		if err != nil {
			t.Fatal(err)
		}
		conn := warehousetest.NewTestDatabase(t)
		readings := events(t, w, wire.Sensor)
		store(t, conn, wire.Sensor, readings, 20_000)
		all, got := truth(w), found(t, conn)
		right := match(all, got)
		precision, recall := float64(right)/float64(len(got)), float64(right)/float64(len(all))
		f1 := 2 * precision * recall / (precision + recall)
		t.Logf("seed %d, %s: %d readings, %d true visits, %d found, precision %.4f, recall %.4f, F1 %.4f", seed, noise.name, len(readings), len(all), len(got), precision, recall, f1)
		if f1 < noise.least || len(all) < 800 {
			t.Errorf("%s: F1 %.4f of %d visits, want %.2f", noise.name, f1, len(all), noise.least)
		}
	}
}

// Readings that come late, in another order and in other batches give the same
// visits.
func TestVisitsAreAFunctionOfTheSet(t *testing.T) {
	w, err := simulate.Generate(shopping(2), shoppers(20), "")
	if err != nil {
		t.Fatal(err)
	}
	readings := events(t, w, wire.Sensor)
	first := warehousetest.NewTestDatabase(t)
	store(t, first, wire.Sensor, readings, len(readings))
	want := found(t, first)
	rng := rand.New(rand.NewPCG(2, 2))
	rng.Shuffle(len(readings), func(i, j int) { readings[i], readings[j] = readings[j], readings[i] })
	second := warehousetest.NewTestDatabase(t)
	store(t, second, wire.Sensor, readings, 1+len(readings)/5)
	if got := found(t, second); !slices.Equal(got, want) || len(want) < 50 {
		t.Errorf("%d visits, then %d, not the same", len(want), len(got))
	}
}
