package embedded

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
)

// running is an engine under test.
type running struct {
	cfg   ClickHouseConfig
	dsn   string
	stop  context.CancelFunc
	ended chan error
}

// start runs an engine until the test ends, and waits for it.
func start(t *testing.T, cfg ClickHouseConfig) *running {
	t.Helper()
	server, err := NewClickHouse(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{cfg: server.cfg, stop: cancel, ended: make(chan error, 1)}
	ready := make(chan string, 1)
	go func() {
		err := server.Run(ctx, func(dsn string) error { ready <- dsn; return nil })
		r.ended <- err
		close(r.ended)
	}()
	t.Cleanup(func() {
		cancel()
		for range r.ended { // The test may have read the result: closed then.
		}
	})
	select {
	case r.dsn = <-ready:
	case err := <-r.ended:
		t.Fatalf("engine ended: %v", err)
	}
	r.cfg = server.cfg
	return r
}

// connect opens the address, as another user if one is given.
func connect(t *testing.T, dsn string, user ...string) clickhouse.Conn {
	t.Helper()
	options, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if len(user) == 2 {
		options.Auth.Username, options.Auth.Password = user[0], user[1]
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func execute(t *testing.T, conn clickhouse.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if err := conn.Exec(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// number asks for one UInt64.
func number(conn clickhouse.Conn, query string) (uint64, error) {
	var n uint64
	err := conn.QueryRow(context.Background(), query).Scan(&n)
	return n, err
}

// enginePID reads the engine's own status file.
func enginePID(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, storeFolder, "status"))
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`PID: (\d+)`).FindSubmatch(text)
	if m == nil {
		return 0
	}
	pid, _ := strconv.Atoi(string(m[1]))
	return pid
}

func TestEngineStartsAnswersAndStops(t *testing.T) {
	cfg := engineConfig(t.TempDir(), library(t))
	cfg.Database = "kindred"
	began := time.Now()
	r := start(t, cfg)
	t.Logf("ready after %s", time.Since(began).Round(time.Millisecond))
	conn := connect(t, r.dsn)
	if n, err := number(conn, "SELECT count() FROM numbers(10)"); err != nil || n != 10 {
		t.Errorf("count = %d, %v; want 10", n, err)
	}
	if !strings.HasSuffix(r.dsn, "/kindred") {
		t.Errorf("address %s does not name the database", r.dsn)
	}
	pid := enginePID(cfg.DataDir)
	if !processAlive(pid) {
		t.Fatalf("process %d of the status file is not alive", pid)
	}
	if err := conn.Close(); err != nil { // A stop waits 5 s for clients that are still connected.
		t.Error(err)
	}
	began = time.Now()
	r.stop()
	if err := <-r.ended; err != nil {
		t.Errorf("stopped engine: %v", err)
	}
	t.Logf("stopped after %s", time.Since(began).Round(time.Millisecond))
	if processAlive(pid) {
		t.Errorf("process %d is alive after the stop", pid)
	}
}

func TestEngineTakesItsSettings(t *testing.T) {
	cfg := engineConfig(t.TempDir(), library(t))
	cfg.Sync, cfg.MemoryBytes = true, 1<<30
	conn := connect(t, start(t, cfg).dsn)
	for query, want := range map[string]uint64{
		"SELECT toUInt64(value) FROM system.merge_tree_settings WHERE name = 'fsync_after_insert'":  1,
		"SELECT toUInt64(value) FROM system.server_settings WHERE name = 'max_server_memory_usage'": 1 << 30,
		"SELECT toUInt64(value) FROM system.server_settings WHERE name = 'background_pool_size'":    2,
		"SELECT count() FROM system.tables WHERE database = 'system' AND name LIKE '%\\_log'":       0,
	} {
		if got, err := number(conn, query); err != nil || got != want {
			t.Errorf("%s = %d, %v; want %d", query, got, err, want)
		}
	}
}

func TestEngineStopsDuringAQuery(t *testing.T) {
	r := start(t, engineConfig(t.TempDir(), library(t)))
	conn := connect(t, r.dsn)
	pid := enginePID(r.cfg.DataDir)
	failed := make(chan error, 1)
	go func() {
		failed <- conn.Exec(context.Background(), "SELECT count() FROM numbers(1e12) WHERE NOT ignore(sipHash64(number))")
	}()
	watcher := connect(t, r.dsn)
	eventually(t, "the query runs", func() bool {
		n, err := number(watcher, "SELECT count() FROM system.processes WHERE query LIKE '%1e12%' AND query NOT LIKE '%processes%'")
		return err == nil && n == 1
	})
	began := time.Now()
	r.stop()
	if err := <-r.ended; err != nil {
		t.Errorf("stopped engine: %v", err)
	}
	t.Logf("stopped after %s", time.Since(began).Round(time.Millisecond))
	if err := <-failed; err == nil {
		t.Error("the query ended without an error")
	}
	if processAlive(pid) {
		t.Errorf("process %d is alive after the stop", pid)
	}
}

func TestOneCrashIsSurvivedAndASecondEndsTheRun(t *testing.T) {
	r := start(t, engineConfig(t.TempDir(), library(t)))
	conn := connect(t, r.dsn)
	execute(t, conn,
		"CREATE TABLE kept (n UInt64) ENGINE = MergeTree ORDER BY n",
		"INSERT INTO kept SELECT number FROM numbers(1000)")
	first := enginePID(r.cfg.DataDir)
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the engine is back with its data", func() bool {
		n, err := number(conn, "SELECT count() FROM kept")
		return err == nil && n == 1000
	})
	second := enginePID(r.cfg.DataDir)
	if second == first {
		t.Fatalf("still process %d", first)
	}
	if err := syscall.Kill(second, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	err := <-r.ended
	if err == nil {
		t.Fatal("Run ended without an error after two crashes")
	}
	for _, want := range []string{"after a crash and a restart", "killed", filepath.Join(r.cfg.DataDir, logFolder)} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q:\n%v", want, err)
		}
	}
}

