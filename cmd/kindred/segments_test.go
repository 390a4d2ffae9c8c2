package main

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/live"
)

// TestTwoNodesChangeOneSegment has two API nodes change what both have seen: the
// commands come one after the other, and the second is a conflict.
func TestTwoNodesChangeOneSegment(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	woken := 0
	h := segmentHandler{live.NewDefinitions(conn), func() { woken++ }}
	apply := func(revision uint64, subject, body string) control.Result {
		t.Helper()
		r, err := h.Apply(context.Background(), &control.Placed{
			Command:  control.Command{Workspace: "main", Kind: kindSegment, Subject: subject, Actor: "ana", Body: json.RawMessage(body)},
			Revision: revision, Time: time.Unix(1_700_000_000, 0).UTC(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	email := `"definition":{"identifier":"email"}`
	for _, c := range []struct {
		revision uint64
		subject  string
		body     string
		want     control.Verdict
	}{
		{1, "a", `{"expected_revision":0,` + email + `}`, control.OK},
		{2, "a", `{"expected_revision":1,` + email + `}`, control.OK},
		{3, "a", `{"expected_revision":1,` + email + `}`, control.Conflict},
		{2, "a", `{"expected_revision":1,` + email + `}`, control.OK}, // Again, after a crash.
		{4, "a", `{"expected_revision":2,"definition":{}}`, control.Refused},
		{5, "A", `{"expected_revision":0,` + email + `}`, control.Refused},
		{6, "a", `[]`, control.Refused},
		{7, "a", `{"expected_revision":2,"archive":true}`, control.OK},
		{8, "a", `{"expected_revision":7,"archive":true}`, control.Conflict},
	} {
		if got := apply(c.revision, c.subject, c.body); got.Verdict != c.want {
			t.Errorf("revision %d: %+v, want %s", c.revision, got, c.want)
		}
	}
	if woken != 4 {
		t.Errorf("the worker was woken %d times, want 4", woken)
	}
}

// kept keeps messages.
type kept struct{ msgs []kafka.Message }

func (k *kept) WriteMessages(_ context.Context, msgs ...kafka.Message) error {
	k.msgs = append(k.msgs, msgs...)
	return nil
}

func TestAChangeIsToldByTheSameNameAgain(t *testing.T) {
	to := &kept{}
	changes := []segments.Change{{
		Segment: "loyal", Profile: 5, Block: 3, Entered: true, Time: time.Unix(1_700_000_000, 0).UTC(), Cause: segments.ByData, Revision: 7, Leaves: []string{"/all/1"},
	}}
	for range 2 {
		if err := (segmentChanges{to}).Publish(context.Background(), "main", changes); err != nil {
			t.Fatal(err)
		}
	}
	want := `{"id":"loyal/3/0000000000000005","workspace":"main","segment":"loyal","revision":7,"profile":"0000000000000005","change":"entered","time":"2023-11-14T22:13:20Z","cause":"data","leaves":["/all/1"]}`
	for _, m := range to.msgs {
		if string(m.Value) != want || m.Topic != segmentsTopic || string(m.Key) != "0000000000000005" {
			t.Errorf("told %s", m.Value)
		}
	}
}
