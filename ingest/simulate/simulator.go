package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/kindred-cdp/kindred/ingest/files"
)

// Options says where a simulation goes.
type Options struct {
	// StateFolder keeps the progress file; required.
	StateFolder string
	// TruthFile receives the truth of the identifiers as CSV before the first
	// event is published; empty writes none. The true visits and venues go to the
	// files of the same name with -visits and -venues before the extension.
	TruthFile string
	// CRMFile receives the export of the old CRM as CSV, and the file of the name
	// of TruthFile with -crm before the extension who its records are. Empty, or
	// without a TruthFile, neither is written.
	CRMFile string
	// Workspace receives the events; empty means the default one.
	Workspace string
	// BatchMessages and BatchBytes bound a batch; zero means 20 000 and 16 MiB: a
	// batch waits for the broker once for each of nine topics.
	BatchMessages, BatchBytes int
	// Report, when set, receives the records acknowledged and expected.
	Report func(done, total int64)
}

// Deps are what a Simulator uses.
type Deps struct {
	Publisher files.Publisher
	Log       *slog.Logger
}

// Simulator publishes one simulation once.
type Simulator struct {
	cfg       Config
	customers []files.Customer
	opts      Options
	deps      Deps
}

// Summary is what a simulation did, for the reader and for the demo's output.
type Summary struct {
	Seed        uint64 `json:"seed"`
	Customers   int    `json:"customers"`   // customer numbers
	People      int    `json:"people"`      // true persons
	Visitors    int    `json:"visitors"`    // of them, without a customer number
	Identifiers int    `json:"identifiers"` // true ones that appear in events
	Shared      int    `json:"shared"`      // of them, with several owners
	ResumedAt   int64  `json:"resumed_at"`  // records acknowledged by an earlier run
	Records     int64  `json:"records"`     // messages and copies
	TruthFile   string `json:"truth_file,omitempty"`
	CRMFile     string `json:"crm_file,omitempty"`
	CRMRecords  int    `json:"crm_records"` // of its export
	Counts
}

// New returns a simulator of cfg around customers, who must not change. It
// makes nothing yet.
func New(cfg Config, customers []files.Customer, opts Options, deps Deps) (*Simulator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if opts.StateFolder == "" || deps.Publisher == nil || deps.Log == nil {
		return nil, errors.New("simulator: a folder for the progress file, a publisher and a logger are required")
	}
	if opts.BatchMessages == 0 {
		opts.BatchMessages = 20_000
	}
	if opts.BatchBytes == 0 {
		opts.BatchBytes = 16 << 20
	}
	return &Simulator{cfg: cfg, customers: customers, opts: opts, deps: deps}, nil
}

// Run publishes the simulation and returns when every record was acknowledged.
// After an error or a kill, Run of a new Simulator continues where it stopped.
func (s *Simulator) Run(ctx context.Context) (Summary, error) {
	world, err := Generate(s.cfg, s.customers, s.opts.Workspace)
	if err != nil {
		return Summary{}, err
	}
	sum := s.summary(world)
	input, err := Fingerprint(s.cfg, s.customers)
	if err != nil {
		return sum, err
	}
	progress, err := files.OpenProgress(s.opts.StateFolder, files.Job{
		Kind: "simulate", Format: "retail", Workspace: s.opts.Workspace, Input: input,
	})
	if err != nil {
		return sum, err
	}
	if err := s.writeTruth(world); err != nil {
		return sum, err
	}
	progress.Name, progress.AsOf, progress.Total = fmt.Sprintf("seed %d", s.cfg.Seed), s.cfg.End, int64(world.Deliveries())
	sum.ResumedAt = progress.Next
	s.deps.Log.InfoContext(ctx, "simulating", "seed", s.cfg.Seed, "people", sum.People, "records", world.Deliveries(),
		"resumed_at", sum.ResumedAt)
	delivery := files.Delivery{
		Publisher: s.deps.Publisher, Progress: progress, Report: s.opts.Report,
		BatchMessages: s.opts.BatchMessages, BatchBytes: s.opts.BatchBytes,
	}
	if err := delivery.Run(ctx, world); err != nil {
		return sum, fmt.Errorf("simulate: %w", err)
	}
	sum.Records = progress.Next
	if err := json.Unmarshal(progress.Counts, &sum.Counts); err != nil {
		return sum, fmt.Errorf("progress file %s: counts: %w", progress.Path(), err)
	}
	return sum, nil
}

func (s *Simulator) summary(w *World) Summary {
	sum := Summary{
		Seed: s.cfg.Seed, Customers: len(s.customers), People: w.People, Visitors: w.Visitors, TruthFile: s.opts.TruthFile,
		CRMFile: s.opts.CRMFile, CRMRecords: len(w.CRM),
	}
	for _, o := range w.Truth.Ownerships() {
		sum.Identifiers++
		if len(o.People) > 1 {
			sum.Shared++
		}
	}
	return sum
}

// writeTruth replaces each of the truth files as a whole: that of the
// identifiers, and beside it those of the visits and of the venues.
func (s *Simulator) writeTruth(w *World) error {
	name := s.opts.TruthFile
	if name == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("write truth: %w", err)
	}
	return errors.Join(
		replaceFile(name, w.Truth.WriteCSV),
		replaceFile(staysFile(name), func(f io.Writer) error { return WriteStays(f, w.Stays) }),
		replaceFile(spotsFile(name), func(f io.Writer) error { return WriteSpots(f, w.Spots) }),
		s.writeCRM(w),
	)
}

// writeCRM writes the export of the old CRM, and who is in it.
func (s *Simulator) writeCRM(w *World) error {
	if s.opts.CRMFile == "" {
		return nil
	}
	return errors.Join(
		replaceFile(s.opts.CRMFile, func(f io.Writer) error { return WriteCRM(f, w.CRM) }),
		replaceFile(CRMTruthFile(s.opts.TruthFile), func(f io.Writer) error { return WriteCRMTruth(f, w.CRM) }),
	)
}

// replaceFile writes a file beside the old one and takes its place when whole.
func replaceFile(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), "truth.*.tmp")
	if err != nil {
		return fmt.Errorf("write truth: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // It is gone after the rename.
	err = write(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("write truth: %w", err)
	}
	return nil
}
