package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/rulefile"
)

var errIdentityWrong = errors.New("identity answered wrongly")

// reloaded reports the start of the owner.
func (m *identityMeter) reloaded(context.Context) error {
	f := &m.figures
	families, err := m.registry.Gather()
	if err != nil {
		return fmt.Errorf("read metrics: %w", err)
	}
	for _, family := range families {
		if family.GetName() == "kindred_ledger_load_seconds" {
			f.ReloadLoad = family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	f.RowsPerSecond = float64(f.Population.Rows) / f.Reload
	m.out("reload: %.1f s until ready, %.1f s of them reading and evaluating; %.0f rows/s", f.Reload, f.ReloadLoad, f.RowsPerSecond)
	m.out("  %.1f s of a processor in this process, %.1f s in the engine", f.ReloadOwn, f.ReloadEngine)
	m.out("  %.0f bytes an identifier on the heap after a collection, %d MiB resident at most", f.BytesEach, f.PeakBytes>>20)
	return nil
}

// member returns an identifier with its key.
func (m *identityMeter) member(id identity.Identifier) identity.Member {
	return identity.Member{Identifier: id, Key: m.population.keyer.Key(id)}
}

// why asks for pairs of one profile and of two, and then what the engine takes of it.
func (m *identityMeter) why(ctx context.Context) (err error) {
	f := &m.figures
	if f.WhySame, err = m.askWhy(ctx, true, func() {}); err != nil {
		return err
	}
	if f.WhyOther, err = m.askWhy(ctx, false, func() {}); err != nil {
		return err
	}
	m.out("why, in one profile: %v", f.WhySame)
	m.out("why, in two: %v", f.WhyOther)
	var mu sync.Mutex
	var processor, waited time.Duration // of one answer; protected by mu
	var processors, waits []time.Duration
	ctx = clickhouse.Context(ctx, clickhouse.WithProfileEvents(func(events []clickhouse.ProfileEvent) {
		mu.Lock()
		defer mu.Unlock()
		for _, e := range events {
			switch e.Name {
			case "OSCPUVirtualTimeMicroseconds":
				processor += time.Duration(e.Value) * time.Microsecond
			case "OSCPUWaitMicroseconds":
				waited += time.Duration(e.Value) * time.Microsecond
			}
		}
	}))
	_, err = m.askWhy(ctx, true, func() {
		mu.Lock()
		defer mu.Unlock()
		processors, waits = append(processors, processor), append(waits, waited)
		processor, waited = 0, 0
	})
	if err != nil {
		return err
	}
	f.WhyEngine, f.WhyWaited = spreadOf(processors), spreadOf(waits)
	m.out("  processor time of the engine for it: %v", f.WhyEngine)
	m.out("  its threads waiting for a processor: %v", f.WhyWaited)
	return nil
}

// askWhy asks for pairs of one profile, or of two, and calls answered after each answer.
func (m *identityMeter) askWhy(ctx context.Context, same bool, answered func()) (spread, error) {
	people := m.figures.Population.People
	var took []time.Duration
	for i := range m.identity.runs {
		p := knownPerson(i * 7919 % max(1, people/2))
		other := p
		if !same {
			other = knownPerson((i*7919 + 4242) % max(1, people/2))
		}
		a, b := m.member(personal(identity.AnonymousID, p, 0)), m.member(personal(identity.Email, other, 0))
		start := now()
		e, err := m.ledger.Why(ctx, m.population.workspace, a, b)
		if err != nil {
			return spread{}, err
		}
		took = append(took, now().Sub(start))
		answered()
		if e.Same != (p == other) {
			return spread{}, fmt.Errorf("%w: why of person %d and %d: same is %t", errIdentityWrong, p, other, e.Same)
		}
	}
	return spreadOf(took), nil
}

// under runs f while evidence comes in.
func (m *identityMeter) under(ctx context.Context, f func() error) (heldUp, error) {
	feeding, stop := context.WithCancel(ctx)
	defer stop()
	m.log.takeSlowest()
	var fed sync.WaitGroup
	last := int64(-1)
	fed.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			last = m.feed()
			select {
			case <-feeding.Done():
				return
			case <-tick.C:
			}
		}
	})
	start := now()
	err := f()
	took := now().Sub(start)
	stop()
	fed.Wait()
	if err != nil {
		return heldUp{}, err
	}
	if _, err := m.log.wait(ctx, last); err != nil {
		return heldUp{}, err
	}
	return heldUp{took.Seconds(), float64(m.log.takeSlowest().Microseconds()) / 1000}, nil
}

