package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// childVariable tells a copy of the test binary which process of a test it is.
const childVariable = "KINDRED_EMBEDDED_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case "":
		os.Exit(m.Run())
	case "engine":
		os.Exit(EngineMain(os.Args[1:]))
	case "clickhouse":
		os.Exit(hostMain(func(ctx context.Context, ready func(string) error) error {
			server, err := NewClickHouse(engineConfig(os.Args[1], os.Getenv("KINDRED_TEST_LIBRARY")), nil)
			if err != nil {
				return err
			}
			return server.Run(ctx, ready)
		}))
	case "kafka":
		os.Exit(hostMain(func(ctx context.Context, ready func(string) error) error {
			broker, err := NewKafka(brokerConfig(os.Args[1]), nil)
			if err != nil {
				return err
			}
			return broker.Run(ctx, func(addrs []string) error { return ready(addrs[0]) })
		}))
	}
	os.Exit(2)
}

// hostMain runs an engine until it is killed and prints its address.
func hostMain(run func(context.Context, func(string) error) error) int {
	err := run(context.Background(), func(address string) error {
		fmt.Println(address)
		return nil
	})
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// host is a process of its own with an engine in it.
type host struct {
	address string
	cmd     *exec.Cmd
}

// startHost starts this binary as a host of kind on dir and waits for its engine.
func startHost(t *testing.T, kind, dir string) *host {
	t.Helper()
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), childVariable+"="+kind)
	if kind == "clickhouse" {
		cmd.Env = append(cmd.Env, "KINDRED_TEST_LIBRARY="+library(t))
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h := &host{cmd: cmd}
	t.Cleanup(h.kill)
	if _, err := fmt.Fscanln(out, &h.address); err != nil {
		t.Fatalf("host of %s: %v", kind, err)
	}
	return h
}

// kill is kill -9, and waits for the end.
func (h *host) kill() {
	_ = h.cmd.Process.Kill()
	_ = h.cmd.Wait()
}

// library is the engine's library, fetched if missing; without one the test is skipped, or fails where services are
// required.
func library(t testing.TB) string {
	t.Helper()
	path, err := Library{Path: os.Getenv("KINDRED_CLICKHOUSE_LIB")}.Ensure(context.Background(), nil)
	switch {
	case err == nil:
		return path
	case os.Getenv("KINDRED_REQUIRE_SERVICES") == "1":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	return ""
}

// engineConfig is a small engine on free ports.
func engineConfig(dir, library string) ClickHouseConfig {
	cfg := DefaultClickHouseConfig()
	cfg.Library, cfg.DataDir = library, dir
	cfg.TCPPort, cfg.HTTPPort = 0, 0
	cfg.AnalystPassword = "analyst-test"
	cfg.Command, cfg.Env = []string{os.Args[0]}, []string{childVariable + "=engine"}
	return cfg
}

// brokerConfig is a broker on a free port.
func brokerConfig(dir string) KafkaConfig {
	cfg := DefaultKafkaConfig()
	cfg.DataDir, cfg.Port = dir, 0
	return cfg
}

// eventually waits until ok, for at most a generous while.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("never happened: %s", what)
		case <-tick.C:
		}
	}
}

// writeText makes a file for a test.
func writeText(t *testing.T, text string, mode os.FileMode, path ...string) string {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return name
}
