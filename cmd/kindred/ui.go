package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// ui speaks to the person at the terminal: steps and progress on standard
// error, so that standard output stays free for results. On a terminal a
// progress bar is redrawn in place; elsewhere a plain line comes now and then.
type ui struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	now      func() time.Time
	begun    time.Time
	line     string // the bar on the screen, "" when there is none
	last     map[string]time.Time
	full     map[string]bool // steps whose last line was drawn
}

func newUI(f *os.File, now func() time.Time) *ui {
	return &ui{w: f, terminal: term.IsTerminal(int(f.Fd())), now: now, begun: now(), last: map[string]time.Time{}, full: map[string]bool{}}
}

// say prints a line.
func (u *ui) say(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	_, _ = fmt.Fprintf(u.w, format+"\n", args...)
}

// Write prints log lines without tearing the bar.
func (u *ui) Write(b []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	return u.w.Write(b)
}

func (u *ui) clear() {
	if u.line != "" {
		_, _ = fmt.Fprint(u.w, "\r\x1b[K")
		u.line = ""
	}
}

// progress shows how far a step is; total 0 means unknown.
func (u *ui) progress(step string, done, total int64, unit string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	every := 5 * time.Second
	if u.terminal {
		every = 100 * time.Millisecond
	}
	now := u.now()
	full := total > 0 && done >= total
	if u.full[step] || u.last[step].Add(every).After(now) && !full {
		return
	}
	u.last[step], u.full[step] = now, full
	text := fmt.Sprintf("%s: %s %s", step, amount(done, unit), unit)
	if total > 0 {
		text = fmt.Sprintf("%s: %s of %s %s, %d %%", step, amount(done, unit), amount(total, unit), unit, 100*done/total)
	}
	if !u.terminal {
		_, _ = fmt.Fprintln(u.w, text)
		return
	}
	if total > 0 {
		const width = 30
		bar := int(width * min(done, total) / total)
		text = fmt.Sprintf("[%s%s] %s", strings.Repeat("=", bar), strings.Repeat(" ", width-bar), text)
	}
	_, _ = fmt.Fprint(u.w, "\r\x1b[K"+text)
	u.line = text
	if full {
		_, _ = fmt.Fprintln(u.w)
		u.line = ""
	}
}

func amount(n int64, unit string) string {
	if unit == "MB" {
		return fmt.Sprintf("%.1f", float64(n)/1e6)
	}
	return fmt.Sprint(n)
}

// logger writes to the ui at the configured level.
func (u *ui) logger(s *settings) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.logLevel)) // checked by loadSettings
	opts := &slog.HandlerOptions{Level: level}
	if s.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(u, opts))
	}
	return slog.New(slog.NewTextHandler(u, opts))
}
