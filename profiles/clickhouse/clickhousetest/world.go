// Package clickhousetest fills a test database with a small world of people and
// events, as ingest and identity would have written it, so that readers can be
// tested on a real ClickHouse without running either. It is for tests only.
package clickhousetest

import (
	"context"
	"encoding/json"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// World collects rows of one workspace until Flush inserts them. It is not safe
// for concurrent use.
type World struct {
	T         testing.TB
	Conn      driver.Conn
	Workspace string
	Keyer     identity.Keyer
	// ChangedAt is when a flush changes the reading, as its history tells; 1970 where it
	// is zero.
	ChangedAt time.Time

	profile  map[identity.Key]identity.ProfileID
	tenures  map[identity.Key][]Tenure
	housed   map[identity.ProfileID]identity.HouseholdID
	events   []Event
	scores   []Score
	groups   []Group
	sequence uint64
	written  struct {
		sightings map[identity.Key]bool
		anchors   map[identity.AnchorID]bool
		profile   map[identity.Key]identity.ProfileID
		housed    map[identity.ProfileID]identity.HouseholdID
	}
	changes [][4]any // kind, subject, old, new
}

// Epoch is the epoch of every row of the reading that a World writes.
const Epoch = 1

// New returns an empty world.
func New(t testing.TB, conn driver.Conn, workspace string) *World {
	w := &World{
		T: t, Conn: conn, Workspace: workspace,
		Keyer:   identity.NewKeyer(identity.Secret{1, 2, 3}, workspace),
		profile: map[identity.Key]identity.ProfileID{}, tenures: map[identity.Key][]Tenure{},
		housed: map[identity.ProfileID]identity.HouseholdID{},
	}
	w.written.sightings = map[identity.Key]bool{}
	w.written.anchors = map[identity.AnchorID]bool{}
	w.written.profile = map[identity.Key]identity.ProfileID{}
	w.written.housed = map[identity.ProfileID]identity.HouseholdID{}
	return w
}

// Key returns the key of "namespace:value".
func (w *World) Key(id string) identity.Key {
	w.T.Helper()
	parsed, err := identity.ParseIdentifier(id)
	if err != nil {
		w.T.Fatalf("identifier %q: %v", id, err)
	}
	return w.Keyer.Key(parsed)
}

// Person says that ids belong to one profile, whose id is the key of the first.
func (w *World) Person(ids ...string) identity.ProfileID {
	w.T.Helper()
	p := identity.ProfileID(w.Key(ids[0]))
	for _, id := range ids {
		w.profile[w.Key(id)] = p
	}
	return p
}

// Detach says that an identifier belongs to no profile, like a household value.
func (w *World) Detach(id string) {
	w.T.Helper()
	w.profile[w.Key(id)] = 0
}

// Tenure is a past tenure of an identifier that moves between people.
type Tenure struct {
	Until time.Time
	Owner string // "namespace:value"
}

// Tenures says which past tenures an identifier has, earliest first. It must be
// said before events name the identifier.
func (w *World) Tenures(id string, past ...Tenure) {
	w.T.Helper()
	w.tenures[w.Key(id)] = past
}

// House says that profiles are a household, of the key of an identifier; none,
// where it is empty.
func (w *World) House(value string, all ...identity.ProfileID) {
	w.T.Helper()
	for _, p := range all {
		if w.housed[p] = 0; value != "" {
			w.housed[p] = identity.HouseholdID(w.Key(value))
		}
	}
}

// Profile returns to whom an identifier belongs, itself when nothing was said.
func (w *World) Profile(key identity.Key) identity.ProfileID {
	if p, ok := w.profile[key]; ok {
		return p
	}
	return identity.ProfileID(key)
}

// Add collects events.
func (w *World) Add(events ...Event) { w.events = append(w.events, events...) }

// Score collects scores.
func (w *World) Score(scores ...Score) { w.scores = append(w.scores, scores...) }

// Group collects rows of groups.
func (w *World) Group(groups ...Group) { w.groups = append(w.groups, groups...) }

// Flush inserts what was collected and publishes the reading.
func (w *World) Flush(ctx context.Context) {
	w.T.Helper()
	w.insertEvents(ctx)
	w.insertIdentity(ctx)
	w.insertScores(ctx)
	w.insertGroups(ctx)
	w.events, w.scores, w.groups = nil, nil, nil
	w.sequence++
	err := warehouse.PublishReading(ctx, w.Conn, w.Workspace, warehouse.Version{Epoch: Epoch, Sequence: w.sequence}, time.Now())
	w.check("publish", err)
}

func (w *World) check(what string, err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatalf("%s: %v", what, err)
	}
}

