package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

const headerConsistency = "X-Kindred-Consistency"

// writers of TestOwnWrites, each of a person of its own.
const writers = 16

// TestOwnWrites writes traits of people, with identifiers that join them, to one of
// two API processes, and reads each back with its token from the other at once: not
// one answer may be older than the write. There are half as many as
// KINDRED_TEST_COUNT, at most 10 000, or few.
func TestOwnWrites(t *testing.T) {
	t.Parallel()
	k := startKindred(t)
	o := &ownWriters{nodes: []*running{k, k.anotherNode()}, burst: 1}
	o.run(t, max(1, ownWriteCount()/writers))
	if n := o.refused.Load(); n > 0 {
		t.Errorf("%d reads were refused", n)
	}
}

// TestOwnWritesWithSlowIdentity is the same while the identity owner sees its
// evidence late: by a second, or by five in the long run. A read may be refused
// then, and is not old. Each writes several times before it reads.
func TestOwnWritesWithSlowIdentity(t *testing.T) {
	t.Parallel()
	k := startRoles(t, []string{"api", "ingest", "worker", "broker", "clickhouse"})
	delay, burst := "1s", 2
	if ownWriteCount() >= 10_000 {
		delay, burst = "5s", 25
	}
	identity := *k
	identity.launch("chaos-process", "--role", "identity", "--identity-delay", delay)
	o := &ownWriters{nodes: []*running{k, k.anotherNode()}, burst: burst}
	o.run(t, max(1, ownWriteCount()/writers/burst))
}

// ownWriteCount is how many writes a test makes.
func ownWriteCount() int {
	if n, err := strconv.Atoi(os.Getenv("KINDRED_TEST_COUNT")); err == nil {
		return min(max(n/2, 2*writers), 10_000)
	}
	return 2 * writers
}

// ownWriters write and read their own.
type ownWriters struct {
	nodes   []*running
	burst   int       // writes before the reads of a round
	first   time.Time // of the first write; each states its own time, in order
	refused atomic.Int64
	read    atomic.Int64
}

func (o *ownWriters) run(t *testing.T, rounds int) {
	t.Helper()
	o.first = now().Add(-24 * time.Hour).UTC().Truncate(time.Second)
	group, _ := errgroup.WithContext(t.Context())
	for person := range writers {
		group.Go(func() error {
			for round := range rounds {
				if err := o.round(person, round); err != nil {
					return fmt.Errorf("person %d, round %d: %w", person, round, err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d writes by %d clients over %d nodes, %d reads, %d of them refused, none stale",
		writers*rounds*o.burst, writers, len(o.nodes), o.read.Load(), o.refused.Load())
}

// round writes and then reads with each token, from the node that the write did
// not go to.
func (o *ownWriters) round(person, round int) error {
	var tokens []string
	for i := range o.burst {
		n := round*o.burst + i
		token, err := o.write(o.nodes[(person+n)%len(o.nodes)], person, n)
		if err != nil {
			return err
		}
		tokens = append(tokens, token)
	}
	for i, token := range tokens {
		n := round*o.burst + i
		if err := o.readBack(o.nodes[(person+n+1)%len(o.nodes)], person, n, token); err != nil {
			return err
		}
	}
	return nil
}

// write states a trait under a cookie of its own, which the same event joins to
// the person.
func (o *ownWriters) write(k *running, person, n int) (token string, err error) {
	body := fmt.Sprintf(`{"type":"identify","timestamp":%q,"userId":"u%d","anonymousId":"a%d-%d","traits":{"n":%d}}`,
		o.first.Add(time.Duration(n)*time.Second).Format(time.RFC3339), person, person, n, n)
	answer, text, err := k.call(http.MethodPost, "/v1/identify", "write-dev", "", body)
	if err != nil {
		return "", err
	}
	if token = answer.Header.Get(headerConsistency); token == "" {
		return "", fmt.Errorf("the intake answers %d without a token: %s", answer.StatusCode, text)
	}
	return token, nil
}

// readBack reads by both identifiers of a write: what it stated, or something later
// of the same person, shows; or the answer is 503.
func (o *ownWriters) readBack(k *running, person, n int, token string) error {
	for _, id := range []string{fmt.Sprintf("user_id:u%d", person), fmt.Sprintf("anonymous_id:a%d-%d", person, n)} {
		answer, text, err := k.call(http.MethodGet, "/v1/profiles/"+id, "read-dev", token, "")
		if err != nil {
			return err
		}
		o.read.Add(1)
		if answer.StatusCode == http.StatusServiceUnavailable {
			o.refused.Add(1)
			continue
		}
		var p struct {
			Traits map[string]struct{ Value int }
			Count  int `json:"identifier_count"`
		}
		if err := json.Unmarshal(text, &p); err != nil || answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %d %s", id, answer.StatusCode, text)
		}
		if p.Traits["n"].Value < n || p.Count < n+2 {
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
