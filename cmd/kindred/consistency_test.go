package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"
)

const headerConsistency = "X-Kindred-Consistency"

// TestOwnWrites writes traits of people, with identifiers that join them, and reads
// each back with its token at once: not one answer may be older than the write.
// There are half as many as KINDRED_TEST_COUNT, at most 10 000, or few.
func TestOwnWrites(t *testing.T) {
	writes := 24
	if n, err := strconv.Atoi(os.Getenv("KINDRED_TEST_COUNT")); err == nil {
		writes = min(max(n/2, 24), 10_000)
	}
	k := startKindred(t)
	const people = 6
	group, _ := errgroup.WithContext(t.Context())
	for person := range people {
		group.Go(func() error {
			for n := range writes / people {
				if err := k.writeAndRead(person, n); err != nil {
					return fmt.Errorf("person %d, write %d: %w", person, n, err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d writes, none stale", writes/people*people)
}

// writeAndRead states a trait under a cookie of its own, which the same event joins
// to the person, and reads it by another identifier.
func (k *running) writeAndRead(person, n int) error {
	body := fmt.Sprintf(`{"type":"identify","userId":"u%d","anonymousId":"a%d-%d","traits":{"n":%d}}`, person, person, n, n)
	answer, _, err := k.call(http.MethodPost, "/v1/identify", "write-dev", "", body)
	if err != nil {
		return err
	}
	token := answer.Header.Get(headerConsistency)
	if token == "" {
		return fmt.Errorf("the intake answers %d without a token", answer.StatusCode)
	}
	for _, id := range []string{fmt.Sprintf("user_id:u%d", person), fmt.Sprintf("anonymous_id:a%d-%d", person, n)} {
		answer, text, err := k.call(http.MethodGet, "/v1/profiles/"+id, "read-dev", token, "")
		if err != nil {
			return err
		}
		var p struct {
			Traits map[string]struct{ Value int }
			Count  int `json:"identifier_count"`
		}
		if err := json.Unmarshal(text, &p); err != nil || answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %d %s", id, answer.StatusCode, text)
		}
		if p.Traits["n"].Value != n || p.Count != n+2 {
			return fmt.Errorf("%s is stale: n is %d of %d, with %d identifiers of %d", id, p.Traits["n"].Value, n, p.Count, n+2)
		}
	}
	return nil
}

func (k *running) call(method, path, key, token, body string) (*http.Response, []byte, error) {
	r, err := http.NewRequestWithContext(k.t.Context(), method, "http://"+k.api+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if token != "" {
		r.Header.Set(headerConsistency, token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	return answer, text, err
}
