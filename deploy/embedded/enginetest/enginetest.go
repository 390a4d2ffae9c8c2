// Package enginetest gives tests the real engines: one ClickHouse for each test process, started when the first test
// asks for it, and a Kafka broker for each test. Only tests import it.
//
// A package whose tests use ClickHouse hands its TestMain over:
//
//	func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }
//
// KINDRED_CLICKHOUSE_URL and KINDRED_TEST_KAFKA (or KINDRED_KAFKA_BROKERS) name running servers to use instead; `make
// test-kafka` sets the second. Without an engine a test is skipped, or fails where KINDRED_REQUIRE_SERVICES is 1.
package enginetest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/deploy/embedded"
)

// childVariable marks the process that [Main] turns into the engine.
const childVariable = "KINDRED_ENGINETEST_CHILD"

// engine is the one ClickHouse of this test process. It is global because a test process is: packages share nothing,
// and their tests must share an engine that takes a second to start.
var engine struct {
	mainRan bool
	start   sync.Once
	dsn     string
	err     error
	stop    context.CancelFunc
	ended   chan error
	atEnd   []func(code int)
}

// Main runs the tests of a package and stops the engine after them; it returns the exit code. In the child process
// that hosts the engine it is the engine. Folders of tests are in memory, where there is enough of it.
func Main(m *testing.M) int {
	if os.Getenv(childVariable) == "1" {
		return embedded.EngineMain(os.Args[1:])
	}
	engine.mainRan = true
	defer inMemory()()
	code := m.Run()
	for _, f := range engine.atEnd {
		f(code)
	}
	if engine.stop != nil {
		engine.stop()
		if err := <-engine.ended; err != nil {
			fmt.Fprintln(os.Stderr, "enginetest:", err)
			return max(code, 1)
		}
	}
	return code
}

// AtEnd has f called with the exit code when all tests of the process have run, and the engine is still there. Tests
// that run side by side must not call it.
func AtEnd(f func(code int)) { engine.atEnd = append(engine.atEnd, f) }

// ClickHouse returns the address of an engine, as clickhouse://user:password@host:port/default. All tests of the
// process share it: make a database of your own. The engine and its data end with the process.
func ClickHouse(t testing.TB) string {
	t.Helper()
	if dsn := os.Getenv("KINDRED_CLICKHOUSE_URL"); dsn != "" {
		return dsn
	}
	if !engine.mainRan {
		t.Fatal("the package's TestMain must call enginetest.Main")
	}
	engine.start.Do(startEngine)
	if engine.err != nil {
		unavailable(t, "clickhouse", engine.err)
	}
	return engine.dsn
}

// unavailable skips, or fails where services are required.
func unavailable(t testing.TB, what string, err error) {
	t.Helper()
	if os.Getenv("KINDRED_REQUIRE_SERVICES") == "1" {
		t.Fatalf("%s is required: %v", what, err)
	}
	t.Skipf("no %s: %v", what, err)
}

func startEngine() { engine.err = tryStartEngine() }

func tryStartEngine() error {
	library, err := Library()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kindred-clickhouse-*")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cfg := embedded.DefaultClickHouseConfig()
	cfg.Library, cfg.DataDir, cfg.Ephemeral = library, dir, true
	cfg.TCPPort, cfg.HTTPPort = 0, 0
	cfg.StopTimeout = 2 * time.Second // Its data are thrown away: no need for patience with open connections.
	cfg.Command, cfg.Env = []string{self}, []string{childVariable + "=1"}
	server, err := embedded.NewClickHouse(cfg, nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	engine.stop, engine.ended = cancel, make(chan error, 1)
	ready := make(chan string, 1)
	go func() {
		err := server.Run(ctx, func(dsn string) error { ready <- dsn; return nil })
		_ = os.RemoveAll(dir) // For the case that the engine had to be killed.
		engine.ended <- err
	}()
	select {
	case engine.dsn = <-ready:
		return nil
	case err := <-engine.ended:
		cancel()
		engine.stop = nil
		return err
	}
}

// Library returns the path of the engine's library: KINDRED_CLICKHOUSE_LIB, or the cached one, fetched if missing.
func Library() (string, error) {
	return embedded.Library{Path: os.Getenv("KINDRED_CLICKHOUSE_LIB")}.Ensure(context.Background(), nil)
}

// RealKafka reports whether Kafka gives a server from outside, which other tests use and have used.
func RealKafka() bool { return outsideKafka() != "" }

func outsideKafka() string {
	return cmp.Or(os.Getenv("KINDRED_TEST_KAFKA"), os.Getenv("KINDRED_KAFKA_BROKERS"))
}

// KafkaName returns a name for a topic or a group that no other test and no earlier run has used, because a broker from
// outside remembers them.
func KafkaName(t testing.TB) string {
	t.Helper()
	var unique [6]byte
	_, _ = rand.Read(unique[:]) // It never fails: package crypto/rand.
	return strings.NewReplacer("/", "-", "#", "-").Replace(t.Name()) + "-" + hex.EncodeToString(unique[:])
}

// Kafka returns the addresses of a broker. Without one from outside it is the test's own, in memory, and ends with the
// test; topics must be created before they are used, under names of [KafkaName].
func Kafka(t testing.TB) []string {
	t.Helper()
	if brokers := outsideKafka(); brokers != "" {
		return strings.Split(brokers, ",")
	}
	cfg := embedded.DefaultKafkaConfig()
	cfg.Port = 0
	broker, err := embedded.NewKafka(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan []string, 1), make(chan error, 1)
	go func() {
		ended <- broker.Run(ctx, func(brokers []string) error { ready <- brokers; return nil })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("kafka broker: %v", err)
		}
	})
	select {
	case brokers := <-ready:
		return brokers
	case err := <-ended:
		ended <- err // For the cleanup.
		t.Fatalf("kafka broker: %v", err)
		return nil
	}
}
