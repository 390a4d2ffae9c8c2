package files

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Job is what a progress belongs to.
type Job struct {
	Kind      string `json:"kind"` // "import" or "simulate"
	Format    string `json:"format"`
	Workspace string `json:"workspace"`
	// Input is the SHA-256 of what determines the records: the content of the
	// file, or the configuration of the simulation.
	Input string `json:"input"`
}

// Progress is the state of one import or simulation, kept in a file of the data
// folder so that it can continue after a kill. It holds no personal data.
type Progress struct {
	Version int `json:"version"`
	Job
	// Name is the name of the input when it was first begun; positions use it.
	Name string `json:"name"`
	// AsOf is when it was first begun, and Shift how far times are moved. Both
	// are decided once.
	AsOf    time.Time     `json:"as_of"`
	Shifted bool          `json:"shifted"` // Shift was asked for, though it may be zero
	Shift   time.Duration `json:"shift_ns"`
	// Next is the index of the first record that is not known to be
	// acknowledged; Total is the number expected, as far as it is known.
	Next  int64 `json:"next"`
	Total int64 `json:"total"`
	// Done is set when every record was acknowledged.
	Done bool `json:"done"`
	// Counts are those of the records before Next.
	Counts json.RawMessage `json:"counts,omitempty"`

	path  string
	saved bool
}

const progressVersion = 1

// OpenProgress reads the progress of a job from the folder, or returns a new
// one, not yet saved, when there is none. An empty workspace is the default one.
func OpenProgress(folder string, job Job) (*Progress, error) {
	job.Workspace = cmp.Or(job.Workspace, wire.DefaultWorkspace)
	p := &Progress{Version: progressVersion, Job: job}
	p.path = filepath.Join(folder, fmt.Sprintf("%s-%s-%s-%.16s.json", job.Kind, job.Format, job.Workspace, job.Input))
	text, err := os.ReadFile(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read progress: %w", err)
	}
	stored := Progress{path: p.path, saved: true}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&stored); err != nil {
		return nil, fmt.Errorf("progress file %s is damaged (%w); delete it to begin again: "+
			"what was stored already is recognised by its message ids", p.path, err)
	}
	if stored.Version != p.Version || stored.Job != job {
		return nil, fmt.Errorf("progress file %s belongs to something else (version %d, %s of %s)",
			p.path, stored.Version, stored.Kind, stored.Format)
	}
	return &stored, nil
}

// Path returns the name of the progress file.
func (p *Progress) Path() string { return p.path }

// Begun reports whether p was saved before.
func (p *Progress) Begun() bool { return p.saved }

// Save writes p so that a crash at any moment leaves the old or the new state:
// a new file, synced, renamed over the old one, and the folder synced.
func (p *Progress) Save() error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("encode progress: %w", err)
	}
	if err := writeFileAtomic(p.path, append(text, '\n')); err != nil {
		return fmt.Errorf("save progress: %w", err)
	}
	p.saved = true
	return nil
}

func writeFileAtomic(path string, text []byte) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // It is gone after the rename; this is for the failures before it.
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return err
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}
