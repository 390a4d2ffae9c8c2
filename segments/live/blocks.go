package live

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/segments"
)

// errOvertaken says that another worker has stored the block that this one made.
var errOvertaken = errors.New("another worker has stored this block")

// append stores changes as blocks and tells of them. at is the now of the evaluation.
func (w *Worker) append(ctx context.Context, s *space, changes []change, at time.Time) error {
	at = later(at, s.time) // Blocks are in the order of time, or no date had its members.
	for len(changes) > 0 {
		part := changes[:min(len(changes), w.cfg.Block)]
		changes = changes[len(part):]
		for i := range part {
			part[i].Block, part[i].Time = s.block+1, at
		}
		if err := w.appendBlock(ctx, s, part); err != nil {
			return err
		}
		s.block, s.time = s.block+1, at
		for _, c := range part {
			s.roster.note(c.target, uint64(c.Profile), c.Entered)
			if c.Entered {
				w.metrics.changes.WithLabelValues("entered").Inc()
			} else {
				w.metrics.changes.WithLabelValues("exited").Inc()
			}
		}
		if err := w.tell(ctx, s, part); err != nil {
			return err
		}
	}
	return nil
}

// appendBlock stores the next block, or returns errOvertaken where its number is
// taken.
func (w *Worker) appendBlock(ctx context.Context, s *space, changes []change) error {
	var b [8]byte
	_, _ = rand.Read(b[:]) // Never fails: crypto/rand ends the process instead.
	writer := binary.LittleEndian.Uint64(b[:])
	token := "segments/" + s.name + "/" + strconv.FormatUint(s.block+1, 10)
	err := insertColumns(ctx, w.deps.Conn, token, "segment_changes", "workspace, segment, profile_id, block, entered, time, cause, revision, leaves, turned, writer", columns(s.name, changes, writer))
	if err != nil {
		return err
	}
	var stored uint64
	row := w.deps.Conn.QueryRow(ctx, "SELECT any(writer) FROM segment_changes WHERE workspace = {workspace:String} AND block = {block:UInt64}",
		clickhouse.Named("workspace", s.name), clickhouse.Named("block", s.block+1))
	if err := row.Scan(&stored); err != nil {
		return fmt.Errorf("read block of changes: %w", profilestore.Concise(err))
	}
	if stored != writer {
		return errOvertaken
	}
	return nil
}

// columns are the columns of changes: of fifty thousand, to append them row by row takes
// as long as to find them.
func columns(workspace string, changes []change, by uint64) []any {
	n := len(changes)
	workspaces, ids, causes, turned := make([]string, n), make([]string, n), make([]string, n), make([][]string, n)
	profiles, blocks, revisions, leaves, writers := make([]uint64, n), make([]uint64, n), make([]uint64, n), make([]uint64, n), make([]uint64, n)
	entered, times := make([]bool, n), make([]time.Time, n)
	for i, c := range changes {
		workspaces[i], ids[i], causes[i], turned[i] = workspace, string(c.Segment), string(c.Cause), append([]string{}, c.Leaves...)
		profiles[i], blocks[i], revisions[i], leaves[i], writers[i] = uint64(c.Profile), c.Block, c.Revision, c.leaves, by
		entered[i], times[i] = c.Entered, c.Time
	}
	return []any{workspaces, ids, profiles, blocks, entered, times, causes, revisions, leaves, turned, writers}
}

// tell publishes the changes that others do not know of: those of the block that was
// stored last, or, where more are missing, all that the table has. A broker that
// cannot be reached is logged, and told later. What was told before a crash that
// forgot it is told again.
func (w *Worker) tell(ctx context.Context, s *space, last []change) error {
	told := s.told
	var err error
	if len(last) > 0 && s.told == s.block-1 {
		list := make([]segments.Change, len(last))
		for i, c := range last {
			list[i] = c.Change
		}
		if err = w.deps.Publisher.Publish(ctx, s.name, list); err == nil {
			s.told = s.block
		}
	} else if s.told < s.block {
		err = w.tellStored(ctx, s)
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.deps.Logger.Warn("tell changes of segments", "workspace", s.name, "error", err)
	}
	if s.told == told {
		return nil
	}
	return insert(ctx, w.deps.Conn, "", "segment_told", "workspace, reader, block", [][]any{{s.name, toldTopic, s.told}})
}

// tellStored publishes what the table has behind the last block that was told.
func (w *Worker) tellStored(ctx context.Context, s *space) error {
	at := position{block: s.told + 1}
	for {
		list, err := w.store.blocks(ctx, s.name, at, s.block, w.cfg.Block)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			if err := w.deps.Publisher.Publish(ctx, s.name, list); err != nil {
				return err
			}
		}
		if len(list) < w.cfg.Block {
			s.told = s.block
			return nil
		}
		last := list[len(list)-1]
		at = position{last.Block, string(last.Segment), uint64(last.Profile)}
		s.told = last.Block - 1 // The rest of the block is still to come.
	}
}

// position is a place in the order of all changes of a workspace.
type position struct {
	block   uint64
	segment string
	profile uint64
}

// stateAge is how old the row of a state may become while nothing of it changes, and
// membersAge while nothing but the number of members does: under load it is another one
// after each evaluation.
const (
	stateAge   = 5 * time.Minute
	membersAge = time.Second
)

// record stores the states of segments that say something new.
func (w *Worker) record(ctx context.Context, s *space, at time.Time) error {
	var rows [][]any
	s.recordAt = time.Time{}
	for _, t := range s.targets {
		t.state.Members = t.members
		now, before := t.state, t.recorded
		if before.Revision == now.Revision && before.Error == now.Error {
			if before.Members == now.Members && now.EvaluatedAt.Sub(before.EvaluatedAt) < stateAge {
				continue
			}
			if at.Sub(before.EvaluatedAt) < membersAge {
				s.recordAt = later(s.recordAt, before.EvaluatedAt.Add(membersAge))
				continue
			}
		}
		// Of two rows of one millisecond, nobody could tell which is the newer.
		now.EvaluatedAt = later(now.EvaluatedAt, before.EvaluatedAt.Add(time.Millisecond))
		t.recorded = now
		rows = append(rows, []any{s.name, string(t.id), now.EvaluatedAt, now.GoodAt, now.Revision, now.Members, now.Error})
	}
	if len(rows) == 0 {
		return nil
	}
	return insert(ctx, w.deps.Conn, "", "segment_states", "workspace, segment, evaluated_at, good_at, revision, members, error", rows)
}
