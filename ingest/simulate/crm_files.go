package simulate

import (
	"io"
	"strings"
)

// CRMTruthFile is the name of the truth of the old CRM beside that of the
// identifiers.
func CRMTruthFile(truth string) string { return strings.TrimSuffix(truth, ".csv") + "-crm.csv" }

// crmTruthHeader has the names that "kindred link evaluate" looks for.
func crmTruthHeader() []string { return []string{"id", "cluster"} }

// WriteCRM writes the export of the old CRM as CSV with a header.
func WriteCRM(w io.Writer, cards []Card) error {
	lines := [][]string{cardColumns}
	for _, c := range cards {
		lines = append(lines, c.fields())
	}
	return writeLines(w, lines)
}

// WriteCRMTruth writes who each record of the old CRM is, as CSV with the header
// "id,cluster": the person, by the ids of the truth of the identifiers.
func WriteCRMTruth(w io.Writer, cards []Card) error {
	lines := [][]string{crmTruthHeader()}
	for _, c := range cards {
		lines = append(lines, []string{c.ID, c.Person})
	}
	return writeLines(w, lines)
}

// ReadCRMTruth reads what WriteCRMTruth wrote: the person of each record.
func ReadCRMTruth(r io.Reader) (map[string]string, error) {
	lines, err := readLines(r, crmTruthHeader())
	if err != nil {
		return nil, err
	}
	person := make(map[string]string, len(lines))
	for _, l := range lines {
		person[l[0]] = l[1]
	}
	return person, nil
}
