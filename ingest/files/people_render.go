package files

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/ingest/mapping"
)

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// render writes the mapping.
func (f *form) render(in mapping.Input) (string, error) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	renderInput(line, in)
	line("\n[[events]]\nkind = \"behaviour\"\ntype = \"identify\"\nname = \"Person Imported\"")
	if f.time != nil {
		line("time = { from = %s, format = %q }", quoted(placeholder(f.time.name)), f.layout)
	} else {
		line("# time: no column says when a record was changed; records count as of the import")
	}
	id := placeholder(f.id.name)
	line("identifiers = [\n  { namespace = \"record\", from = %s, required = true },", quoted(f.Source+"/"+id))
	for _, namespace := range []string{"email", "phone"} {
		for _, c := range f.traits[namespace] {
			line("  { namespace = %q, from = %s },", namespace, quoted(placeholder(c.name)))
		}
	}
	line("]")
	if err := f.renderTraits(line); err != nil {
		return "", err
	}
	head := fmt.Sprintf("source = %s\n\n", quoted(f.Source))
	text := b.String()
	// The id stands where its place leaves the digest of all else as it is.
	messageID := fmt.Sprintf("id = %s\n", quoted(id+"-${#hash}-"+digest(head+text)))
	return head + strings.Replace(text, "identifiers = [\n", messageID+"identifiers = [\n", 1), nil
}

// bareKey is a key of TOML that needs no quotes.
var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func key(name string) string {
	if bareKey.MatchString(name) {
		return name
	}
	return quoted(name)
}

// renderTraits writes the table of the traits, and after it those of what has
// parts, such as the address.
func (f *form) renderTraits(line func(string, ...any)) error {
	tables := map[string][]string{}
	for _, trait := range f.order {
		table, name := "", trait
		if own, ok := strings.CutPrefix(trait, "["); ok {
			name = strings.TrimSuffix(own, "]") // The column's own name, whatever is in it.
		} else if at := strings.LastIndex(trait, "."); at >= 0 {
			table, name = trait[:at], trait[at+1:]
		}
		if f.traits[table] != nil {
			return fmt.Errorf("trait %q cannot be a value and have parts such as %q", table, trait)
		}
		tables[table] = append(tables[table], key(name)+" = "+f.value(trait))
	}
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		title := "events.traits"
		for _, part := range strings.Split(table, ".") {
			if part != "" {
				title += "." + key(part)
			}
		}
		line("\n[%s]", title)
		for _, text := range tables[table] {
			line("%s", text)
		}
	}
	return nil
}

// value is where a trait comes from.
func (f *form) value(trait string) string {
	var from []string
	for _, c := range f.traits[trait] {
		from = append(from, quoted(placeholder(c.name)))
	}
	text := strings.Join(from, ", ")
	if len(from) > 1 {
		text = "[" + text + "]"
	}
	if trait == "birthday" {
		layout := f.DateFormat
		if layout == "" {
			layout = commonFormat(f.traits[trait][0].values, dateFormats)
		}
		if layout != "" {
			return fmt.Sprintf("{ from = %s, as = \"date\", format = %q, keep = true }", text, layout)
		}
	}
	if len(from) > 1 {
		return "{ from = " + text + " }"
	}
	return text
}

// dateFormats are tried on dates of birth, and with changeFormats on the times of
// changes. Days and months of one digit may have two.
var (
	dateFormats   = []string{"rfc3339", "d/M/yyyy", "M/d/yyyy", "d-M-yyyy", "M-d-yyyy", "d.M.yyyy", "yyyy/M/d", "yyyyMMdd", "d MMM yyyy", "MMM d, yyyy"}
	changeFormats = []string{
		"d/M/yyyy HH:mm", "M/d/yyyy HH:mm", "d/M/yyyy HH:mm:ss", "M/d/yyyy HH:mm:ss", "d.M.yyyy HH:mm", "d.M.yyyy HH:mm:ss", "unix", "unix_ms",
	}
)

// commonFormat returns the format of most values. There is none where that is
// not half of them, or where as many can be read with day and month swapped.
func commonFormat(values, formats []string) string {
	best, most := "", 0
	for _, format := range formats {
		if n := fitting(format, values); n > most {
			best, most = format, n
		}
	}
	swapped := strings.NewReplacer("d/M", "M/d", "M/d", "d/M", "d-M", "M-d", "M-d", "d-M").Replace(best)
	if 2*most < len(values) || swapped != best && fitting(swapped, values) == most {
		return ""
	}
	return best
}

func fitting(format string, values []string) (n int) {
	for _, v := range values {
		if mapping.FitsTime(format, v) {
			n++
		}
	}
	return n
}

func fitsAll(format string, values []string) bool { return fitting(format, values) == len(values) }
