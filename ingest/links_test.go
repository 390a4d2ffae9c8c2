package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
)

// linkTopic keeps what is published, and fails from a call on.
type linkTopic struct {
	messages []kafka.Message
	fails    int // calls left; negative: never
}

var errTopic = errors.New("no leader")

func (w *linkTopic) WriteMessages(_ context.Context, messages ...kafka.Message) error {
	if w.fails == 0 {
		return errTopic
	}
	w.fails--
	w.messages = append(w.messages, messages...)
	return nil
}

func manyLinks(n int, record string) identity.Links {
	l := identity.Links{Workspace: "of somebody else", Model: "m1", ScoredAt: 1777852800000}
	for i := range n {
		l.Pairs = append(l.Pairs, identity.RecordLink{
			A: fmt.Sprint(record, i), B: fmt.Sprint(record, i+1), Weight: int64(i),
			Contributions: []identity.Contribution{{Field: "surname", Level: "equal", Weight: int64(i)}},
		})
	}
	return l
}

// TestPublishLinks: a batch of any size arrives whole, in messages that are valid
// and not too large, keyed by the workspace that was given.
func TestPublishLinks(t *testing.T) {
	for name, batch := range map[string]identity.Links{
		"one":          manyLinks(1, "crm/"),
		"several":      manyLinks(2*identity.MaxLinks+1, "crm/"),
		"long records": manyLinks(identity.MaxLinks, strings.Repeat("r", 500)),
	} {
		t.Run(name, func(t *testing.T) {
			topic := &linkTopic{fails: -1}
			if err := NewLinkPublisher(topic).PublishLinks(t.Context(), "main", batch); err != nil {
				t.Fatal(err)
			}
			var got []identity.RecordLink
			for _, m := range topic.messages {
				l, err := identity.DecodeLinks(m.Value)
				if err != nil || l.Workspace != "main" || l.Model != "m1" || l.ScoredAt != batch.ScoredAt || len(m.Value) > maxLinksMessage {
					t.Fatalf("%d bytes of %+v: %v", len(m.Value), l, err)
				}
				if m.Topic != EvidenceTopic || string(m.Key) != "main" || len(m.Headers) != 1 || m.Headers[0].Key != identity.HeaderLinks {
					t.Fatalf("message %s %s %v", m.Topic, m.Key, m.Headers)
				}
				got = append(got, l.Pairs...)
			}
			if diff := cmp.Diff(batch.Pairs, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPublishLinksRefused: a fault anywhere publishes nothing, and an error of the
// broker is returned.
func TestPublishLinksRefused(t *testing.T) {
	topic := &linkTopic{fails: -1}
	p := NewLinkPublisher(topic)
	bad := manyLinks(identity.MaxLinks+5, "crm/ana")
	bad.Pairs[identity.MaxLinks+2].A = ""
	for name, batch := range map[string]identity.Links{"a pair": bad, "none": {Model: "m1"}, "no model": {Pairs: bad.Pairs[:1]}} {
		if err := p.PublishLinks(t.Context(), "main", batch); err == nil || strings.Contains(err.Error(), "ana") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(topic.messages) > 0 {
		t.Errorf("%d messages of batches that were refused", len(topic.messages))
	}
	topic.fails = 1
	if err := p.PublishLinks(t.Context(), "main", manyLinks((linksAtOnce+1)*identity.MaxLinks, "crm/")); !errors.Is(err, errTopic) {
		t.Errorf("a broker without a leader: %v", err)
	}
}

// TestPublishEvidence: all evidence arrives, in messages of the workspace, and an
// error of the topic is one of the publisher.
func TestPublishEvidence(t *testing.T) {
	keyer := identity.NewKeyer(identity.Secret{1}, "main")
	var all []identity.Evidence
	for i := range evidenceAtOnce + 3 {
		members, _ := keyer.Members([]identity.Identifier{{Namespace: identity.UserID, Value: fmt.Sprint(i)}, {Namespace: identity.Record, Value: fmt.Sprint("user_id/", i)}})
		all = append(all, identity.Evidence{Workspace: "main", Anchor: keyer.Anchor(members), Members: members, Source: "linkage", Period: identity.PeriodOfMillis(1), Rule: "record"})
	}
	topic := &linkTopic{fails: -1}
	if err := NewEvidencePublisher(topic).PublishEvidence(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	if len(topic.messages) != len(all) {
		t.Fatalf("%d messages for %d entries", len(topic.messages), len(all))
	}
	decoder := identity.EvidenceDecoder{}
	for i, m := range topic.messages {
		got, err := decoder.Decode(m.Value)
		if diff := cmp.Diff(all[i], got); err != nil || diff != "" || m.Topic != EvidenceTopic || string(m.Key) != "main" || len(m.Headers) > 0 {
			t.Fatalf("message %d: %v\n%s", i, err, diff)
		}
	}
	if err := NewEvidencePublisher(&linkTopic{fails: 1}).PublishEvidence(t.Context(), all); !errors.Is(err, errTopic) {
		t.Errorf("an unwritable topic gives %v", err)
	}
}
