package segments

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/profiles/lifecycle"
)

func (p *parser) consent(at string, v jsonValue) Node {
	o := p.object(at, v, "consent", "channel", "is")
	// Statements are stored in lower case.
	c := Consent{Purpose: strings.ToLower(p.name(at, o, "consent"))}
	if _, ok := o.get("channel"); ok {
		c.Channel = strings.ToLower(p.name(at, o, "channel"))
	}
	is, _ := o.get("is")
	if c.Is = Stance(is.text); is.kind != isString || c.Is != Granted && c.Is != Denied && c.Is != Unknown {
		p.add(join(at, "is"), "must be granted, denied or unknown")
	}
	return c
}

func (p *parser) holdout(at string, v jsonValue) Node {
	o := p.object(at, v, "holdout", "percent")
	h := Holdout{Name: p.name(at, o, "holdout")}
	percent, _ := o.get("percent")
	h.Percent = p.comparison(join(at, "percent"), percent)
	for _, b := range h.Percent {
		if b.Value < 0 || b.Value > 100 {
			p.add(join(join(at, "percent"), string(b.Op)), "must be 0 to 100")
		}
	}
	return h
}

func (p *parser) inSegment(at string, v jsonValue) Node {
	o := p.object(at, v, "segment")
	id, _ := o.get("segment")
	if id.kind != isString || !ID(id.text).Valid() {
		p.add(join(at, "segment"), "must be the id of a segment: 1 to %d of a-z, 0-9, _ and -", MaxIDBytes)
	}
	return InSegment{ID: id.text}
}

func (p *parser) inStage(at string, v jsonValue) Node {
	o := p.object(at, v, "stage")
	stage, _ := o.get("stage")
	if stage.kind != isString || !slices.Contains(lifecycle.Stages(), lifecycle.Stage(stage.text)) {
		p.add(join(at, "stage"), "must be one of %s", joinStages())
	}
	return InStage{Stage: lifecycle.Stage(stage.text)}
}

func joinStages() string {
	var names []string
	for _, s := range lifecycle.Stages() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

func (p *parser) household(at string, v jsonValue) Node {
	o := p.object(at, v, "household")
	bounds, _ := o.get("household")
	return Household{Profiles: p.comparison(join(at, "household"), bounds)}
}

func (p *parser) accounts(at string, v jsonValue) Node {
	o := p.object(at, v, "accounts", "in", "where")
	bounds, _ := o.get("accounts")
	a := Accounts{Count: p.comparison(join(at, "accounts"), bounds)}
	if in, ok := o.get("in"); ok {
		for _, s := range p.scalars(join(at, "in"), in) {
			a.IDs = append(a.IDs, s.Text)
		}
		if slices.ContainsFunc(in.items, func(v jsonValue) bool { return v.kind != isString }) {
			p.add(join(at, "in"), "must be ids of accounts, which are strings")
		}
	}
	where, ok := o.get("where")
	at = join(at, "where")
	switch {
	case !ok:
		return a
	case where.kind != isArray || len(where.items) == 0 || len(where.items) > MaxConditions:
		p.add(at, "must be an array of 1 to %d tests of traits", MaxConditions)
		return a
	}
	for i, item := range where.items {
		at := fmt.Sprintf("%s/%d", at, i)
		if item.kind != isObject {
			p.add(at, "must be an object, is %s", item.kind)
			continue
		}
		o := p.object(at, item, "trait", "op", "value")
		a.Where = append(a.Where, Trait{Name: p.name(at, o, "trait"), Test: p.test(at, o)})
	}
	return a
}
