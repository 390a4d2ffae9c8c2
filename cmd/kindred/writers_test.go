package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/deploy/embedded"
)

// TestWritersOfOneProfile lets eight write to one person at once: traits from a source
// of each, under cookies that join the person, consents through the API, and scores as
// the worker writes them. Afterwards nothing that any of them wrote is missing.
func TestWritersOfOneProfile(t *testing.T) {
	t.Parallel()
	const writers, turns = 8, 4
	keys := accessKeys
	for n := range writers {
		keys += fmt.Sprintf(",write/s%d:main:write-s%d", n, n)
	}
	k, _ := startLogged(t, "KINDRED_API_KEYS="+keys)
	k.identify(map[string]any{"type": "identify", "messageId": "first", "userId": "one", "timestamp": "2026-01-01T00:00:00Z"})
	var profile struct {
		ID          string                     `json:"id"`
		Identifiers int                        `json:"identifier_count"`
		Traits      map[string]json.RawMessage `json:"traits"`
		Scores      map[string]json.RawMessage `json:"scores"`
	}
	const path = "/v1/profiles/user_id:one"
	k.until("the person is there", func() bool {
		status, body := k.askAs("admin", http.MethodGet, path, nil)
		return status == http.StatusOK && json.Unmarshal(body, &profile) == nil
	})
	id, err := strconv.ParseUint(profile.ID, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	for n := range writers {
		group.Go(func() error {
			for turn := range turns {
				body := fmt.Sprintf(`{"messageId":"m%d-%d","userId":"one","anonymousId":"a%d","timestamp":"2026-02-01T00:00:0%dZ","traits":{"t%d_%d":%d,"last_of_%d":%d}}`, n, turn, n, turn, n, turn, turn, n, turn)
				if err := k.accepted("/v1/identify", fmt.Sprintf("write-s%d", n), body); err != nil {
					return err
				}
			}
			if err := k.accepted(path+"/consent", "admin-dev", fmt.Sprintf(`{"purpose":"p%d","granted":%t}`, n, n%2 == 0)); err != nil {
				return err
			}
			return k.score(id, fmt.Sprintf("s%d", n))
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	var missing []string
	defer func() {
		if t.Failed() {
			t.Logf("missing: %v", missing)
		}
	}()
	k.until("everything is there", func() bool {
		missing = nil
		want := func(there bool, what string, args ...any) {
			if !there {
				missing = append(missing, fmt.Sprintf(what, args...))
			}
		}
		_, body := k.askAs("admin", http.MethodGet, path, nil)
		_, consent := k.askAs("admin", http.MethodGet, path+"/consent", nil)
		current, _, _ := strings.Cut(string(consent), `"history"`)
		profile.Traits, profile.Scores = nil, nil
		want(json.Unmarshal(body, &profile) == nil, "the profile")
		want(profile.Identifiers == 1+writers, "identifiers: there are %d", profile.Identifiers)
		for n := range writers {
			for turn := range turns {
				_, there := profile.Traits[fmt.Sprintf("t%d_%d", n, turn)]
				want(there, "trait t%d_%d", n, turn)
			}
			last := string(profile.Traits[fmt.Sprintf("last_of_%d", n)])
			want(strings.Contains(last, fmt.Sprintf(`"value":%d`, turns-1)), "last trait of %d: it is %s", n, last)
			_, there := profile.Scores[fmt.Sprintf("s%d", n)]
			want(there, "score s%d", n)
			want(strings.Contains(current, fmt.Sprintf(`"purpose":"p%d","granted":%t`, n, n%2 == 0)), "consent p%d", n)
		}
		return len(missing) == 0
	})
}

// accepted sends a body, and returns an error unless it is taken.
func (k *running) accepted(path, key, body string) error {
	answer, text, err := k.call(http.MethodPost, path, key, "", body)
	if err == nil && answer.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s answers %d: %s", path, answer.StatusCode, text)
	}
	return err
}

// score writes a score as the worker does, into an engine of startLogged.
func (k *running) score(profile uint64, name string) error {
	address := fmt.Sprintf("http://127.0.0.1:%s/?%s", k.sql, url.Values{
		"user": {embedded.AdminUser}, "password": {"of-the-test"}, "database": {"kindred"},
		"param_profile": {strconv.FormatUint(profile, 10)}, "param_score": {name},
	}.Encode())
	answer, err := http.Post(address, "text/plain", strings.NewReader(`INSERT INTO scores (workspace, profile_id, score, model_version, as_of, computed_at, value, lower, upper, detail)
SELECT 'main', {profile:UInt64}, {score:String}, 'm1', toDateTime64('2026-05-04 09:00:00', 3, 'UTC'), toDateTime64('2026-05-04 09:00:00', 3, 'UTC'), 0.5, 0, 1, '{}'`))
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK {
		return fmt.Errorf("insert a score: %d %s", answer.StatusCode, text)
	}
	return nil
}
