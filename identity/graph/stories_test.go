package graph

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			runStory(t, archive)
		})
	}
}

// runStory tells the records as they come; then, in one flush and in reverse
// order, to another graph, which must end with the same profiles.
func runStory(t *testing.T, archive *txtar.Archive) {
	s := &story{t: t, rules: storyRules()}
	g, o := New(s.rules), oracle.New(s.rules)
	var told []entry
	var last []string
	for _, f := range archive.Files {
		section, _, _ := strings.Cut(f.Name, ":")
		lines := strings.Split(strings.TrimSpace(string(f.Data)), "\n")
		switch section {
		default:
			s.check(g, section, lines)
			continue
		case "model":
			s.rules = storyRules()
			s.rules.ModelVersion = lines[0]
			g, o, lines = New(s.rules), oracle.New(s.rules), nil
			for _, e := range told {
				e.tell(g)
				e.tell(o)
			}
			g.Flush()
		case "records":
		}
		for _, l := range lines {
			e := s.entry(l)
			e.tell(g)
			e.tell(o)
			told = append(told, e)
			g.Flush()
		}
		w := &world{rules: g.rules, nodes: s.nodes}
		if err := same(g, nil, o.Evaluate(), w); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		last = s.profiles(g)
	}
	slices.Reverse(told)
	again := New(s.rules)
	for _, e := range erasuresFirst(told) {
		e.tell(again)
	}
	again.Flush()
	if d := cmp.Diff(last, s.profiles(again)); d != "" {
		t.Errorf("in reverse order (-streamed +reversed):\n%s", d)
	}
	if testing.Verbose() {
		t.Log(fmt.Sprint(last))
	}
}

// households lists the households as a story does.
func (s *story) households(g *Graph) []string {
	name := func(k identity.Key) string { return s.names[k-1000] }
	list := map[string]bool{}
	for _, n := range s.nodes {
		id, ok := g.Household(g.Profile(n.Key))
		if !ok {
			continue
		}
		values, profiles := g.Housemates(id)
		var left, right []string
		for _, v := range values {
			if v != identity.Key(id) {
				left = append(left, name(v))
			}
		}
		for _, p := range profiles {
			right = append(right, name(identity.Key(p)))
		}
		slices.Sort(left)
		slices.Sort(right)
		left = slices.Insert(left, 0, name(identity.Key(id)))
		list[strings.Join(left, " ")+" = "+strings.Join(right, " ")] = true
	}
	var lines []string
	for l := range list {
		lines = append(lines, l)
	}
	slices.Sort(lines)
	return lines
}

func (s *story) checkWhy(g *Graph, lines []string) {
	for _, l := range lines {
		pair, want, _ := strings.Cut(l, " -> ")
		list := s.named(strings.Fields(pair))
		if got := s.why(g.Why(list[0].Key, list[1].Key)); got != want {
			s.t.Errorf("why %s is %q, want %q", pair, got, want)
		}
	}
}

// why writes an explanation as a story does.
func (s *story) why(e Explanation) string {
	var words []string
	if b := e.Barrier; b != nil {
		words = append(words, string(b.Kind))
		if b.Bound > 0 && b.Namespace != "" {
			words = append(words, strconv.Itoa(b.Bound), string(b.Namespace))
		}
		if b.From != 0 {
			words = append(words, "=", s.names[b.From-1000], s.names[b.To-1000])
		}
		return strings.Join(words, " ")
	}
	for _, h := range e.Path {
		words = append(words, string(h.Kind))
	}
	return strings.Join(words, " ")
}

// review lists the scored pairs that count and join no one.
func (s *story) review(g *Graph) []string {
	var lines []string
	g.Questions(0, math.MaxInt, func(q Question) {
		lines = append(lines, fmt.Sprintf("%s %s %d", s.names[q.A-1000], s.names[q.B-1000], q.Weight))
	})
	slices.Sort(lines)
	return lines
}
