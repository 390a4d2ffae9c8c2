package ingest

import (
	"strings"
	"sync"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
)

// EvidenceTopic carries identity.Evidence in the form of
// identity.AppendEvidence, keyed by workspace, so that one partition, and with
// it one owner, holds a workspace's whole ledger. Its reader takes the JSON of
// identity.Evidence as well, which earlier releases wrote; they do not read what
// this one writes, so an upgrade begins with the identity role. Commands to
// identity and scored pairs of records (LinkPublisher) travel on it as well, each
// told by its header.
const EvidenceTopic = "kindred.evidence"

// claim is what evidence is about; evidence of one claim merges. It has no
// pointers, which the collector would follow: about 55 bytes with its span and
// its share of a map.
type claim struct {
	anchor identity.AnchorID
	origin uint32 // its number in acknowledged
	period identity.Period
}

// origin is the part of a claim that few values share. The rule is part of it:
// an alias says more of the same identifiers than another event of them.
type origin struct{ workspace, source, rule string }

// ruleOf names what made the evidence of e.
func ruleOf(e *Event) string {
	if e.Type == identity.RuleAlias {
		return identity.RuleAlias
	}
	return identity.RuleEvent
}

// acknowledged remembers, within a bound, the spans that the evidence topic has
// acknowledged, so that ordinary traffic publishes next to nothing. Forgetting
// one costs a redundant message, never a wrong state, so its keys are exact.
// Safe for concurrent use.
type acknowledged struct {
	mu      sync.Mutex
	limit   int
	names   []origin // by number
	numbers map[origin]uint32
	last    uint32                  // number asked for last
	young   map[claim]identity.Span // Two generations: when young is full it
	old     map[claim]identity.Span // becomes old, and the old one is forgotten.
	// erased is Erased.Until: what was acknowledged of before then says nothing now.
	erased func(id uint64) Millis
}

// maxOrigins bounds the origins, but for those of one batch; beyond it
// everything is forgotten.
const maxOrigins = 50_000

func newAcknowledged(limit int) *acknowledged {
	return &acknowledged{limit: max(1, limit/2), numbers: map[origin]uint32{}, young: map[claim]identity.Span{}, erased: nothingErased{}.Until}
}

// prune forgets everything when there are too many origins. A claim made before
// is none of those made after it.
func (a *acknowledged) prune() {
	if len(a.names) >= maxOrigins {
		a.names, a.numbers = nil, map[origin]uint32{}
		a.young, a.old = map[claim]identity.Span{}, nil
	}
}

// number returns the number of an origin. Most events have that of the one
// before.
func (a *acknowledged) number(workspace, source, rule string) uint32 {
	o := origin{workspace, source, rule}
	if int(a.last) < len(a.names) && a.names[a.last] == o {
		return a.last
	}
	n, ok := a.numbers[o]
	if !ok {
		n = uint32(len(a.names))
		o = origin{strings.Clone(workspace), strings.Clone(source), rule} // They share the bytes of a record.
		a.names, a.numbers[o] = append(a.names, o), n
	}
	a.last = n
	return n
}

// covers reports whether a span that says at least as much was acknowledged.
func (a *acknowledged) covers(c claim, s identity.Span) bool {
	known, ok := a.young[c]
	if !ok {
		if known, ok = a.old[c]; !ok {
			return false
		}
		a.put(c, known)
	}
	return known.Covers(s) && !a.spent(c, known)
}

// spent reports whether an erasure takes what was acknowledged of c.
func (a *acknowledged) spent(c claim, s identity.Span) bool {
	return s.FirstReceived <= a.erased(uint64(c.anchor))
}

func (a *acknowledged) put(c claim, s identity.Span) {
	if len(a.young) >= a.limit {
		if _, ok := a.young[c]; !ok {
			a.old, a.young = a.young, make(map[claim]identity.Span, a.limit/4)
		}
	}
	a.young[c] = s
}

