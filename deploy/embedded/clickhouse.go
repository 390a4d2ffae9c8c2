package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// AdminUser is the ClickHouse user that Kindred itself connects as when AdminUser is not configured.
const AdminUser = "kindred"

// AnalystUser is the read-only ClickHouse user for people who write SQL.
const AnalystUser = "analyst"

// ClickHouseConfig says where the engine lives and what it may use.
type ClickHouseConfig struct {
	// Library is the path of libchdb, as found by [Library.Ensure]. Required.
	Library string
	// DataDir is the folder of the engine's data, log and configuration; made if missing. Required.
	DataDir string
	// Host is the loopback address to listen on. Default 127.0.0.1.
	Host string
	// TCPPort is the native protocol's port, where this process checks who may reach the engine; 0 takes a free one.
	// Default 9000.
	TCPPort int
	// HTTPPort is the HTTP interface's port; 0 takes a free one. Default 8123.
	HTTPPort int
	// Database is the database that the DSN names; made if missing. Default "default".
	Database string
	// AdminUser is the user with all rights. Default "kindred".
	AdminUser string
	// AdminPassword is its password. Empty: a random one, kept in the data folder in a file that only the owner reads.
	AdminPassword string
	// AnalystPassword is the password of the read-only user. Empty: that user does not exist.
	AnalystPassword string
	// AnalystGrants are GRANT statements without "TO", such as "GRANT SELECT(a, b) ON kindred.events": all that the
	// analyst may see, besides "GRANT dictGet ON …". Nothing is visible by default.
	AnalystGrants []string
	// MemoryBytes caps the engine's memory. Default 4 GiB.
	MemoryBytes uint64
	// MinFreeBytes is the free disk space under which the engine does not start. Default 512 MiB.
	MinFreeBytes uint64
	// Sync writes every insert through to the disk before it is acknowledged. Default false: a kill of any process
	// loses nothing, a loss of power can lose the inserts of the last seconds.
	Sync bool
	// Command is the program with its first arguments that calls [EngineMain] with the arguments after them.
	// Default: this executable with the argument [EngineCommand].
	Command []string
	// Env are variables added to the child's environment.
	Env []string
	// StartTimeout bounds the time until the engine answers. Default 60 s (tables are loaded in it).
	StartTimeout time.Duration
	// StopTimeout bounds a clean stop; after it the child is killed. Default 20 s. The engine itself waits 5 s for
	// clients that are still connected.
	StopTimeout time.Duration
	// LockTimeout bounds the wait for the data folder that an engine of a killed process still holds. Default 15 s.
	LockTimeout time.Duration
	// QueryLog makes the engine keep system.query_log, with the text of every query. Default false: it fills the disk.
	QueryLog bool
	// Ephemeral makes the child remove DataDir when it ends, whatever ended its parent. For tests.
	Ephemeral bool
}

// EngineCommand is the hidden sub-command of the binary that hosts the engine; it calls [EngineMain].
const EngineCommand = "clickhouse-engine"

// DefaultClickHouseConfig returns the documented defaults; Library and DataDir are for the caller to fill.
func DefaultClickHouseConfig() ClickHouseConfig {
	return ClickHouseConfig{
		Host:         "127.0.0.1",
		TCPPort:      9000,
		HTTPPort:     8123,
		Database:     "default",
		AdminUser:    AdminUser,
		MemoryBytes:  4 << 30,
		MinFreeBytes: 512 << 20,
		StartTimeout: time.Minute,
		StopTimeout:  20 * time.Second,
		LockTimeout:  15 * time.Second,
	}
}

// Validate reports every fault of the configuration at once.
func (c ClickHouseConfig) Validate() error {
	var errs []error
	if c.Library == "" {
		errs = append(errs, errors.New("clickhouse: library path is empty"))
	}
	if c.DataDir == "" {
		errs = append(errs, errors.New("clickhouse: data folder is empty"))
	}
	errs = append(errs, validateAddress("clickhouse", c.Host, c.TCPPort, c.HTTPPort)...)
	if c.TCPPort != 0 && c.TCPPort == c.HTTPPort {
		errs = append(errs, fmt.Errorf("clickhouse: native and HTTP port are both %d", c.TCPPort))
	}
	if !isName(c.AdminUser) || c.AdminUser == AnalystUser || c.AdminUser == localUser {
		errs = append(errs, fmt.Errorf("clickhouse: admin user %q is not usable", c.AdminUser))
	}
	if !isName(c.Database) {
		errs = append(errs, fmt.Errorf("clickhouse: database %q is not a plain name", c.Database))
	}
	if c.MemoryBytes < 256<<20 {
		errs = append(errs, fmt.Errorf("clickhouse: memory of %d bytes is below 256 MiB", c.MemoryBytes))
	}
	if c.StartTimeout <= 0 || c.StopTimeout <= 0 || c.LockTimeout < 0 {
		errs = append(errs, errors.New("clickhouse: a timeout is not positive"))
	}
	for _, g := range c.AnalystGrants {
		if !strings.HasPrefix(g, "GRANT SELECT") && !strings.HasPrefix(g, "GRANT dictGet ON ") {
			errs = append(errs, fmt.Errorf("clickhouse: analyst grant %q grants something else than SELECT or dictGet", g))
		}
	}
	return errors.Join(errs...)
}

