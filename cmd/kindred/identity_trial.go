package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
)

const dryRunPath = "/v1/identity/dry-run"

// watchDryRun says on a terminal how far the dry run of rules is, until the
// function that it returns has returned. Short ones it says nothing of.
func watchDryRun(ctx context.Context, r *remote, w *os.File) (stop func()) {
	if info, err := w.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		shown := ""
		for {
			select {
			case <-ctx.Done():
				_, _ = fmt.Fprintf(w, "\r%*s\r", len(shown), "")
				return
			case <-tick.C:
			}
			var s api.DryRunStatus
			text, err := r.send(ctx, http.MethodGet, dryRunPath, nil, http.Header{})
			if err != nil || json.Unmarshal(text, &s) != nil || !s.Running || s.StartedAt == nil {
				continue // The answer itself will say what is wrong.
			}
			line := fmt.Sprintf("%d million rows read, %d s", s.Rows/1e6, int(now().Sub(*s.StartedAt).Seconds()))
			_, _ = fmt.Fprintf(w, "\r%-*s", len(shown), line)
			shown = line
		}
	})
	return func() { cancel(); watching.Wait() }
}

// maxPrinted is how many entries of a list are printed.
const maxPrinted = 20

// printTrial prints what a command would do.
func printTrial(w io.Writer, t api.CommandTrial) error {
	p := &printer{w: w}
	p.say("%s would make %s and give %s another profile. Nothing was changed.",
		string(t.Kind), count(t.Decisions, "decision"), count(t.Moved, "identifier"))
	p.trialPairs(t)
	for i, d := range t.Decided {
		if i == 0 {
			p.say("")
			p.say("Would be decided:")
		}
		if !p.more(i, len(t.Decided), t.Decisions-t.Pairs) {
			break
		}
		p.say("  %s", decisionText(d))
	}
	if t.Moved > 0 {
		p.say("")
		p.table("WOULD MOVE\tFROM PROFILE\tTO", min(len(t.Moves), maxPrinted), func(i int) []any {
			m := t.Moves[i]
			return []any{m.String(), m.Before.String(), m.After.String()}
		})
		if rest := t.Moved - maxPrinted; rest > 0 {
			p.say("and %s more", count(rest, "identifier"))
		}
	}
	if len(t.Profiles) > 0 {
		p.say("")
		p.table("PROFILE\tIDENTIFIERS NOW\tTHEN", min(len(t.Profiles), maxPrinted), func(i int) []any {
			q := t.Profiles[i]
			return []any{q.Profile.String(), q.Before, q.After}
		})
	}
	p.say("")
	p.say("The same without --dry-run does it; with --id %s it is on record by this id.", t.ID)
	return p.err
}

// trialPairs prints the pairs that would be rejected.
func (p *printer) trialPairs(t api.CommandTrial) {
	if t.Pairs == 0 {
		return
	}
	p.say("")
	p.say("Would be no evidence any more:")
	for i, pair := range t.Rejected {
		if !p.more(i, len(t.Rejected), t.Pairs) {
			break
		}
		p.say("  %s with %s", pair.A.String(), pair.B.String())
	}
}

// more reports whether entry i of a list is printed, and says otherwise how many
// are not.
func (p *printer) more(i, listed, all int) bool {
	if i == maxPrinted && listed > maxPrinted {
		p.say("  and %d more", max(all, listed)-maxPrinted)
		return false
	}
	return true
}

// decisionText says a decision in words.
func decisionText(d api.TrialDecision) string {
	b := ""
	if d.B != nil {
		b = d.B.String()
	}
	words := map[identity.DecisionKind][2]string{
		identity.Block:      {"%s links nobody", "%s may link again"},
		identity.Reject:     {"%s with %s is no evidence", "%s with %s is evidence again"},
		identity.CannotLink: {"%s and %s are never one profile", "%s and %s may be one profile again"},
		identity.MustLink:   {"%s and %s are one", "%s and %s are not one any more by decision"},
	}[d.Kind]
	form := words[1]
	if d.On {
		form = words[0]
	}
	if form == "" {
		return string(d.Kind) + " " + d.A.String() + " " + b
	}
	if strings.Count(form, "%s") == 1 {
		return fmt.Sprintf(form, d.A.String())
	}
	return fmt.Sprintf(form, d.A.String(), b)
}
