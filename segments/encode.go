package segments

import (
	"encoding/json"
	"fmt"
)

// MarshalJSON writes the canonical JSON form, which Parse reads back to an
// equal definition.
func (d Definition) MarshalJSON() ([]byte, error) { return json.Marshal(encode(d.Root)) }

// encode turns a node into a value for json.Marshal, whose sorted map keys
// make the form canonical.
func encode(n Node) any {
	switch n := n.(type) {
	case All:
		return map[string]any{"all": encodeAll(n)}
	case Any:
		return map[string]any{"any": encodeAll(n)}
	case Not:
		return map[string]any{"not": encode(n.Node)}
	case Trait:
		return n.Test.encode(map[string]any{"trait": n.Name})
	case Event:
		return n.encode()
	case Sequence:
		return n.encode()
	case Bought:
		return n.encode()
	case Transactions:
		m := map[string]any{string(n.Measure): n.Test.encode()}
		if n.Currency != "" {
			m["currency"] = n.Currency
		}
		return withWindow(m, n.Within)
	case HasIdentifier:
		return map[string]any{"identifier": string(n.Namespace)}
	case Score:
		m := map[string]any{"score": n.Name, "op": string(n.Test[0].Op), "value": n.Test[0].Value}
		if n.End != "" {
			m["end"] = string(n.End)
		}
		return m
	}
	return encodePerson(n)
}

func encodePlace(n Node) any {
	switch n := n.(type) {
	case Location:
		m := map[string]any{"location": n.Place.encode()}
		if len(n.Count) > 0 {
			m["count"] = n.Count.encode()
		}
		if len(n.Minutes) > 0 {
			m["minutes"] = n.Minutes.encode()
		}
		return n.Period.encode(withWindow(m, n.Within))
	case Recommendation:
		return withWindow(map[string]any{"nps": string(n.Group)}, n.Within)
	case Mood:
		m := map[string]any{"sentiment": n.Is.encode()}
		if n.In != "" {
			m["in"] = string(n.In)
		}
		return withWindow(m, n.Within)
	}
	return nil
}

func (p Place) encode() any {
	point := func(at Point) map[string]any { return map[string]any{"lat": at.Lat, "lon": at.Lon} }
	switch {
	case p.Km > 0:
		m := point(p.Center)
		m["km"] = p.Km
		return map[string]any{"near": m}
	case len(p.Polygon) > 0:
		corners := make([]any, len(p.Polygon))
		for i, at := range p.Polygon {
			corners[i] = point(at)
		}
		return map[string]any{"inside": corners}
	}
	return map[string]any{"cell": fmt.Sprintf("%015x", p.Cell)}
}

func encodePerson(n Node) any {
	switch n := n.(type) {
	case Consent:
		m := map[string]any{"consent": n.Purpose, "is": string(n.Is)}
		if n.Channel != "" {
			m["channel"] = n.Channel
		}
		return m
	case Holdout:
		return map[string]any{"holdout": n.Name, "percent": n.Percent.encode()}
	case InSegment:
		return map[string]any{"segment": n.ID}
	case InPersona:
		return map[string]any{"persona": n.ID}
	case InStage:
		return map[string]any{"stage": string(n.Stage)}
	case Household:
		return map[string]any{"household": n.Profiles.encode()}
	case Accounts:
		m := map[string]any{"accounts": n.Count.encode()}
		if len(n.IDs) > 0 {
			m["in"] = n.IDs
		}
		if len(n.Where) > 0 {
			where := make([]any, len(n.Where))
			for i, t := range n.Where {
				where[i] = encode(t)
			}
			m["where"] = where
		}
		return m
	}
	return encodePlace(n)
}

func encodeAll(parts []Node) []any {
	out := make([]any, len(parts))
	for i, part := range parts {
		out[i] = encode(part)
	}
	return out
}

func (t Test) encode(m map[string]any) map[string]any {
	m["op"] = string(t.Op)
	switch t.Op {
	case Exists:
	case In:
		values := make([]any, len(t.Values))
		for i, v := range t.Values {
			values[i] = v.encode()
		}
		m["value"] = values
	default:
		m["value"] = t.Values[0].encode()
	}
	return m
}

func (s Scalar) encode() any {
	switch s.Kind {
	case Number:
		return s.Number
	case Bool:
		return s.Bool
	}
	return s.Text
}

func (c Comparison) encode() map[string]any {
	m := make(map[string]any, len(c))
	for _, b := range c {
		m[string(b.Op)] = b.Value
	}
	return m
}
