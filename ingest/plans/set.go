package plans

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

const (
	// maxViolations is the number of violations of one event that are kept.
	maxViolations = 20
	// What holding one message against one schema may cost: parts of the schema
	// times values, and steps of patterns times bytes. Either is a second at
	// most; an ordinary message takes ten microseconds.
	maxLooks = 250_000
	maxSteps = 20_000_000
)

// Rules that are no keywords of JSON Schema.
const (
	ruleUnplannedEvent    = "unplanned_event"
	ruleUnplannedProperty = "unplanned_property"
	ruleUnknownVersion    = "unknown_version"
	ruleCost              = "cost"
	ruleUnchecked         = "unchecked"
)

// plan is one compiled plan. It is immutable.
type plan struct {
	name       string
	revision   uint64
	sources    map[string]bool // nil holds for all
	kinds      map[wire.Kind]bool
	events     Mode // of unplanned ones
	properties Mode
	rules      map[string]*versions // by event name
}

type versions struct {
	last *eventRule
	all  map[string]*eventRule
}

type eventRule struct {
	version string
	mode    Mode
	schema  *schema // nil allows all
}

// newPlan compiles a definition that Parse has checked.
func newPlan(name string, revision uint64, d *Definition) (*plan, error) {
	p := &plan{name: name, revision: revision, events: d.UnplannedEvents, properties: d.UnplannedProperties, rules: map[string]*versions{}}
	if len(d.Sources) > 0 {
		p.sources = map[string]bool{}
		for _, s := range d.Sources {
			p.sources[s] = true
		}
	}
	if len(d.Kinds) > 0 {
		p.kinds = map[wire.Kind]bool{}
		for _, k := range d.Kinds {
			p.kinds[k] = true
		}
	}
	for _, e := range d.Events {
		r := &eventRule{version: e.Version, mode: e.Mode}
		if len(e.Schema) > 0 {
			s, faults := compile(e.Schema)
			if len(faults) > 0 {
				return nil, &Invalid{faults}
			}
			r.schema = s
		}
		v := p.rules[e.Name]
		if v == nil {
			v = &versions{all: map[string]*eventRule{}}
			p.rules[e.Name] = v
		}
		v.all[e.Version], v.last = r, r
	}
	return p, nil
}

func (p *plan) holds(kind wire.Kind, source string) bool {
	return (p.sources == nil || p.sources[source]) && (p.kinds == nil || p.kinds[kind])
}

// space are the plans of one workspace.
type space struct {
	named  map[string][]*plan // by event name
	strict []*plan            // those that mind events which they do not name
}

// Set is the plans of one revision. It is immutable and safe for concurrent use.
type Set struct {
	Revision uint64
	spaces   map[string]*space
}

var _ ingest.PlanSet = (*Set)(nil)

func newSet(revision uint64) *Set { return &Set{Revision: revision, spaces: map[string]*space{}} }

func (s *Set) add(workspace string, p *plan) {
	sp := s.spaces[workspace]
	if sp == nil {
		sp = &space{named: map[string][]*plan{}}
		s.spaces[workspace] = sp
	}
	for name := range p.rules {
		sp.named[name] = append(sp.named[name], p)
	}
	if p.events != Allow {
		sp.strict = append(sp.strict, p)
	}
}

// Check implements ingest.PlanSet. An event that no plan names costs two look-ups.
func (s *Set) Check(e *ingest.Event) []ingest.Violation {
	sp := s.spaces[e.Workspace]
	if sp == nil {
		return nil
	}
	named := sp.named[e.Name]
	if len(named) == 0 && len(sp.strict) == 0 {
		return nil
	}
	return sp.check(named, e.Kind, e.Source, e.Name, e.Value())
}

// Hold holds the text of a message against the set, without an event.
func (s *Set) Hold(workspace string, kind wire.Kind, source, name string, text []byte) []ingest.Violation {
	sp := s.spaces[workspace]
	if sp == nil {
		return nil
	}
	return sp.check(sp.named[name], kind, source, name, text)
}

// Single returns a set of one plan that is not live, to try it out.
func Single(workspace, name string, d *Definition) (*Set, error) {
	p, err := newPlan(name, 0, d)
	if err != nil {
		return nil, err
	}
	s := newSet(0)
	s.add(workspace, p)
	return s, nil
}

func (sp *space) check(named []*plan, kind wire.Kind, source, name string, text []byte) []ingest.Violation {
	var out []ingest.Violation
	var doc *document
	for _, p := range named {
		if !p.holds(kind, source) {
			continue
		}
		if doc == nil {
			var ok bool
			if doc, ok = newDocument(text); !ok {
				return nil // Impossible for an event: its text was decoded before.
			}
		}
		out = append(out, p.check(name, doc)...)
	}
	for _, p := range sp.strict {
		if _, planned := p.rules[name]; !planned && p.holds(kind, source) {
			out = append(out, ingest.Violation{
				Plan: p.name, Pointer: "/name", Rule: ruleUnplannedEvent, Detail: "is an event that the plan does not name", Block: p.events == Block,
			})
		}
	}
	slices.SortFunc(out, func(a, b ingest.Violation) int {
		return cmp.Or(cmp.Compare(a.Plan, b.Plan), cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Detail, b.Detail))
	})
	return firstOf(slices.Compact(out))
}

// firstOf keeps the first violations, with those that block before the others,
// so that the limit never hides why an event was refused.
func firstOf(all []ingest.Violation) []ingest.Violation {
	if len(all) <= maxViolations {
		return all
	}
	slices.SortStableFunc(all, func(a, b ingest.Violation) int {
		switch {
		case a.Block == b.Block:
			return 0
		case a.Block:
			return -1
		}
		return 1
	})
	return all[:maxViolations]
}

// check holds a document against what the plan says of the event.
func (p *plan) check(name string, doc *document) []ingest.Violation {
	known := p.rules[name]
	r := known.last
	if v := doc.version(); v != "" {
		stated, ok := known.all[v]
		if !ok {
			if r.mode == Allow {
				return nil
			}
			return []ingest.Violation{{
				Plan: p.name, Pointer: "/context/protocols/event_version", Rule: ruleUnknownVersion,
				Detail: "is a version that the plan does not have", Block: r.mode == Block,
			}}
		}
		r = stated
	}
	var out []ingest.Violation
	say := func(mode Mode, pointer, rule, detail string) {
		out = append(out, ingest.Violation{Plan: p.name, Version: r.version, Pointer: pointer, Rule: rule, Detail: detail, Block: mode == Block})
	}
	if r.schema == nil {
		return nil
	}
	if r.schema.nodes*doc.values > maxLooks || r.schema.patterns*doc.bytes > maxSteps {
		if r.mode != Allow {
			say(r.mode, "", ruleCost, fmt.Sprintf("is a message of %d values and %d bytes, too large for a schema of %d parts and %d steps of patterns",
				doc.values, doc.bytes, r.schema.nodes, r.schema.patterns))
		}
		return out
	}
	if r.mode != Allow {
		for _, v := range r.schema.broken(doc) {
			say(r.mode, v.Pointer, v.Rule, v.Detail)
		}
	}
	if p.properties != Allow {
		properties, _ := doc.at("properties").(map[string]any)
		for key := range properties {
			if !r.schema.named.knows(key) {
				say(p.properties, bound("/properties/"+escape(key)), ruleUnplannedProperty, "is a property that the schema does not name")
			}
		}
	}
	return out
}
