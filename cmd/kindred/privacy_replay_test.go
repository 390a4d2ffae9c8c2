package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/kafka"
)

// logged reads every record of topics that the broker still holds.
func (k *running) logged(topics ...string) (all []kafkago.Message) {
	k.t.Helper()
	ctx, stop := context.WithTimeout(k.t.Context(), time.Minute)
	defer stop()
	brokers := []string{"127.0.0.1:" + k.kafka}
	client := &kafkago.Client{Addr: kafkago.TCP(brokers...)}
	meta, err := client.Metadata(ctx, &kafkago.MetadataRequest{Topics: topics})
	if err != nil {
		k.t.Fatal(err)
	}
	for _, topic := range meta.Topics {
		for _, p := range topic.Partitions {
			conn, err := kafkago.DialLeader(ctx, "tcp", brokers[0], topic.Name, p.ID)
			if err != nil {
				k.t.Fatal(err)
			}
			first, last, err := conn.ReadOffsets()
			_ = conn.Close()
			if err != nil {
				k.t.Fatal(err)
			}
			reader := kafkago.NewReader(kafkago.ReaderConfig{Brokers: brokers, Topic: topic.Name, Partition: p.ID, MaxWait: 50 * time.Millisecond})
			if err := reader.SetOffset(first); err != nil {
				k.t.Fatal(err)
			}
			for offset := first; offset < last; offset++ {
				m, err := reader.ReadMessage(ctx)
				if err != nil {
					k.t.Fatal(err)
				}
				all = append(all, m)
			}
			_ = reader.Close()
		}
	}
	return all
}

// fromZero has ingest, of which no process runs, read all of its topics from the
// start again, and sends the whole evidence once more as it was. What was sent of
// text must be among what is read.
func (k *running) fromZero(text string) {
	k.t.Helper()
	client := &kafkago.Client{Addr: kafkago.TCP("127.0.0.1:" + k.kafka)}
	held, starts := false, map[string][]kafkago.OffsetCommit{}
	for _, m := range k.logged(eventTopics()...) {
		held = held || bytes.Contains(m.Value, []byte(text))
		if m.Offset == 0 {
			starts[m.Topic] = append(starts[m.Topic], kafkago.OffsetCommit{Partition: m.Partition})
		}
	}
	if !held {
		k.t.Fatal("the log does not hold what was sent: reading it again shows nothing")
	}
	k.until("nobody reads for ingest", func() bool {
		answer, err := client.OffsetCommit(k.t.Context(), &kafkago.OffsetCommitRequest{GroupID: ingestGroup, GenerationID: -1, Topics: starts})
		if err != nil {
			return false
		}
		for _, partitions := range answer.Topics {
			if slices.ContainsFunc(partitions, func(p kafkago.OffsetCommitPartition) bool { return p.Error != nil }) {
				return false
			}
		}
		return true
	})
	var again []kafkago.Message
	for _, m := range k.logged(ingest.EvidenceTopic) {
		again = append(again, kafkago.Message{Topic: m.Topic, Partition: m.Partition, Key: m.Key, Value: m.Value, Headers: m.Headers})
	}
	w := &kafkago.Writer{
		Addr: client.Addr, RequiredAcks: kafkago.RequireAll, BatchTimeout: time.Millisecond,
		Balancer: kafkago.BalancerFunc(func(m kafkago.Message, _ ...int) int { return m.Partition }),
	}
	defer func() { _ = w.Close() }()
	if err := w.WriteMessages(k.t.Context(), again...); err != nil {
		k.t.Fatal(err)
	}
}

// taken waits until ingest and identity have read all there is.
func (k *running) taken() {
	k.t.Helper()
	brokers := []string{"127.0.0.1:" + k.kafka}
	k.until("everything is taken in", func() bool {
		events, err1 := kafka.Lag(k.t.Context(), brokers, ingestGroup, eventTopics())
		evidence, err2 := kafka.Lag(k.t.Context(), brokers, identityGroup, []string{ingest.EvidenceTopic})
		return err1 == nil && err2 == nil && events == 0 && evidence == 0
	})
}