func TestEngineSurvivesTheTerminalsInterrupt(t *testing.T) {
	r := start(t, engineConfig(t.TempDir(), library(t)))
	conn := connect(t, r.dsn)
	pid := enginePID(r.cfg.DataDir)
	if group, err := syscall.Getpgid(pid); err != nil || group == syscall.Getpgrp() {
		t.Errorf("engine is in process group %d, %v; want one of its own", group, err)
	}
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if n, err := number(conn, "SELECT toUInt64(1)"); err != nil || n != 1 || enginePID(r.cfg.DataDir) != pid {
		t.Errorf("after SIGINT: %d, %v, process %d; want 1 of process %d", n, err, enginePID(r.cfg.DataDir), pid)
	}
}

// The parent of an engine is killed: the engine ends by itself, and the next process takes the folder over.
func TestKilledParentLeavesNoEngineAndAFreeFolder(t *testing.T) {
	dir := t.TempDir()
	parent := startHost(t, "clickhouse", dir)
	conn := connect(t, parent.address)
	execute(t, conn,
		"CREATE TABLE kept (n UInt64) ENGINE = MergeTree ORDER BY n",
		"INSERT INTO kept SELECT number FROM numbers(1000)")
	orphan := enginePID(dir)
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	parent.kill()
	began := time.Now()

	r := start(t, engineConfig(dir, library(t)))
	t.Logf("the folder was taken over after %s", time.Since(began).Round(time.Millisecond))
	if processAlive(orphan) {
		t.Errorf("the killed parent's engine %d is alive", orphan)
	}
	if n, err := number(connect(t, r.dsn), "SELECT count() FROM kept"); err != nil || n != 1000 {
		t.Errorf("count = %d, %v; want 1000", n, err)
	}
}

func TestFolderInUseIsRefusedAtOnce(t *testing.T) {
	r := start(t, engineConfig(t.TempDir(), library(t)))
	second, err := NewClickHouse(r.cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = second.Run(context.Background(), nil)
	want := fmt.Sprintf("in use by process %d", os.Getpid())
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), r.cfg.DataDir) {
		t.Errorf("error = %v; want it to say %q and the folder", err, want)
	}
	if got := CheckFolder("folder", r.cfg.DataDir, 1); got.OK || got.Fix == "" {
		t.Errorf("finding %+v; want the folder in use", got)
	}
}