// insert runs fill with an appender for the columns of a table.
func (w *World) insert(ctx context.Context, into string, fill func(add func(values ...any))) {
	w.T.Helper()
	batch, err := w.Conn.PrepareBatch(ctx, "INSERT INTO "+into)
	w.check("insert into "+into, err)
	fill(func(values ...any) {
		w.T.Helper()
		w.check("append to "+into, batch.Append(values...))
	})
	w.check("insert into "+into, batch.Send())
}

// hash returns the message hash as the driver wants it.
func (w *World) hash(e Event) *big.Int {
	lo, hi := w.Keyer.Message(e.Kind, e.Source, e.MessageID)
	n := new(big.Int).SetUint64(hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(lo))
}

func (w *World) members(e Event) []identity.Member {
	w.T.Helper()
	ids := make([]identity.Identifier, len(e.Identifiers))
	for i, s := range e.Identifiers {
		id, err := identity.ParseIdentifier(s)
		w.check("identifier", err)
		ids[i] = id
	}
	members, _ := w.Keyer.Members(ids)
	return members
}

func (w *World) insertEvents(ctx context.Context) {
	w.T.Helper()
	for i := range w.events {
		e := &w.events[i]
		if e.Kind == "" {
			e.Kind = "behaviour"
		}
		if e.Source == "" {
			e.Source = "web"
		}
		if e.Received.IsZero() {
			e.Received = e.Time
		}
	}
	w.insert(ctx, "events (workspace, anchor_id, time, message_hash, message_id, kind, name, type, source, received_time, identifiers, properties)",
		func(add func(...any)) {
			for _, e := range w.events {
				add(w.Workspace, uint64(w.Keyer.Anchor(w.members(e))), e.Time, w.hash(e), e.MessageID, e.Kind, e.Name, e.Type,
					e.Source, e.Received, slices.Clone(e.Identifiers), w.object(e.Properties))
			}
		})
	w.insert(ctx, "trait_observations (workspace, anchor_id, trait, time, message_hash, received_time, source, value)",
		func(add func(...any)) {
			for _, e := range w.events {
				for trait, v := range e.Traits {
					text, err := json.Marshal(v)
					w.check("trait", err)
					add(w.Workspace, uint64(w.Keyer.Anchor(w.members(e))), trait, e.Time, w.hash(e), e.Received, e.Source, string(text))
				}
			}
		})
	w.insertFacts(ctx)
	w.insertVoices(ctx)
}

func (w *World) object(m map[string]any) string {
	w.T.Helper()
	if len(m) == 0 {
		return ""
	}
	text, err := json.Marshal(m)
	w.check("properties", err)
	return string(text)
}