// whole is all that the API and an access export say of somebody.
func (k *running) whole(id string) string {
	k.t.Helper()
	var b strings.Builder
	for _, path := range []string{"/v1/profiles/%", "/v1/profiles/%/identifiers", "/v1/profiles/%/timeline", "/v1/profiles/%/traits", "/v1/profiles/%/consent", "/v1/privacy/access/%"} {
		status, body := k.askAs("admin", http.MethodGet, strings.Replace(path, "%", url.PathEscape(id), 1), nil)
		if status != http.StatusOK {
			k.t.Fatalf("%s: %d %s", path, status, body)
		}
		b.Write(body)
		b.WriteByte('\n')
	}
	return b.String()
}

// TestErasedStaysOut erases one of three people while something of her is still on its
// way, has the whole log read from its start, and finds nothing of her, and of the
// others, one of whom shares a tablet with her, byte for byte what was there before.
func TestErasedStaysOut(t *testing.T) {
	t.Parallel()
	k := startRoles(t, []string{"api", "identity", "worker", "broker", "clickhouse"}, "KINDRED_ERASURE_WAIT=0")
	_, stop := k.launch("up", "--role", "ingest")
	others := []string{"user_id:bob-of-replay", "user_id:eve-of-replay"}
	id := func(ns, value string) map[string]any { return map[string]any{"namespace": ns, "value": value} }
	for i, who := range []string{"bob", "eve", "ana"} {
		user, mail := id("user_id", who+"-of-replay"), id("email", who+"@replay.example")
		at := "2026-05-0" + string(rune('1'+i)) + "T09:00:00Z"
		k.send("behaviour", map[string]any{"id": who + "1", "name": "Signed Up", "type": "identify", "time": at, "identifiers": []any{user, mail}, "traits": map[string]any{"name": who + "-secret", "consent": map[string]any{"email": true}}})
		k.send("behaviour", map[string]any{"id": who + "2", "name": "Viewed", "time": at, "identifiers": []any{user, id("device", "tablet")}})
		k.send("transaction", map[string]any{"id": who + "3", "name": "Order Completed", "time": at, "identifiers": []any{user}, "transaction": map[string]any{"type": "order", "order_id": who + "-order", "currency": "EUR", "amount": "12.50"}})
		k.until(who+" is there", func() bool {
			_, body := k.askAs("admin", http.MethodGet, "/v1/profiles/user_id:"+who+"-of-replay", nil)
			return bytes.Contains(body, []byte(who+"@replay.example")) && bytes.Contains(body, []byte(`"total":3`)) && bytes.Contains(body, []byte(who+"-secret"))
		})
	}
	before := map[string]string{}
	for _, who := range others {
		before[who] = k.whole(who)
	}
	stop()
	for i := range 4 { // Enough of them for one to lie in a partition of another.
		k.send("behaviour", map[string]any{"id": fmt.Sprint("late", i), "name": "Viewed", "time": "2026-05-03T09:00:00Z", "identifiers": []any{id("user_id", "ana-of-replay")}})
	}
	erase := map[string]any{"identifier": "email:ana@replay.example", "id": "erase-ana", "reason": "asked"}
	if status, body := k.askAs("admin", http.MethodPost, "/v1/privacy/erasure", erase); status != http.StatusOK {
		t.Fatalf("erasure: %d %s", status, body)
	}
	k.rewritten(t)
	k.fromZero("ana-secret")
	k.launch("up", "--role", "ingest")
	k.taken()
	for _, who := range []string{"user_id:ana-of-replay", "email:ana@replay.example"} {
		if status, body := k.askAs("admin", http.MethodGet, "/v1/profiles/"+who, nil); status != http.StatusNotFound {
			t.Errorf("%s is back: %d %s", who, status, body)
		}
	}
	for _, table := range []string{"events", "transaction_facts", "trait_observations", "consents"} {
		if n := k.query("SELECT countIf(anchor_id IN (SELECT id FROM identity_erasures WHERE what IN ('identifier', 'set'))) FROM " + table); n != "0" {
			t.Errorf("%s rows of her are in %s again", n, table)
		}
	}
	if n := k.query("SELECT count() FROM identifiers WHERE identifier_id IN (SELECT id FROM identity_erasures WHERE what = 'identifier')"); n != "0" {
		t.Errorf("%s of her identifiers are there again", n)
	}
	for _, who := range others {
		if after := k.whole(who); after != before[who] {
			t.Errorf("%s is not what they were:\n%s\n%s", who, before[who], after)
		}
	}
}
