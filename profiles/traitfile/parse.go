package traitfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/kindred-cdp/kindred/profiles"
)

// File is what a file declares.
type File struct {
	Rules    profiles.Rules
	Computed []profiles.ComputedTrait // by name; those of Rules
}

// file is the form of the file.
type file struct {
	Default  profiles.Rule       `toml:"default"`
	Trust    []string            `toml:"trust"`
	Traits   map[string]rule     `toml:"traits"`
	Computed map[string]computed `toml:"computed"`
}

type rule struct {
	Rule    profiles.Rule `toml:"rule"`
	Sources []string      `toml:"sources"`
}

type computed struct {
	Compute  profiles.Computation `toml:"compute"`
	Event    string               `toml:"event"`
	Kind     string               `toml:"kind"`
	Property string               `toml:"property"`
	Within   string               `toml:"within"`
	Where    []condition          `toml:"where"`
	Limit    int                  `toml:"limit"`
	Unit     string               `toml:"unit"`
}

type condition struct {
	Property string `toml:"property"`
	Op       string `toml:"op"`
	Value    any    `toml:"value"`
}

// Read reads a file; the defaults where path is empty.
func Read(path string) (File, error) {
	if path == "" {
		return File{Rules: profiles.DefaultRules()}, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return File{}, fmt.Errorf("file of traits: %w", err)
	}
	f, err := Parse(text)
	if err != nil {
		return File{}, fmt.Errorf("file of traits %s: %w", path, err)
	}
	return f, nil
}

// Parse reads the text of a file and reports every fault.
func Parse(text []byte) (File, error) {
	var in file
	dec := toml.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) {
			return File{}, fmt.Errorf("unknown key:\n%s", strict.String())
		}
		return File{}, err
	}
	out := File{Rules: profiles.DefaultRules()}
	trusted := func(r profiles.TraitRule) profiles.TraitRule {
		if r.Rule == profiles.SourcePriority && len(r.Sources) == 0 {
			r.Sources = in.Trust
		}
		return r
	}
	if in.Default != "" {
		out.Rules.Default = trusted(profiles.TraitRule{Rule: in.Default})
	}
	for name, r := range in.Traits {
		out.Rules.Traits[name] = trusted(profiles.TraitRule{Rule: r.Rule, Sources: r.Sources})
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(in.Computed)) {
		t, err := in.Computed[name].trait(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("computed trait %q: %w", name, err))
		}
		out.Computed = append(out.Computed, t)
	}
	out.Rules.Computed = out.Computed
	return out, errors.Join(append(errs, out.Rules.Validate())...)
}

func (c computed) trait(name string) (profiles.ComputedTrait, error) {
	t := profiles.ComputedTrait{Name: name, Compute: c.Compute, Event: c.Event, Kind: c.Kind, Property: c.Property, Limit: c.Limit}
	var errs []error
	span := func(key, text string) time.Duration {
		d, err := duration(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
		return d
	}
	t.Within, t.Unit = span("within", c.Within), span("unit", unit(c.Unit))
	for _, w := range c.Where {
		values, list := w.Value.([]any)
		if !list && w.Value != nil {
			values = []any{w.Value}
		}
		values = slices.Clone(values)
		for i, v := range values {
			if n, ok := v.(int64); ok {
				values[i] = float64(n)
			}
		}
		t.Where = append(t.Where, profiles.Condition{Property: w.Property, Op: cmp.Or(w.Op, "eq"), Values: values})
	}
	return t, errors.Join(errs...)
}

// unit takes the names of units for one of each.
func unit(text string) string {
	if one, ok := map[string]string{"seconds": "1s", "minutes": "1m", "hours": "1h", "days": "1d", "weeks": "1w"}[text]; ok {
		return one
	}
	return text
}

// duration reads a number with a unit, as segments do: 90d, 12h, 30m, 45s, 2w.
func duration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	wrong := fmt.Errorf("%q must be a whole number with s, m, h, d or w, such as 30d", text)
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	one, ok := units[text[len(text)-1]]
	n, err := strconv.Atoi(strings.TrimSpace(text[:len(text)-1]))
	if !ok || err != nil || n < 1 || n > int(maxSpan/one) {
		return 0, wrong
	}
	return time.Duration(n) * one, nil
}

// maxSpan is a hundred years.
const maxSpan = 100 * 365 * 24 * time.Hour
