package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// watch is api.Consistency over people: what was written is there when it says so,
// and the cache, which is f.people, never knows of it.
type watch struct {
	asked  []string
	err    error
	broken error // at once
	fresh  *people
}

func (w *watch) Await(ctx context.Context, positions string) error {
	w.asked = append(w.asked, positions)
	if w.err == nil {
		return w.broken
	}
	<-ctx.Done()
	return errors.Join(w.err, ctx.Err())
}

func (w *watch) Fresh(string) profiles.Store { return w.fresh }

// TestConsistency takes the token of an event to every read, and what is no token
// of the workspace nowhere.
func TestConsistency(t *testing.T) {
	f := newFixture()
	f.cfg.ConsistencyWait = 10 * time.Millisecond
	f.events.out = &api.EventOutcome{Accepted: 1, Positions: "kindred.behaviour/0:7"}
	w := &watch{fresh: newPeople()}
	w.fresh.add("main", identity.Identifier{Namespace: "user_id", Value: "new"})
	f.watch = w
	h := f.server(t).Handler()
	posted := scenario{method: http.MethodPost, path: "/v1/events/behaviour", key: "write-dev", body: `{}`, status: 200}.run(t, h)
	token := posted.Header.Get("X-Kindred-Consistency")
	if token == "" {
		t.Fatal("no token")
	}
	with := map[string]string{"X-Kindred-Consistency": token}
	for _, part := range everyPart {
		scenario{path: "/v1/profiles/user_id:new" + part, key: "read-dev", status: 404}.run(t, h)
		if part == "/timeline" || part == "/identifiers" {
			continue // They read the shelf, which is no store of profiles.
		}
		scenario{path: "/v1/profiles/user_id:new" + part, key: "read-dev", header: with, status: 200}.run(t, h)
	}
	scenario{method: http.MethodPost, path: "/v1/profiles/batch", key: "read-dev", header: with, body: `{"ids":["user_id:new"]}`, status: 200, want: []string{`"status":200`}}.run(t, h)
	scenario{path: users + "user_id:new/traits", key: "read-dev", header: with, status: 200}.run(t, h)
	if len(w.asked) < 7 || w.asked[0] != "kindred.behaviour/0:7" {
		t.Errorf("asked for %q", w.asked)
	}
	asked := len(w.asked)
	for name, header := range map[string]string{"made up": "a2luZHJlZA", "changed": "B" + token[1:], "no base64": "%"} {
		t.Run(name, func(t *testing.T) {
			scenario{path: "/v1/profiles/user_id:new", key: "read-dev", header: map[string]string{"X-Kindred-Consistency": header}, status: 400}.run(t, h)
		})
	}
	scenario{path: "/v1/profiles/user_id:new", key: "read-other", header: with, status: 400}.run(t, h)
	if len(w.asked) != asked {
		t.Error("what is no token was waited for")
	}
	w.err = errors.New("behind")
	scenario{path: "/v1/profiles/user_id:42", key: "read-dev", header: with, status: 503, want: []string{"not-visible-yet"}, headers: map[string]string{"Retry-After": "1"}}.run(t, h)
	w.err, w.broken = nil, errors.New("the brokers do not answer")
	scenario{path: "/v1/profiles/user_id:42", key: "read-dev", header: with, status: 503, want: []string{"not-visible-yet"}}.run(t, h)
	w.err, w.broken = errors.New("behind"), nil
	gone, leave := context.WithCancel(t.Context())
	leave()
	answer, request := httptest.NewRecorder(), httptest.NewRequestWithContext(gone, http.MethodGet, "/v1/profiles/user_id:42", nil)
	request.Header.Set("Authorization", "Bearer read-dev")
	request.Header.Set("X-Kindred-Consistency", token)
	if h.ServeHTTP(answer, request); answer.Code != 499 {
		t.Errorf("for a client that is gone: %d", answer.Code)
	}
	f.watch = nil
	f.metrics = newFixture().metrics
	scenario{path: "/v1/profiles/user_id:42", key: "read-dev", header: with, status: 503}.run(t, f.server(t).Handler())
}
