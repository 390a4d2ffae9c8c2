package ledger

import (
	"context"
	"fmt"

	"github.com/kindred-cdp/kindred/identity"
)

// erasureBlock is rows of identity_erasures, of one command: stored whole.
type erasureBlock struct {
	workspace, what []string
	command         []string
	id              []uint64
	at              []int64
	since, until    []int64
}

func newErasureBlock(workspace, command string, e *erasure) *erasureBlock {
	b := &erasureBlock{}
	add := func(what string, id uint64, since, until int64) {
		b.workspace, b.what, b.command = append(b.workspace, workspace), append(b.what, what), append(b.command, command)
		b.id, b.at = append(b.id, id), append(b.at, e.at)
		b.since, b.until = append(b.since, since), append(b.until, until)
	}
	add(erasedProfile, uint64(e.profile), 0, 0)
	for _, k := range e.alone {
		add(erasedIdentifier, uint64(k), 0, 0)
	}
	for _, k := range e.shared {
		add(erasedShared, uint64(k), 0, 0)
	}
	for _, a := range e.sets {
		add(erasedSet, uint64(a), 0, 0)
	}
	for _, s := range e.spans {
		add(erasedSpan, uint64(s.anchor), s.since, s.until)
	}
	return b
}

func (*erasureBlock) table() string { return "identity_erasures" }
func (*erasureBlock) statement() string {
	return `INSERT INTO identity_erasures (workspace, id, what, erased_at, erasure_id, since, until)`
}
func (b *erasureBlock) rows() int { return len(b.id) }
func (b *erasureBlock) columns(i, j int) []any {
	return []any{names(b.workspace[i:j]), b.id[i:j], names(b.what[i:j]), b.at[i:j], b.command[i:j], b.since[i:j], b.until[i:j]}
}

// erasureOf returns what a command took; nil when it took nothing yet.
func (s *store) erasureOf(ctx context.Context, workspace, command string) (*erasure, error) {
	var e *erasure
	var what string
	var id uint64
	var at, since, until int64
	err := s.each(ctx, `SELECT DISTINCT what, id, toUnixTimestamp64Milli(erased_at), toUnixTimestamp64Milli(since), toUnixTimestamp64Milli(until)
		FROM identity_erasures WHERE workspace = {workspace:String} AND erasure_id = {command:String} ORDER BY what, id`,
		named("workspace", workspace, "command", command), []any{&what, &id, &at, &since, &until}, func() error {
			if e == nil {
				e = &erasure{}
			}
			e.at = at
			switch what {
			case erasedProfile:
				e.profile = identity.ProfileID(id)
			case erasedIdentifier:
				e.alone = append(e.alone, identity.Key(id))
			case erasedShared:
				e.shared = append(e.shared, identity.Key(id))
			case erasedSet:
				e.sets = append(e.sets, identity.AnchorID(id))
			case erasedSpan:
				e.spans = append(e.spans, erasedTime{identity.AnchorID(id), since, until})
			}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read what a command erased: %w", err)
	}
	return e, nil
}

// erasures loads what was ever erased, before all else: rows that are left of it do
// not count.
func (l *loader) erasures(ctx context.Context) error {
	sp := l.space
	sp.erased, sp.disowned = map[identity.Key]int64{}, map[identity.AnchorID]bool{}
	var what string
	var id uint64
	var at int64
	err := l.store.each(ctx, `SELECT what, id, toUnixTimestamp64Milli(max(erased_at)) FROM identity_erasures
		WHERE workspace = {workspace:String} AND what IN ('identifier', 'set') GROUP BY what, id ORDER BY what, id`,
		named("workspace", sp.name), []any{&what, &id, &at}, func() error {
			if what == erasedSet {
				sp.disowned[identity.AnchorID(id)] = true
			} else {
				sp.eraseKey(identity.Key(id), at)
			}
			return nil
		})
	if err != nil {
		return fmt.Errorf("read erasures: %w", err)
	}
	return nil
}

// leftTo reports whether a set that key decides by what is published is one that an
// erasure left to nobody. Seen again, it is decided like a new one.
func (sp *space) leftTo(a identity.AnchorID, key identity.Key) bool {
	return key == 0 && sp.disowned[a]
}
