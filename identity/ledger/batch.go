package ledger

import (
	"context"
	"fmt"
	"hash/maphash"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
)

// batch is the evidence of one flush.
type batch struct {
	evidence []evidence
	// undecided are the sets of the batch without a counted row that decides
	// them, each once.
	undecided []evidence
}

// evidence is one usable record with its workspace.
type evidence struct {
	*identity.Evidence
	space *space
	from  int // index of its message
}

// read decodes the messages, opens workspaces that are new, and rejects what
// cannot be used. When it returns, rejected records are stored.
func (o *owner) read(ctx context.Context, messages []kafka.Message) (*batch, error) {
	b := &batch{evidence: make([]evidence, 0, len(messages))}
	var rejections []Rejection
	reject := func(i int, workspace string, reason Reason, detail string) {
		rejections = append(rejections, Rejection{Message: messages[i], Workspace: workspace, Reason: reason, Detail: detail})
		o.metrics.rejected.WithLabelValues(string(reason)).Inc()
	}
	for i := range messages {
		e, err := decode(messages[i].Value)
		switch {
		case err != nil:
			reject(i, "", ReasonUnreadable, err.Error())
			continue
		case !o.deps.Owns(e.Workspace, o.p.ID()):
			reject(i, e.Workspace, ReasonForeign, fmt.Sprintf("the workspace does not belong to partition %d", o.p.ID()))
			continue
		}
		sp, ok := o.spaces[e.Workspace]
		if !ok {
			if sp, err = o.openLate(ctx, e.Workspace); err != nil {
				return nil, err
			}
		}
		b.evidence = append(b.evidence, evidence{Evidence: &e, space: sp, from: i})
	}
	collisions, err := o.compare(ctx, b)
	if err != nil {
		return nil, err
	}
	for _, c := range collisions {
		reject(c.from, c.Workspace, ReasonCollision, "a member's key belongs to another identifier")
	}
	if len(rejections) > 0 {
		if err := o.at("reject"); err != nil {
			return nil, err
		}
		if err := o.deps.Rejecter.Reject(ctx, rejections); err != nil {
			return nil, fmt.Errorf("reject %d evidence records: %w", len(rejections), err)
		}
		o.log.Warn("evidence rejected", "records", len(rejections), "reason", rejections[0].Reason)
	}
	return b, o.findUndecided(ctx, b)
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

// compare takes the evidence out of b that has a member whose key belongs to
// another (namespace, value) — in the ledger, or earlier in the batch — and
// returns it. Keys are 63-bit keyed hashes, so this guards against chance (one
// in a hundred thousand at ten million identifiers) and against a secret that
// was changed; a fingerprint of the stored value is kept for recent keys.
func (o *owner) compare(ctx context.Context, b *batch) ([]evidence, error) {
	unknown := map[*space][]identity.Key{}
	asked := map[identity.Key]bool{}
	for _, e := range b.evidence {
		for _, m := range e.Members {
			if _, ok := o.values.get(uint64(m.Key)); !ok && !asked[m.Key] {
				asked[m.Key] = true
				unknown[e.space] = append(unknown[e.space], m.Key)
			}
		}
	}
	// The cache may forget; a batch must not.
	known := make(map[identity.Key]uint64, len(asked))
	for sp, keys := range unknown {
		if err := o.store.values(ctx, sp.name, keys, known); err != nil {
			return nil, err
		}
	}
	var collisions []evidence
	kept := b.evidence[:0]
	for _, e := range b.evidence {
		if o.agrees(e, known) {
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
func (o *owner) agrees(e evidence, known map[identity.Key]uint64) bool {
	var prints [identity.MaxMembers]uint64
	for i, m := range e.Members {
		prints[i] = o.store.fingerprint(string(m.Namespace), m.Value)
		owner, ok := known[m.Key]
		if !ok {
			owner, ok = o.values.get(uint64(m.Key))
		}
		if ok && owner != prints[i] {
			return false
		}
	}
	for i, m := range e.Members {
		known[m.Key] = prints[i]
		o.values.put(uint64(m.Key), prints[i])
	}
	return true
}

// values adds the fingerprints of the stored values of keys to known.
func (s *store) values(ctx context.Context, workspace string, keys []identity.Key, known map[identity.Key]uint64) error {
	ctx, err := withIDs(ctx, keys)
	if err != nil {
		return err
	}
	var id uint64
	var namespace, value string
	err = s.each(ctx, `SELECT identifier_id, namespace, value FROM identifiers
		WHERE workspace = {workspace:String} AND identifier_id IN ids LIMIT 1 BY identifier_id`,
		named("workspace", workspace), []any{&id, &namespace, &value}, func() error {
			known[identity.Key(id)] = s.fingerprint(namespace, value)
			return nil
		})
	if err != nil {
		return fmt.Errorf("look up identifiers: %w", err)
	}
	return nil
}

// findUndecided fills b.undecided.
func (o *owner) findUndecided(ctx context.Context, b *batch) error {
	first := map[identity.AnchorID]evidence{}
	asked := map[*space][]identity.AnchorID{}
	for _, e := range b.evidence {
		if !e.Anchor.IsSet() {
			continue
		}
		if _, ok := o.sets.get(uint64(e.Anchor)); ok {
			continue
		}
		if _, ok := first[e.Anchor]; !ok {
			first[e.Anchor] = e
			asked[e.space] = append(asked[e.space], e.Anchor)
		}
	}
	for sp, anchors := range asked {
		owners, err := o.store.owners(ctx, sp, anchors)
		if err != nil {
			return err
		}
		for _, a := range anchors {
			if _, ok := owners[a]; ok {
				o.sets.put(uint64(a), struct{}{})
			} else {
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
