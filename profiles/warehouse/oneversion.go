package warehouse

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// unresolvedPrefix begins the names of the views that hold the rows of a view
// without their profiles.
const unresolvedPrefix = "unresolved_"

// useMark stands for an expression of the reading in a view that is written
// without it; the number is its place in form.uses.
var useMark = regexp.MustCompile(`/\* use (\d+) \*/`)

// noting returns resolve, or, where uses are noted, a function that notes what
// resolve returns for the output columns of its arguments, and returns 0.
func (f form) noting(resolve func(args []string) string) func(args ...string) string {
	return func(args ...string) string {
		if f.uses == nil {
			return resolve(args)
		}
		columns := make([]string, len(args))
		for i, a := range args {
			columns[i] = a[strings.LastIndexByte(a, '.')+1:]
		}
		*f.uses = append(*f.uses, resolve(columns))
		return fmt.Sprintf("toUInt64(0) /* use %d */", len(*f.uses)-1)
	}
}

// views returns the statement by which the files before one made each view last.
func (f form) views(before string) (map[string]string, error) {
	migrations, err := load(schema)
	if err != nil {
		return nil, err
	}
	made := map[string]string{}
	for _, m := range migrations {
		if m.name >= before {
			break
		}
		statements, err := f.render(m.name, m.text)
		if err != nil {
			return nil, err
		}
		for _, s := range statements {
			if at := strings.Index(s, makesView); at >= 0 {
				s = s[at:] // Without the comment above it.
				made[strings.Fields(s)[4]] = s
			}
		}
	}
	return made, nil
}

const (
	makesView = "CREATE OR REPLACE VIEW "
	definers  = "DEFINER = CURRENT_USER SQL SECURITY DEFINER\nAS\n"
	invokers  = "SQL SECURITY INVOKER\nAS\n"
)

// resolveAsInvoker writes every view of the files before one that reads the
// reading once more, so that all of them in a query see one version of it. What a
// view reads with the rights of its maker is another query to the server, with
// scalars of its own; so the reading is left to whoever asks. A view that resolves
// one column becomes two: its rows, read by its maker, and around it what resolves
// them. The others have no personal columns and are read by whoever asks alone.
func (f form) resolveAsInvoker(before string) (string, error) {
	plain, err := f.views(before)
	if err != nil {
		return "", err
	}
	var uses []string
	f.uses = &uses
	unresolved, err := f.views(before)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(plain)) {
		whole := plain[name]
		if !strings.Contains(whole, "(SELECT recent FROM ") {
			continue
		}
		head, _, ok := strings.Cut(whole, definers)
		if !ok {
			return "", fmt.Errorf("view %s is not of the form of the schema", name)
		}
		marks := useMark.FindAllStringSubmatch(unresolved[name], -1)
		if len(marks) != 1 {
			b.WriteString(strings.Replace(whole, definers, invokers, 1) + ";\n")
			continue
		}
		use, err := strconv.Atoi(marks[0][1])
		if err != nil {
			return "", err
		}
		rows := strings.Replace(useMark.ReplaceAllString(unresolved[name], ""), makesView+name, makesView+unresolvedPrefix+name, 1)
		comment := whole[strings.LastIndex(whole, "\nCOMMENT '"):]
		fmt.Fprintf(&b, "%s\nCOMMENT 'Rows of the view %s, with 0 for their profiles. Written by: nobody, a view.';\n", rows[:strings.LastIndex(rows, "\nCOMMENT '")], name)
		fmt.Fprintf(&b, "%s%sSELECT * REPLACE (%s AS profile_id)\nFROM %s.%s%s;\n", head, invokers, uses[use], f.database, unresolvedPrefix+name, comment)
	}
	return b.String(), nil
}

// rowsColumns are the columns of the view reading_rows, those of reading_recent.
// Where a file before gave that one tenures, rowsTenures follows.
const (
	rowsColumns = `    workspace LowCardinality(String)  COMMENT 'Workspace',
    hop       UInt8                   COMMENT 'As in reading_recent',
    id        UInt64                  COMMENT 'As in reading_recent',
    epoch     UInt64                  COMMENT 'Epoch of the owner that wrote the row',
    sequence  UInt64                  COMMENT 'Sequence within the epoch',
    value     UInt64                  COMMENT 'As in reading_recent'`
	rowsTenures = `,
    tenures   Tuple(untils Array(Int64), owners Array(UInt64))  COMMENT 'As in reading_recent'`
)

// readingAfterRows writes the view reading_rows, and the view reading of the files
// before one once more, over reading_rows instead of the table below it.
func (f form) readingAfterRows(before string) (string, error) {
	made, err := f.views(before)
	if err != nil {
		return "", err
	}
	from := "FROM " + f.database + ".reading_recent\n"
	if strings.Count(made["reading"], from) != 1 {
		return "", fmt.Errorf("the view reading before %s does not read reading_recent once", before)
	}
	columns, names := rowsColumns, "workspace, hop, id, epoch, sequence, value"
	if strings.Contains(made["reading"], "tenures") {
		columns, names = columns+rowsTenures, names+", tenures"
	}
	rows := makesView + "reading_rows " + f.onCluster() + "\n(\n" + columns + "\n)\n" + definers + "SELECT " + names + "\n" + from +
		"COMMENT 'Rows of reading_recent as they are when a version has been read. Written by: nobody, a view.';\n"
	return rows + strings.Replace(made["reading"], from, "FROM "+f.database+".reading_rows\n", 1) + ";\n", nil
}
