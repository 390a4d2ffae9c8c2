package embedded

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
)

// helloBytes is a client hello as clickhouse-client sends it.
func helloBytes(database, user, password string) []byte {
	return helloOf(54483, database, user, password)
}

func helloOf(revision uint64, database, user, password string) []byte {
	b := []byte{clientHello}
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	text("test")
	for _, n := range []uint64{26, 7, revision} {
		b = binary.AppendUvarint(b, n)
	}
	text(database)
	text(user)
	text(password)
	return b
}

func (r *running) native() string { return net.JoinHostPort(r.cfg.Host, strconv.Itoa(r.cfg.TCPPort)) }

// say opens a connection, sends bytes and returns all that comes back until the end.
func (r *running) say(b []byte) (string, error) {
	conn, err := net.Dial("tcp", r.native())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return "", err
	}
	if _, err := conn.Write(b); err != nil {
		return "", err
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

// try pings with clickhouse-go and wants an error with the code and the text.
func (r *running) try(database, user, password string, code int32, want string) error {
	options, err := clickhouse.ParseDSN(r.dsn)
	if err != nil {
		return err
	}
	options.Auth = clickhouse.Auth{Database: database, Username: user, Password: password}
	conn, err := clickhouse.Open(options)
	if err != nil {
		return err
	}
	defer conn.Close()
	err = conn.Ping(context.Background())
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) || exception.Code != code || !strings.Contains(err.Error(), want) {
		return fmt.Errorf("error = %v; want code %d, %q", err, code, want)
	}
	return nil
}

// wants runs say and wants the text in the answer; none if it is empty.
func (r *running) wants(b []byte, want string) error {
	answer, err := r.say(b)
	if err != nil || !strings.Contains(answer, want) || (want == "" && answer != "") {
		return fmt.Errorf("answer %q, %v; want %q", answer, err, want)
	}
	return nil
}

