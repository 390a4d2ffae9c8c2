package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/deploy/sample"
)

// kindred returns a command that runs the program on free ports in dir.
func kindred(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	library, err := enginetest.Library()
	if err != nil {
		if os.Getenv("KINDRED_REQUIRE_SERVICES") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	args = append(args, "--data", dir, "--api-address", "127.0.0.1:0", "--clickhouse-port", "0", "--clickhouse-http-port", "0", "--kafka-port", "0")
	cmd := exec.Command(os.Args[0], args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "KINDRED_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	// One id key for all runs: ids are compared between data folders.
	cmd.Env = append(cmd.Env, runAsKindred+"=1", "KINDRED_CLICKHOUSE_LIB="+library, "KINDRED_ID_KEY=000102030405060708090a0b0c0d0e0f")
	return cmd
}

// cutSample writes the first lines of the sample, and three that cannot be read.
func cutSample(t *testing.T, lines int) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(sample.OnlineRetail()))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	cut := bytes.SplitAfterN(all, []byte("\n"), lines+2)
	text := bytes.Join(cut[:lines+1], nil)
	text = append(text, "536365,1,BAD QUANTITY,six,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\nnot a line\n536366,1,BAD DATE,1,yesterday,2.55,,France\n"...)
	path := filepath.Join(t.TempDir(), "retail.csv")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func runOnce(t *testing.T, dir, file string) demoSummary {
	t.Helper()
	cmd := kindred(t, dir, "demo", "--once", "--json", "--file", file)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("demo: %v\n%s", err, stderr.String())
	}
	var sum demoSummary
	if err := json.Unmarshal(stdout.Bytes(), &sum); err != nil {
		t.Fatalf("%v in %s", err, stdout.String())
	}
	return sum
}

// A demo that is killed with all its processes at random moments, and started
// again, ends with the figures of one that was left alone.
func TestDemoSurvivesKillsOfTheWholeTree(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	seed := testSeed()
	t.Logf("KINDRED_TEST_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	file := cutSample(t, 30_000)
	want := runOnce(t, t.TempDir(), file)
	if want.EventsPublished != int64(want.Events+want.DeadLetters) || want.DeadLetters != 3 || want.CopiesPublished == 0 {
		t.Errorf("published %d (and %d copies), stored %d, dead letters %d", want.EventsPublished, want.CopiesPublished, want.Events, want.DeadLetters)
	}
	if want.Lines != 30_003 || want.Identity.Precision < .999 || want.Identity.Recall < .9 {
		t.Errorf("lines %d, precision %f, recall %f", want.Lines, want.Identity.Precision, want.Identity.Recall)
	}
	if c := want.CRM; c.Records < 500 || c.Known < 350 || c.Precision < .93 || c.Recall < .7 || c.Deterministic < 50 || c.Linked < 150 {
		t.Errorf("the old CRM: %+v", c)
	}
	dir := t.TempDir()
	for _, kind := range []string{"import-online-retail", "simulate", "simulate"} {
		part := .05 + .9*r.Float64()
		killAt(t, kindred(t, dir, "demo", "--once", "--json", "--file", file), func() bool { return progressOf(dir, kind) >= part })
		t.Logf("killed at %.2f of import and %.2f of simulate, asked for %.2f of %s", progressOf(dir, "import-online-retail"), progressOf(dir, "simulate"), part, kind)
	}
	got := runOnce(t, dir, file)
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(demoSummary{}, "Seconds", "Steps"), cmp.AllowUnexported(demoSummary{})); d != "" {
		t.Errorf("killed and resumed, -undisturbed +killed:\n%s", d)
	}
}

// killAt kills the command and all its descendants with SIGKILL as soon as the
// moment has come.
func killAt(t *testing.T, cmd *exec.Cmd, come func() bool) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !come() {
		select {
		case err := <-done:
			t.Fatalf("ended before it could be killed: %v", err)
		case <-tick.C:
		}
	}
	for _, pid := range append(descendants(cmd.Process.Pid), cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-done
}

func descendants(pid int) []int {
	var out []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if len(f) > 1 && f[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			out = append(append(out, child), descendants(child)...)
		}
	}
	return out
}

// progressOf returns how much of the import or the simulation is acknowledged.
func progressOf(dir, kind string) float64 {
	names, _ := filepath.Glob(filepath.Join(dir, "imports", kind+"-*.json"))
	for _, name := range names {
		var p struct{ Next, Total float64 }
		b, _ := os.ReadFile(name)
		if json.Unmarshal(b, &p) == nil && p.Total > 0 {
			return p.Next / p.Total
		}
	}
	return 0
}

func testSeed() uint64 {
	if s, err := strconv.ParseUint(os.Getenv("KINDRED_TEST_SEED"), 10, 64); err == nil {
		return s
	}
	return uint64(time.Now().UnixNano())
}
