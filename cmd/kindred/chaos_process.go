package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/kafka"
)

// chaosProcessCommand is a process of the suite: up, with faults.
func chaosProcessCommand() *cobra.Command {
	var roleNames, off []string
	var fault string
	var late time.Duration
	cmd := &cobra.Command{
		Use: "chaos-process", Short: "One process of the chaos suite", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := parseFaults(fault, off)
			if err != nil {
				return err
			}
			f.late = late
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			go followParent(ctx, cancel, os.Getppid())
			cmd.SetContext(ctx)
			return up(cmd, roleNames, f)
		},
	}
	cmd.Flags().StringSliceVar(&roleNames, "role", nil, "`role` of this process, repeatable")
	cmd.Flags().StringVar(&fault, "fault", "", "what to do at which step the how manieth time, as in kill:after plan:3")
	cmd.Flags().StringSliceVar(&off, "without", nil, "`mechanism` to switch off")
	cmd.Flags().DurationVar(&late, "identity-delay", 0, "`age` of evidence before the identity owner sees it")
	return cmd
}

// followParent ends the process with the suite, however that ends.
func followParent(ctx context.Context, cancel context.CancelFunc, parent int) {
	for ctx.Err() == nil && os.Getppid() == parent {
		pause(ctx, time.Second)
	}
	cancel()
}

const (
	chaosSession = 2 * time.Second
	chaosKey     = "chaos-suite"
)

// fleet is the Kindred under test.
type fleet struct {
	cfg       chaosConfig
	out       func(format string, args ...any)
	settings  *settings
	workspace string
	processes []*process
}

// process is one member of the fleet, over all its lives.
type process struct {
	name, role string
	f          *fleet
	mu         sync.Mutex // Protects what follows.
	cmd        *exec.Cmd
	ended      chan struct{} // of the present life
	expected   bool          // that it ends
	alone      int           // lives that ended unexpected
}

func newFleet(cmd *cobra.Command, c chaosConfig, out func(string, ...any)) (*fleet, error) {
	s, err := loadSettings(cmd)
	if err != nil {
		return nil, err
	}
	if s.data, err = os.MkdirTemp("", "kindred-chaos-"); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	if s.clickhousePort, s.clickhouseHTTPPort, s.kafkaPort, err = threePorts(); err != nil {
		return nil, err
	}
	_, _, api, err := threePorts()
	if err != nil {
		return nil, err
	}
	s.apiAddress = fmt.Sprintf("127.0.0.1:%d", api)
	s.clickhouseURL, s.kafkaBrokers = "", nil
	f := &fleet{cfg: c, out: out, settings: s, workspace: fmt.Sprintf("chaos%d%s", c.seed, c.without)}
	s.workspace = f.workspace
	roles := [][2]string{{"clickhouse", "clickhouse"}, {"broker", "broker"}}
	if c.kafka != "" {
		s.kafkaBrokers = []string{c.kafka}
		roles = roles[:1]
	}
	roles = append(roles, [][2]string{{"api", "api"}, {"ingest-1", "ingest"}, {"ingest-2", "ingest"}, {"identity-1", "identity"}, {"identity-2", "identity"}}...)
	for _, r := range roles {
		f.processes = append(f.processes, &process{name: r[0], role: r[1], f: f})
	}
	return f, nil
}

func (f *fleet) process(name string) *process {
	for _, p := range f.processes {
		if p.name == name {
			return p
		}
	}
	return nil
}

// launch begins a life of p, with a fault or none.
func (p *process) launch(fault string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own executable: %w", err)
	}
	s := p.f.settings
	args := []string{
		"chaos-process", "--role", p.role, "--data", s.data, "--workspace", s.workspace, "--api-address", s.apiAddress,
		"--clickhouse-port", fmt.Sprint(s.clickhousePort), "--clickhouse-http-port", fmt.Sprint(s.clickhouseHTTPPort),
		"--kafka-port", fmt.Sprint(s.kafkaPort), "--kafka-partitions", "4", "--kafka-session", fmt.Sprint(int(chaosSession.Seconds())),
		"--log-level", "info", "--engine-memory", "2048",
	}
	if p.f.cfg.kafka != "" {
		args = append(args, "--kafka-brokers", p.f.cfg.kafka)
	}
	if fault != "" {
		args = append(args, "--fault", fault)
	}
	if p.f.cfg.without != "" {
		args = append(args, "--without", p.f.cfg.without)
	}
	log, err := os.OpenFile(p.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log of %s: %w", p.name, err)
	}
	defer func() { _ = log.Close() }() // The child has its own.
	cmd := exec.Command(self, args...) //nolint:gosec // This very program.
	cmd.Stdout, cmd.Stderr = log, log
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "KINDRED_") || strings.HasPrefix(kv, "KINDRED_CLICKHOUSE_LIB=") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, fmt.Sprintf("KINDRED_API_KEYS=write/web:%[1]s:%[2]s-write,read:%[1]s:%[2]s-read", s.workspace, chaosKey))
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	ended := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.ended, p.expected = cmd, ended, fault != ""
	p.mu.Unlock()
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		if !p.expected {
			p.alone++
			p.f.out("%s ended by itself: %v", p.name, err)
		}
		p.mu.Unlock()
		close(ended)
	}()
	return nil
}

func (p *process) log() string { return filepath.Join(p.f.settings.data, p.name+".log") }