func TestBusyPortIsNamed(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	port := ln.Addr().(*net.TCPAddr).Port
	cfg := engineConfig(t.TempDir(), "unused")
	cfg.HTTPPort = port
	server, err := NewClickHouse(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = server.Run(context.Background(), nil)
	if err == nil {
		t.Fatal("Run started on a busy port")
	}
	for _, want := range []string{"ClickHouse HTTP port " + strconv.Itoa(port), "--port-offset", fmt.Sprintf("process %d", os.Getpid())} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q: %v", want, err)
		}
	}
}

func TestFoldersThatCannotBeUsedAreNamed(t *testing.T) {
	file := writeText(t, "", 0o600, t.TempDir(), "file")
	f := func(dir string, minFree uint64, want string) {
		t.Helper()
		cfg := engineConfig(dir, "unused")
		cfg.MinFreeBytes = minFree
		server, err := NewClickHouse(cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = server.Run(context.Background(), nil)
		if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--data") {
			t.Errorf("error = %v; want it to name %s, %q and --data", err, dir, want)
		}
		if got := CheckFolder("folder", dir, minFree); got.OK || got.Fix == "" {
			t.Errorf("finding %+v; want a fault with a fix", got)
		}
	}
	f(filepath.Join(file, "below"), 1, "cannot be made")
	f(t.TempDir(), 1<<60, "MiB free")
}

func TestEngineThatCannotStartSaysWhy(t *testing.T) {
	broken := writeText(t, "not a library", 0o700, t.TempDir(), "libchdb.so")
	server, err := NewClickHouse(engineConfig(t.TempDir(), broken), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = server.Run(context.Background(), nil)
	if err == nil || !strings.Contains(err.Error(), broken) || !strings.Contains(err.Error(), "KINDRED_CLICKHOUSE_LIB") {
		t.Errorf("error = %v; want it to name %s and KINDRED_CLICKHOUSE_LIB", err, broken)
	}
}

func TestClickHouseConfigValidate(t *testing.T) {
	good := func() ClickHouseConfig {
		cfg := DefaultClickHouseConfig()
		cfg.Library, cfg.DataDir = "lib", "dir"
		return cfg
	}
	if err := good().Validate(); err != nil {
		t.Fatalf("the defaults: %v", err)
	}
	for name, spoil := range map[string]func(*ClickHouseConfig){
		"library path is empty":  func(c *ClickHouseConfig) { c.Library = "" },
		"data folder is empty":   func(c *ClickHouseConfig) { c.DataDir = "" },
		"not a loopback address": func(c *ClickHouseConfig) { c.Host = "0.0.0.0" },
		"out of range":           func(c *ClickHouseConfig) { c.TCPPort = 70000 },
		"native and HTTP port":   func(c *ClickHouseConfig) { c.HTTPPort = c.TCPPort },
		"not usable":             func(c *ClickHouseConfig) { c.AdminUser = AnalystUser },
		"not a plain name":       func(c *ClickHouseConfig) { c.Database = "a;b" },
		"below 256 MiB":          func(c *ClickHouseConfig) { c.MemoryBytes = 1 },
		"timeout":                func(c *ClickHouseConfig) { c.StopTimeout = 0 },
		"else than SELECT":       func(c *ClickHouseConfig) { c.AnalystGrants = []string{"GRANT ALL ON *.*"} },
	} {
		cfg := good()
		spoil(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error = %v; want %q", err, name)
		}
	}
}

func TestChildEnvironmentHoldsNoSecrets(t *testing.T) {
	got := childEnvironment([]string{"PATH=/bin", "AWS_SECRET_ACCESS_KEY=x", "OPENAI_API_KEY=y", "LC_ALL=C", "HOME=/h"})
	if want := "PATH=/bin LC_ALL=C HOME=/h"; strings.Join(got, " ") != want {
		t.Errorf("environment = %q; want %q", got, want)
	}
}
