package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/ingest/letters"
	"github.com/kindred-cdp/kindred/ingest/plans"
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

// TestReplaysSurviveCrashesOfIngest kills the owner of the events at each step of
// storing replays that succeed, fail and come twice.
func TestReplaysSurviveCrashesOfIngest(t *testing.T) {
	w := newWorld(t)
	w.send(`{"id":"bad","name":"Viewed","source":"web"}`, message("taken", "Viewed"), message("taken", "Other"), `{"id":"mended"}`)
	found := w.list(letters.Filter{})
	if len(found) != 3 {
		t.Fatalf("%d letters", len(found))
	}
	act := func(kind string, r letters.Request) {
		t.Helper()
		if _, err := w.letters.Act(t.Context(), "main", "ana", kind, r); err != nil {
			t.Fatal(err)
		}
	}
	var mended, reused string
	for _, l := range found {
		switch {
		case l.Reason == "id_reused":
			reused = l.ID
		case l.Source == "":
			mended = l.ID
		}
	}
	act(letters.KindEdit, letters.Request{Letters: []string{mended}, Value: json.RawMessage(message("mended", "Viewed"))})
	act(letters.KindReplay, letters.Request{Letters: []string{found[0].ID, mended, reused}[:2]})
	act(letters.KindReplay, letters.Request{Letters: []string{reused}, NewID: true})
	act(letters.KindReplay, letters.Request{Letters: []string{mended}})
	for _, step := range []string{"events", "dead_letter_outcomes", "seen_messages", "dead_letter_outcomes"} {
		w.dying = func(at string) error {
			if strings.HasPrefix(at, step) {
				return errCrash
			}
			return nil
		}
		w.ingest()
	}
	w.dying = nil
	w.ingest()
	check := func() {
		t.Helper()
		for query, want := range map[string]uint64{
			"SELECT count() FROM events":                                                               3, // taken, mended and the renamed one
			"SELECT count() FROM dead_letters":                                                         3,
			"SELECT countIf(outcome = 'stored') FROM dead_letter_outcomes":                             2,
			"SELECT countIf(outcome = 'duplicate') FROM dead_letter_outcomes":                          1,
			"SELECT countIf(outcome = 'failed') FROM dead_letter_outcomes":                             1,
			"SELECT count() FROM dead_letter_status WHERE status = 'stored'":                           2,
			"SELECT count() FROM dead_letter_status WHERE status = 'failed'":                           1,
			"SELECT count() FROM dead_letter_status WHERE status = 'stored' AND id = '" + mended + "'": 1,
		} {
			if got := w.count(query); got != want {
				t.Errorf("%s: %d, want %d", query, got, want)
			}
		}
	}
	check()
	// A topic that is read again from its start adds nothing to the history.
	w.offsets["kindred.behaviour"], w.marks["kindred.behaviour"] = 0, ""
	w.publish(message("last", "Viewed")) // so that the ranges and their tokens differ
	w.ingest()
	if n := w.count("SELECT count() FROM events WHERE message_id = 'last'"); n != 1 {
		t.Fatalf("the topic was not read again: %d", n)
	}
	_, history := w.told(mended)
	if d := cmp.Diff([]string{"edit ana", "replay ana", "stored", "replay ana", "duplicate"}, history); d != "" {
		t.Errorf("history, -want +got:\n%s", d)
	}
}

// TestPausedOwner lets an owner fall asleep before its insert, while its successor
// applies the same command and another, and then go on.
func TestPausedOwner(t *testing.T) {
	w := newWorld(t)
	slept := false
	w.crash = func(at string) error {
		if strings.HasPrefix(at, "tracking_plans") && !slept {
			slept = true
			crash := w.crash
			w.crash = nil
			w.apply()
			w.put("app", 0, planOf("warn"))
			w.crash = crash
		}
		return nil
	}
	first := w.put("web", 0, planOf("warn"))
	if !slept || w.count("SELECT count() FROM tracking_plans") != 2 || w.count("SELECT count() FROM control_outcomes") != 2 {
		t.Errorf("slept %t, %d plans, %d outcomes", slept, w.count("SELECT count() FROM tracking_plans"), w.count("SELECT count() FROM control_outcomes"))
	}
	if p, err := w.plans.Get(t.Context(), "main", "web"); err != nil || p.Revision != first {
		t.Errorf("plan %+v, %v", p, err)
	}
}

// TestTopicMadeAnew must not take new commands for repetitions of old ones.
func TestTopicMadeAnew(t *testing.T) {
	w := newWorld(t)
	w.put("web", 0, planOf("warn"))
	w.topics[control.Topic], w.offsets[control.Topic] = nil, 0
	ctx, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer stop()
	done := make(chan error, 1)
	body, _ := json.Marshal(plans.Change{Definition: planOf("block")})
	value, _ := json.Marshal(control.Command{ID: "other", Workspace: "main", Kind: plans.KindPut, Subject: "app", Actor: "ana", Body: body})
	if err := w.WriteMessages(ctx, kafka.Message{Topic: control.Topic, Value: value}); err != nil {
		t.Fatal(err)
	}
	owner, err := control.NewOwner(control.DefaultConfig(), control.Deps{
		Conn: w.conn, Logger: quiet, Registry: prometheus.NewRegistry(), Handlers: map[string]control.Handler{plans.KindPut: plans.NewHandler(w.conn)},
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { done <- owner.Own(ctx, &part{broker: w.broker, topic: control.Topic, end: stop}) }()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := w.count("SELECT count() FROM control_outcomes"); n != 1 || w.offsets[control.Topic] != 0 {
		t.Errorf("%d outcomes, committed %d: the command was passed over", n, w.offsets[control.Topic])
	}
}
