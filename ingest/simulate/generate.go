package simulate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/ingest/files"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Counts says what a simulation emitted. Copies are counted apart: a message
// and its copies are one event.
type Counts struct {
	Messages int            `json:"messages"` // distinct
	Copies   int            `json:"copies"`   // deliberate repetitions of them
	Late     int            `json:"late"`     // distinct messages that arrive a day late or more
	Sources  map[string]int `json:"sources"`  // distinct messages by source
}

// World is everything a simulation made: its events in order of arrival, the
// truth, and how many people there are.
type World struct {
	Truth    *Truth
	People   int // customers and visitors
	Visitors int // of them, people without a customer number
	// Stays are the true visits to zones of stores, and Spots the true venues of
	// position fixes.
	Stays []Stay
	Spots []Spot
	// CRM is the export of an old CRM, in which some of the customers are.
	CRM []Card

	run      string
	events   []event
	arrivals []arrival
	headers  []files.Header
	counts   Counts
}

// arrival is one delivery of an event: the first, or a copy.
type arrival struct {
	at    int64
	event int32
	copy  int8
	retry int32 // milliseconds by which a client's retry was sent later
}

// Fingerprint is the identity of a simulation: the SHA-256 of its configuration
// and customers in hexadecimal.
func Fingerprint(cfg Config, customers []files.Customer) (string, error) {
	h := sha256.New()
	e := json.NewEncoder(h)
	if err := e.Encode(cfg); err != nil {
		return "", fmt.Errorf("encode configuration: %w", err)
	}
	if err := e.Encode(customers); err != nil {
		return "", fmt.Errorf("encode customers: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Generate makes the world of a configuration around customers, on one core.
// Events go to workspace.
func Generate(cfg Config, customers []files.Customer, workspace string) (*World, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	run, err := Fingerprint(cfg, customers)
	if err != nil {
		return nil, err
	}
	truth := newTruth()
	people := newPopulation(cfg, customers, truth)
	w := newPlayer(cfg, customers, people, truth)
	for _, h := range people.households {
		w.plan(h)
		w.play(h)
		h.visits = nil
	}
	w.bots(cfg.Seed)
	traces := w.trace(people.people)
	world := &World{
		Truth: truth, People: len(people.people), run: run[:10], events: w.events,
		headers: files.WorkspaceHeaders(workspace), Stays: traces.stays, CRM: people.crm(len(customers)),
	}
	for _, s := range traces.spots {
		world.Spots = append(world.Spots, Spot{MessageID: messageID(world.run, s.event), Venue: s.venue})
	}
	for _, p := range people.people {
		if len(p.users) == 0 {
			world.Visitors++
		}
	}
	world.deliver(cfg)
	return world, nil
}

func newPlayer(cfg Config, customers []files.Customer, people *population, truth *Truth) *player {
	w := &player{cfg: cfg, truth: truth, end: cfg.End.UnixMilli(), addresses: people.everyMail}
	w.start = w.end - 365*dayMS
	known := make(map[string]bool)
	for _, c := range customers {
		for _, o := range c.Orders {
			w.start = min(w.start, o.Time.UnixMilli()-30*dayMS)
			for _, p := range o.Products {
				if !known[p] {
					known[p] = true
					w.products = append(w.products, p)
				}
			}
		}
	}
	if len(w.products) == 0 {
		w.products = []string{"10001", "10002", "10003"}
	}
	for range cfg.StoreTablets {
		w.tablets = append(w.tablets, &browser{device: people.uuid(), exposed: true, cookie: people.uuid()})
	}
	return w
}

// deliver decides in which order messages arrive, and which arrive again.
func (w *World) deliver(cfg Config) {
	rng := stream(cfg.Seed, 2)
	for i, e := range w.events {
		w.arrivals = append(w.arrivals, arrival{at: e.arrive, event: int32(i)})
		if !chance(rng, cfg.Copies) {
			continue
		}
		for n := range 1 + rng.IntN(2) {
			again := arrival{at: e.arrive + 200 + rng.Int64N(minuteMS), event: int32(i), copy: int8(n + 1)}
			if rng.IntN(10) == 0 {
				again.at += rng.Int64N(5 * dayMS)
			}
			if chance(rng, .5) {
				again.retry = int32(again.at-e.arrive) % int32(hourMS)
			}
			w.arrivals = append(w.arrivals, again)
		}
	}
	slices.SortFunc(w.arrivals, func(a, b arrival) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.event, b.event), cmp.Compare(a.copy, b.copy))
	})
}

// Deliveries is the number of records: messages and copies.
func (w *World) Deliveries() int { return len(w.arrivals) }

var _ files.Feed = (*World)(nil)

// Records implements files.Feed.
func (w *World) Records(ctx context.Context, emit func(files.Record) error) error {
	w.counts = Counts{Sources: make(map[string]int)}
	for n, a := range w.arrivals {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		e := &w.events[a.event]
		retry := time.Duration(a.retry) * time.Millisecond
		m, err := e.message(messageID(w.run, int(a.event)), retry)
		if err != nil {
			return err
		}
		value, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("encode event: %w", err)
		}
		w.count(e, a)
		err = emit(files.Record{
			Topic: e.kind().Topic(), Key: wire.PartitionKey(m.Source, m.ID), Value: value, Headers: w.headers,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *World) count(e *event, a arrival) {
	if a.copy > 0 {
		w.counts.Copies++
		return
	}
	w.counts.Messages++
	w.counts.Sources[e.source]++
	if e.arrive-e.at >= dayMS {
		w.counts.Late++
	}
}

// Snapshot implements files.Feed.
func (w *World) Snapshot() any { return w.counts }
