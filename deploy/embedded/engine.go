package embedded

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Files of the engine's data folder that parent and child share.
const (
	configFile   = "config.xml"
	usersFile    = "users.xml"
	storeFolder  = "store"
	logFolder    = "log"
	holdFile     = "hold.fifo"
	statusFD     = 3
	orphanGrace  = 10 * time.Second
	engineFailed = 70 // The exit code of an engine that reported an error (EX_SOFTWARE).
)

// EngineMain is the body of the child process: it hosts the engine until standard input closes, that is until the
// parent closes it or dies, and returns the exit code. Arguments come from [ClickHouse.Run]; nothing else calls it.
func EngineMain(args []string) int {
	if err := engineMain(args); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		return engineFailed
	}
	return 0
}

func engineMain(args []string) error {
	flags := flag.NewFlagSet("engine", flag.ContinueOnError)
	library := flags.String("library", "", "path of libchdb")
	dir := flags.String("dir", "", "data folder")
	host := flags.String("host", "127.0.0.1", "address to listen on")
	tcp := flags.Int("tcp-port", 0, "native port")
	http := flags.Int("http-port", 0, "HTTP port")
	ephemeral := flags.Bool("ephemeral", false, "remove the data folder at the end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	removeData := func() {
		if *ephemeral {
			_ = os.RemoveAll(*dir) // Best effort: the folder is a temporary one.
		}
	}
	defer removeData()
	if err := makePipe(filepath.Join(*dir, holdFile)); err != nil {
		return fmt.Errorf("make hold: %w", err)
	}
	lib, err := openLibrary(*library)
	if err != nil {
		return err
	}
	stop := watchParent(removeData)
	failed := make(chan error, 1)
	go func() { failed <- hold(*dir, stop) }()
	err = lib.run(serverArguments(*dir, *host, *tcp, *http))
	select {
	case holdErr := <-failed:
		err = errors.Join(err, holdErr)
	default: // The engine ended before its script did.
	}
	return err
}

// makePipe makes a named pipe in the place of whatever a killed predecessor left.
func makePipe(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return syscall.Mkfifo(path, 0o600)
}

// watchParent returns a channel that closes when the parent wants the end or is dead. An engine that does not end
// by itself soon after is killed, after removeData, so that it cannot hold ports and folder for ever.
func watchParent(removeData func()) <-chan struct{} {
	stop := make(chan struct{})
	once := sync.OnceFunc(func() {
		close(stop)
		time.AfterFunc(orphanGrace, func() {
			removeData()
			os.Exit(engineFailed)
		})
	})
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP)
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	go func() { <-terminate; once() }()
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); once() }()
	return stop
}

// hold waits until the engine's script reaches its last statement, that is until the engine listens, tells the
// parent, and lets the script and with it the engine end when stop closes.
func hold(dir string, stop <-chan struct{}) error {
	pipe, err := os.OpenFile(filepath.Join(dir, holdFile), os.O_WRONLY, 0) // Blocks until the engine reads it.
	if err != nil {
		return fmt.Errorf("open hold: %w", err)
	}
	status := os.NewFile(statusFD, "status")
	if status != nil {
		_, _ = status.WriteString("ready\n") // A parent that is gone closes standard input: the end follows.
		_ = status.Close()
	}
	<-stop
	return pipe.Close()
}

// serverArguments are the engine's own command line. Its script starts the listeners and then reads a named pipe,
// which it does until the pipe is closed.
func serverArguments(dir, host string, tcp, http int) []string {
	script := []string{
		"SYSTEM START LISTEN TCP", "SYSTEM START LISTEN HTTP",
		"SELECT count() FROM file('" + quoteSQL(filepath.Join(dir, holdFile)) + "', 'LineAsString')",
	}
	return []string{
		"clickhouse",
		"--log-level=warning",
		"--config-file=" + filepath.Join(dir, configFile),
		"--path=" + filepath.Join(dir, storeFolder),
		"--listen_host=" + host,
		fmt.Sprintf("--tcp_port=%d", tcp),
		fmt.Sprintf("--http_port=%d", http),
		"--query=" + strings.Join(script, "; "),
	}
}

// quoteSQL escapes text for a single-quoted literal.
func quoteSQL(s string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s)
}
