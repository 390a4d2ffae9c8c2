package simulate

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Truth says who really owns which identifier. Values are canonical: e-mail
// addresses in lower case, phone numbers as + and digits.
type Truth struct {
	owners map[identifier][]string // person ids, sorted
	seen   map[identifier]bool     // appears in an event
}

// identifier is a namespace with a canonical value.
type identifier struct{ namespace, value string }

func newTruth() *Truth {
	return &Truth{owners: make(map[identifier][]string), seen: make(map[identifier]bool)}
}

// own records an owner. A nil person records an identifier of nobody: a bot's.
func (t *Truth) own(namespace, value string, p *person) {
	id := identifier{namespace, value}
	owners := t.owners[id]
	if p != nil {
		if at, ok := slices.BinarySearch(owners, p.id); !ok {
			owners = slices.Insert(owners, at, p.id)
		}
	}
	t.owners[id] = owners
}

// meet notes that an identifier appears in an event.
func (t *Truth) meet(namespace, value string) { t.seen[identifier{namespace, value}] = true }

// Ownership is one line of the truth.
type Ownership struct {
	Namespace, Value string
	// People are the ids of the true owners: several for what is shared, none
	// for what belongs to a program.
	People []string
}

// Ownerships returns the identifiers that appear in events, by namespace and
// value. Placeholders are no identifiers and not among them.
func (t *Truth) Ownerships() []Ownership {
	keys := slices.SortedFunc(maps.Keys(t.owners), func(a, b identifier) int {
		return cmp.Or(strings.Compare(a.namespace, b.namespace), strings.Compare(a.value, b.value))
	})
	all := make([]Ownership, 0, len(keys))
	for _, id := range keys {
		if t.seen[id] {
			all = append(all, Ownership{id.namespace, id.value, t.owners[id]})
		}
	}
	return all
}

// WriteCSV writes the truth with the header "namespace,value,people": one line
// for each identifier, its owners separated by semicolons.
func (t *Truth) WriteCSV(w io.Writer) error {
	b := bufio.NewWriter(w)
	c := csv.NewWriter(b)
	lines := [][]string{truthHeader()}
	for _, o := range t.Ownerships() {
		lines = append(lines, []string{o.Namespace, o.Value, strings.Join(o.People, ";")})
	}
	if err := c.WriteAll(lines); err != nil {
		return fmt.Errorf("write truth: %w", err)
	}
	return b.Flush()
}

// ReadTruth reads what WriteCSV wrote. Values are personal data, invented here
// though they are; errors name lines only.
func ReadTruth(r io.Reader) ([]Ownership, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = 3
	lines, err := c.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read truth: %w", err)
	}
	if len(lines) == 0 || !slices.Equal(lines[0], truthHeader()) {
		return nil, errors.New("read truth: the header is not namespace,value,people")
	}
	all := make([]Ownership, 0, len(lines)-1)
	for _, l := range lines[1:] {
		o := Ownership{Namespace: l[0], Value: l[1]}
		if l[2] != "" {
			o.People = strings.Split(l[2], ";")
		}
		all = append(all, o)
	}
	return all, nil
}

func truthHeader() []string { return []string{"namespace", "value", "people"} }
