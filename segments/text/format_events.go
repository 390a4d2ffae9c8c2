package text

func (w *writer) event(m map[string]any) {
	if pick, ok := m["pick"].(string); ok {
		w.put(pick)
	} else {
		w.put("did")
	}
	w.named(m)
	if m["count"] != nil {
		w.bounds(m["count"], literal, "")
		w.put("times")
	}
	if m["days"] != nil {
		w.put("days")
		w.bounds(m["days"], literal, "")
	}
	for _, measure := range []string{"sum", "average", "min", "max"} {
		if m[measure] != nil {
			w.put(measure)
			w.glued = true
			w.put("(")
			w.name(m[measure])
			w.put(")")
			w.bounds(m["is"], literal, "")
		}
	}
	w.window(m)
	w.where(m, "property")
}

func (w *writer) named(m map[string]any) {
	w.name(m["event"])
	if kind, ok := m["kind"].(string); ok {
		w.put("of", kind)
	}
}

func (w *writer) window(m map[string]any) {
	for _, part := range []struct{ member, word string }{{"within", "in"}, {"from", "from"}, {"until", "until"}} {
		if m[part.member] != nil {
			w.put(part.word, span(m[part.member]))
		}
	}
}

// where writes conditions of what member names.
func (w *writer) where(m map[string]any, member string) {
	list, ok := m["where"].([]any)
	if !ok {
		return
	}
	w.put("where", "(")
	for i, item := range list {
		condition := item.(map[string]any)
		if i > 0 {
			w.put("and")
		}
		w.name(condition[member])
		if condition["each"] != nil {
			w.put("[].")
			w.name(condition["each"])
		}
		w.test(condition)
	}
	w.put(")")
}

func (w *writer) sequence(m map[string]any) {
	w.put("sequence", "(")
	for i, item := range m["sequence"].([]any) {
		step := item.(map[string]any)
		if i > 0 {
			w.put("then")
		}
		if step["optional"] != nil {
			w.put("optional")
		}
		w.named(step)
		w.where(step, "property")
		if step["after"] != nil {
			w.put("after")
			w.bounds(step["after"], span, "")
		}
		if x, ok := step["without"].(map[string]any); ok {
			w.put("without")
			w.named(x)
			w.where(x, "property")
		}
	}
	w.put(")")
	w.window(m)
	if m["span"] != nil {
		w.put("span", span(m["span"]))
	}
}
