package sdktest

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// told is one line that a client's script writes.
type told struct {
	At          string `json:"at"`
	AnonymousID string `json:"anonymousId"`
	Error       string `json:"error"`
	Reason      string `json:"reason"`
	Console     string `json:"console"`
	Text        string `json:"text"`
	Failed      string `json:"failed"`
	Status      int    `json:"status"`
	URL         string `json:"url"`
}

// client is a running script.
type client struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	mu    sync.Mutex // Protects lines.
	lines []told
	gone  chan struct{} // closed when the script has ended
}

// clientsFolder installs the clients by their lock file, once for each version
// of it, and returns the folder with the scripts.
func clientsFolder(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs("../../.cache/sdktest")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile("clients/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	installed, _ := os.ReadFile(filepath.Join(folder, "installed"))
	entries, err := os.ReadDir("clients")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join("clients", e.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, e.Name()), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if string(installed) == string(lock) {
		return folder
	}
	// No script of any package runs; none of these needs one.
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = folder
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(folder, "installed"), lock, 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

// run starts a script.
func run(t *testing.T, folder, script string, env ...string) *client {
	t.Helper()
	c := &client{t: t, cmd: exec.Command("node", script), gone: make(chan struct{})}
	c.cmd.Dir = folder
	c.cmd.Env = append(withoutKindred(os.Environ()), env...)
	stderr := &strings.Builder{}
	c.cmd.Stderr = stderr
	stdout, err := c.cmd.StdoutPipe()
	if err == nil {
		c.stdin, err = c.cmd.StdinPipe()
	}
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var line told
			if json.Unmarshal(lines.Bytes(), &line) != nil {
				line = told{Error: "output", Reason: lines.Text()}
			}
			c.mu.Lock()
			c.lines = append(c.lines, line)
			c.mu.Unlock()
		}
		_ = c.cmd.Wait() // Why it failed is in its output.
		close(c.gone)
	}()
	t.Cleanup(func() {
		_ = c.stdin.Close()
		select {
		case <-c.gone:
		case <-time.After(10 * time.Second):
			_ = c.cmd.Process.Kill()
			<-c.gone
		}
		if t.Failed() {
			t.Logf("%s said: %+v\n%s", script, c.said(), stderr)
		}
	})
	return c
}

func (c *client) said() []told {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]told(nil), c.lines...)
}

// reach waits until the script has come to a place, and fails when it says that
// something went wrong.
func (c *client) reach(place string, limit time.Duration) told {
	c.t.Helper()
	var at told
	failed := false
	await(c.t, limit, "the client to come to "+place, func() bool {
		for _, line := range c.said() {
			if line.Error != "" {
				failed = true
				return true
			}
			if line.At == place {
				at = line
				return true
			}
		}
		return c.over()
	})
	if failed || at.At == "" {
		c.t.Fatalf("the client failed before %s", place)
	}
	return at
}

// over reports whether the script has ended.
func (c *client) over() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}