// note records evidence that was acknowledged.
func (a *acknowledged) note(all []identity.Evidence) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.prune()
	for i := range all {
		e := &all[i]
		c, s := claim{e.Anchor, a.number(e.Workspace, e.Source, e.Rule), e.Period}, e.Span
		known, ok := a.young[c]
		if !ok {
			known, ok = a.old[c]
		}
		if ok && !a.spent(c, known) {
			s = s.Merge(known)
		}
		a.put(c, s)
	}
}

// sifted are the claims of a batch of events and which of them are news.
type sifted struct {
	claims []claim
	// place is, by event, the place of its claim among the news; -1 where the
	// event says nothing that was not acknowledged.
	place []int32
	news  map[claim]int32
}

// sift finds the claims of events of which an event says something that was not
// acknowledged. Spans merge by least and greatest, so that what the events say
// together is covered where each of them is.
func (a *acknowledged) sift(events []*Event) sifted {
	s := sifted{claims: make([]claim, len(events)), place: make([]int32, len(events)), news: map[claim]int32{}}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.prune()
	for i, e := range events {
		s.place[i] = -1
		if e.Anchor == 0 {
			continue
		}
		c := claim{e.Anchor, a.number(e.Workspace, e.Source, ruleOf(e)), identity.PeriodOfMillis(e.Time)}
		s.claims[i] = c
		if a.covers(c, spanOf(e)) {
			continue
		}
		at, ok := s.news[c]
		if !ok {
			at = int32(len(s.news))
			s.news[c] = at
		}
		s.place[i] = at
	}
	return s
}

// evidence merges what the events say into one entry for each claim that is
// news, in the order of the first event that makes it so.
func (a *acknowledged) evidence(events []*Event) []identity.Evidence {
	s := a.sift(events)
	if len(s.news) == 0 {
		return nil
	}
	all := make([]identity.Evidence, len(s.news))
	for i, e := range events {
		at := s.place[i]
		if at < 0 {
			var ok bool
			if at, ok = s.news[s.claims[i]]; !ok {
				continue
			}
		}
		merge(&all[at], e, s.claims[i].period)
	}
	return all
}

// merge adds what e says to ev, the evidence of its claim, which is zero before
// the first event.
func merge(ev *identity.Evidence, e *Event, period identity.Period) {
	if ev.Anchor == 0 {
		*ev = identity.Evidence{
			Workspace: e.Workspace, Anchor: e.Anchor, Members: e.Members, Source: e.Source, Period: period,
			Rule: ruleOf(e), Span: spanOf(e), Witness: identity.Witness{Time: e.Time, MessageID: e.ID},
		}
		return
	}
	if e.Time < ev.Witness.Time || e.Time == ev.Witness.Time && e.ID < ev.Witness.MessageID {
		ev.Witness = identity.Witness{Time: e.Time, MessageID: e.ID}
	}
	ev.Span = ev.Span.Merge(spanOf(e))
}

// spanOf is what one event says of the time.
func spanOf(e *Event) identity.Span {
	return identity.Span{
		FirstEvent: e.Time, FirstReceived: e.Received,
		LastEvent: identity.DayOfMillis(e.Time), LastReceived: identity.DayOfMillis(e.Received),
	}
}

// evidenceBytes is the room that a record of evidence needs, more or less.
const evidenceBytes = 192

// records encodes evidence, all of it into one piece of memory.
func records(all []identity.Evidence) []kafka.Message {
	room := make([]byte, 0, evidenceBytes*len(all))
	ends := make([]int, len(all))
	for i := range all {
		room = identity.AppendEvidence(room, &all[i])
		ends[i] = len(room)
	}
	out := make([]kafka.Message, len(all))
	var key []byte
	from := 0
	for i, end := range ends {
		if i == 0 || all[i].Workspace != all[i-1].Workspace {
			key = []byte(all[i].Workspace)
		}
		out[i] = kafka.Message{Topic: EvidenceTopic, Key: key, Value: room[from:end:end]}
		from = end
	}
	return out
}
