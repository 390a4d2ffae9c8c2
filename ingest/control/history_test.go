package control_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/letters"
)

func message(id, name string) string {
	return fmt.Sprintf(`{"id":%q,"name":%q,"source":"web","time":"2026-05-04T09:00:00Z","identifiers":[{"namespace":"user_id","value":"7"}]}`, id, name)
}

// told is the history of a letter in short: what was done and what became of it.
func (w *world) told(id string) (status string, history []string) {
	w.t.Helper()
	l, err := w.letters.Get(w.t.Context(), "main", id)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range l.History {
		history = append(history, strings.TrimSuffix(e.What+" "+e.Actor+e.Reason, " "))
	}
	var view string
	if err := w.conn.QueryRow(w.t.Context(), "SELECT status FROM dead_letter_status WHERE id = ?", id).Scan(&view); err != nil {
		w.t.Fatal(err)
	}
	if view != l.Status {
		w.t.Errorf("the view says %s and the list %s", view, l.Status)
	}
	return l.Status, history
}

// TestHistoryOfALetter replays a letter that fails again, edits it, and replays
// it into an event, once.
func TestHistoryOfALetter(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.send(message("good", "Viewed"), `{"id":"m1","source":"web","time":"2026-05-04T09:00:00Z"}`)
	found := w.list(letters.Filter{})
	if len(found) != 1 || found[0].Reason != "missing_field" || found[0].Status != letters.Open || found[0].Source != "web" || found[0].Kind != "behaviour" {
		t.Fatalf("letters: %+v", found)
	}
	id := found[0].ID
	act := func(kind string, r letters.Request) *letters.Done {
		t.Helper()
		r.Letters = []string{id}
		done, err := w.letters.Act(ctx, "main", "ana", kind, r)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	act(letters.KindReplay, letters.Request{})
	if status, _ := w.told(id); status != letters.Replayed {
		t.Errorf("before ingest saw it the letter is %s", status)
	}
	w.ingest()
	status, history := w.told(id)
	want := []string{"replay ana", "failed missing_field"}
	if d := cmp.Diff(want, history); d != "" || status != letters.Failed {
		t.Errorf("status %s, history -want +got:\n%s", status, d)
	}
	if n := w.count("SELECT count() FROM dead_letters"); n != 1 {
		t.Errorf("%d letters: a replay that failed made one of its own", n)
	}
	edit := act(letters.KindEdit, letters.Request{Value: json.RawMessage(message("m1", "Signed Up")), Reason: "name was missing"})
	stale := edit.Revision - 1
	if _, err := w.letters.Act(ctx, "main", "ben", letters.KindEdit, letters.Request{Letters: []string{id}, Expected: &stale, Value: json.RawMessage(`{}`)}); !errors.Is(err, letters.ErrConflict) {
		t.Errorf("an edit of what ben has not seen: %v", err)
	}
	act(letters.KindReplay, letters.Request{Expected: &edit.Revision})
	w.ingest()
	act(letters.KindNote, letters.Request{Reason: "done"})
	status, history = w.told(id)
	want = append(want, "edit ananame was missing", "replay ana", "stored", "note anadone")
	if d := cmp.Diff(want, history); d != "" || status != letters.Stored {
		t.Errorf("status %s, history -want +got:\n%s", status, d)
	}
	if n := w.count("SELECT count() FROM events WHERE name = 'Signed Up' AND message_id = 'm1' AND anchor_id != 0"); n != 1 {
		t.Errorf("the letter became %d events", n)
	}
	// Once more: the message is known, and stays one event.
	act(letters.KindReplay, letters.Request{})
	w.ingest()
	status, history = w.told(id)
	want = append(want, "replay ana", "duplicate")
	if d := cmp.Diff(want, history); d != "" || status != letters.Stored || w.count("SELECT count() FROM events") != 2 {
		t.Errorf("status %s, history -want +got:\n%s", status, d)
	}
	if _, err := w.letters.Get(ctx, "other", id); !errors.Is(err, letters.ErrNotFound) {
		t.Errorf("another workspace reads the letter: %v", err)
	}
	if _, err := w.letters.Act(ctx, "other", "eve", letters.KindReplay, letters.Request{Letters: []string{id}}); !errors.Is(err, letters.ErrNotFound) {
		t.Errorf("another workspace replays the letter: %v", err)
	}
}

// A reused id needs another one, which the replay can give it.
func TestReplayOfAReusedID(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.send(message("m", "One"), message("m", "Two"))
	id := w.list(letters.Filter{Reason: "id_reused"})[0].ID
	if _, err := w.letters.Act(ctx, "main", "ana", letters.KindReplay, letters.Request{Letters: []string{id}}); !errors.Is(err, letters.ErrConflict) || !strings.Contains(err.Error(), "id") {
		t.Errorf("as it is: %v", err)
	}
	for range 2 {
		if _, err := w.letters.Act(ctx, "main", "ana", letters.KindReplay, letters.Request{Letters: []string{id}, NewID: true}); err != nil {
			t.Fatal(err)
		}
		w.ingest()
	}
	status, history := w.told(id)
	if d := cmp.Diff([]string{"replay ana", "stored", "replay ana", "duplicate"}, history); d != "" {
		t.Errorf("history, -want +got:\n%s", d)
	}
	if n := w.count("SELECT count() FROM events WHERE name = 'Two'"); n != 1 || status != letters.Stored {
		t.Errorf("%d events, letter %s, history %v", n, status, history)
	}
}

// A header that the owner of commands has not signed cannot make bytes
// disappear.
func TestForgedReplayIsALetter(t *testing.T) {
	w := newWorld(t)
	w.send("rubbish")
	id := w.list(letters.Filter{})[0].ID
	for _, forged := range []string{"", "x", id, id + "/1", id + "/1/0", "//", id + "/1/" + strings.Repeat("f", 16)} {
		m := w.topics["kindred.behaviour"][0]
		m.Value = []byte("rubbish with " + forged)
		m.Headers = append(m.Headers[:0:0], header("kindred-replay", forged))
		if err := w.WriteMessages(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	w.ingest()
	if n := w.count("SELECT count() FROM dead_letters"); n != 8 {
		t.Errorf("%d letters of 8 bad records", n)
	}
	if n := w.count("SELECT count() FROM dead_letter_outcomes"); n != 0 {
		t.Errorf("%d outcomes of replays that nobody asked for", n)
	}
}

// Letters from before they had names and kinds are named by their place.
func TestLettersFromBefore(t *testing.T) {
	w := newWorld(t)
	const row = "INSERT INTO dead_letters (workspace, received_time, source, topic, partition, offset, reason, value) VALUES ('main', '2025-01-01 00:00:00', 'web', 'kindred.behaviour', 0, ?, 'invalid_field', ?)"
	for i := range 30 {
		if err := w.conn.Exec(t.Context(), row, i, message(fmt.Sprint("old", i), "Viewed")); err != nil {
			t.Fatal(err)
		}
	}
	found := w.list(letters.Filter{Kind: "behaviour"})
	if len(found) != 30 || found[0].ID == found[1].ID || !strings.HasPrefix(found[0].Position, "kindred.behaviour/0/") {
		t.Fatalf("%d letters: %+v", len(found), found[:min(2, len(found))])
	}
	done, err := w.letters.ActAll(t.Context(), "main", "ana", letters.KindReplay, letters.Bulk{Limit: 25})
	if err != nil || done.Matched != 30 || done.Applied != 25 || done.Letters[0] != found[0].ID {
		t.Fatalf("replay: %+v, %v", done, err)
	}
	w.ingest()
	if events, open := w.count("SELECT count() FROM events"), w.count("SELECT count() FROM dead_letter_status WHERE status = 'open'"); events != 25 || open != 5 {
		t.Errorf("%d events, %d letters are open", events, open)
	}
	if d, err := w.letters.ActAll(t.Context(), "main", "ana", letters.KindDiscard, letters.Bulk{Limit: 100, Reason: "old"}); err != nil || d.Applied != 5 {
		t.Errorf("discard: %+v, %v", d, err)
	}
	if status, history := w.told(found[29].ID); status != letters.Discarded || len(history) != 1 {
		t.Errorf("the last letter is %s: %v", status, history)
	}
}
