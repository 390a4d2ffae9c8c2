package control_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest/letters"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// badEvents are records of the behaviour topic that cannot become events.
func badEvents() []string {
	good := func(change string) string {
		return `{"id":"x","name":"E","source":"web","time":"2026-05-04T09:00:00Z",` + change + `}`
	}
	return []string{
		"", " ", "null", "true", "1", `"text"`, "[]", "{}", "{", `{"id"`, `{"id":"x"`, `{"id":"x",}`, `{'id':'x'}`, "\x00\x01\x02", "\xff\xfe", `{"id":"` + "\xc3\x28" + `"}`,
		strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), good(`"properties":{}`) + good(`"traits":{}`),
		good(`"unknown":1`), good(`"properties":[]`), good(`"properties":"x"`), good(`"traits":1`), good(`"context":true`), good(`"type":"click"`), good(`"type":7`),
		good(`"identifiers":{}`), good(`"identifiers":[1]`), good(`"identifiers":[{"namespace":"E MAIL","value":"a"}]`), good(`"transaction":{"type":"order"}`), good(`"original_time":"yesterday"`),
		`{"id":"","name":"E","source":"web","time":"2026-05-04T09:00:00Z"}`, `{"id":"x","source":"web","time":"2026-05-04T09:00:00Z"}`, `{"id":"x","name":"E","time":"2026-05-04T09:00:00Z"}`,
		`{"id":"x","name":"E","source":"web"}`, `{"id":"x","name":"E","source":"web","time":"0001-01-01T00:00:00Z"}`, `{"id":"x","name":"E","source":"web","time":"1066-10-14T09:00:00Z"}`,
		`{"id":"x","name":"E","source":"web","time":"99999-01-01T00:00:00Z"}`, `{"id":"x","name":"E","source":"web","time":12}`, `{"id":7,"name":"E","source":"web","time":"2026-05-04T09:00:00Z"}`,
		fmt.Sprintf(`{"id":%q,"name":"E","source":"web","time":"2026-05-04T09:00:00Z"}`, strings.Repeat("i", 201)),
		fmt.Sprintf(`{"id":"x","name":%q,"source":"web","time":"2026-05-04T09:00:00Z"}`, strings.Repeat("n", 201)),
		fmt.Sprintf(`{"id":"x","name":"E","source":%q,"time":"2026-05-04T09:00:00Z"}`, strings.Repeat("s", 101)),
	}
}

// TestEveryBadEventCanBeMended stores each bad record as one letter, replays all
// of them as they are, which fails, then edits and replays each into an event.
func TestEveryBadEventCanBeMended(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	bad := badEvents()
	w.publish(bad...)
	// A record whose producer could not read its input, and one of another version.
	rejected := kafka.Message{Topic: wire.Behaviour.Topic(), Value: []byte("a;b;c"), Headers: []kafka.Header{header(wire.HeaderReject, "line has 3 fields, want 4"), header(wire.HeaderSource, "till"), header(wire.HeaderPosition, "sales.csv:17")}}
	newer := kafka.Message{Topic: wire.Behaviour.Topic(), Value: []byte(message("newer", "E")), Headers: []kafka.Header{header(wire.HeaderVersion, "9")}}
	if err := w.WriteMessages(ctx, rejected, newer); err != nil {
		t.Fatal(err)
	}
	w.ingest()
	all := uint64(len(bad) + 2)
	found := w.list(letters.Filter{})
	if uint64(len(found)) != all || w.count("SELECT count() FROM events") != 0 {
		t.Fatalf("%d letters of %d bad records", len(found), all)
	}
	seen := map[string]bool{}
	for i, l := range found {
		if seen[l.ID] {
			t.Errorf("two letters are named %s", l.ID)
		}
		seen[l.ID] = true
		whole, err := w.letters.Get(ctx, "main", l.ID)
		if err != nil {
			t.Fatal(err)
		}
		if i < len(bad) && string(whole.Value) != bad[i] {
			t.Errorf("letter %d does not hold the bytes of its record", i)
		}
		if l.Detail == "" || l.Reason == "" {
			t.Errorf("letter %d does not say why: %+v", i, l)
		}
	}
	if l := found[len(bad)]; l.Position != "sales.csv:17" || l.Source != "till" {
		t.Errorf("the rejected line: %+v", l)
	}
	bulk := letters.Bulk{Limit: 1000, DryRun: true}
	done, err := w.letters.ActAll(ctx, "main", "ana", letters.KindReplay, bulk)
	if err != nil || done.Matched != all || uint64(len(done.Letters)) != all || done.Applied != 0 || w.count("SELECT count() FROM dead_letter_actions") != 0 {
		t.Fatalf("dry run: %+v, %v", done, err)
	}
	bulk.DryRun = false
	if done, err = w.letters.ActAll(ctx, "main", "ana", letters.KindReplay, bulk); err != nil || uint64(done.Applied) != all {
		t.Fatalf("replay: %+v, %v", done, err)
	}
	w.ingest()
	if n := w.count("SELECT count() FROM dead_letter_status WHERE status = 'failed'"); n != all {
		t.Errorf("%d of %d letters failed again", n, all)
	}
	for i, l := range found {
		if _, err := w.letters.Act(ctx, "main", "ana", letters.KindEdit, letters.Request{Letters: []string{l.ID}, Value: json.RawMessage(message(fmt.Sprint("mended", i), "E"))}); err != nil {
			t.Fatal(err)
		}
	}
	bulk.Filter.Statuses = []string{letters.Failed, letters.Stored, letters.Replayed}
	if done, err = w.letters.ActAll(ctx, "main", "ana", letters.KindReplay, bulk); err != nil || uint64(done.Applied) != all {
		t.Fatalf("replay: %+v, %v", done, err)
	}
	w.ingest()
	if n := w.count("SELECT count() FROM events WHERE startsWith(message_id, 'mended')"); n != all {
		t.Errorf("%d events of %d mended letters", n, all)
	}
	if n := w.count("SELECT count() FROM dead_letters"); n != all {
		t.Errorf("%d letters of %d bad records", n, all)
	}
	sum, err := w.letters.Summary(ctx, "main", letters.Filter{Statuses: []string{letters.Stored}})
	if err != nil {
		t.Fatal(err)
	}
	var n uint64
	for _, c := range sum {
		n += c.Letters
	}
	if n != all || len(sum) < 4 {
		t.Errorf("the summary counts %d letters in %d rows", n, len(sum))
	}
	if _, err := w.letters.ActAll(ctx, "main", "ana", letters.KindDiscard, letters.Bulk{Limit: 10}); err != nil || w.count("SELECT count() FROM dead_letter_status WHERE status = 'discarded'") != 0 {
		t.Errorf("stored letters were discarded: %v", err)
	}
}
