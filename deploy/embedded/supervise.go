package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
)

// errCrashed marks the end of an engine that nobody asked to end and that gave no reason itself.
var errCrashed = errors.New("clickhouse engine ended unexpectedly")

// supervise keeps an engine running: the first crash is followed by one more start, on the same public ports.
func (c *ClickHouse) supervise(ctx context.Context, lock *folderLock, ready func(dsn string) error) error {
	announced := false
	announce := func(ctx context.Context) error {
		c.log.Info("clickhouse engine is ready", "port", c.cfg.TCPPort, "http_port", c.cfg.HTTPPort, "again", announced)
		if announced {
			return nil
		}
		if err := c.createDatabase(ctx); err != nil {
			return err
		}
		announced = true
		c.gate.open()
		return ready(c.dsn(c.cfg.TCPPort, c.cfg.Database))
	}
	err := c.runChild(ctx, lock, announce)
	if !errors.Is(err, errCrashed) {
		return err
	}
	c.log.Warn("clickhouse engine crashed, starting it once more", "folder", c.cfg.DataDir, "error", err)
	if err := c.runChild(ctx, lock, announce); err != nil {
		return fmt.Errorf("clickhouse engine is down after a crash and a restart: %w", err)
	}
	return nil
}

// child is a running engine process.
type child struct {
	stdin  io.Closer
	kill   func() error
	status *os.File      // Yields a line when the engine listens, then its end.
	exited chan struct{} // Closed after the process is reaped.
	err    error         // How it ended; read after exited.
}

// runChild starts one engine and sees it to its end. It returns nil after a stop asked for by ctx, an error that
// wraps errCrashed for a death without a reason, and what ready or the engine says otherwise.
func (c *ClickHouse) runChild(ctx context.Context, lock *folderLock, ready func(context.Context) error) error {
	ch, err := c.startChild(lock)
	if err != nil {
		return err
	}
	defer c.stopChild(ch)
	starting, cancel := context.WithTimeout(ctx, c.cfg.StartTimeout)
	defer cancel()
	err = c.awaitReady(starting, ch)
	if err == nil {
		err = ready(starting)
	}
	if err == nil {
		select {
		case <-ctx.Done():
		case <-ch.exited:
		}
	}
	if ctx.Err() != nil { // Whatever else has happened is the stop's doing.
		return nil
	}
	if c.hasEnded(ch) {
		return c.endError(ch)
	}
	return err
}

// deathNotice is how long a dead child may take to be known as such: a broken connection tells of it first.
const deathNotice = time.Second

// hasEnded tells whether the child is gone, or about to be.
func (c *ClickHouse) hasEnded(ch *child) bool {
	patience := time.NewTimer(deathNotice)
	defer patience.Stop()
	select {
	case <-ch.exited:
		return true
	case <-patience.C:
		return false
	}
}

// startChild writes the configuration and starts the process.
func (c *ClickHouse) startChild(lock *folderLock) (*child, error) {
	if err := errors.Join(c.writeConfiguration(), c.chooseEnginePort()); err != nil {
		return nil, err
	}
	output, err := os.OpenFile(c.outputPath(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open engine output: %w", err)
	}
	defer func() { _ = output.Close() }() // The child has its own handle.
	statusRead, statusWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("engine status pipe: %w", err)
	}
	defer func() { _ = statusWrite.Close() }()
	args := append(append([]string{}, c.cfg.Command[1:]...),
		"--library="+c.cfg.Library, "--dir="+c.cfg.DataDir, "--host="+c.cfg.Host,
		"--tcp-port="+strconv.Itoa(c.enginePort()), "--http-port="+strconv.Itoa(c.cfg.HTTPPort),
		"--ephemeral="+strconv.FormatBool(c.cfg.Ephemeral))
	cmd := exec.Command(c.cfg.Command[0], args...) //nolint:gosec // The command is configuration, not input.
	cmd.Env = append(childEnvironment(os.Environ()), c.cfg.Env...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.ExtraFiles = []*os.File{statusWrite, lock.file} // Descriptors 3 (statusFD) and 4 (held, never used).
	cmd.SysProcAttr = childAttributes()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("engine input: %w", err), statusRead.Close())
	}
	ch := &child{stdin: stdin, status: statusRead, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel signals a child whose parent *thread* ends (Pdeathsig), so this thread lives as long as it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ch.err = cmd.Wait()
			close(ch.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, errors.Join(fmt.Errorf("start clickhouse engine: %w", err), stdin.Close(), statusRead.Close())
	}
	ch.kill = cmd.Process.Kill
	return ch, nil
}

