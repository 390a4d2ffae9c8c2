package ledger

import (
	"context"
	"fmt"
	"hash/maphash"

	"github.com/cespare/xxhash/v2"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
)

// batch is the evidence of one flush, and the scored pairs.
type batch struct {
	evidence []evidence
	links    []scored
	// undecided are the sets of the batch without a counted row that decides
	// them, each once.
	undecided []evidence
}

// evidence is one usable record with its workspace. Its texts share the bytes of
// the record: what outlives the flush clones them.
type evidence struct {
	*identity.Evidence
	space *space
	from  int // index of its message
	// unmet has a bit for each member whose value was in no cache before the
	// batch; novel says that the graph was never given one of them.
	unmet uint8
	novel bool
}

// read decodes the messages, opens workspaces that are new, and rejects what
// cannot be used. When it returns, rejected records are stored.
func (o *owner) read(ctx context.Context, messages []kafka.Message) (*batch, error) {
	o.age()
	b := &batch{evidence: make([]evidence, 0, len(messages))}
	var rejections []Rejection
	reject := func(i int, workspace string, reason Reason, detail string) {
		rejections = append(rejections, Rejection{Message: messages[i], Workspace: workspace, Reason: reason, Detail: detail})
		o.metrics.rejected.WithLabelValues(string(reason)).Inc()
	}
	var decoder identity.EvidenceDecoder
	decoded := make([]identity.Evidence, len(messages))
	for i := range messages {
		var r *Rejection
		var err error
		if isLinks(&messages[i]) {
			r, err = o.readLinks(ctx, b, &messages[i])
		} else {
			r, err = o.readEvidence(ctx, b, &decoder, &messages[i], evidence{Evidence: &decoded[i], from: i})
		}
		if err != nil {
			return nil, err
		}
		if r != nil {
			reject(i, r.Workspace, r.Reason, r.Detail)
		}
	}
	collisions, err := o.compare(ctx, b)
	if err != nil {
		return nil, err
	}
	for _, c := range collisions {
		reject(c.from, c.Workspace, ReasonCollision, "a member's key belongs to another identifier")
	}
	if err := o.reject(ctx, rejections); err != nil {
		return nil, err
	}
	return b, o.findUndecided(ctx, b)
}

// readEvidence adds the evidence in m to b as e, or returns why it cannot be used.
func (o *owner) readEvidence(ctx context.Context, b *batch, d *identity.EvidenceDecoder, m *kafka.Message, e evidence) (*Rejection, error) {
	var err error
	if *e.Evidence, err = decode(d, m.Value); err != nil {
		return &Rejection{Reason: ReasonUnreadable, Detail: err.Error()}, nil
	}
	sp, foreign, err := o.spaceNamed(ctx, e.Workspace)
	if sp == nil {
		return foreign, err
	}
	e.space = sp
	if sp.spentEvidence(e.Evidence) {
		o.metrics.spent.Inc()
		return nil, nil
	}
	b.evidence = append(b.evidence, e)
	return nil, nil
}

// age lets the caches forget. They must not while a batch is worked on: what
// they were told in it, or said in it, holds until its end.
func (o *owner) age() {
	o.stored.age()
	o.prints.age()
	o.sets.age()
}

// reject stores rejections, if there are any.
func (o *owner) reject(ctx context.Context, rejections []Rejection) error {
	if len(rejections) == 0 {
		return nil
	}
	if err := o.at("reject"); err != nil {
		return err
	}
	if err := o.deps.Rejecter.Reject(ctx, rejections); err != nil {
		return fmt.Errorf("reject %d evidence records: %w", len(rejections), err)
	}
	o.log.Warn("evidence rejected", "records", len(rejections), "reason", rejections[0].Reason)
	return nil
}

// openLate opens a workspace that had no ledger when the owner started.
func (o *owner) openLate(ctx context.Context, workspace string) (*space, error) {
	since := o.noticed
	sp, err := o.open(ctx, workspace)
	if err == nil {
		err = o.renotifySpace(ctx, sp, since)
	}
	if err != nil {
		return nil, fmt.Errorf("open workspace %s: %w", workspace, err)
	}
	return sp, nil
}

// fingerprint returns a hash of two texts, which differs between processes.
func (s *store) fingerprint(a, b string) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_, _ = h.WriteString(a)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(b)
	return h.Sum64()
}

// namePrint returns what the column name_print of identifiers holds for a name.
func namePrint(namespace identity.Namespace, value string) uint32 {
	var h xxhash.Digest
	h.Reset()
	_, _ = h.WriteString(string(namespace))
	_, _ = h.Write([]byte{0})
	_, _ = h.WriteString(value)
	return uint32(h.Sum64())
}