// badClients are all clients that the engine must never see.
func badClients(r *running) map[string]func() error {
	const failed = "Authentication failed"
	admin, password := r.cfg.AdminUser, r.cfg.AdminPassword
	analyst := r.cfg.AnalystPassword
	return map[string]func() error{
		"wrong password":   func() error { return r.try("default", admin, "wrong", codeAuthenticationFailed, failed) },
		"analyst password": func() error { return r.try("default", AnalystUser, analyst+"x", codeAuthenticationFailed, failed) },
		"no password":      func() error { return r.try("default", AnalystUser, "", codeAuthenticationFailed, failed) },
		"unknown user":     func() error { return r.try("default", "nobody", "", codeAuthenticationFailed, failed) },
		"engine's user":    func() error { return r.try("default", localUser, "", codeAuthenticationFailed, failed) },
		"unknown database": func() error { return r.try("no'\\\tsuch", admin, password, codeUnknownDatabase, "does not exist") },
		"hidden database":  func() error { return r.try("hidden", AnalystUser, analyst, codeUnknownDatabase, "does not exist") },
		"interserver":      func() error { return r.wants(helloBytes("", " INTERSERVER SECRET ", ""), failed) },
		"SSH key":          func() error { return r.wants(helloBytes("", " SSH KEY AUTHENTICATION "+admin, ""), failed) },
		"token":            func() error { return r.wants(helloBytes("", " JWT AUTHENTICATION ", "x"), failed) },
		"HTTP": func() error {
			return r.wants([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "port "+strconv.Itoa(r.cfg.HTTPPort))
		},
		"garbage":     func() error { return r.wants(bytes.Repeat([]byte{0xff}, 1000), "") },
		"huge text":   func() error { return r.wants([]byte{0, 0xff, 0xff, 0xff, 0xff, 0x7f}, "") },
		"half a word": func() error { return r.wants(helloBytes("default", admin, password)[:20], "") },
		"nothing":     func() error { return r.wants(nil, "") },
		"TLS": func() error {
			conn, err := tls.Dial("tcp", r.native(), &tls.Config{InsecureSkipVerify: true})
			if err == nil {
				return errors.Join(errors.New("a TLS handshake"), conn.Close())
			}
			return nil
		},
	}
}

func TestGateKeepsBadClientsFromTheEngine(t *testing.T) {
	r := start(t, engineConfig(t.TempDir(), library(t)))
	good := connect(t, r.dsn)
	execute(t, good, "CREATE DATABASE hidden")
	pid := enginePID(r.cfg.DataDir)
	const each = 50
	var all sync.WaitGroup
	for name, attempt := range badClients(r) {
		for range each {
			all.Go(func() {
				if err := attempt(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	during := 0
	for busy := true; busy; during++ {
		fresh := connect(t, r.dsn, AnalystUser, r.cfg.AnalystPassword)
		for _, conn := range []clickhouse.Conn{good, fresh} {
			if n, err := number(conn, "SELECT toUInt64(1)"); err != nil || n != 1 {
				t.Errorf("a good client meanwhile: %d, %v", n, err)
			}
		}
		_ = fresh.Close()
		select {
		case <-done:
			busy = false
		default:
		}
	}
	t.Logf("%d good clients meanwhile", during)
	if n, err := number(connect(t, r.dsn), "SELECT toUInt64(1)"); err != nil || n != 1 {
		t.Errorf("a good client afterwards: %d, %v", n, err)
	}
	if now := enginePID(r.cfg.DataDir); now != pid || !processAlive(pid) {
		t.Errorf("engine is process %d; want still %d", now, pid)
	}
}

// Whoever has the right password may still behave badly after it.
func TestEngineSurvivesClientsThatMisbehaveAfterTheirHello(t *testing.T) {
	r := start(t, engineConfig(t.TempDir(), library(t)))
	pid := enginePID(r.cfg.DataDir)
	alive := func(what string) {
		t.Helper()
		n, err := number(connect(t, r.dsn), "SELECT toUInt64(1)")
		if err != nil || n != 1 || enginePID(r.cfg.DataDir) != pid {
			t.Fatalf("%s: %d, %v, process %d; want 1 of process %d", what, n, err, enginePID(r.cfg.DataDir), pid)
		}
	}
	hello := helloBytes("default", AnalystUser, r.cfg.AnalystPassword)
	addendum := "\x00\x0anotchunked\x0anotchunked\x00"
	endings := []string{
		"", "\x00", "\x05ab", addendum, addendum[:8], "\x00\x03abc\x03abc\x00", addendum + "\x01\x05", addendum + "\xff\xff",
		strings.Repeat("\xff", 100), string(hello), addendum + string(hello), "GET / HTTP/1.1\r\n\r\n",
		addendum + string(helloBytes("default", AnalystUser, "wrong")), string(helloBytes("", "nobody", "")),
	}
	for _, ending := range endings {
		for range 3 {
			if _, err := r.say(append(bytes.Clone(hello), ending...)); err != nil && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%q: %v", ending, err)
			}
		}
		alive(fmt.Sprintf("after %.40q", ending))
	}
	for _, revision := range []uint64{0, 1, 50264, 54032, 54457, 54458, 54470, 54471, 54488, 60000, 1 << 32, 1<<64 - 1} {
		hello := helloOf(revision, "default", AnalystUser, r.cfg.AnalystPassword)
		for _, ending := range endings {
			if _, err := r.say(append(bytes.Clone(hello), ending...)); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("revision %d, %.40q: %v", revision, ending, err)
			}
		}
		alive(fmt.Sprintf("revision %d", revision))
	}
	for range 20 { // A reset in the middle of the handshake.
		conn, err := net.Dial("tcp", r.native())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(hello)
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
	alive("after resets")
}

func TestGatePassesBigInsertsAndResultsUnchanged(t *testing.T) {
	r := start(t, engineConfig(t.TempDir(), library(t)))
	conn := connect(t, r.dsn)
	execute(t, conn, "CREATE TABLE big (n UInt64) ENGINE = MergeTree ORDER BY tuple()")
	const rows = 13_000_000 // 104 MB.
	column := make([]uint64, rows)
	state := uint64(1)
	for i := range column {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		column[i] = state
	}
	batch, err := conn.PrepareBatch(context.Background(), "INSERT INTO big")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(batch.Column(0).Append(column), batch.Send()); err != nil {
		t.Fatal(err)
	}
	if n, err := number(conn, "SELECT count() FROM big"); err != nil || n != rows {
		t.Fatalf("%d rows, %v; want %d", n, err, rows)
	}
	result, err := conn.Query(context.Background(), "SELECT n FROM big SETTINGS max_threads = 1")
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	var n, got uint64
	for result.Next() {
		if err := result.Scan(&got); err != nil || got != column[n] {
			t.Fatalf("row %d is %d, %v; want %d", n, got, err, column[n])
		}
		n++
	}
	if err := result.Err(); err != nil || n != rows {
		t.Errorf("%d rows back, %v; want %d", n, err, rows)
	}
}

func TestClientThatLeavesEndsItsQuery(t *testing.T) {
	r := start(t, engineConfig(t.TempDir(), library(t)))
	var raw net.Conn
	options, err := clickhouse.ParseDSN(r.dsn)
	if err != nil {
		t.Fatal(err)
	}
	options.DialContext = func(ctx context.Context, address string) (conn net.Conn, err error) {
		raw, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
		return raw, err
	}
	leaving, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	defer leaving.Close()
	ended := make(chan error, 1)
	go func() {
		ended <- leaving.Exec(context.Background(), "SELECT count() FROM numbers(1e12) WHERE NOT ignore(sipHash64(number))")
	}()
	only := *options
	only.DialContext, only.MaxOpenConns, only.MaxIdleConns = nil, 1, 1 // So that its own connections do not count.
	watcher, err := clickhouse.Open(&only)
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Close()
	queries := func(want uint64) func() bool {
		return func() bool {
			n, err := number(watcher, "SELECT count() FROM system.processes WHERE query LIKE '%1e12%' AND query NOT LIKE '%processes%'")
			return err == nil && n == want
		}
	}
	connections := func() uint64 {
		n, err := number(watcher, "SELECT toUInt64(value) FROM system.metrics WHERE metric = 'TCPConnection'")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	eventually(t, "the query runs", queries(1))
	// Not one fewer than now: a connection of the start may be on its way out.
	eventually(t, "two connections are left", func() bool { return connections() == 2 })
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the query ends", queries(0))
	eventually(t, "the connection of the engine ends", func() bool { return connections() == 1 })
	if err := <-ended; err == nil {
		t.Error("the query ended without an error")
	}
}

func TestGateOutlivesACrashOfTheEngine(t *testing.T) {
	r := start(t, engineConfig(t.TempDir(), library(t)))
	conn := connect(t, r.dsn)
	first := enginePID(r.cfg.DataDir)
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the engine is back", func() bool {
		n, err := number(conn, "SELECT toUInt64(1)")
		return err == nil && n == 1
	})
	second := enginePID(r.cfg.DataDir)
	if err := r.try("default", AnalystUser, "wrong", codeAuthenticationFailed, "Authentication failed"); err != nil {
		t.Error(err)
	}
	if n, err := number(conn, "SELECT toUInt64(1)"); err != nil || n != 1 || enginePID(r.cfg.DataDir) != second || second == first {
		t.Errorf("%d, %v, process %d after %d; want 1 of process %d", n, err, enginePID(r.cfg.DataDir), first, second)
	}
}

func TestBusyNativePortIsNamed(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	cfg := engineConfig(t.TempDir(), "unused")
	cfg.TCPPort = ln.Addr().(*net.TCPAddr).Port
	server, err := NewClickHouse(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = server.Run(context.Background(), nil)
	want := fmt.Sprintf("ClickHouse native port %d on 127.0.0.1 is in use", cfg.TCPPort)
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--port-offset") {
		t.Errorf("error = %v; want %q", err, want)
	}
	if f := CheckPort("port", "127.0.0.1", cfg.TCPPort); f.OK {
		t.Errorf("finding %+v; want a busy port", f)
	}
}
