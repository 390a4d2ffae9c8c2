package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
)

// notify publishes notices, in order, and remembers the last one.
func (o *owner) notify(ctx context.Context, notices []identity.Notice) error {
	if len(notices) == 0 {
		return nil
	}
	if err := o.at("notices"); err != nil {
		return err
	}
	var messages []kafka.Message
	changes := 0
	for _, n := range notices {
		changes += len(n.Changes)
		for from := 0; from < len(n.Changes); from += o.cfg.NoticeChanges {
			part := n
			part.Changes = n.Changes[from:min(from+o.cfg.NoticeChanges, len(n.Changes))]
			value, err := json.Marshal(part)
			if err != nil {
				return fmt.Errorf("encode notice: %w", err)
			}
			messages = append(messages, kafka.Message{Key: []byte(n.Workspace), Value: value})
		}
	}
	if err := o.deps.Notifier.WriteMessages(ctx, messages...); err != nil {
		return fmt.Errorf("publish %d notices: %w", len(messages), err)
	}
	for _, n := range notices {
		last := version{n.Epoch, n.Changes[len(n.Changes)-1].Sequence}
		if last.after(o.noticed) {
			o.noticed = last
		}
	}
	o.metrics.notices.Add(float64(changes))
	return nil
}

// renotify publishes the notices of all changes that count since the last one
// that the mark knows: those that the last owner left, and those of catching up.
func (o *owner) renotify(ctx context.Context, workspaces []string) error {
	since := o.noticed
	for _, name := range workspaces {
		if err := o.renotifySpace(ctx, o.spaces[name], since); err != nil {
			return fmt.Errorf("publish notices of workspace %s: %w", name, err)
		}
	}
	return nil
}

func (o *owner) renotifySpace(ctx context.Context, sp *space, since version) error {
	var n identity.Notice
	var kind string
	var epoch uint64
	var c identity.Change
	send := func() error {
		if len(n.Changes) == 0 {
			return nil
		}
		err := o.notify(ctx, []identity.Notice{n})
		n.Changes = nil
		return err
	}
	err := o.store.each(ctx, `SELECT epoch, sequence, subject_kind, subject_id, old_id, new_id, cause FROM identity_changes
		WHERE workspace = {workspace:String} AND epoch >= {since_epoch:UInt64}
			AND (epoch, sequence) > ({since_epoch:UInt64}, {since_sequence:UInt64}) AND `+countedRows("epoch", "sequence")+`
		ORDER BY epoch, sequence LIMIT 1 BY epoch, sequence`,
		sp.cuts.args("workspace", sp.name, "since_epoch", since.Epoch, "since_sequence", since.Sequence),
		[]any{&epoch, &c.Sequence, &kind, &c.Subject, &c.Old, &c.New, &c.Cause}, func() error {
			if epoch != n.Epoch || len(n.Changes) >= o.cfg.NoticeChanges {
				if err := send(); err != nil {
					return err
				}
				n = identity.Notice{Workspace: sp.name, Epoch: epoch}
			}
			c.Kind = identity.ChangeKind(kind)
			n.Changes = append(n.Changes, c)
			return nil
		})
	if err != nil {
		return err
	}
	return send()
}
