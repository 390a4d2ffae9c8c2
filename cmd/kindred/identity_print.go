package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
)

// printer writes lines and keeps the first error. Every text that came from
// clients goes through plain.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) say(format string, args ...any) {
	for i, a := range args {
		switch v := a.(type) {
		case string:
			args[i] = plain(v)
		case fmt.Stringer:
			args[i] = plain(v.String())
		}
	}
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) table(head string, n int, row func(i int) []any) {
	if p.err == nil {
		p.err = table(p.w, head, n, row)
	}
}

// printExplanation prints a path that a person can follow, or what is in its way.
func printExplanation(w io.Writer, e api.Explanation) error {
	p := &printer{w: w}
	if e.Same {
		p.say("%s and %s are one profile, %s.", e.A.String(), e.B.String(), e.A.Profile)
	} else {
		p.say("%s (%s) and %s (%s) are not one profile.", e.A.String(), profileOr(e.A.Profile), e.B.String(), profileOr(e.B.Profile))
	}
	if len(e.Path) > 0 {
		p.say("")
		p.say("  %s", e.Path[0].From)
	}
	for _, h := range e.Path {
		p.hop(h)
		p.say("  %s", h.To)
	}
	if b := e.Barrier; b != nil {
		p.say("")
		if b.From != nil && b.To != nil {
			p.say("Between %s and %s stands:", b.From, b.To)
		}
		p.say("  %s (%s)", b.Detail, string(b.Kind))
		if b.Link != nil {
			p.link("  ", b.Link)
		}
		if advice := barrierAdvice[b.Kind]; advice != "" {
			p.say("  %s", advice)
		}
	}
	return p.err
}

// hop prints what holds the two ends of a hop together.
func (p *printer) hop(h api.ExplainedHop) {
	p.say("   │ %s (%s)", h.Rule, string(h.Kind))
	switch {
	case h.Link != nil:
		p.link("   │ ", h.Link)
	case h.Weight != 0:
		p.say("   │ weight %.2f bits", float64(h.Weight)/100)
	}
	if h.Decision != "" {
		p.say("   │ decided by %s, which `kindred identity undo` takes back", h.Decision)
	}
	for _, s := range h.Evidence {
		p.say("   │ seen by %s (%s) from %s to %s, as in message %s of %s",
			s.Source, s.Rule, moment(s.FirstEvent), s.LastEvent, s.MessageID, moment(s.WitnessTime))
	}
}