// childEnvironment is what the engine gets of this process's environment: SQL functions look for credentials of
// clouds and models there, so none are passed on.
func childEnvironment(all []string) []string {
	var kept []string
	for _, entry := range all {
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case slices.Contains([]string{"PATH", "HOME", "USER", "TMPDIR", "TZ", "LANG", "GOCOVERDIR", "GORACE"}, name),
			strings.HasPrefix(name, "LC_"), strings.HasPrefix(name, "LD_"), strings.HasPrefix(name, "DYLD_"):
			kept = append(kept, entry)
		}
	}
	return kept
}

// stopChild closes the child's input, which ends it cleanly, and kills it when it takes too long.
func (c *ClickHouse) stopChild(ch *child) {
	_ = ch.stdin.Close() // An error means that it is closed, that is, the child is gone.
	_ = ch.status.Close()
	patience := time.NewTimer(c.cfg.StopTimeout)
	defer patience.Stop()
	select {
	case <-ch.exited:
	case <-patience.C:
		c.log.Warn("clickhouse engine did not stop in time, killing it", "timeout", c.cfg.StopTimeout)
		_ = ch.kill() // It fails when the child has just ended.
		<-ch.exited
	}
}

// awaitReady waits for the child's word that it listens, then for its answer.
func (c *ClickHouse) awaitReady(ctx context.Context, ch *child) error {
	word := make(chan bool, 1)
	go func() { // Ends with the pipe: stopChild closes it.
		var b [1]byte
		n, _ := ch.status.Read(b[:])
		word <- n == 1
	}()
	select {
	case <-ctx.Done():
		return fmt.Errorf("clickhouse engine is not ready after %s; %s", c.cfg.StartTimeout, c.lastWords())
	case ok := <-word:
		if ok {
			return c.ping(ctx)
		}
	}
	return errors.New("clickhouse engine ended before it was ready") // Its pipe did: runChild finds out why.
}

// endError explains a child that has ended by itself: with a reason of the engine's, or in a crash.
func (c *ClickHouse) endError(ch *child) error {
	words := c.lastWords()
	if strings.Contains(words, "Address already in use") {
		for name, port := range map[string]int{"ClickHouse engine": c.enginePort(), "ClickHouse HTTP": c.cfg.HTTPPort} {
			if _, err := claimPort(name, c.cfg.Host, port); err != nil {
				return err
			}
		}
	}
	var exit *exec.ExitError
	if errors.As(ch.err, &exit) && exit.ExitCode() == engineFailed {
		return fmt.Errorf("clickhouse engine failed; %s", words)
	}
	return fmt.Errorf("%w (%s); %s", errCrashed, exitText(ch.err), words)
}

func exitText(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// ping asks for an answer over the native protocol, as the users of the engine will.
func (c *ClickHouse) ping(ctx context.Context) error {
	return c.withConnection(func(conn clickhouse.Conn) error { return conn.Ping(ctx) })
}

// createDatabase makes the database of the DSN, so that connecting to it works before any migration.
func (c *ClickHouse) createDatabase(ctx context.Context) error {
	if c.cfg.Database == "default" {
		return nil
	}
	return c.withConnection(func(conn clickhouse.Conn) error {
		return conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+c.cfg.Database) // A plain name: see Validate.
	})
}

func (c *ClickHouse) withConnection(do func(clickhouse.Conn) error) error {
	options, err := clickhouse.ParseDSN(c.dsn(c.enginePort(), "default"))
	if err != nil {
		return fmt.Errorf("own address: %w", err)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		return fmt.Errorf("open clickhouse engine: %w", err)
	}
	if err := do(conn); err != nil {
		return errors.Join(fmt.Errorf("ask clickhouse engine: %w", err), conn.Close())
	}
	return conn.Close()
}

func (c *ClickHouse) logPath() string {
	return filepath.Join(c.cfg.DataDir, logFolder, "clickhouse.log")
}

func (c *ClickHouse) outputPath() string {
	return filepath.Join(c.cfg.DataDir, logFolder, "output.log")
}
