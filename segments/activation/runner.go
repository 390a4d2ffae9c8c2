package activation

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// runner tells one destination, at one revision.
type runner struct {
	*Worker
	stored
	secrets *opened

	wake  chan struct{} // holds a token when there is something new
	asked atomic.Bool   // letters may be to be sent again
	end   context.CancelFunc
	ended chan struct{} // closed behind the last thing that it does

	// Of the caller of step.
	loaded  bool // the place is known
	window  window
	read    position // behind the last change that was read
	look    bool     // there may be changes behind it
	more    bool     // there are
	letters time.Time
	paused  time.Time // the receiver asks to be left alone until then
	failing uint64
	reason  string
	counts  [dead + 1]uint64 // by outcome, of all time
	written State            // as it is stored, with the place and the comparison
	stood   position
	known   uint64
	ordered order            // the last one that was given
	compare *comparison      // of all members, that goes on; nil for none
	kept    time.Time        // when it was stored last
	met     map[*job]*person // those who were looked up for the next attempts
	metAt   time.Time
	done    chan *job
	wait    sync.WaitGroup // for what is on its way
}

func newRunner(w *Worker, d stored) *runner {
	return &runner{Worker: w, stored: d, wake: make(chan struct{}, 1), ended: make(chan struct{}), done: make(chan *job, w.cfg.Parallel)}
}

// check opens what the runner needs.
func (r *runner) check() (err error) {
	if r.invalid != nil {
		return errors.New("this release does not understand the definition")
	}
	if r.Definition.Kind == Email && r.deps.Mailer == nil {
		return errors.New("no mail server is set")
	}
	if r.secrets == nil {
		r.secrets, err = r.deps.Sealer.open(&r.Destination)
	}
	return err
}

// stop ends the runner and waits for it.
func (r *runner) stop() {
	if r.end != nil {
		r.end()
		<-r.ended
	}
}

// run steps whenever there is something to do, until ctx ends.
func (r *runner) run(ctx context.Context) {
	failed := 0
	for {
		next, err := r.step(ctx)
		if ctx.Err() != nil {
			r.flush(ctx)
			return
		}
		failed++
		if err == nil {
			failed = 0
		} else {
			r.deps.Logger.Error("tell a destination", "workspace", r.Workspace, "destination", r.ID, "error", err)
			r.loaded = false // Whatever is in doubt is read again.
			next = r.deps.Clock().Add(r.backoff(failed))
		}
		select {
		case <-ctx.Done():
		case <-r.wake:
		case <-time.After(next.Sub(r.deps.Clock())):
		}
	}
}

// flush stores what was told before the end.
func (r *runner) flush(ctx context.Context) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.DrainTimeout)
	defer stop()
	if r.loaded {
		if err := r.commit(ctx); err != nil {
			r.deps.Logger.Warn("what was told is not stored, and told again", "workspace", r.Workspace, "destination", r.ID, "error", err)
		}
	}
}

// step tells the destination what it can be told now. It returns when the next thing is
// due of itself.
func (r *runner) step(ctx context.Context) (next time.Time, err error) {
	if err := r.check(); err != nil {
		return r.deps.Clock().Add(r.cfg.Poll), err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		r.wait.Wait()
		for len(r.done) > 0 { // What has ended meanwhile is known to have.
			r.finish(<-r.done)
		}
	}()
	if err := r.load(ctx); err != nil {
		return next, err
	}
	r.look, r.met = true, nil
	for {
		if err := r.fill(ctx); err != nil {
			return next, err
		}
		sent, err := r.send(ctx)
		if err != nil {
			return next, err
		}
		if r.window.running == 0 && !sent {
			if err := r.commit(ctx); err != nil {
				return next, err
			}
			if (r.more || r.comparing()) && r.room() > 0 {
				continue
			}
			return r.due(), nil
		}
		if r.deps.Clock().Sub(r.kept) >= r.cfg.Commit {
			if err := r.commit(ctx); err != nil {
				return next, err
			}
		}
		if !sent {
			if err := r.await(ctx); err != nil {
				return next, err
			}
		}
	}
}

