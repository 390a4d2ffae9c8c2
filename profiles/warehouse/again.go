package warehouse

import (
	"fmt"
	"strings"
)

// again returns the function that writes views and dictionaries of earlier files
// once more, as they stand there: a view in the database holds the expressions of
// the reading as they were when it was made, and a dictionary what it has loaded.
// before is the file that asks.
func (f form) again(before string) func(names ...string) (string, error) {
	return func(names ...string) (string, error) {
		migrations, err := load(schema)
		if err != nil {
			return "", err
		}
		latest := map[string]string{}
		for _, m := range migrations {
			if m.name >= before {
				break
			}
			statements, err := f.render(m.name, m.text)
			if err != nil {
				return "", err
			}
			for _, s := range statements {
				if name, ok := created(s); ok {
					latest[name] = s
				}
			}
		}
		var b strings.Builder
		for _, name := range names {
			s, ok := latest[name]
			if !ok {
				return "", fmt.Errorf("no file before %s makes %s", before, name)
			}
			b.WriteString(s + ";\n")
		}
		return b.String(), nil
	}
}

// created returns the name of the view or dictionary that a statement makes.
func created(statement string) (string, bool) {
	for _, line := range strings.Split(statement, "\n") {
		for _, what := range []string{"VIEW ", "DICTIONARY "} {
			if rest, ok := strings.CutPrefix(line, "CREATE OR REPLACE "+what); ok {
				name, _, _ := strings.Cut(rest, " ")
				return strings.TrimSpace(name), true
			}
		}
	}
	return "", false
}

// tenureArrays are the tenures in a row of identifier_tenures as look-ups take
// them: numbers instead of times, and the present tenure, which is the
// identifier's own and has no end, behind the past ones.
const tenureArrays = "arrayPushBack(arrayMap(u -> toUnixTimestamp64Milli(u), untils), toInt64(9223372036854775807)) AS untils, arrayPushBack(owners, identifier_id) AS owners"