// compare takes the evidence out of b that has a member whose key belongs to
// another (namespace, value) — in the ledger, or earlier in the batch — and
// returns it. Keys are 63-bit keyed hashes, so this guards against chance (one
// in a hundred thousand at ten million identifiers) and against a secret that
// was changed; of recent keys the print of the stored name is kept. A key
// that the graph was never given has no row: the graph is loaded from all rows
// that an owner before this one stored.
func (o *owner) compare(ctx context.Context, b *batch) ([]evidence, error) {
	forgotten := map[*space][]identity.Key{}
	asked := map[identity.Key]bool{}
	for i := range b.evidence {
		e := &b.evidence[i]
		for j, m := range e.Members {
			if _, ok := o.prints.get(uint64(m.Key)); ok {
				continue
			}
			e.unmet |= 1 << j
			switch {
			case !e.space.graph.Known(m.Key):
				e.novel = true
			case !asked[m.Key]:
				asked[m.Key] = true
				forgotten[e.space] = append(forgotten[e.space], m.Key)
			}
		}
	}
	for sp, keys := range forgotten {
		if err := o.store.namePrints(ctx, sp.name, keys, o.prints); err != nil {
			return nil, err
		}
	}
	var collisions []evidence
	kept := b.evidence[:0]
	for _, e := range b.evidence {
		if o.agrees(e) {
			kept = append(kept, e)
		} else {
			collisions = append(collisions, e)
		}
	}
	b.evidence = kept
	return collisions, nil
}

// agrees reports whether the members of e are the identifiers that their keys
// belong to, and gives keys without an owner to them.
func (o *owner) agrees(e evidence) bool {
	var prints [identity.MaxMembers]uint32
	var unowned uint8
	for i, m := range e.Members {
		prints[i] = namePrint(m.Namespace, m.Value)
		switch owner, ok := o.prints.get(uint64(m.Key)); {
		case !ok:
			unowned |= 1 << i
		case owner != prints[i]:
			return false
		}
	}
	for i, m := range e.Members {
		if unowned&(1<<i) != 0 {
			o.prints.put(uint64(m.Key), prints[i])
		}
	}
	return true
}

// namePrints puts the prints of the stored names of keys into known.
func (s *store) namePrints(ctx context.Context, workspace string, keys []identity.Key, known *cache[uint64, uint32]) error {
	ctx, err := withIDs(ctx, keys)
	if err != nil {
		return err
	}
	var id uint64
	var print uint32
	err = s.each(ctx, `SELECT identifier_id, name_print FROM identifiers
		WHERE workspace = {workspace:String} AND identifier_id IN ids`,
		named("workspace", workspace), []any{&id, &print}, func() error {
			known.put(id, print)
			return nil
		})
	if err != nil {
		return fmt.Errorf("look up identifiers: %w", err)
	}
	return nil
}

// findUndecided fills b.undecided. A set with a member that the graph was never
// given has no row that counts: a set is stored after its members, and decided
// after it is stored.
func (o *owner) findUndecided(ctx context.Context, b *batch) error {
	asked := map[*space][]identity.AnchorID{}
	first := map[identity.AnchorID]evidence{}
	for _, e := range b.evidence {
		if !e.Anchor.IsSet() {
			continue
		}
		if _, ok := o.sets.get(uint64(e.Anchor)); ok {
			continue
		}
		// It is decided by the end of this batch, or this owner ends with its
		// cache.
		o.sets.put(uint64(e.Anchor), struct{}{})
		if e.novel {
			b.undecided = append(b.undecided, e)
			continue
		}
		first[e.Anchor] = e
		asked[e.space] = append(asked[e.space], e.Anchor)
	}
	for sp, anchors := range asked {
		owners, err := o.store.owners(ctx, sp, anchors)
		if err != nil {
			return err
		}
		for _, a := range anchors {
			if key, ok := owners[a]; !ok || sp.leftTo(a, key) {
				b.undecided = append(b.undecided, first[a])
			}
		}
	}
	return nil
}

// owners returns the published deciding identifier of those sets of anchors
// that have a row that counts.
func (s *store) owners(ctx context.Context, sp *space, anchors []identity.AnchorID) (map[identity.AnchorID]identity.Key, error) {
	ctx, err := withIDs(ctx, anchors)
	if err != nil {
		return nil, err
	}
	owners := map[identity.AnchorID]identity.Key{}
	var anchor, owner uint64
	err = s.each(ctx, `SELECT anchor_id, argMax(owner_id, (epoch, sequence)) FROM anchor_owner
		WHERE workspace = {workspace:String} AND anchor_id IN ids AND `+countedRows("epoch", "sequence")+` GROUP BY anchor_id`,
		sp.cuts.args("workspace", sp.name), []any{&anchor, &owner}, func() error {
			owners[identity.AnchorID(anchor)] = identity.Key(owner)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("look up deciding identifiers: %w", err)
	}
	return owners, nil
}
