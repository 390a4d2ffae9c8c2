package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// A rename is what an alias event says where the rules let its source rename: the
// user id that it carries and the one before are one person. It is a must-link
// whose decision id is the id of the message, and it is not stored: evidence with
// the rule "alias" is, and what the rules make of it is derived whenever the
// ledger is evaluated. So a rename comes once however often its message does,
// and rules that trust another source, or let another one rename, hold for the
// whole history at once, as does a rebuild. Its time is identity.RenamedAt, before
// every command, and so what an operator decides of the two stands: an unmerge,
// or an undo that names the message.
//
// What comes in as the id before may be known as an anonymous id: clients give
// those the form of a UUID, and so do many shops their user ids. The user id of
// that value is renamed as well; where there is none it is fused with nothing.

// renames returns the must-links of one piece of evidence, if its source renames.
func (sp *space) renames(e *identity.Evidence) []identity.Decision {
	if e.Rule != identity.RuleAlias || !sp.rules.Renames(e.Source) {
		return nil
	}
	var made []identity.Decision
	for i, m := range e.Members {
		for _, n := range e.Members[i+1:] {
			if d, ok := renamed(sp.keyer, m, n, e.Witness.MessageID); ok {
				made = append(made, d)
			}
		}
	}
	return made
}

// renamed returns what an alias of two members fuses; false for nothing.
func renamed(keyer identity.Keyer, m, n identity.Member, message string) (identity.Decision, bool) {
	if m.Namespace != identity.UserID {
		m, n = n, m
	}
	before := n.Key
	switch {
	case m.Namespace != identity.UserID:
		return identity.Decision{}, false
	case n.Namespace == identity.AnonymousID:
		before = keyer.Key(identity.Identifier{Namespace: identity.UserID, Value: n.Value})
	case n.Namespace != identity.UserID:
		return identity.Decision{}, false
	}
	return identity.Decision{
		Kind: identity.MustLink, A: min(m.Key, before), B: max(m.Key, before), On: true,
		At: identity.RenamedAt, ID: decisionID(message, 0),
	}, m.Key != before
}

// renamingSources are the sources that may rename under rules, in order.
func renamingSources(rules *identity.Rules) []string {
	var list []string
	for source := range rules.Rename {
		if rules.Renames(source) {
			list = append(list, source)
		}
	}
	slices.Sort(list)
	return list
}

// aliased is a stored alias of a user id and another one.
type aliased struct {
	low, high identity.Member
	message   string
}

// renames returns all renames of sp, but for those that are later than until.
func (s *store) renames(ctx context.Context, sp *space, until int64) ([]identity.Decision, error) {
	sources := renamingSources(sp.rules)
	if len(sources) == 0 {
		return nil, nil
	}
	l := &loader{store: s, space: sp, until: until}
	known := append([]string{""}, sources...)
	var all []aliased
	var a aliased
	var low, high uint64
	var lowNamespace, highNamespace string
	var r spanRow
	err := s.each(ctx, `SELECT low_id, high_id, low_namespace, high_namespace, witness_message_id, `+namePlace("source", "sources")+`, `+spanColumns+`
		FROM identity_evidence WHERE workspace = {workspace:String} AND rule = {rule:String} AND source != '' AND has({sources:Array(String)}, source)`,
		named("workspace", sp.name, "sources", known, "sources_at", places(known), "rule", identity.RuleAlias),
		append([]any{&low, &high, &lowNamespace, &highNamespace, &a.message, &r.source}, r.dest()...), func() error {
			a.low = identity.Member{Key: identity.Key(low), Identifier: identity.Identifier{Namespace: identity.Namespace(lowNamespace)}}
			a.high = identity.Member{Key: identity.Key(high), Identifier: identity.Identifier{Namespace: identity.Namespace(highNamespace)}}
			if _, ok := l.seen(&r, known); ok {
				all = append(all, a)
			}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read aliases: %w", err)
	}
	return s.renamesOf(ctx, sp.name, all)
}

// renamesOf turns aliases into what they fuse. The value of an anonymous id is
// looked up: it may be that of a user id.
func (s *store) renamesOf(ctx context.Context, workspace string, all []aliased) ([]identity.Decision, error) {
	names := newNaming()
	for _, a := range all {
		for _, m := range [2]identity.Member{a.low, a.high} {
			if m.Namespace == identity.AnonymousID {
				names.want(m.Key)
			}
		}
	}
	if err := s.name(ctx, workspace, names); err != nil {
		return nil, err
	}
	keyer := s.keyer(workspace)
	var made []identity.Decision
	for _, a := range all {
		a.low.Value, a.high.Value = names.of[a.low.Key].Value, names.of[a.high.Key].Value
		if d, ok := renamed(keyer, a.low, a.high, a.message); ok {
			made = append(made, d)
		}
	}
	return made, nil
}

// renames gives the graph what aliases fuse.
func (l *loader) renames(ctx context.Context) error {
	made, err := l.store.renames(ctx, l.space, l.until)
	if err == nil {
		l.space.decide(made...)
	}
	return err
}

// historyOf returns all decisions about the subjects of a command, or of the
// message of a rename, by subject and then in order, renames among them; and
// whether there are any.
func (s *store) historyOf(ctx context.Context, sp *space, root string) ([]identity.Decision, error) {
	history, err := s.subjectsOf(ctx, sp.name, root)
	if err != nil {
		return nil, err
	}
	renames, err := s.renames(ctx, sp, forever)
	if err != nil || len(renames) == 0 {
		return history, err
	}
	if len(history) == 0 {
		var pairs [][2]identity.Key
		for _, d := range renames {
			if commandOf(d.ID) == root {
				pairs = append(pairs, keyPair(d.A, d.B))
			}
		}
		if history, err = s.mustLinksOf(ctx, sp.name, pairs); err != nil {
			return nil, err
		}
		for _, d := range renames {
			if slices.Contains(pairs, keyPair(d.A, d.B)) {
				history = append(history, d)
			}
		}
	} else {
		history = append(history, ofSubjects(renames, history)...)
	}
	slices.SortFunc(history, byDecision)
	return slices.CompactFunc(history, func(a, b identity.Decision) bool { return byDecision(a, b) == 0 }), nil
}

// ofSubjects returns the decisions about the subjects of a history.
func ofSubjects(all, history []identity.Decision) (of []identity.Decision) {
	subjects := map[[2]identity.Key]bool{}
	for _, d := range history {
		if d.Kind == identity.MustLink {
			subjects[keyPair(d.A, d.B)] = true
		}
	}
	for _, d := range all {
		if subjects[keyPair(d.A, d.B)] {
			of = append(of, d)
		}
	}
	return of
}
