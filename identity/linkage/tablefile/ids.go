package tablefile

import (
	"errors"
	"fmt"
	"strings"
)

// ids are those of the records of a file. They must be there and differ: the
// result could not say which record it means.
type ids struct {
	*dictionary
	file    *reading
	line    []int // of the first record with each id
	missing sightings
	twice   []string // the first few
	doubled int
}

func newIDs(f *reading) *ids { return &ids{dictionary: newDictionary(), file: f} }

func (d *ids) add(value []byte, line int) {
	if len(value) == 0 {
		d.missing.add(line)
		return
	}
	code, fresh := d.code(value)
	if fresh {
		d.line = append(d.line, line)
		return
	}
	if d.doubled++; len(d.twice) < keptLines {
		d.twice = append(d.twice, fmt.Sprintf("%q in lines %d and %d", value, d.line[code], line))
	}
}

// fault joins what is wrong with the ids. Without one there is one id for each
// record, in the order of the records.
func (d *ids) fault() error {
	var faults []error
	name := d.file.names[d.file.id]
	if d.missing.count > 0 {
		faults = append(faults, fmt.Errorf("%s: %d of %d records have no id in column %q%s: give each one an id", d.file.path, d.missing.count, d.file.count, name, at(d.missing.lines, d.missing.count)))
	}
	if d.doubled > 0 {
		more := ""
		if rest := d.doubled - len(d.twice); rest > 0 {
			more = fmt.Sprintf(" and %d more", rest)
		}
		faults = append(faults, fmt.Errorf("%s: column %q does not tell the records apart: %s%s; take a column that numbers the records, or give them numbers", d.file.path, name, strings.Join(d.twice, ", "), more))
	}
	return errors.Join(faults...)
}
