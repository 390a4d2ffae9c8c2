package privacy

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// name is the value of an identifier that goes.
type name struct {
	namespace, value string
	place            int
}

const namesSQL = `SELECT DISTINCT identifier_id, namespace, value FROM identifiers
WHERE workspace = {workspace:String} AND identifier_id IN {keys:Array(UInt64)}`

// readNames reads the identifiers of a batch: how many there are of each namespace, and
// the values by which dead letters are searched.
func (w *Worker) readNames(ctx context.Context, b *batch) error {
	return query(ctx, w.deps.Conn, "read identifiers", namesSQL, func(rows driver.Rows) error {
		var id uint64
		var n name
		if err := rows.Scan(&id, &n.namespace, &n.value); err != nil {
			return err
		}
		n.place = int(b.keyOf[slices.Index(b.keys, id)])
		b.names = append(b.names, n)
		b.identifiers[n.place-1][n.namespace]++
		return nil
	}, b.bind()...)
}

// needle is what a letter that holds the value holds in any case: its letters and
// digits, or the last of a phone number, however it is written.
func (n name) needle() string {
	s := squeeze(n.value)
	if n.namespace == "phone" && len(s) > 7 {
		s = s[len(s)-7:]
	}
	return s
}

// squeeze keeps the ASCII letters and digits of s, in lower case.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, s)
}

// maxNeedles is the most that a search of ClickHouse takes.
const maxNeedles = 250

// candidatesSQL searches what was received, and as it was edited; a letter with escapes
// is looked at whatever it seems to hold.
const candidatesSQL = `SELECT lower(hex(letter_id)), value FROM
(
    SELECT letter_id, value FROM dead_letters WHERE workspace = {workspace:String} AND toUnixTimestamp64Milli(received_time) <= {latest:Int64}
    UNION ALL
    SELECT letter_id, value FROM dead_letter_actions WHERE workspace = {workspace:String} AND value != ''
)
WHERE position(value, '\\u') > 0 OR multiSearchAny(replaceRegexpAll(lower(value), '[^a-z0-9]', ''), {needles:Array(String)})`

// letters returns the ids of the dead letters that name somebody of a batch.
func (w *Worker) letters(ctx context.Context, b *batch) ([]string, error) {
	found, err := searchLetters(ctx, w.deps.Conn, b.workspace, b.names, slices.Max(b.erasedAt))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	ids, counts := []string{}, make([]uint64, len(b.erasures))
	for id, place := range found {
		ids = append(ids, id)
		counts[place-1]++
	}
	slices.Sort(ids)
	return ids, w.keepStep(ctx, b, "dead_letters", counts)
}

const forever = math.MaxInt64

// searchLetters returns the letters that were received until latest and name one of
// names, with its place. A letter could not be read as an event, so it has no anchor:
// it is searched for the values.
func searchLetters(ctx context.Context, conn driver.Conn, workspace string, names []name, latest int64) (map[string]int, error) {
	found := map[string]int{}
	for some := range slices.Chunk(names, maxNeedles) {
		needles := make([]string, len(some))
		for i, n := range some {
			needles[i] = n.needle() // Empty for another script: then every letter is looked at.
		}
		err := query(ctx, conn, "search dead letters", candidatesSQL, func(rows driver.Rows) error {
			var id, value string
			if err := rows.Scan(&id, &value); err != nil {
				return err
			}
			if place := mentioned([]byte(value), some); place > 0 {
				found[strings.Repeat("0", 32-len(id))+id] = place
			}
			return nil
		}, clickhouse.Named("workspace", workspace), clickhouse.Named("needles", needles), clickhouse.Named("latest", latest))
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// telling is the length from which on a value says by itself whom it is of; a shorter
// one, such as a number, must stand where its namespace is named.
const telling = 6

// mentioned returns the place of whom of names a message speaks; 0 for nobody.
func mentioned(message []byte, names []name) int {
	var v any
	d := json.NewDecoder(bytes.NewReader(message))
	d.UseNumber()
	if d.Decode(&v) == nil {
		return inValue(v, "", names)
	}
	text := strings.ToLower(string(message))
	for _, n := range names {
		if len(n.value) >= telling && standsIn(text, strings.ToLower(n.value)) {
			return n.place
		}
	}
	return 0
}

// standsIn reports whether value stands in text as a whole.
func standsIn(text, value string) bool {
	part := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for from := 0; ; {
		i := strings.Index(text[from:], value)
		if i < 0 {
			return false
		}
		before, after := []rune(text[:from+i]), []rune(text[from+i+len(value):])
		if (len(before) == 0 || !part(before[len(before)-1])) && (len(after) == 0 || !part(after[0])) {
			return true
		}
		from += i + 1
	}
}

// inValue looks through a JSON value; under is the name of what holds it, squeezed.
func inValue(v any, under string, names []name) int {
	switch v := v.(type) {
	case map[string]any:
		if ns, ok := v["namespace"].(string); ok { // {"namespace": …, "value": …}
			if place := inValue(v["value"], squeeze(ns), names); place > 0 {
				return place
			}
		}
		for key, x := range v {
			if place := inValue(x, squeeze(key), names); place > 0 {
				return place
			}
		}
	case []any:
		for _, x := range v {
			if place := inValue(x, under, names); place > 0 {
				return place
			}
		}
	case string:
		return inText(v, under, names)
	case json.Number:
		return inText(v.String(), under, names)
	}
	return 0
}

func inText(text, under string, names []name) int {
	text = strings.TrimSpace(text)
	for _, n := range names {
		same := strings.EqualFold(text, n.value)
		if n.namespace == "phone" && !same {
			s := squeeze(text)
			same = len(s) >= 7 && len(s) <= 20 && strings.HasSuffix(squeeze(n.value), strings.TrimLeft(s, "0")) && strings.IndexFunc(text, unicode.IsLetter) < 0
		}
		if same && (len(n.value) >= telling || strings.Contains(under, squeeze(n.namespace))) {
			return n.place
		}
		if !same && len(n.value) >= telling && len(text) > len(n.value) && standsIn(strings.ToLower(text), strings.ToLower(n.value)) {
			return n.place
		}
	}
	return 0
}
