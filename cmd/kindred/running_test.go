package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
)

// running is a Kindred of its own process tree, with all its roles.
type running struct {
	t              *testing.T
	dir            string
	api, sql, tcp  string
	kafka, library string
	env            []string // of every command
	said           *transcript
	up             *exec.Cmd
}

// transcript is what a process has printed up to now.
type transcript struct {
	mu sync.Mutex // Protects b.
	b  bytes.Buffer
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// startKindred starts one on free ports, with variables of the environment; it is
// stopped when the test ends. It shares nothing with others, and its test waits for
// it more than it works: such tests run side by side.
func startKindred(t *testing.T, env ...string) *running {
	t.Helper()
	return startRoles(t, nil, env...)
}

// startRoles starts one of which other processes, see launch, have the other roles.
func startRoles(t *testing.T, roles []string, env ...string) *running {
	t.Helper()
	library, err := enginetest.Library()
	if err != nil {
		if os.Getenv("KINDRED_REQUIRE_SERVICES") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ports := enginetest.FreePorts(t, 4)
	k := &running{
		t: t, dir: t.TempDir(), api: fmt.Sprintf("127.0.0.1:%d", ports[0]),
		sql: strconv.Itoa(ports[1]), tcp: strconv.Itoa(ports[2]), kafka: strconv.Itoa(ports[3]),
		library: library, env: env, said: &transcript{},
	}
	args := []string{"up"}
	for _, r := range roles {
		args = append(args, "--role", r)
	}
	k.up, _ = k.launch(args...)
	k.ready()
	return k
}

// launch starts a process beside it. It is stopped when the test ends, or by stop.
func (k *running) launch(args ...string) (cmd *exec.Cmd, stop func()) {
	k.t.Helper()
	cmd = k.command(args...)
	cmd.Stdout, cmd.Stderr = k.said, k.said
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil || k.t.Failed() {
			k.t.Logf("%s ended with %v:\n%s", strings.Join(args, " "), err, k.said.String())
		}
	})
	k.t.Cleanup(stop)
	return cmd, stop
}

// anotherNode starts a process of role api beside it.
func (k *running) anotherNode() *running {
	k.t.Helper()
	node := *k
	node.api = fmt.Sprintf("127.0.0.1:%d", enginetest.FreePorts(k.t, 1)[0])
	node.up, _ = node.launch("up", "--role", "api")
	node.ready()
	return &node
}

// ready waits until the API says so.
func (k *running) ready() {
	k.t.Helper()
	k.until("it is ready", func() bool {
		answer, err := http.Get("http://" + k.api + "/readyz")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

func (k *running) command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], append(args, "--data", k.dir, "--api-address", k.api,
		"--clickhouse-port", k.tcp, "--clickhouse-http-port", k.sql, "--kafka-port", k.kafka)...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "KINDRED_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, runAsKindred+"=1", "KINDRED_CLICKHOUSE_LIB="+k.library)
	cmd.Env = append(cmd.Env, k.env...)
	return cmd
}

// run runs a command beside it, and returns what it prints.
func (k *running) run(args ...string) string {
	k.t.Helper()
	var out, errors bytes.Buffer
	cmd := k.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errors
	if err := cmd.Run(); err != nil {
		k.t.Fatalf("kindred %s: %v\n%s", strings.Join(args, " "), err, errors.String())
	}
	return out.String()
}

// read runs a command that prints JSON.
func (k *running) read(into any, args ...string) {
	k.t.Helper()
	text := k.run(append(args, "--json")...)
	if err := json.Unmarshal([]byte(text), into); err != nil {
		k.t.Fatalf("%v in %s", err, text)
	}
}

// until waits for something to come true, for a minute and a half at most.
func (k *running) until(what string, is func() bool) {
	k.t.Helper()
	k.within(90*time.Second, what, is)
}

// within is until for what takes long where the machine is busy.
func (k *running) within(most time.Duration, what string, is func() bool) {
	k.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(most)
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			k.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// identify sends identify events.
func (k *running) identify(events ...map[string]any) {
	k.t.Helper()
	body, err := json.Marshal(map[string]any{"batch": events})
	if err != nil {
		k.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(k.t.Context(), http.MethodPost, "http://"+k.api+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	request.SetBasicAuth("write-dev", "")
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK {
		k.t.Fatalf("batch answers %d: %s", answer.StatusCode, text)
	}
}

// query asks ClickHouse as an analyst.
func (k *running) query(text string) string {
	k.t.Helper()
	return k.queryAs("analyst", devAnalyst, text)
}

// queryAs asks ClickHouse as somebody.
func (k *running) queryAs(user, password, text string) string {
	k.t.Helper()
	address := fmt.Sprintf("http://127.0.0.1:%s/?%s", k.sql, url.Values{"user": {user}, "password": {password}, "database": {"kindred"}}.Encode())
	answer, err := http.Post(address, "text/plain", strings.NewReader(text))
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	out, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		k.t.Fatalf("%s: %v, %d, %s", text, err, answer.StatusCode, out)
	}
	return strings.TrimSpace(string(out))
}