// insertIdentity writes sightings, sets and the two hops of what changed.
func (w *World) insertIdentity(ctx context.Context) {
	w.T.Helper()
	sets := map[identity.AnchorID][]identity.Member{}
	w.insert(ctx, "identifiers (workspace, identifier_id, source, period, namespace, value, first_event, first_received, last_event, last_received)",
		func(add func(...any)) {
			for _, e := range w.events {
				members := w.members(e)
				if anchor := w.Keyer.Anchor(members); anchor.IsSet() && !w.written.anchors[anchor] {
					sets[anchor] = members
				}
				for _, m := range members {
					w.written.sightings[m.Key] = true
					add(w.Workspace, uint64(m.Key), e.Source, int32(identity.PeriodOf(e.Time)), string(m.Namespace), m.Value,
						e.Time, e.Received, e.Time, e.Received)
				}
			}
		})
	w.sequence++
	w.insert(ctx, "identifier_profile (workspace, identifier_id, epoch, sequence, profile_id, previous_id)", func(add func(...any)) {
		for key, p := range w.profile {
			old, ok := w.written.profile[key]
			if !ok {
				old = identity.ProfileID(key)
			}
			if p != old && p != 0 {
				add(w.Workspace, uint64(key), uint64(Epoch), w.sequence, uint64(p), uint64(old))
				w.change("identifier", uint64(key), uint64(old), uint64(p))
				w.written.profile[key] = p
			}
		}
	})
	w.insert(ctx, "anchor_members (workspace, identifier_id, anchor_id)", func(add func(...any)) {
		for anchor, members := range sets {
			for _, m := range members {
				add(w.Workspace, uint64(m.Key), uint64(anchor))
			}
		}
	})
	w.insert(ctx, "anchors (workspace, anchor_id, members)", func(add func(...any)) {
		for anchor, members := range sets {
			keys := make([]uint64, len(members))
			for i, m := range members {
				keys[i] = uint64(m.Key)
			}
			add(w.Workspace, uint64(anchor), keys)
		}
	})
	w.insert(ctx, "anchor_owner (workspace, anchor_id, epoch, sequence, owner_id, previous_id, has_tenures)", func(add func(...any)) {
		for anchor, members := range sets {
			w.written.anchors[anchor] = true
			_, moving := w.tenures[members[0].Key]
			add(w.Workspace, uint64(anchor), uint64(Epoch), w.sequence, uint64(members[0].Key), uint64(0), moving)
			w.change("set", uint64(anchor), 0, uint64(members[0].Key))
		}
		for key, p := range w.profile {
			if p == 0 {
				w.change("set", uint64(key), uint64(key), 0)
				add(w.Workspace, uint64(key), uint64(Epoch), w.sequence, uint64(0), uint64(0), false)
			}
		}
		for key := range w.tenures {
			add(w.Workspace, uint64(key), uint64(Epoch), w.sequence, uint64(key), uint64(key), true)
		}
	})
	w.insertTold(ctx)
	w.insertChanges(ctx)
}

// insertTold writes tenures and households, all of them.
func (w *World) insertTold(ctx context.Context) {
	w.T.Helper()
	w.insert(ctx, "identifier_tenures (workspace, identifier_id, epoch, sequence, untils, owners)", func(add func(...any)) {
		for key, past := range w.tenures {
			untils, owners := []time.Time{}, []uint64{}
			for _, p := range past {
				untils, owners = append(untils, p.Until), append(owners, uint64(w.Key(p.Owner)))
			}
			add(w.Workspace, uint64(key), uint64(Epoch), w.sequence, untils, owners)
			for _, owner := range append(owners, uint64(key)) {
				w.change("tenures", uint64(key), owner, uint64(key))
			}
		}
	})
	w.insert(ctx, "household_profile (workspace, profile_id, epoch, sequence, household_id)", func(add func(...any)) {
		for p, h := range w.housed {
			add(w.Workspace, uint64(p), uint64(Epoch), w.sequence, uint64(h))
			if old := w.written.housed[p]; old != h {
				w.change("household", uint64(p), uint64(old), uint64(h))
				w.written.housed[p] = h
			}
		}
	})
}

func (w *World) insertScores(ctx context.Context) {
	w.T.Helper()
	w.insert(ctx, "scores (workspace, profile_id, score, model_version, as_of, computed_at, value, lower, upper, detail)",
		func(add func(...any)) {
			for _, s := range w.scores {
				add(w.Workspace, uint64(s.Profile), s.Name, s.Model, s.AsOf, s.ComputedAt, s.Value, s.Lower, s.Upper, s.Detail)
			}
		})
}

func (w *World) insertGroups(ctx context.Context) {
	w.T.Helper()
	w.insert(ctx, "profile_groups (workspace, profile_id, time, stage, persona, persona_name, recency, frequency, money, model_version)",
		func(add func(...any)) {
			for _, g := range w.groups {
				add(w.Workspace, uint64(g.Profile), g.Time, g.Stage, g.Persona, g.Name, g.Recency, g.Frequency, g.Money, g.Model)
			}
		})
}
