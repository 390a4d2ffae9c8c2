package personas

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const (
	// tells is the deviation from which a feature says something of a group.
	tells = .5
	// nameParts and describeParts bound what a name and a description tell.
	nameParts     = 3
	describeParts = 6
)

// tally are sums of rows: those of all groups, and what each knows of each column.
type tally struct {
	sizes []int
	sums  []float64
	known []int
}

// describe counts the rows of each group, and what they are like on average.
func (m *Model) describe(t Table, rows, places []int) {
	at := m.columnsOf(t)
	d := len(m.Columns)
	parts := make([]tally, (len(rows)+chunkRows-1)/chunkRows)
	chunks(len(rows), func(chunk, from, to int) {
		s := tally{make([]int, len(m.Personas)), make([]float64, len(m.Personas)*d), make([]int, len(m.Personas)*d)}
		for _, i := range rows[from:to] {
			group := places[i]
			s.sizes[group]++
			for j, v := range t.row(i) {
				if c := slices.Index(at, j); c >= 0 && !math.IsNaN(v) {
					s.sums[group*d+c] += v
					s.known[group*d+c]++
				}
			}
		}
		parts[chunk] = s
	})
	all := tally{make([]int, len(m.Personas)), make([]float64, len(m.Personas)*d), make([]int, len(m.Personas)*d)}
	for _, s := range parts {
		for i := range s.sizes {
			all.sizes[i] += s.sizes[i]
		}
		for i := range s.sums {
			all.sums[i] += s.sums[i]
			all.known[i] += s.known[i]
		}
	}
	for j := range m.Columns {
		sum, known := 0.0, 0
		for i := range m.Personas {
			sum, known = sum+all.sums[i*d+j], known+all.known[i*d+j]
		}
		m.Columns[j].Mean = sum / float64(max(1, known))
		if unknown := len(rows) - known; unknown > 0 {
			m.Unknown[m.Columns[j].Name] = unknown
		}
	}
	for i := range m.Personas {
		m.compare(i, all, len(rows))
	}
}

// compare sets what tells a persona from everybody.
func (m *Model) compare(i int, all tally, rows int) {
	p, d := &m.Personas[i], len(m.Columns)
	p.Size, p.Share = all.sizes[i], float64(all.sizes[i])/float64(max(1, rows))
	for j, c := range m.Columns {
		trait := Trait{Feature: c.Name, Label: c.Label, Overall: c.Mean, Mean: c.Mean}
		if n := all.known[i*d+j]; n > 0 {
			trait.Mean = all.sums[i*d+j] / float64(n)
		}
		if c.Deviation > 0 {
			trait.Deviation = (p.Centre[j] - c.MeanScaled) / c.Deviation
		}
		p.Traits = append(p.Traits, trait)
	}
	slices.SortStableFunc(p.Traits, func(a, b Trait) int {
		return cmp.Or(cmp.Compare(math.Abs(b.Deviation), math.Abs(a.Deviation)), cmp.Compare(a.Feature, b.Feature))
	})
	p.Description = p.describe()
}

// describe says what a marketer wants to know, the most telling first.
func (p *Persona) describe() string {
	var parts []string
	for _, t := range p.Traits[:min(len(p.Traits), describeParts)] {
		if math.Abs(t.Deviation) >= tells {
			parts = append(parts, fmt.Sprintf("%s %s (all: %s)", t.Label, short(t.Mean), short(t.Overall)))
		}
	}
	people := "people"
	if p.Size == 1 {
		people = "person"
	}
	text := fmt.Sprintf("%d %s, %s %% of all.", p.Size, people, short(100*p.Share))
	if len(parts) == 0 {
		return text + " Like everybody on average."
	}
	return text + " On average: " + strings.Join(parts, "; ") + "."
}

// short writes a number with three digits.
func short(v float64) string {
	switch size := math.Abs(v); {
	case size >= 100 || v == 0:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case size >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// name gives personas names that tell them apart. One that goes on keeps its name
// while all that the name says still stands out.
func (m *Model) name(before *Model) {
	former := map[string]string{}
	if before != nil {
		for _, p := range append(slices.Clone(before.Retired), before.Personas...) {
			former[p.ID] = p.Name
		}
	}
	used := map[string]bool{}
	for i := range m.Personas {
		p := &m.Personas[i]
		phrases := m.phrases(p)
		old := former[p.ID]
		if old != "" && !used[old] && holds(old, phrases) {
			p.Name = old
		} else {
			p.Name = unused(phrases, used, p.ID)
		}
		used[p.Name] = true
	}
}

// holds reports whether all that a name says is among phrases.
func holds(name string, phrases []string) bool {
	for part := range strings.SplitSeq(name, ", ") {
		if !slices.ContainsFunc(phrases, func(p string) bool { return strings.EqualFold(p, part) }) {
			return false
		}
	}
	return true
}

// unused is the shortest name of phrases that no other persona has.
func unused(phrases []string, used map[string]bool, id string) string {
	if len(phrases) == 0 {
		phrases = []string{"like everybody"}
	}
	name := ""
	for n := min(nameParts, len(phrases)); n <= len(phrases); n++ {
		if name = capital(strings.Join(phrases[:n], ", ")); !used[name] {
			return name
		}
	}
	return name + " (" + id + ")"
}

// phrases are what stands out, the most telling first.
func (m *Model) phrases(p *Persona) []string {
	words := map[string]Feature{}
	for _, c := range m.Columns {
		words[c.Name] = c.Feature
	}
	var list []string
	for _, t := range p.Traits {
		word := words[t.Feature].High
		if t.Deviation < 0 {
			word = words[t.Feature].Low
		}
		if math.Abs(t.Deviation) >= tells && word != "" && !slices.Contains(list, word) {
			list = append(list, word)
		}
	}
	return list
}

func capital(s string) string {
	for i, r := range s {
		return string(unicode.ToUpper(r)) + s[i+len(string(r)):]
	}
	return s
}