// link prints a score and what it is made of, a line each.
func (p *printer) link(margin string, l *api.LinkScore) {
	p.say("%s%+.2f bits, probability %.5f, by model %s", margin, float64(l.Weight)/100, l.Probability, l.Model)
	for _, c := range l.Contributions {
		level := ""
		if c.Level != "" {
			level = " (" + c.Level + ")"
		}
		p.say("%s%+9.2f  %s%s", margin, float64(c.Weight)/100, c.Field, level)
	}
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// have is count with the verb.
func have(n int, noun string) string {
	if n == 1 {
		return count(n, noun) + " has"
	}
	return count(n, noun) + " have"
}

func profileOr(id string) string {
	if id == "" {
		return "no event carried it"
	}
	return "profile " + id
}

// barrierAdvice says what a person can do about a barrier.
var barrierAdvice = map[identity.BarrierKind]string{
	identity.BarrierUnknown:    "If you know better: kindred identity link A B --reason \"…\"",
	identity.BarrierBlocked:    "To let it link: kindred identity unblock ID, or take it from the rules",
	identity.BarrierRejected:   "To take that back: kindred identity undo COMMAND",
	identity.BarrierCannotLink: "To take that back: kindred identity undo COMMAND",
	identity.BarrierLimit:      "To link all the same: kindred identity link A B --override --reason \"…\"",
	identity.BarrierGeneric:    "A value of many people is no evidence; the rules say how many (fan_out_up)",
	identity.BarrierCrowded:    "An identifier with so many others is no evidence; the rules say how many (fan_out_down)",
}

func printSubgraph(w io.Writer, g api.Subgraph) error {
	p := &printer{w: w}
	p.say("profile %s: %s, %s", g.Profile, count(len(g.Identifiers), "identifier"), count(len(g.Pairs), "pair"))
	if g.Household != "" {
		p.say("household %s", g.Household)
	}
	if g.Truncated {
		p.say("there is more than is shown here")
	}
	p.say("")
	p.table("IDENTIFIER\tFIRST SEEN\tFOLLOWS\tSTATE", len(g.Identifiers), func(i int) []any {
		n := g.Identifiers[i]
		state := n.State
		if n.Founder {
			state = strings.TrimSpace("founder " + state)
		}
		return []any{n.String(), moment(n.FirstSeen), n.Follows, state}
	})
	if len(g.Pairs) > 0 {
		p.say("")
		p.table("PAIR\tWITH\tFIRST SEEN\tLAST SEEN\tSTATE", len(g.Pairs), func(i int) []any {
			e := g.Pairs[i]
			first := ""
			if !e.FirstSeen.IsZero() {
				first = moment(e.FirstSeen)
			}
			return []any{e.A, e.B, first, e.LastSeen, e.State}
		})
	}
	return p.err
}

// printOutcome prints what became of a command, and how to take it back.
func printOutcome(w io.Writer, o api.CommandOutcome) error {
	p := &printer{w: w}
	switch {
	case o.Status == api.CommandPending:
		p.say("command %s was accepted and is not applied yet; it will be", o.ID)
		p.say("Look with: kindred identity status %s", o.ID)
	case o.Status == api.CommandRefused:
		p.say("command %s (%s) was refused (%s): %s", o.ID, string(o.Kind), string(o.Code), o.Detail)
	case o.Kind == identity.Redeclare:
		p.say("command %s: the rules are in force; %s another profile", o.ID, have(o.Moved, "identifier"))
	default:
		rejected := ""
		if o.Pairs > 0 {
			rejected = ", " + count(o.Pairs, "pair") + " rejected"
		}
		p.say("command %s (%s) is applied: %s%s, %s another profile",
			o.ID, string(o.Kind), count(o.Decisions, "decision"), rejected, have(o.Moved, "identifier"))
		if o.Kind != identity.Undo {
			p.say("Take it back with: kindred identity undo %s", o.ID)
		}
	}
	if o.Actor != "" {
		p.say("Given by %s at %s", o.Actor, moment(o.ReceivedAt))
	}
	if o.Reason != "" {
		p.say("Reason: %s", o.Reason)
	}
	return p.err
}

// knownText is the identifier of a key, or the key where it is not known.
func knownText(k api.KnownKey) string {
	if k.Value == "" {
		return strings.TrimPrefix(string(k.Namespace)+" ", " ") + k.Key.String()
	}
	return string(k.Namespace) + ":" + k.Value
}

func printDryRun(w io.Writer, d api.RulesReport) error {
	p := &printer{w: w}
	p.say("Against version %d, which is in force; nothing was changed.", d.Version)
	for _, c := range d.Changes {
		p.say("  %s", c)
	}
	p.say("")
	p.table("\tNOW\tTHEN", 2, func(i int) []any {
		return [][]any{{"profiles", d.Before.Profiles, d.After.Profiles}, {"merges", d.Before.Merges, d.After.Merges}}[i]
	})
	p.say("")
	p.say("%s would split, %d would join, %s would have another profile.", count(d.Split, "profile"), d.Joined, count(d.Moved, "identifier"))
	list := func(title string, examples []api.RulesExample, part func(api.RulesIdentifier) identity.ProfileID) {
		if len(examples) > 0 {
			p.say("")
			p.say("%s", title)
		}
		for _, e := range examples {
			p.say("  %s", e.Profile)
			p.parts(e, part)
		}
	}
	list("Would split, into:", d.Splits, func(i api.RulesIdentifier) identity.ProfileID { return i.After })
	list("Would come of a join, out of:", d.Joins, func(i api.RulesIdentifier) identity.ProfileID { return i.Before })
	return p.err
}

// parts prints the identifiers of an example, a line for each profile that part
// gives them to, in the order of their first.
func (p *printer) parts(e api.RulesExample, part func(api.RulesIdentifier) identity.ProfileID) {
	var order []identity.ProfileID
	names := map[identity.ProfileID][]string{}
	for _, i := range e.Identifiers {
		of := part(i)
		if names[of] == nil {
			order = append(order, of)
		}
		names[of] = append(names[of], knownText(i.KnownKey))
	}
	for _, of := range order {
		p.say("    %s: %s", of, strings.Join(names[of], ", "))
	}
	if e.More > 0 {
		p.say("    and %s more", count(e.More, "identifier"))
	}
}
