package simulate

import (
	"fmt"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// walk plays where a person goes in town: the app reports positions, and in the
// stores with readers the card and the phone are read from zone to zone.
func (t *tracer) walk(p *person) {
	if len(p.users) == 0 {
		return
	}
	tag := ""
	if len(p.cards) > 0 && t.known("loyalty", p.cards[0]) && chance(t.rng, t.cfg.Tagged) {
		tag = fmt.Sprintf("e280%012x", t.rng.Int64N(1<<48))
		t.truth.own("rfid", tag, p)
	}
	for n := range poisson(t.rng, t.cfg.StoreVisits) {
		at := t.anytime()
		store := t.rng.IntN(t.cfg.Stores)
		sensed := tag != "" && store < t.cfg.SensedStores
		if n == 0 && sensed {
			// The card is read at the till once, which says whose tag it is.
			t.emit(at-10*minuteMS, sourceReaders, "Card Read", []mention{own("rfid", tag), own("loyalty", p.cards[0])},
				&wire.Reading{Technology: "rfid", Device: "till-reader"})
		}
		if p.app != nil {
			t.fixes(p, at, store)
		}
		if sensed {
			t.rounds(at, store, reader{namespace: "rfid", value: tag, technology: "rfid", every: t.cfg.ReadSeconds})
			t.camera(p, at, store)
		} else if p.app != nil && p.app.exposed && store < t.cfg.SensedStores {
			t.truth.own("device", p.app.device, p)
			t.rounds(at, store, reader{namespace: "device", value: p.app.device, technology: "beacon", every: 2 * t.cfg.ReadSeconds})
		}
	}
	if p.app == nil {
		return
	}
	for range poisson(t.rng, t.cfg.OtherPlaces) {
		t.fixes(p, t.anytime(), t.rng.IntN(len(t.places)))
	}
}

// fixes are one to three positions that the app reports at a place, wrong by a
// normal error that 68 % of the time is within the accuracy it names.
func (t *tracer) fixes(p *person, at int64, place int) {
	const within68 = 1.5096 // standard deviations of one axis
	o := &t.places[place]
	for range 1 + t.rng.IntN(3) {
		accuracy := 8 + 2*t.cfg.FixNoise*t.rng.Float64()
		lat, lon := moved(o.lat, o.lon, t.normal(0, accuracy/within68), t.normal(0, accuracy/within68))
		t.truth.own("device", p.app.device, p)
		if t.emit(at, sourcePosition, "Position Reported", []mention{own("device", p.app.device)}, &wire.Fix{Lat: &lat, Lon: &lon, Accuracy: accuracy}) {
			t.spots = append(t.spots, spotted{len(t.events) - 1, o.id})
		}
		at += minuteMS + t.rng.Int64N(10*minuteMS)
	}
}

// reader says what reads whom.
type reader struct {
	namespace, value, technology string
	every                        float64 // seconds between attempts
}

// zones is how many zones a store has, in a row: a reader hears its neighbours.
const zones = 6

func zoneName(store, zone int) string { return fmt.Sprintf("store-%02d/zone-%d", store+1, zone+1) }

// rounds plays a walk through the zones of a store. A true stay is one of thirty
// seconds or more; going from one to the next takes some seconds.
func (t *tracer) rounds(at int64, store int, r reader) {
	now, zone := at, -1
	for range 2 + t.rng.IntN(4) {
		next := t.rng.IntN(zones)
		if next == zone {
			next = (next + 1) % zones
		}
		zone = next
		left := now + 30_000 + int64(t.rng.ExpFloat64()*t.cfg.DwellSeconds*1000)
		if left >= t.end {
			return
		}
		t.stays = append(t.stays, Stay{r.namespace, r.value, zoneName(store, zone), r.technology, now, left})
		t.read(now, left, store, zone, r)
		now = left + 5_000 + t.rng.Int64N(10_000)
	}
}

// read plays the readings of a stay: the zone's own reader hears most attempts,
// its neighbours some, and weaker; now and then one is reported again.
func (t *tracer) read(from, to int64, store, zone int, r reader) {
	step := int64(r.every * 1000)
	for now := from + t.rng.Int64N(step); now < to; now += step/2 + t.rng.Int64N(step) {
		if !chance(t.rng, t.cfg.ReadMissed) {
			t.hear(now, store, zone, -56, r)
			if chance(t.rng, t.cfg.ReadRepeated) {
				t.hear(now+t.rng.Int64N(900), store, zone, -56, r)
			}
		}
		for _, neighbour := range []int{zone - 1, zone + 1} {
			if neighbour >= 0 && neighbour < zones && chance(t.rng, t.cfg.GhostRead) {
				t.hear(now+t.rng.Int64N(500), store, neighbour, -67, r)
			}
		}
	}
}

func (t *tracer) hear(at int64, store, zone int, strength float64, r reader) {
	dbm := t.normal(strength, 5)
	t.emit(at, sourceReaders, "Tag Read", []mention{own(r.namespace, r.value)}, &wire.Reading{
		Technology: r.technology, Device: fmt.Sprintf("%s-%02d-%d", r.technology, store+1, zone+1), Zone: zoneName(store, zone), Value: &dbm, Unit: "dBm",
	})
}

// camera plays video analytics at the door of a store, which knows the customer
// by the card at the gate: who enters and leaves, in words. Some leavings are
// missed; then the last sighting ends the stay.
func (t *tracer) camera(p *person, at int64, store int) {
	zone := fmt.Sprintf("store-%02d/door", store+1)
	left := at + 4*minuteMS + int64(t.rng.ExpFloat64()*8*float64(minuteMS))
	if left >= t.end {
		return
	}
	id := []mention{own("loyalty", p.cards[0])}
	see := func(when int64, phase string) {
		t.emit(when, sourceCameras, "Person Seen", id, &wire.Reading{Technology: "video", Device: fmt.Sprintf("camera-%02d", store+1), Zone: zone, Phase: phase})
	}
	t.stays = append(t.stays, Stay{"loyalty", p.cards[0], zone, "video", at, left})
	see(at, "enter")
	last := at
	for when := at + minuteMS; when < left; when += minuteMS {
		see(when, "dwell")
		last = when
	}
	if chance(t.rng, t.cfg.LeaveMissed) && last > at {
		return
	}
	see(left, "leave")
}