// feed sends a new cookie of a known person and returns its offset.
func (m *identityMeter) feed() int64 {
	m.sent++
	p := knownPerson(m.sent * 6007 % max(1, m.figures.Population.People/2))
	at := now()
	members, _ := m.population.keyer.Members([]identity.Identifier{
		personal(identity.UserID, p, 0), {Namespace: identity.AnonymousID, Value: fmt.Sprintf("fed-%d", m.sent)},
	})
	e := identity.Evidence{
		Workspace: m.population.workspace, Anchor: m.population.keyer.Anchor(members), Members: members, Source: sourceWeb,
		Period: identity.PeriodOf(at), Rule: "event",
		Span: identity.Span{
			FirstEvent: at.UnixMilli(), FirstReceived: at.UnixMilli(), LastEvent: identity.DayOf(at), LastReceived: identity.DayOf(at),
		},
		Witness: identity.Witness{Time: at.UnixMilli(), MessageID: "m"},
	}
	return m.log.add(identity.AppendEvidence(nil, &e))
}

// quiet measures evidence alone.
func (m *identityMeter) quiet(ctx context.Context) (err error) {
	m.figures.Idle, err = m.under(ctx, func() error {
		timer := time.NewTimer(3 * time.Second)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	m.out("evidence alone: %v", m.figures.Idle)
	return err
}

// whole asks for what describes the whole graph.
func (m *identityMeter) whole(ctx context.Context) (err error) {
	m.figures.Health, err = m.under(ctx, func() error {
		h, err := m.ledger.Health(ctx, m.population.workspace)
		if err == nil && h.Identifiers < m.figures.Population.Identifiers {
			err = fmt.Errorf("%w: health of %d identifiers", errIdentityWrong, h.Identifiers)
		}
		return err
	})
	if err != nil {
		return err
	}
	m.out("health: %v", m.figures.Health)
	m.figures.Gauges, err = m.under(ctx, func() error {
		_, err := m.registry.Gather()
		return err
	})
	m.out("gauges: %v", m.figures.Gauges)
	return err
}

// otherRules are the defaults with a smaller fan-out of cookies and no limit of
// phone numbers to speak of.
func otherRules() rulefile.File {
	f := rulefile.Default()
	f.Untrusted = []string{sourceWeb}
	mail := f.Namespaces[identity.Email]
	mail.Limit = 3
	f.Namespaces[identity.Email] = mail
	cookie := f.Namespaces[identity.AnonymousID]
	cookie.FanOutUp = 5
	f.Namespaces[identity.AnonymousID] = cookie
	return f
}

func (m *identityMeter) dryRun(ctx context.Context) (err error) {
	m.figures.DryRun, err = m.under(ctx, func() error {
		r, err := m.ledger.DryRun(ctx, m.population.workspace, otherRules())
		if err == nil && r.Before.Identifiers < m.figures.Population.Identifiers {
			err = fmt.Errorf("%w: dry run over %d identifiers", errIdentityWrong, r.Before.Identifiers)
		}
		return err
	})
	m.out("dry run of other rules: %v", m.figures.DryRun)
	return err
}

// unmerge takes half of the identifiers of each large person away.
func (m *identityMeter) unmerge(ctx context.Context) error {
	var took []time.Duration
	for p := range m.population.large {
		c := identity.Command{
			ID: fmt.Sprintf("unmerge-%d", p), Workspace: m.population.workspace, Kind: identity.Unmerge, Actor: "bench",
		}
		for i := range m.population.size / 2 {
			c.Identifiers = append(c.Identifiers, largeCookie(p, i))
		}
		at, err := m.log.command(c)
		if err != nil {
			return err
		}
		handed, err := m.log.wait(ctx, at)
		if err != nil {
			return err
		}
		took = append(took, m.publisher.readable().Sub(handed))
		out, ok, err := m.ledger.Outcome(ctx, m.population.workspace, c.ID)
		if err != nil {
			return err
		}
		if !ok || out.Code != "" || out.Pairs != m.population.size/2 {
			return fmt.Errorf("%w: unmerge: %s %s, %d pairs", errIdentityWrong, out.Code, out.Detail, out.Pairs)
		}
	}
	m.figures.Unmerge = spreadOf(took)
	m.out("unmerge of half of %d identifiers, until its version is readable: %v", m.population.size, m.figures.Unmerge)
	return nil
}

// declare makes other rules those in force.
func (m *identityMeter) declare(ctx context.Context) (err error) {
	m.figures.Rules, err = m.under(ctx, func() error {
		c := identity.Command{
			ID: "rules", Workspace: m.population.workspace, Kind: identity.Redeclare, Actor: "bench", Expected: 1,
			Rules: string(rulefile.FormatJSON(otherRules())),
		}
		if _, err := m.log.command(c); err != nil {
			return err
		}
		return waitFor(ctx, 20*time.Millisecond, func() (bool, error) {
			out, ok, err := m.ledger.Outcome(ctx, m.population.workspace, c.ID)
			if err == nil && ok && out.Code != "" {
				err = fmt.Errorf("%w: rules: %s %s", errIdentityWrong, out.Code, out.Detail)
			}
			return ok, err
		})
	})
	m.out("other rules declared: %v", m.figures.Rules)
	return err
}
