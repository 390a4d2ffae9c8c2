package activation

import (
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/segments"
)

// outcome is what became of a job.
type outcome int

const (
	pending   outcome = iota
	delivered         // the receiver has taken it
	withheld          // not sent: no consent, or processing is restricted
	passed            // nobody or nothing left to send
	dead              // a letter
)

// job is a change that a destination is to be told.
type job struct {
	segments.Change
	key string
	// letter is what it was before it is sent again; nil for none.
	letter *Letter
	// erased is set where the receiver is to be told that the profile was erased.
	erased *erased
	// apart says that the place does not wait for it: a letter, or a part of a
	// comparison.
	apart bool

	attempts int
	due      time.Time // when it may be tried (again)
	running  bool
	outcome  outcome
	verdict  verdict // the last one
	at       time.Time
	contact  *Contact // of what was sent
	recorded bool
}

// window holds the jobs between the place of a destination and what was read last. It
// gives out those that can run: of one profile the oldest alone.
type window struct {
	order   []*job // in the order of their changes
	apart   []*job
	lanes   map[identity.ProfileID][]*job
	running int
}

func (w *window) add(j *job) {
	if w.lanes == nil {
		w.lanes = map[identity.ProfileID][]*job{}
	}
	if j.apart {
		w.apart = append(w.apart, j)
	} else {
		w.order = append(w.order, j)
	}
	w.lanes[j.Profile] = append(w.lanes[j.Profile], j)
}

// len is how many jobs there are, with those that are done and not recorded.
func (w *window) len() int { return len(w.order) + len(w.apart) }

// each calls f for the jobs that could run if it were time.
func (w *window) each(f func(*job) bool) {
	for _, list := range [][]*job{w.order, w.apart} {
		for _, j := range list {
			if j.outcome == pending && !j.running && w.lanes[j.Profile][0] == j && !f(j) {
				return
			}
		}
	}
}

// ready returns at most n jobs that can run now.
func (w *window) ready(now time.Time, n int) (jobs []*job) {
	if n <= 0 {
		return nil
	}
	w.each(func(j *job) bool {
		if !j.due.After(now) {
			jobs = append(jobs, j)
		}
		return len(jobs) < n
	})
	return jobs
}

// next is when the next job can run; zero for none.
func (w *window) next() (at time.Time) {
	w.each(func(j *job) bool {
		if at.IsZero() || j.due.Before(at) {
			at = j.due
		}
		return true
	})
	return at
}

// settle ends a job, and lets the next one of its profile run.
func (w *window) settle(j *job, o outcome, at time.Time) {
	j.outcome, j.at = o, at
	if lane := w.lanes[j.Profile][1:]; len(lane) > 0 {
		w.lanes[j.Profile] = lane
	} else {
		delete(w.lanes, j.Profile)
	}
}

// busy reports whether a job of a profile in a segment is still to run.
func (w *window) busy(segment segments.ID, profile identity.ProfileID) bool {
	return slices.ContainsFunc(w.lanes[profile], func(j *job) bool { return j.Segment == segment })
}

// fresh are the jobs that have ended and are not recorded.
func (w *window) fresh() (jobs []*job) {
	for _, list := range [][]*job{w.order, w.apart} {
		for _, j := range list {
			if j.outcome != pending && !j.recorded {
				jobs = append(jobs, j)
			}
		}
	}
	return jobs
}

// record marks jobs as recorded, and takes out those that nothing waits for. It returns
// the last change of those before which none is left, nil for none.
func (w *window) record(jobs []*job) (last *segments.Change) {
	for _, j := range jobs {
		j.recorded = true
	}
	n := 0
	for n < len(w.order) && w.order[n].recorded {
		last = &w.order[n].Change
		n++
	}
	w.order = slices.Delete(w.order, 0, n)
	w.apart = slices.DeleteFunc(w.apart, func(j *job) bool { return j.recorded })
	return last
}
