package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Config says what to import and how.
type Config struct {
	Input  Input
	Format Format // OnlineRetail{} by default
	// StateFolder keeps the progress file; required.
	StateFolder string
	// ShiftToNow moves all times by Shift; the first run of an import decides.
	ShiftToNow bool
	// Workspace receives the events; empty means the default one.
	Workspace string
	// BatchMessages and BatchBytes bound a batch: 500 messages, 4 MiB.
	BatchMessages int
	BatchBytes    int
	// MaxMessageBytes bounds one record: 900 KiB, below the 1 MiB that brokers
	// accept by default.
	MaxMessageBytes int
	// MaxOpenBytes bounds the unfinished messages held in memory: 512 MiB.
	MaxOpenBytes int
	// Rejects, when set, is the path of a file that gets every rejected line.
	Rejects string
	// Report, when set, receives the records acknowledged and expected.
	Report func(done, total int64)
}

// DefaultConfig returns the defaults named at the fields of Config.
func DefaultConfig() Config {
	return Config{
		Format: OnlineRetail{}, BatchMessages: 500, BatchBytes: 4 << 20,
		MaxMessageBytes: 900 << 10, MaxOpenBytes: 512 << 20,
	}
}

// Validate returns every fault of the configuration.
func (c Config) Validate() error {
	var faults []error
	if c.Input.Open == nil || c.Input.Name == "" {
		faults = append(faults, errors.New("an input file is required"))
	}
	if c.Format == nil {
		faults = append(faults, errors.New("a format is required"))
	}
	if c.StateFolder == "" {
		faults = append(faults, errors.New("a folder for the progress file is required"))
	}
	if c.BatchMessages < 1 || c.BatchBytes < 1 || c.MaxOpenBytes < 1 {
		faults = append(faults, errors.New("batch and memory bounds must be positive"))
	}
	if c.MaxMessageBytes < maxLineBytes {
		faults = append(faults, fmt.Errorf("the message bound must be at least %d bytes, so that every rejected line fits", maxLineBytes))
	}
	return errors.Join(faults...)
}

// Deps are what an Importer uses.
type Deps struct {
	Publisher Publisher
	Now       func() time.Time
	Log       *slog.Logger
}

// Importer imports one file once.
type Importer struct {
	cfg  Config
	deps Deps
}

// Summary is what an import did, for the reader and for the demo's output.
type Summary struct {
	File   string `json:"file"`
	Format string `json:"format"`
	SHA256 string `json:"sha256"` // of the decompressed content
	// First and Last are the event times as published, ShiftWeeks how far they
	// were moved.
	First      time.Time     `json:"first,omitzero"`
	Last       time.Time     `json:"last,omitzero"`
	ShiftWeeks int           `json:"shift_weeks"`
	Shift      time.Duration `json:"-"`
	// AsOf is when the import was first begun: the clock that decided Shift.
	AsOf time.Time `json:"as_of"`
	// ResumedAt is the number of records acknowledged by an earlier run.
	ResumedAt int64 `json:"resumed_at"`
	// Records is the number of records in all: messages and rejected lines.
	Records int64 `json:"records"`
	Counts
}

// New returns an importer. It opens nothing.
func New(cfg Config, deps Deps) (*Importer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Publisher == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("importer: a publisher, a clock and a logger are required")
	}
	return &Importer{cfg: cfg, deps: deps}, nil
}

const week = 7 * 24 * time.Hour

// Shift returns the greatest number of whole weeks by which last can be moved
// without passing now: data moved by it end within the last seven days and keep
// their weekdays and times of day.
func Shift(last, now time.Time) time.Duration {
	if last.IsZero() {
		return 0
	}
	gap := now.Sub(last)
	weeks := gap / week
	if gap%week < 0 {
		weeks--
	}
	return weeks * week
}

