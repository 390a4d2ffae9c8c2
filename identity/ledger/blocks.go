package ledger

import (
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// block is rows of one table, held by column.
type block interface {
	table() string
	// statement is the INSERT with the columns in the order of columns.
	statement() string
	rows() int
	// columns returns the values of the rows [from, to).
	columns(from, to int) []any
}

// spans are the four columns of identity.Span.
type spans struct {
	firstEvent, firstReceived []int64
	lastEvent, lastReceived   []identity.Day
}

func (b *spans) add(s identity.Span) {
	b.firstEvent = append(b.firstEvent, s.FirstEvent)
	b.firstReceived = append(b.firstReceived, s.FirstReceived)
	b.lastEvent = append(b.lastEvent, s.LastEvent)
	b.lastReceived = append(b.lastReceived, s.LastReceived)
}

// merge widens row to cover s as well.
func (b *spans) merge(row int, s identity.Span) {
	b.firstEvent[row] = min(b.firstEvent[row], s.FirstEvent)
	b.firstReceived[row] = min(b.firstReceived[row], s.FirstReceived)
	b.lastEvent[row] = max(b.lastEvent[row], s.LastEvent)
	b.lastReceived[row] = max(b.lastReceived[row], s.LastReceived)
}

func (b *spans) reserve(n int) {
	b.firstEvent, b.firstReceived = make([]int64, 0, n), make([]int64, 0, n)
	b.lastEvent, b.lastReceived = make([]identity.Day, 0, n), make([]identity.Day, 0, n)
}

type identifierBlock struct {
	workspace, source, namespace, value []string
	id                                  []uint64
	period                              []int32
	spans
}

func (*identifierBlock) table() string { return "identifiers" }
func (*identifierBlock) statement() string {
	return `INSERT INTO identifiers (workspace, identifier_id, source, period, namespace, value,
		first_event, first_received, last_event, last_received)`
}
func (b *identifierBlock) rows() int { return len(b.id) }
func (b *identifierBlock) columns(i, j int) []any {
	return []any{
		names(b.workspace[i:j]), b.id[i:j], names(b.source[i:j]), b.period[i:j], names(b.namespace[i:j]), b.value[i:j],
		b.firstEvent[i:j], b.firstReceived[i:j], b.lastEvent[i:j], b.lastReceived[i:j],
	}
}

func (b *identifierBlock) reserve(n int) {
	b.workspace, b.source = make([]string, 0, n), make([]string, 0, n)
	b.namespace, b.value = make([]string, 0, n), make([]string, 0, n)
	b.id, b.period = make([]uint64, 0, n), make([]int32, 0, n)
	b.spans.reserve(n)
}

type pairBlock struct {
	workspace, lowNamespace, highNamespace, source, rule []string
	low, high                                            []uint64
	period                                               []int32
	spans
	witnessTime []int64
	witnessID   []string
}

func (*pairBlock) table() string { return "identity_evidence" }
func (*pairBlock) statement() string {
	return `INSERT INTO identity_evidence (workspace, low_id, high_id, low_namespace, high_namespace, source, period, rule,
		first_event, first_received, last_event, last_received, witness_time, witness_message_id)`
}
func (b *pairBlock) rows() int { return len(b.low) }
func (b *pairBlock) columns(i, j int) []any {
	return []any{
		names(b.workspace[i:j]), b.low[i:j], b.high[i:j], names(b.lowNamespace[i:j]), names(b.highNamespace[i:j]),
		names(b.source[i:j]), b.period[i:j], names(b.rule[i:j]),
		b.firstEvent[i:j], b.firstReceived[i:j], b.lastEvent[i:j], b.lastReceived[i:j], b.witnessTime[i:j], b.witnessID[i:j],
	}
}

func (b *pairBlock) reserve(n int) {
	b.workspace, b.source, b.rule = make([]string, 0, n), make([]string, 0, n), make([]string, 0, n)
	b.lowNamespace, b.highNamespace = make([]string, 0, n), make([]string, 0, n)
	b.low, b.high, b.period = make([]uint64, 0, n), make([]uint64, 0, n), make([]int32, 0, n)
	b.spans.reserve(n)
	b.witnessTime, b.witnessID = make([]int64, 0, n), make([]string, 0, n)
}

type anchorBlock struct {
	workspace []string
	anchor    []uint64
	members   [][]uint64
	received  []int64
}

func (*anchorBlock) table() string { return "anchors" }
func (*anchorBlock) statement() string {
	return `INSERT INTO anchors (workspace, anchor_id, members, first_received)`
}
func (b *anchorBlock) rows() int { return len(b.anchor) }
func (b *anchorBlock) columns(i, j int) []any {
	return []any{names(b.workspace[i:j]), b.anchor[i:j], b.members[i:j], b.received[i:j]}
}

func (b *anchorBlock) reserve(n int) {
	b.workspace, b.anchor, b.members = make([]string, 0, n), make([]uint64, 0, n), make([][]uint64, 0, n)
	b.received = make([]int64, 0, n)
}

type memberBlock struct {
	workspace  []string
	id, anchor []uint64
	received   []int64
}

func (*memberBlock) table() string { return "anchor_members" }
func (*memberBlock) statement() string {
	return `INSERT INTO anchor_members (workspace, identifier_id, anchor_id, first_received)`
}
func (b *memberBlock) rows() int { return len(b.id) }
func (b *memberBlock) columns(i, j int) []any {
	return []any{names(b.workspace[i:j]), b.id[i:j], b.anchor[i:j], b.received[i:j]}
}

func (b *memberBlock) reserve(n int) {
	b.workspace, b.id, b.anchor = make([]string, 0, n), make([]uint64, 0, n), make([]uint64, 0, n)
	b.received = make([]int64, 0, n)
}

// hopBlock is rows of identifier_profile, anchor_owner or household_profile: they
// map a subject to its new and its previous object.
type hopBlock struct {
	name, insert    string
	workspace       []string
	subject         []uint64
	epoch, sequence []uint64
	now, before     []uint64
	moving          []bool // of anchor_owner only
}

func newProfileBlock() *hopBlock {
	return &hopBlock{name: "identifier_profile", insert: `INSERT INTO identifier_profile
		(workspace, identifier_id, epoch, sequence, profile_id, previous_id)`}
}

func newOwnerBlock() *hopBlock {
	return &hopBlock{name: "anchor_owner", insert: `INSERT INTO anchor_owner
		(workspace, anchor_id, epoch, sequence, owner_id, previous_id, has_tenures)`}
}

func (b *hopBlock) table() string     { return b.name }
func (b *hopBlock) statement() string { return b.insert }
func (b *hopBlock) rows() int         { return len(b.subject) }
func (b *hopBlock) columns(i, j int) []any {
	all := []any{names(b.workspace[i:j]), b.subject[i:j], b.epoch[i:j], b.sequence[i:j], b.now[i:j], b.before[i:j]}
	if b.moving != nil {
		all = append(all, b.moving[i:j])
	}
	return all
}

func (b *hopBlock) reserve(n int) {
	b.workspace, b.subject = slices.Grow(b.workspace, n), slices.Grow(b.subject, n)
	b.epoch, b.sequence = slices.Grow(b.epoch, n), slices.Grow(b.sequence, n)
	b.now, b.before = slices.Grow(b.now, n), slices.Grow(b.before, n)
}

func (b *hopBlock) add(workspace string, v version, subject, now, before uint64) {
	b.workspace = append(b.workspace, workspace)
	b.subject = append(b.subject, subject)
	b.epoch = append(b.epoch, v.Epoch)
	b.sequence = append(b.sequence, v.Sequence)
	b.now = append(b.now, now)
	b.before = append(b.before, before)
}

// decide adds who decides a set; moving says that it moves between people.
func (b *hopBlock) decide(workspace string, v version, a identity.Attribution, moving bool) {
	b.add(workspace, v, uint64(a.Anchor), uint64(a.New), uint64(a.Old))
	b.moving = append(b.moving, moving)
}

type historyBlock struct {
	workspace, kind, cause []string
	epoch, sequence        []uint64
	subject, oldID, newID  []uint64
	changedAt              []int64
}

func (b *historyBlock) reserve(n int) {
	b.workspace, b.kind, b.cause = slices.Grow(b.workspace, n), slices.Grow(b.kind, n), slices.Grow(b.cause, n)
	b.epoch, b.sequence = slices.Grow(b.epoch, n), slices.Grow(b.sequence, n)
	b.subject, b.oldID, b.newID = slices.Grow(b.subject, n), slices.Grow(b.oldID, n), slices.Grow(b.newID, n)
	b.changedAt = slices.Grow(b.changedAt, n)
}

func (*historyBlock) table() string { return "identity_changes" }
func (*historyBlock) statement() string {
	return `INSERT INTO identity_changes (workspace, epoch, sequence, subject_kind, subject_id, changed_at, old_id, new_id, cause)`
}
func (b *historyBlock) rows() int { return len(b.subject) }
func (b *historyBlock) columns(i, j int) []any {
	return []any{
		names(b.workspace[i:j]), b.epoch[i:j], b.sequence[i:j], names(b.kind[i:j]), b.subject[i:j], b.changedAt[i:j],
		b.oldID[i:j], b.newID[i:j], names(b.cause[i:j]),
	}
}

type flipBlock struct {
	workspace                                  []string
	id, epoch, number, doneEpoch, doneSequence []uint64
	changedAt                                  []int64
}

func (*flipBlock) table() string { return "identity_flips" }
func (*flipBlock) statement() string {
	return `INSERT INTO identity_flips (workspace, identifier_id, epoch, number, done_epoch, done_sequence, changed_at)`
}
func (b *flipBlock) rows() int { return len(b.id) }
func (b *flipBlock) columns(i, j int) []any {
	return []any{names(b.workspace[i:j]), b.id[i:j], b.epoch[i:j], b.number[i:j], b.doneEpoch[i:j], b.doneSequence[i:j], b.changedAt[i:j]}
}