// validateAddress accepts loopback addresses and real port numbers only: the embedded engines serve one machine.
func validateAddress(what, host string, ports ...int) []error {
	var errs []error
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		errs = append(errs, fmt.Errorf("%s: host %q is not a loopback address", what, host))
	}
	for _, p := range ports {
		if p < 0 || p > 65535 {
			errs = append(errs, fmt.Errorf("%s: port %d is out of range", what, p))
		}
	}
	return errs
}

// isName accepts plain identifiers: what can stand in SQL, XML and a URL without quoting.
func isName(s string) bool {
	for i, r := range s {
		letter := r == '_' || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// ClickHouse is an engine in a child process. Use it once: New, then Run.
type ClickHouse struct {
	cfg  ClickHouseConfig
	log  *slog.Logger
	gate *gate // Set by Run.
}

// NewClickHouse checks the configuration. It starts nothing and touches no file. A nil logger is silent.
func NewClickHouse(cfg ClickHouseConfig, log *slog.Logger) (*ClickHouse, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("clickhouse data folder: %w", err)
	}
	cfg.DataDir = dir
	if len(cfg.Command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find own executable: %w", err)
		}
		cfg.Command = []string{self, EngineCommand}
	}
	return &ClickHouse{cfg: cfg, log: log}, nil
}

// Run starts the engine and blocks until ctx ends (result nil, the engine stopped cleanly), until ready returns an
// error, or until the engine cannot be kept running. It calls ready once, when the engine answers, with an address
// that stays valid through the one restart that follows a crash: a second crash ends Run with an error that names
// the log and its last lines. The data folder is locked meanwhile.
// Ready must return soon: the engine is watched only after it.
func (c *ClickHouse) Run(ctx context.Context, ready func(dsn string) error) error {
	if err := prepareFolder(c.cfg.DataDir, c.cfg.MinFreeBytes); err != nil {
		return err
	}
	lock, err := lockFolder(ctx, c.cfg.DataDir, c.cfg.LockTimeout)
	if err != nil {
		return err
	}
	defer lock.Release()
	listener, err := c.choosePorts()
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // The gate, if there is one, has done it.
	if c.cfg.AdminPassword == "" {
		if c.cfg.AdminPassword, err = keptPassword(filepath.Join(c.cfg.DataDir, "admin.password")); err != nil {
			return err
		}
	}
	c.gate = newGate(ctx, listener, c.cfg, c.log)
	defer c.gate.close()
	return c.supervise(ctx, lock, ready)
}

// choosePorts replaces zero ports by free ones and refuses busy ones. The native port is taken at once, for the gate.
func (c *ClickHouse) choosePorts() (*net.TCPListener, error) {
	const native = "ClickHouse native"
	listener, err := net.Listen("tcp", net.JoinHostPort(c.cfg.Host, strconv.Itoa(c.cfg.TCPPort)))
	if err != nil {
		return nil, portError(native, c.cfg.Host, c.cfg.TCPPort, err)
	}
	c.cfg.TCPPort = listener.Addr().(*net.TCPAddr).Port
	if c.cfg.HTTPPort, err = claimPort("ClickHouse HTTP", c.cfg.Host, c.cfg.HTTPPort); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener.(*net.TCPListener), nil
}

// chooseEnginePort finds the port that the engine itself listens on, behind the gate.
func (c *ClickHouse) chooseEnginePort() error {
	for {
		port, err := claimPort("ClickHouse engine", c.cfg.Host, 0)
		if err != nil {
			return err
		}
		if port != c.cfg.HTTPPort { // That one is not held while the engine is down.
			c.gate.engine.Store(int32(port)) //nolint:gosec // A port.
			return nil
		}
	}
}

// enginePort is where the engine itself listens. Kindred's own questions go there, with credentials that are right.
func (c *ClickHouse) enginePort() int { return int(c.gate.engine.Load()) }

// dsn is the address of the engine for clickhouse-go, at the gate's port or the engine's own.
func (c *ClickHouse) dsn(port int, database string) string {
	u := url.URL{
		Scheme: "clickhouse",
		User:   url.UserPassword(c.cfg.AdminUser, c.cfg.AdminPassword),
		Host:   net.JoinHostPort(c.cfg.Host, strconv.Itoa(port)),
		Path:   "/" + database,
	}
	return u.String()
}
