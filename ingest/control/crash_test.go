package control_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/ingest/letters"
)

func header(key, value string) kafka.Header { return kafka.Header{Key: key, Value: []byte(value)} }

var errCrash = errors.New("killed here")

// TestReplaysSurviveCrashes kills the owner of commands at each of its steps, and
// at each of them again: every letter becomes one event, the history has each
// action once, and revisions are those of the commands.
func TestReplaysSurviveCrashes(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	const n = 12
	var values []string
	for i := range n {
		values = append(values, fmt.Sprintf(`{"id":"m%d","name":"Viewed","source":"web"}`, i))
	}
	w.send(values...)
	found := w.list(letters.Filter{})
	if len(found) != n {
		t.Fatalf("%d letters", len(found))
	}
	publish := func(kind string, r letters.Request) {
		t.Helper()
		body, _ := json.Marshal(r)
		value, err := json.Marshal(control.Command{ID: fmt.Sprint("c", len(w.topics[control.Topic])), Workspace: "main", Kind: kind, Actor: "ana", Body: body})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteMessages(ctx, kafka.Message{Topic: control.Topic, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for i, l := range found {
		ids = append(ids, l.ID)
		publish(letters.KindEdit, letters.Request{Letters: []string{l.ID}, Value: json.RawMessage(message(fmt.Sprint("m", i), "Viewed"))})
	}
	publish(letters.KindReplay, letters.Request{Letters: ids})
	// The same command sent twice, as a producer does that missed the answer.
	again := w.topics[control.Topic][n]
	if err := w.WriteMessages(ctx, again); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"dead_letter_actions", "control_outcomes", "commit", "control_outcomes", "commit"} {
		for after := range 3 {
			left := after * 5
			w.crash = func(at string) error {
				if strings.HasPrefix(at, step) {
					if left--; left < 0 {
						return errCrash
					}
				}
				return nil
			}
			w.apply()
			w.ingest()
		}
	}
	w.crash = nil
	w.apply()
	w.ingest()
	for query, want := range map[string]uint64{
		"SELECT count() FROM events":                                                                             n,
		"SELECT count() FROM dead_letters":                                                                       n,
		"SELECT count() FROM dead_letter_actions":                                                                2 * n,
		"SELECT uniqExact(revision) FROM dead_letter_actions WHERE action = 'replay'":                            1,
		"SELECT count() FROM control_outcomes":                                                                   n + 1,
		"SELECT count() FROM dead_letter_status WHERE status = 'stored'":                                         n,
		"SELECT countIf(outcome = 'stored') FROM dead_letter_outcomes":                                           n,
		"SELECT count() FROM control_outcomes WHERE revision != toUInt64(substring(command_id, 2)) + 1":          0,
		"SELECT count() FROM dead_letter_outcomes WHERE attempt != (SELECT max(revision) FROM control_outcomes)": 0,
	} {
		if got := w.count(query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	if len(w.topics["kindred.behaviour"]) <= 2*n {
		t.Error("no replay was published twice: this test shows nothing")
	}
}
