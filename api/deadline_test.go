package api

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

type named struct{}

// TestDeadlineIsATimeout: whoever looks at it, waits for it or makes a context of it sees
// what context.WithTimeout would show, whenever they begin to.
func TestDeadlineIsATimeout(t *testing.T) {
	const after = time.Second
	steps := map[string]func(parent context.CancelFunc, stop func()){
		"time":    func(context.CancelFunc, func()) { time.Sleep(after) }, // By the clock of the test.
		"earlier": func(context.CancelFunc, func()) { time.Sleep(after / 2) },
		"parent":  func(parent context.CancelFunc, _ func()) { parent() },
		"stop":    func(_ context.CancelFunc, stop func()) { stop() },
	}
	for name, step := range steps {
		for _, waited := range []bool{false, true} { // before the step
			see := func(t *testing.T, with func(context.Context) (context.Context, func())) (seen [4]any) {
				parent, end := context.WithCancel(context.WithValue(t.Context(), named{}, "value"))
				defer end()
				ctx, stop := with(parent)
				defer stop()
				start := time.Now()
				if waited {
					child, endChild := context.WithCancel(ctx)
					defer endChild()
					defer func() { seen[3] = child.Err() }()
				}
				step(end, stop)
				synctest.Wait()
				err := ctx.Err() // Before anybody asks for more.
				at, _ := ctx.Deadline()
				child, endChild := context.WithTimeout(ctx, time.Hour)
				defer endChild()
				synctest.Wait()
				return [4]any{err, at.Sub(start), [4]any{ctx.Err(), context.Cause(ctx), child.Err(), ctx.Value(named{})}}
			}
			synctest.Test(t, func(t *testing.T) {
				want := see(t, func(p context.Context) (context.Context, func()) { return context.WithTimeout(p, after) })
				got := see(t, func(p context.Context) (context.Context, func()) { d := newDeadline(p, after); return d, d.stop })
				if got != want {
					t.Errorf("%s, waited for %t: %v, and a timeout shows %v", name, waited, got, want)
				}
			})
		}
	}
}

// TestDeadlineWakes who waits for it, and has no timer before.
func TestDeadlineWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadline(t.Context(), time.Second)
		defer d.stop()
		if d.timed != nil || d.Err() != nil || d.timed != nil {
			t.Error("there is a timer for nobody")
		}
		start := time.Now()
		<-d.Done()
		if took := time.Since(start); took != time.Second || !errors.Is(d.Err(), context.DeadlineExceeded) {
			t.Errorf("it ended after %v: %v", took, d.Err())
		}
	})
}