// await waits until something ends, comes, or is due.
func (r *runner) await(ctx context.Context) error {
	timer := time.NewTimer(max(0, min(r.due().Sub(r.deps.Clock()), r.cfg.Commit)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case j := <-r.done:
		r.finish(j)
		for len(r.done) > 0 {
			r.finish(<-r.done)
		}
	case <-r.wake:
		r.look = true
	case <-timer.C:
	}
	return nil
}

// due is when there is something to do if nothing comes.
func (r *runner) due() time.Time {
	next := r.deps.Clock().Add(r.cfg.Poll)
	if at := r.window.next(); !at.IsZero() {
		if at.Before(r.paused) {
			at = r.paused
		}
		if at.Before(next) {
			next = at
		}
	}
	return next
}

// load reads the place, and makes that of a new destination: behind all changes that
// are there, of which it learns by a comparison, where it is to.
func (r *runner) load(ctx context.Context) error {
	if r.loaded {
		return nil
	}
	found, err := r.store.read(ctx, r.Workspace, r.ID)
	if err != nil {
		return err
	}
	for _, one := range found {
		r.sequence, r.place, r.synced, r.State = one.sequence, one.place, one.synced, one.State
	}
	t := r.State
	r.window, r.read, r.more, r.compare, r.letters = window{}, r.place, false, nil, time.Time{}
	r.failing, r.reason, r.paused = t.Failing, t.Error, time.Time{}
	r.counts = [dead + 1]uint64{delivered: t.Delivered, withheld: t.Withheld, passed: t.Passed, dead: t.Letters}
	r.kept, r.written, r.stood, r.known = r.deps.Clock(), t, r.place, r.synced
	if r.sequence == 0 {
		head, err := r.store.head(ctx, r.Workspace, 0)
		if err != nil {
			return err
		}
		r.read = position{block: head + 1}
		r.place = r.read
		if !r.Definition.backfills() {
			r.synced = r.Revision
		}
		if err := r.write(ctx); err != nil {
			return err
		}
	}
	r.loaded = true
	return nil
}

// fill reads changes into the window, letters that are to be sent again, and a part of
// a comparison.
func (r *runner) fill(ctx context.Context) error {
	now := r.deps.Clock()
	if r.asked.Swap(false) || !now.Before(r.letters) {
		r.letters = now.Add(r.cfg.Poll)
		if err := r.fillErasures(ctx); err != nil {
			return err
		}
		if err := r.fillLetters(ctx); err != nil {
			return err
		}
		var err error
		if r.ordered, err = r.store.ordered(ctx, r.Workspace, r.ID); err != nil {
			return err
		}
	}
	if room := r.room(); room > 0 && (r.look || r.more) {
		if err := r.fillChanges(ctx, room); err != nil {
			return err
		}
	}
	return r.fillCompared(ctx)
}

// room is how much the window takes; 0 while it is more than half full, so that it is
// filled by few queries.
func (r *runner) room() int {
	room := r.cfg.Window - r.window.len()
	if room < (r.cfg.Window+1)/2 {
		return 0
	}
	return room
}

func (r *runner) fillChanges(ctx context.Context, room int) error {
	head, err := r.store.head(ctx, r.Workspace, r.read.block)
	if err != nil {
		return err
	}
	r.look, r.more = false, false
	if head < r.read.block {
		return nil
	}
	list, err := r.store.changes(ctx, r.Workspace, r.Definition.Segments, r.read, head, room)
	if err != nil {
		return err
	}
	for _, c := range list {
		if r.Definition.takes(c.Entered) {
			r.window.add(&job{Change: c, key: Key(c)})
		}
		r.read = behind(c)
	}
	if r.more = len(list) == room; !r.more {
		r.read = position{block: head + 1} // Of other segments there may be more.
	}
	return nil
}

func (r *runner) fillLetters(ctx context.Context) error {
	room := r.cfg.Window - r.window.len()
	if room <= 0 {
		return nil
	}
	asked, err := r.store.letters(ctx, letterQuery{workspace: r.Workspace, destination: r.ID, state: LetterAsked, limit: room})
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, j := range r.window.apart {
		there[j.key] = j.letter != nil
	}
	for i := range asked {
		if l := &asked[i]; !there[l.ID] {
			r.window.add(&job{Change: l.Change, key: l.ID, letter: l, apart: true})
		}
	}
	return nil
}