// signal sends sig to the present life; that it has ended is no error.
func (p *process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		if sig == syscall.SIGKILL || sig == syscall.SIGTERM {
			p.expected = true
		}
		if sig == syscall.SIGSTOP || sig == syscall.SIGCONT {
			p.signalChild(sig)
		}
		_ = p.cmd.Process.Signal(sig)
	}
}

// signalChild pauses the embedded ClickHouse itself with the process that
// supervises it. A kill of the one ends the other without help.
func (p *process) signalChild(sig syscall.Signal) {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
	if err != nil {
		return
	}
	// Elsewhere than on Linux there are none: pausing the gate before the engine
	// is pause enough.
	for _, list := range lists {
		children, _ := os.ReadFile(list) // A thread that has ended has none.
		for _, field := range strings.Fields(string(children)) {
			if child, err := strconv.Atoi(field); err == nil {
				_ = syscall.Kill(child, sig)
			}
		}
	}
}

// kill ends the present life at once and waits until it is over.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	if p.cmd != nil {
		<-p.ended
	}
}

// await returns when the process has ended (true), or has been stopped by a
// signal (false), or after the time (false).
func (p *process) await(ctx context.Context, d time.Duration) (ended bool) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for {
		select {
		case <-p.ended:
			return true
		case <-ctx.Done():
			return false
		case <-time.After(50 * time.Millisecond):
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
		if i := bytes.LastIndexByte(stat, ')'); err == nil && i >= 0 && bytes.HasPrefix(stat[i:], []byte(") T")) {
			return false
		}
	}
}

// start launches every process, in random order as far as they are concerned:
// each waits for what it needs.
func (f *fleet) start(ctx context.Context) error {
	for _, p := range f.processes {
		if err := p.launch(""); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	for {
		if f.answers(ctx) {
			f.out("%d processes are up", len(f.processes))
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the processes did not come up; their logs are in %s", f.settings.data)
		}
		pause(ctx, 200*time.Millisecond)
	}
}

func (f *fleet) answers(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+f.settings.apiAddress+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// play does one round and leaves every process running.
func (f *fleet) play(ctx context.Context, r chaosRound, random *rand.Rand) error {
	p := f.process(r.process)
	ms := func(low, high int) time.Duration {
		return time.Duration(low+random.IntN(high-low)) * time.Millisecond
	}
	before, after, away := ms(0, 1500), ms(0, 1000), chaosSession+ms(500, 2500)
	passes := random.IntN(4)
	switch {
	case r.step != "":
		// The process is started anew with the fault, and acts on its own.
		p.kill()
		if err := p.launch(fmt.Sprintf("%s:%s:%d", r.action, r.step, passes)); err != nil {
			return err
		}
		ended := p.await(ctx, 12*time.Second)
		if !ended && r.action == "stop" {
			pause(ctx, away)
			p.signal(syscall.SIGCONT)
			pause(ctx, ms(500, 2500)) // It wakes up in another generation.
		}
		if !ended && r.action == "kill" {
			f.out("%s did not come to its step %s, and is killed now", r.process, r.step)
		}
		p.kill()
		pause(ctx, after)
		return p.launch("")
	case r.action == "stop":
		pause(ctx, before)
		p.signal(syscall.SIGSTOP)
		pause(ctx, away)
		p.signal(syscall.SIGCONT)
		pause(ctx, time.Second)
		return ctx.Err()
	default:
		pause(ctx, before)
		p.kill()
		pause(ctx, after)
		return errors.Join(p.launch(""), ctx.Err())
	}
}

// settle waits until everything that Kafka holds has been stored and resolved.
func (f *fleet) settle(ctx context.Context) error {
	if f.cfg.without == "fencing" {
		// The woken owners never end by themselves. New ones finish the work.
		for _, name := range []string{"ingest-1", "ingest-2"} {
			p := f.process(name)
			p.kill()
			if err := p.launch(""); err != nil {
				return err
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	brokers := f.settings.brokerAddresses()
	for quiet := 0; quiet < 5; {
		events, err1 := kafka.Lag(ctx, brokers, ingestGroup, eventTopics())
		evidence, err2 := kafka.Lag(ctx, brokers, identityGroup, []string{ingest.EvidenceTopic})
		if quiet++; err1 != nil || err2 != nil || events+evidence > 0 {
			quiet = 0
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: after 3 minutes %d records wait to be stored and %d to be resolved: %w", errBroken, events, evidence, errors.Join(err1, err2))
		}
		pause(ctx, 300*time.Millisecond)
	}
	return nil
}

// diedAlone names the processes that ended without being asked to.
func (f *fleet) diedAlone() (names []string) {
	for _, p := range f.processes {
		p.mu.Lock()
		if p.alone > 0 {
			names = append(names, fmt.Sprintf("%s (%d times)", p.name, p.alone))
		}
		p.mu.Unlock()
	}
	return names
}

// stop ends every process, engines last.
func (f *fleet) stop() {
	for i := len(f.processes) - 1; i >= 0; i-- {
		p := f.processes[i]
		if p.cmd == nil {
			continue
		}
		p.signal(syscall.SIGCONT)
		p.signal(syscall.SIGTERM)
		p.await(context.Background(), 5*time.Second)
		p.kill()
	}
}

// clean removes the folder, unless somebody wants to look into it.
func (f *fleet) clean(failed bool) {
	if failed || f.cfg.keep {
		f.out("data and logs are kept in %s", f.settings.data)
		return
	}
	_ = os.RemoveAll(f.settings.data)
}
