package api

import (
	"context"
	"sync"
	"time"
)

// deadline is a context that ends at a time, and has no timer before somebody waits for
// its end: most reads are answered from memory and wait for nothing. It is safe for
// concurrent use.
type deadline struct {
	context.Context // of the request
	at              time.Time

	mu    sync.Mutex // Protects the fields below.
	timed context.Context
	end   context.CancelFunc
	ended bool
}

// newDeadline returns a context that ends after a time. The caller calls stop.
func newDeadline(ctx context.Context, after time.Duration) *deadline {
	return &deadline{Context: ctx, at: time.Now().Add(after)}
}

// stop ends the context, as the cancelling of one that has a timer does.
func (d *deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	if d.end != nil {
		d.end()
	}
}

// Deadline implements context.Context.
func (d *deadline) Deadline() (time.Time, bool) {
	if earlier, ok := d.Context.Deadline(); ok && earlier.Before(d.at) {
		return earlier, true
	}
	return d.at, true
}

// Done implements context.Context. From here on there is a timer.
func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timed == nil {
		d.timed, d.end = context.WithDeadline(d.Context, d.at)
		if d.ended {
			d.end()
		}
	}
	return d.timed.Done()
}

// Err implements context.Context.
func (d *deadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.timed != nil:
		return d.timed.Err()
	case d.ended:
		return context.Canceled
	case d.Context.Err() != nil:
		return d.Context.Err()
	case !time.Now().Before(d.at):
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context. Package context asks by it for what is behind Done,
// and where it does not find that, a context made of this one costs a goroutine.
func (d *deadline) Value(key any) any {
	d.mu.Lock()
	timed := d.timed
	d.mu.Unlock()
	if timed != nil {
		return timed.Value(key)
	}
	return d.Context.Value(key)
}
