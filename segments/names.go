package segments

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Names are the names that a workspace knows.
type Names struct{ Events, Traits []string }

// Vocabulary tells which names a workspace knows. Implementations are safe for
// concurrent use.
type Vocabulary interface {
	// Names returns names that were in use a few minutes ago; of very many not all.
	// The caller must not change them.
	Names(ctx context.Context, workspace string) (Names, error)
}

// Warning says that a definition may not mean what its author wants.
type Warning struct {
	Pointer string // as in Fault
	Detail  string
}

// maxWarnings bounds what one definition is warned of.
const maxWarnings = 20

// Warnings tells which names of events and traits nobody has used, each with the known
// one that is spelt most alike. Of what nothing is known of there is no warning.
func (d Definition) Warnings(known Names) []Warning {
	w := warner{events: known.Events, traits: known.Traits}
	w.node("", d.Root)
	return w.list
}

type warner struct {
	events, traits []string
	list           []Warning
}

func (w *warner) node(at string, n Node) {
	parts := func(member string, list []Node) {
		for i, part := range list {
			w.node(fmt.Sprintf("%s/%s/%d", at, member, i), part)
		}
	}
	switch n := n.(type) {
	case All:
		parts("all", n)
	case Any:
		parts("any", n)
	case Not:
		w.node(at+"/not", n.Node)
	case Trait:
		w.name(at+"/trait", "trait", n.Name, w.traits)
	case Event:
		w.name(at+"/event", "event", n.Name, w.events)
	case Sequence:
		for i, step := range n.Steps {
			at := fmt.Sprintf("%s/sequence/%d", at, i)
			w.name(at+"/event", "event", step.Name, w.events)
			if x := step.Without; x != nil {
				w.name(at+"/without/event", "event", x.Name, w.events)
			}
		}
	}
}

func (w *warner) name(at, what, name string, known []string) {
	best, least := "", max(1, utf8.RuneCountInString(name)/3)+1
	for _, k := range known {
		if k == name {
			return
		}
		if d := distance(strings.ToLower(name), strings.ToLower(k), least); d < least {
			best, least = k, d
		}
	}
	if len(known) == 0 || len(w.list) == maxWarnings {
		return
	}
	detail := fmt.Sprintf("no %s is named %q", what, clip(name))
	if best != "" {
		detail += fmt.Sprintf("; did you mean %q?", best)
	}
	w.list = append(w.list, Warning{Pointer: at, Detail: detail})
}

// distance is the number of letters to insert, delete, replace or swap with their
// neighbour to make b of a, or most where there are as many or more.
func distance(a, b string, most int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) >= most || len(y)-len(x) >= most {
		return most
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(y)], most)
}
