package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestModelsOfARunningKindred declares a model by the command, lets it be trained on a
// history that is imported, and finds its scores on a profile and in a segment.
func TestModelsOfARunningKindred(t *testing.T) {
	t.Parallel()
	k := startKindred(t)
	const people = 240
	today := now().UTC().Truncate(24 * time.Hour)
	random := rand.New(rand.NewPCG(1, 1))
	var events []map[string]any
	for p := range people {
		visits, starts := .08, .005
		if p%3 == 0 { // Who comes often is who tries.
			visits, starts = .2, .07
		}
		for d := 1; d < 150; d++ {
			name := ""
			switch roll := random.Float64(); {
			case roll < starts:
				name = "Trial Started"
			case roll < starts+visits:
				name = "Product Viewed"
			default:
				continue
			}
			events = append(events, map[string]any{
				"type": "track", "event": name, "userId": fmt.Sprint("u", p), "messageId": fmt.Sprintf("v%d-%d", p, d),
				"timestamp": today.AddDate(0, 0, -d).Add(time.Duration(p) * time.Minute).Format(time.RFC3339),
			})
		}
	}
	for from := 0; from < len(events); from += 200 {
		k.identify(events[from:min(from+200, len(events))]...)
	}
	k.until("all is stored", func() bool {
		return strings.TrimSpace(k.query("SELECT count() FROM events")) == fmt.Sprint(len(events))
	})
	file := filepath.Join(t.TempDir(), "trial.json")
	if err := os.WriteFile(file, []byte(`{"target":{"event":"Trial Started"},"horizon":"20d","minimum_positives":20}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := k.run("models", "put", file); !strings.Contains(said, "model trial is at revision") {
		t.Errorf("put says %q", said)
	}
	list := ""
	k.until("the model was tried", func() bool {
		list = k.run("models", "list")
		return strings.Contains(list, "ready") && strings.Contains(list, fmt.Sprint(today.Year())) || strings.Contains(list, "not_enough") || strings.Contains(list, "stopped") || strings.Contains(list, "failed")
	})
	if !strings.Contains(list, "ready") {
		t.Fatalf("the list is\n%s", list)
	}
	if card := k.run("models", "card", "trial"); !strings.Contains(card, "knowledge: event_time; identity: as the evidence") || !strings.Contains(card, "base_rate") {
		t.Errorf("the card is\n%s", card)
	}
	if status, body := k.askAs("admin", http.MethodGet, "/v1/profiles/user_id:u7/scores", nil); status != http.StatusOK || !strings.Contains(string(body), `"trial":{`) || !strings.Contains(string(body), `"reasons":`) {
		t.Errorf("the scores are %d %s", status, body)
	}
	if status, body := k.askAs("admin", http.MethodPost, "/v1/segments/preview", map[string]any{"definition": map[string]any{"score": "trial", "op": "gte", "value": 0}}); status != http.StatusOK || !strings.Contains(string(body), fmt.Sprintf(`"count":%d`, people)) {
		t.Errorf("the segment is %d %s", status, body)
	}
	k.run("models", "archive", "trial")
	k.until("the scores are withdrawn", func() bool {
		return k.query("SELECT argMax(detail, computed_at) LIKE '{\"profiles\":0,%' FROM scores WHERE score = 'trial' AND profile_id = 0") == "1"
	})
}
