package sdktest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// server is a Kindred with its own Kafka, on ports that stay the same when it is
// killed and started again, over a ClickHouse that the test can look into.
type server struct {
	t       *testing.T
	binary  string
	data    string
	api     string // host:port
	kafka   int
	cfg     warehouse.Config
	keys    string
	process *exec.Cmd
	log     *os.File
}

func newServer(t *testing.T, keys string) *server {
	t.Helper()
	s := &server{t: t, data: t.TempDir(), binary: binary(t), keys: keys, cfg: warehousetest.NewConfig(t)}
	warehousetest.DropAtEnd(t, s.cfg)
	ports := enginetest.FreePorts(t, 2)
	s.api, s.kafka = fmt.Sprintf("127.0.0.1:%d", ports[0]), ports[1]
	log, err := os.Create(filepath.Join(t.TempDir(), "kindred.log"))
	if err != nil {
		t.Fatal(err)
	}
	s.log = log
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("kindred said:\n%s", text)
		}
		_ = log.Close()
	})
	s.start()
	return s
}

// binary returns the program to test: KINDRED_TEST_BINARY, or one built now.
func binary(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("KINDRED_TEST_BINARY"); path != "" {
		path, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := filepath.Join(t.TempDir(), "kindred")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../../cmd/kindred")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build kindred: %v\n%s", err, out)
	}
	return path
}

// start returns when the server says that it is ready.
func (s *server) start() {
	s.t.Helper()
	s.process = exec.Command(s.binary, "up", "--data", s.data, "--api-address", s.api, "--kafka-port", fmt.Sprint(s.kafka))
	s.process.Env = append(withoutKindred(os.Environ()), "KINDRED_CLICKHOUSE_URL="+s.cfg.URL, "KINDRED_API_KEYS="+s.keys)
	s.process.Stdout, s.process.Stderr = s.log, s.log
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	await(s.t, time.Minute, "kindred to be ready", func() bool {
		status, _ := s.get("/readyz", "")
		return status == http.StatusOK
	})
}

// kill ends the server and its children as a power cut would.
func (s *server) kill() {
	_ = syscall.Kill(-s.process.Process.Pid, syscall.SIGKILL)
	_ = s.process.Wait()
}

func (s *server) get(path, key string) (int, string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.api+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = answer.Body.Close() }()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body)
}

func (s *server) open() driver.Conn {
	s.t.Helper()
	conn, err := warehouse.Open(s.t.Context(), s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// withoutKindred drops the variables that steer tests: the server refuses names
// that it does not know.
func withoutKindred(environ []string) []string {
	var out []string
	for _, kv := range environ {
		if !strings.HasPrefix(kv, "KINDRED_") {
			out = append(out, kv)
		}
	}
	return out
}

// await polls until done reports true.
func await(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("waited %s for %s", limit, what)
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-tick.C:
		}
	}
}