// Run imports the file and returns when every record was acknowledged. After an
// error or a kill, Run of a new Importer continues where it stopped.
func (i *Importer) Run(ctx context.Context) (Summary, error) {
	cfg := i.cfg
	sum := Summary{File: cfg.Input.Name, Format: cfg.Format.Name()}
	var err error
	if sum.SHA256, err = cfg.Input.SHA256(); err != nil {
		return sum, err
	}
	progress, err := OpenProgress(cfg.StateFolder, Job{"import", cfg.Format.Name(), cfg.Workspace, sum.SHA256})
	if err != nil {
		return sum, err
	}
	if !progress.saved {
		progress.Name, progress.AsOf = cfg.Input.Name, i.deps.Now().UTC().Truncate(time.Millisecond)
		progress.Shifted = cfg.ShiftToNow
	} else if progress.Shifted != cfg.ShiftToNow {
		return sum, fmt.Errorf("this file was first imported with shift-to-now = %t; that cannot change, "+
			"or its events would be stored under the same ids with other times", progress.Shifted)
	}
	conversion := cfg.Format.Begin(Options{
		File: progress.Name, AsOf: progress.AsOf, Workspace: cfg.Workspace,
		MaxMessageBytes: cfg.MaxMessageBytes, MaxOpenBytes: cfg.MaxOpenBytes,
		SHA256: sum.SHA256, Shifted: cfg.ShiftToNow, Path: cfg.Input.plainPath(), TempFolder: cfg.StateFolder,
	})
	survey, err := i.survey(ctx, conversion, sum.SHA256)
	if err != nil {
		return sum, err
	}
	if err := i.begin(progress, survey); err != nil {
		return sum, err
	}
	sum.ResumedAt, sum.AsOf = progress.Next, progress.AsOf
	sum.Shift, sum.ShiftWeeks = progress.Shift, int(progress.Shift/week)
	if !survey.Last.IsZero() {
		sum.First, sum.Last = survey.First.Add(sum.Shift), survey.Last.Add(sum.Shift)
	}
	i.deps.Log.InfoContext(ctx, "importing", "file", sum.File, "lines", survey.Lines, "messages", survey.Messages,
		"shift_weeks", sum.ShiftWeeks, "resumed_at", sum.ResumedAt)
	delivery := Delivery{
		Publisher: i.deps.Publisher, Progress: progress, Report: cfg.Report,
		BatchMessages: cfg.BatchMessages, BatchBytes: cfg.BatchBytes,
	}
	var feed Feed = &fileFeed{input: cfg.Input, conversion: conversion, shift: sum.Shift, hash: sum.SHA256}
	if cfg.Rejects != "" {
		feed = rejectingFeed{Feed: feed, path: cfg.Rejects}
	}
	err = delivery.Run(ctx, feed)
	if err != nil {
		return sum, fmt.Errorf("import %s: %w", sum.File, err)
	}
	sum.Records = progress.Next
	if err := json.Unmarshal(progress.Counts, &sum.Counts); err != nil {
		return sum, fmt.Errorf("progress file %s: counts: %w", progress.Path(), err)
	}
	return sum, nil
}

// survey reads the input once more and checks that it is still the same.
func (i *Importer) survey(ctx context.Context, c Conversion, hash string) (Survey, error) {
	var survey Survey
	again, err := i.cfg.Input.with(func(r io.Reader) (err error) {
		survey, err = c.Survey(ctx, r)
		return err
	})
	if err == nil && again != hash {
		err = fmt.Errorf("%s: %w", i.cfg.Input.Name, ErrChanged)
	}
	return survey, err
}

// begin decides what a resumed import must not decide again, and saves it
// before the first record is published.
func (i *Importer) begin(p *Progress, survey Survey) error {
	if p.saved {
		return nil
	}
	p.Total = int64(survey.Messages + survey.Rejected)
	if p.Shifted {
		p.Shift = Shift(survey.Last, p.AsOf)
	}
	return p.Save()
}

// fileFeed is the Feed of one conversion.
type fileFeed struct {
	input      Input
	conversion Conversion
	shift      time.Duration
	hash       string
}

// Records implements Feed.
func (f *fileFeed) Records(ctx context.Context, emit func(Record) error) error {
	hash, err := f.input.with(func(r io.Reader) error { return f.conversion.Convert(ctx, r, f.shift, emit) })
	if err == nil && hash != f.hash {
		err = ErrChanged
	}
	return err
}

// Snapshot implements Feed.
func (f *fileFeed) Snapshot() any { return f.conversion.Counts() }
