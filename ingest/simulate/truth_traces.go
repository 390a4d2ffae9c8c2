package simulate

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// The names of the files beside the truth of the identifiers.
func staysFile(truth string) string { return strings.TrimSuffix(truth, ".csv") + "-visits.csv" }
func spotsFile(truth string) string { return strings.TrimSuffix(truth, ".csv") + "-venues.csv" }

func staysHeader() []string {
	return []string{"namespace", "value", "zone", "technology", "entered_ms", "left_ms"}
}

func spotsHeader() []string { return []string{"message_id", "venue"} }

// WriteStays writes the true visits to zones as CSV with a header.
func WriteStays(w io.Writer, stays []Stay) error {
	lines := [][]string{staysHeader()}
	for _, s := range stays {
		lines = append(lines, []string{
			s.Namespace, s.Value, s.Zone, s.Technology, strconv.FormatInt(s.Entered, 10), strconv.FormatInt(s.Left, 10),
		})
	}
	return writeLines(w, lines)
}

// WriteSpots writes the true venues of position fixes as CSV with a header.
func WriteSpots(w io.Writer, spots []Spot) error {
	lines := [][]string{spotsHeader()}
	for _, s := range spots {
		lines = append(lines, []string{s.MessageID, s.Venue})
	}
	return writeLines(w, lines)
}

func writeLines(w io.Writer, lines [][]string) error {
	b := bufio.NewWriter(w)
	if err := csv.NewWriter(b).WriteAll(lines); err != nil {
		return fmt.Errorf("write truth: %w", err)
	}
	return b.Flush()
}

// ReadStays reads what WriteStays wrote. Errors name lines only.
func ReadStays(r io.Reader) ([]Stay, error) {
	lines, err := readLines(r, staysHeader())
	if err != nil {
		return nil, err
	}
	all := make([]Stay, len(lines))
	for i, l := range lines {
		entered, err1 := strconv.ParseInt(l[4], 10, 64)
		left, err2 := strconv.ParseInt(l[5], 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("read truth, line %d: a time is no number", i+2)
		}
		all[i] = Stay{Namespace: l[0], Value: l[1], Zone: l[2], Technology: l[3], Entered: entered, Left: left}
	}
	return all, nil
}

// ReadSpots reads what WriteSpots wrote.
func ReadSpots(r io.Reader) ([]Spot, error) {
	lines, err := readLines(r, spotsHeader())
	if err != nil {
		return nil, err
	}
	all := make([]Spot, len(lines))
	for i, l := range lines {
		all[i] = Spot{MessageID: l[0], Venue: l[1]}
	}
	return all, nil
}

func readLines(r io.Reader, header []string) ([][]string, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = len(header)
	lines, err := c.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read truth: %w", err)
	}
	if len(lines) == 0 || !slices.Equal(lines[0], header) {
		return nil, fmt.Errorf("read truth: the header is not %s", strings.Join(header, ","))
	}
	return lines[1:], nil
}
