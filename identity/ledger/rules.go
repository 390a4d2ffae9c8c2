package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
	"github.com/kindred-cdp/kindred/identity/rulefile"
)

// declared is a version of the rules of a workspace in the tables.
type declared struct {
	file    rulefile.File
	command string // that declared it
}

const anyVersion = math.MaxInt64

// declaredRules returns the newest version, up to a version, of the rules of a
// workspace; nil when none was declared.
func (s *store) declaredRules(ctx context.Context, workspace string, version int) (*declared, error) {
	var newest *declared
	var text, command string
	err := s.each(ctx, `SELECT rules, command_id FROM identity_rules
		WHERE workspace = {workspace:String} AND version <= {version:UInt64} ORDER BY version DESC LIMIT 1`,
		named("workspace", workspace, "version", uint64(version)), []any{&text, &command}, func() error {
			file, err := rulefile.Parse([]byte(text))
			newest = &declared{file, command}
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	return newest, nil
}

// inForce returns the rules of a workspace, as a file and as the graph reads
// them: the newest declared ones, or else those of the process.
func (l *Ledger) inForce(ctx context.Context, workspace string) (rulefile.File, *identity.Rules, *declared, error) {
	newest, err := l.store.declaredRules(ctx, workspace, anyVersion)
	if err != nil {
		return rulefile.File{}, nil, nil, err
	}
	if newest == nil {
		rules := l.deps.Rules(workspace)
		return fileOf(rules), rules, nil, nil
	}
	rules, err := l.rulesOf(workspace, newest.file)
	return newest.file, rules, newest, err
}

// rulesOf returns the rules that f declares. A source of which the file says
// nothing is trusted or not as the process has it, which knows its kind.
func (l *Ledger) rulesOf(workspace string, f rulefile.File) (*identity.Rules, error) {
	rules, err := f.RulesFor(l.deps.Normalizer)
	if err != nil {
		return nil, err
	}
	for source, untrusted := range l.deps.Rules(workspace).Untrusted {
		if untrusted && !slices.Contains(f.Trusted, source) {
			if rules.Untrusted == nil {
				rules.Untrusted = map[string]bool{}
			}
			rules.Untrusted[source] = true
		}
	}
	return rules, nil
}

// trustedRenames refuses renames of sources that are untrusted by their kind, of
// which a file alone knows nothing.
func trustedRenames(f rulefile.File, rules *identity.Rules) error {
	var errs []error
	for _, source := range f.Rename {
		if !rules.Trusted(source) {
			errs = append(errs, &rulefile.Fault{Key: "rename", Rule: fmt.Sprintf(
				"must not name source %q, whose keys are public: a rename would join two persons on its word; name it in trusted if it can be believed", source)})
		}
	}
	return errors.Join(errs...)
}

// fileOf is the declared form of rules of the process, whose blocked values are
// the defaults and whose untrusted sources go without saying.
func fileOf(rules *identity.Rules) rulefile.File {
	f := rulefile.Default()
	f.Version = rules.Version
	f.Linkage = rulefile.Linkage{
		Model: rules.ModelVersion, Review: rulefile.Bits(rules.ReviewThreshold), Link: rulefile.Bits(rules.LinkThreshold),
	}
	for _, source := range slices.Sorted(maps.Keys(rules.Rename)) {
		if rules.Rename[source] {
			f.Rename = append(f.Rename, source)
		}
	}
	f.Caps = rulefile.Caps{Unit: rules.UnitCap, Group: rules.GroupCap}
	f.Default, f.Namespaces = rules.Default, maps.Clone(rules.Namespaces)
	return f
}

// rulesBlock is a row of identity_rules.
type rulesBlock struct {
	workspace, text, actor, command string
	version                         uint64
	at                              time.Time
}

func (*rulesBlock) table() string { return "identity_rules" }
func (*rulesBlock) statement() string {
	return `INSERT INTO identity_rules (workspace, version, rules, declared_at, actor, command_id)`
}
func (*rulesBlock) rows() int { return 1 }
func (b *rulesBlock) columns(_, _ int) []any {
	return []any{
		names{b.workspace}, []uint64{b.version}, []string{b.text}, []int64{b.at.UnixMilli()}, []string{b.actor}, []string{b.command},
	}
}

// redeclare makes other rules those of the workspace: their version is stored,
// the whole ledger is evaluated under them beside the graph in use, and the
// difference is published as one version. Until then the reading before serves.
// Evidence of the partition waits meanwhile.
func (o *owner) redeclare(ctx context.Context, r *order, concluded bool) error {
	newest, err := o.store.declaredRules(ctx, r.space.name, anyVersion)
	if err != nil {
		return err
	}
	var v verdict
	moved := 0
	stored := newest != nil && newest.command == r.ID
	switch {
	case concluded && (!stored || newest.file.Version == r.space.rules.Version):
		return nil
	case stored && newest.file.Version == r.space.rules.Version:
		// Opening the workspace has published what they change.
		if moved, err = o.movedByRules(ctx, r.space); err != nil {
			return err
		}
	case stored:
		return o.switchRules(ctx, r, newest.file, concluded)
	default:
		var file rulefile.File
		if file, v = o.judgeRules(r); v.code == "" {
			if err := o.storeRules(ctx, r, file); err != nil {
				return err
			}
			return o.switchRules(ctx, r, file, concluded)
		}
	}
	return o.conclude(ctx, r, v, moved)
}

// movedByRules returns how many identifiers the rules in force moved, against
// the version before them.
func (o *owner) movedByRules(ctx context.Context, sp *space) (int, error) {
	before, err := o.store.declaredRules(ctx, sp.name, sp.rules.Version-1)
	if err != nil {
		return 0, err
	}
	rules := o.deps.Rules(sp.name)
	if before != nil {
		if rules, err = o.ledger.rulesOf(sp.name, before.file); err != nil {
			return 0, err
		}
	}
	return o.movedSince(ctx, sp, rules, "")
}

// judgeRules returns the rules that a command declares, with their version.
func (o *owner) judgeRules(r *order) (rulefile.File, verdict) {
	if now := r.space.rules.Version; r.Expected != now {
		return rulefile.File{}, refuse(identity.RefusedVersion, "version %d is in force, and %d was expected", now, r.Expected)
	}
	file, err := rulefile.Parse([]byte(r.Rules))
	if err != nil {
		return rulefile.File{}, refuse(identity.RefusedRules, "%s", err)
	}
	file.Version = r.Expected + 1
	rules, err := o.ledger.rulesOf(r.space.name, file)
	if err == nil {
		err = trustedRenames(file, rules)
	}
	if err != nil {
		return rulefile.File{}, refuse(identity.RefusedRules, "%s", err)
	}
	return file, verdict{}
}

func (o *owner) storeRules(ctx context.Context, r *order, file rulefile.File) error {
	if err := o.at("rules"); err != nil {
		return err
	}
	return o.store.insert(ctx, commandToken("rules", r), &rulesBlock{
		workspace: r.space.name, text: string(rulefile.FormatJSON(file)), actor: r.Actor, command: r.ID,
		version: uint64(file.Version), at: r.received,
	})
}

// switchRules loads the workspace under rules that are stored, publishes the
// difference, and takes the new graph in place of the old one.
func (o *owner) switchRules(ctx context.Context, r *order, file rulefile.File, concluded bool) error {
	rules, err := o.ledger.rulesOf(r.space.name, file)
	if err != nil {
		return err
	}
	old := r.space
	next := &space{name: old.name, rules: rules, cuts: old.cuts, flips: newFlips(), last: old.last, keyer: old.keyer}
	next.graph = o.deps.NewGraph(rules)
	if _, err := o.store.load(ctx, next); err != nil {
		return fmt.Errorf("load ledger under other rules: %w", err)
	}
	found := next.flush()
	since := o.noticed
	c := o.newChanges(causeRules)
	if err := o.publishWhole(ctx, next, old.flips, found, c); err != nil {
		return err
	}
	o.spaces[next.name], r.space = next, next
	o.ledger.adopt(next)
	if !concluded {
		if err := o.conclude(ctx, r, verdict{}, c.moved); err != nil {
			return err
		}
	}
	return o.renotifySpace(ctx, next, since)
}

// publishWhole publishes what the graph of sp says beyond what is published, of
// identifiers and of sets, as one version. The flips in queue end with it.
func (o *owner) publishWhole(ctx context.Context, sp *space, queue *flips, found graph.Changes, c *changes) error {
	if err := o.diffGraph(ctx, sp, found, c); err != nil {
		return err
	}
	if err := o.diffSets(ctx, sp, c); err != nil {
		return fmt.Errorf("compare sets with the published ones: %w", err)
	}
	done := version{Epoch: o.epoch, Sequence: c.last[sp.name]}
	if done.Sequence == 0 {
		done.Sequence = sp.last
	}
	for _, key := range queue.order {
		for _, id := range queue.byKey[key].ids {
			c.flips.add(sp.name, key, id, done, c.at)
		}
	}
	return o.publishSpilled(ctx, sp, c)
}

// diffSets finds the sets whose deciding identifier is not the published one, or
// became one that moves between people, or ceased to be.
func (o *owner) diffSets(ctx context.Context, sp *space, c *changes) error {
	var anchor, owner uint64
	var keys []uint64
	var flagged bool
	return o.store.each(ctx, setsWithOwners(""),
		sp.cuts.args("workspace", sp.name), []any{&anchor, &keys, &owner, &flagged}, func() error {
			if sp.leftTo(identity.AnchorID(anchor), identity.Key(owner)) {
				return nil
			}
			now, _ := sp.graph.Deciding(nodes(keys))
			if before := identity.Key(owner); before != now {
				c.set(sp, identity.Attribution{Anchor: identity.AnchorID(anchor), Old: before, New: now})
			} else if now != 0 && sp.graph.Moving(now) != flagged {
				c.flag(sp, identity.AnchorID(anchor), now)
			}
			return o.spillFull(ctx, sp, c)
		})
}
