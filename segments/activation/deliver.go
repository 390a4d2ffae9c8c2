package activation

import (
	"context"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// weary is after how many failures on end a receiver is tried by one message at a time.
func (r *runner) weary() bool { return r.failing >= uint64(r.cfg.Parallel) }

// send looks up of whom jobs are that can run, and sends their messages. It reports
// whether anything came of it.
func (r *runner) send(ctx context.Context) (bool, error) {
	now := r.deps.Clock()
	if now.Before(r.paused) {
		return false, nil
	}
	free := r.cfg.Parallel - r.window.running
	if r.weary() {
		free = 1 - r.window.running
	}
	jobs := r.window.ready(now, free)
	if len(jobs) == 0 {
		return false, nil
	}
	if err := r.meet(ctx, jobs, now); err != nil {
		return false, err
	}
	for _, j := range jobs {
		who := r.met[j]
		delete(r.met, j) // Another attempt looks again.
		if err := r.sendOne(ctx, j, who, now); err != nil {
			return false, err
		}
	}
	return true, nil
}

// A look at whom jobs are of costs as much for many as for one, and holds for ahead jobs
// and for stale.
const (
	ahead = 256
	stale = time.Second
)

// meet looks up of whom jobs are, and with them those that will be sent next: a receiver
// that answers at once would otherwise wait for a look at each.
func (r *runner) meet(ctx context.Context, jobs []*job, now time.Time) error {
	known := r.deps.Clock().Sub(r.metAt) < stale
	for _, j := range jobs {
		known = known && r.met[j] != nil
	}
	if known {
		return nil
	}
	if !r.weary() {
		jobs = r.window.ready(now, max(ahead, len(jobs)))
	}
	ids := make([]identity.ProfileID, len(jobs))
	for i, j := range jobs {
		ids[i] = j.Profile
	}
	who, err := r.people.read(ctx, r.Workspace, ids, r.Definition.consent())
	if err != nil {
		return err
	}
	r.met, r.metAt = make(map[*job]*person, len(jobs)), r.deps.Clock()
	for i, j := range jobs {
		r.met[j] = &who[i]
	}
	return nil
}

// sendOne sends the message of a job, or settles it without.
func (r *runner) sendOne(ctx context.Context, j *job, who *person, now time.Time) error {
	s, o, err := r.subject(ctx, j, who)
	if err != nil {
		return err
	}
	if o != pending {
		r.settle(j, o, now)
		return nil
	}
	deliver, err := r.deliver(j, s, now)
	if err != nil { // Nothing of the message may be in an error, which is why it is not kept.
		j.verdict = verdict{lasting: true, reason: reasonIncomplete}
		r.settle(j, dead, now)
		return nil
	}
	j.running = true
	r.window.running++
	r.wait.Go(func() {
		start := r.deps.Clock()
		if j.verdict = deliver(ctx); !j.verdict.ok && ctx.Err() != nil {
			j.verdict = verdict{} // It was the worker that broke off.
		}
		r.metrics.seconds.Observe(r.deps.Clock().Sub(start).Seconds())
		r.done <- j
	})
	return nil
}

// deliver makes the message of a subject and returns what sends it.
func (r *runner) deliver(j *job, s *subject, now time.Time) (func(context.Context) verdict, error) {
	j.contact = r.contact(j, s, now)
	if r.Definition.Kind == Email {
		l, err := r.Definition.letterhead(s, now)
		if err != nil {
			return nil, err
		}
		if j.contact != nil {
			j.contact.Subject = l.subject
		}
		return func(ctx context.Context) verdict { return r.deps.Mailer.send(ctx, l) }, nil
	}
	m, err := r.Definition.message(s)
	if err != nil {
		return nil, err
	}
	signature := sign(m.body, now, r.secrets.signing...)
	return func(ctx context.Context) verdict { return post(ctx, r.client, m, r.secrets.headers, signature, now) }, nil
}

// subject is what a message is made of, or an outcome where none is to be sent.
func (r *runner) subject(ctx context.Context, j *job, who *person) (*subject, outcome, error) {
	p := who.profile
	if j.erased != nil {
		again, err := r.toldSince(ctx, j)
		if err != nil || again || !r.Definition.own() {
			return nil, passed, err
		}
		return &subject{workspace: r.Workspace, destination: r.ID, change: j.Change, key: j.key, profile: &profiles.Profile{ID: j.Profile}, erased: true}, pending, nil
	}
	if p == nil {
		return nil, passed, nil
	}
	if j.letter != nil {
		_, block, err := r.store.member(ctx, r.Workspace, j.Segment, j.Profile)
		if err != nil || block > j.Block || !r.names(j) {
			return nil, passed, err
		}
	}
	// What is left of somebody who is part of another is told by the id alone; by an
	// address or a number the other's own changes are.
	if p.ID != j.Profile && !r.Definition.own() {
		return nil, passed, nil
	}
	s := &subject{workspace: r.Workspace, destination: r.ID, change: j.Change, key: j.key, profile: p}
	consent := r.Definition.consent()
	if r.Definition.Kind == Email {
		address, reason := recipient(p, who, consent)
		s.address = address
		return s, reason, nil
	}
	if who.restricted || consent != nil && !agrees(who.stands, 0) {
		if j.Entered {
			return nil, withheld, nil
		}
		told, err := r.told(ctx, j)
		if err != nil || !told {
			return nil, withheld, err
		}
		bare := *p
		bare.Traits, bare.Scores = nil, nil
		s.profile = &bare
	}
	return s, pending, nil
}

// recipient is the address that a person is written to: the one last seen of those that
// have agreed; or what becomes of the message where there is none.
func recipient(p *profiles.Profile, who *person, consent *Consent) (string, outcome) {
	if who.restricted {
		return "", withheld
	}
	found := passed
	mails := slices.DeleteFunc(slices.Clone(p.Identifiers), func(i profiles.Identifier) bool { return i.Namespace != identity.Email })
	slices.SortStableFunc(mails, func(a, b profiles.Identifier) int { return b.LastSeen.Compare(a.LastSeen) })
	for _, i := range mails {
		if consent == nil || agrees(who.stands, i.Key) {
			return i.Value, pending
		}
		found = withheld
	}
	return "", found
}

// own reports whether messages name profiles by their ids.
func (d *Definition) own() bool {
	return d.Kind == Webhook && d.Preset == "" && len(d.Fields) == 0
}

// names reports whether the destination still takes what a job is of.
func (r *runner) names(j *job) bool {
	for _, s := range r.Definition.Segments {
		if s == j.Segment {
			return r.Definition.takes(j.Entered)
		}
	}
	return false
}

// told reports whether the receiver was told last that the profile of a job is in.
func (r *runner) told(ctx context.Context, j *job) (bool, error) {
	entered, found := false, false
	for _, before := range r.window.fresh() {
		if before.outcome == delivered && before.Segment == j.Segment && before.Profile == j.Profile {
			entered, found = before.Entered, true
		}
	}
	if found {
		return entered, nil
	}
	return r.store.told(ctx, r.Workspace, r.ID, j.Segment, j.Profile)
}

// finish takes what came of an attempt.
func (r *runner) finish(j *job) {
	now := r.deps.Clock()
	j.running = false
	r.window.running--
	v := j.verdict
	if v.ok {
		r.failing, r.reason = 0, ""
		r.settle(j, delivered, now)
		return
	}
	if v.reason == "" {
		return
	}
	j.attempts++
	r.metrics.failures.WithLabelValues(v.reason).Inc()
	if v.lasting {
		if v.reason != reasonRejected { // It is the receiver that is wrong, and not this one message.
			r.failing, r.reason = r.failing+1, v.reason
		}
		r.settle(j, dead, now)
		return
	}
	r.failing, r.reason = r.failing+1, v.reason
	if j.attempts >= r.Definition.attempts() {
		r.settle(j, dead, now)
		return
	}
	pause := max(r.backoff(j.attempts), v.after)
	j.due = now.Add(pause)
	if v.all && j.due.After(r.paused) {
		r.paused = j.due
	}
}

// settle ends a job.
func (r *runner) settle(j *job, o outcome, now time.Time) {
	if o == dead {
		j.attempts = max(j.attempts, 1)
	}
	r.counts[o]++
	r.metrics.changes.WithLabelValues(string(r.Definition.Kind), o.String()).Inc()
	r.window.settle(j, o, now)
}

// String is the word for an outcome in metrics.
func (o outcome) String() string {
	return [...]string{"pending", "delivered", "withheld", "passed", "dead"}[o]
}

// contact is the record of a message. It is of the identifier that the profile of the
// change is named by, which belongs to whoever the change was of for ever, or of the address that was written to.
func (r *runner) contact(j *job, s *subject, now time.Time) *Contact {
	p := s.profile
	if !r.Definition.records() || len(p.Identifiers) == 0 {
		return nil
	}
	by := p.Identifiers[0]
	for _, i := range p.Identifiers {
		if s.address == "" && i.Key == identity.Key(j.Profile) || s.address != "" && i.Namespace == identity.Email && i.Value == s.address {
			by = i
		}
	}
	return &Contact{
		ID: string(r.ID) + "/" + j.key, Time: now.UTC().Truncate(time.Millisecond), Channel: r.Definition.channel(), Destination: r.ID,
		Detail: string(j.Segment) + " " + direction(j.Entered), Identifier: by.Identifier, profile: j.Profile,
	}
}
