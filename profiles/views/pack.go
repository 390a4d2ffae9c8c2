package views

import (
	"math"

	"github.com/kindred-cdp/kindred/profiles"
)

// Pack returns a whole profile in the encoding of rows, its scores and its group behind
// the rest: about a third of what it takes in memory, and nothing for the collector to
// look through. It is for memory, and never stored.
func Pack(p *profiles.Profile) []byte {
	c := &codec{b: make([]byte, 0, 2048)}
	c.whole(p)
	return append(make([]byte, 0, len(c.b)), c.b...)
}

// Unpack returns what Pack was given. It shares b, which must not change.
func Unpack(b []byte) (*profiles.Profile, error) {
	c, p := &codec{reading: true, b: b}, &profiles.Profile{}
	c.whole(p)
	if c.err == nil && len(c.b) > 0 {
		c.err = errBody
	}
	return p, c.err
}

func (c *codec) whole(p *profiles.Profile) {
	c.profile(p)
	list(c, &p.Scores, func(s *profiles.Score) {
		c.text(&s.Name)
		c.text(&s.ModelVersion)
		c.time(&s.AsOf)
		c.time(&s.ComputedAt)
		c.float(&s.Value)
		c.float(&s.Lower)
		c.float(&s.Upper)
		c.json(&s.Detail)
	})
	optional(c, &p.Group, func(g *profiles.Group) {
		c.text(&g.Stage)
		c.text(&g.Persona)
		c.text(&g.PersonaName)
		c.text(&g.ModelVersion)
		c.int(&g.Recency)
		c.int(&g.Frequency)
		c.int(&g.Money)
		c.time(&g.Since)
	})
}

func (c *codec) float(f *float64) {
	v := math.Float64bits(*f)
	fixed(c, &v)
	*f = math.Float64frombits(v)
}
