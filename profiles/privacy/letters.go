package privacy

import (
	"bytes"
	"context"
	"encoding/json"
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

// letters returns the ids of the dead letters that name somebody of a batch. A letter
// could not be read as an event, so it has no anchor: it is searched for the values.
func (w *Worker) letters(ctx context.Context, b *batch) ([]string, error) {
	found := map[string]bool{}
	counts := make([]uint64, len(b.erasures))
	for some := range slices.Chunk(b.names, maxNeedles) {
		var needles []string
		for _, n := range some {
			if s := n.needle(); s != "" {
				needles = append(needles, s)
			} else {
				needles = append(needles, "") // Of another script: every letter is looked at.
			}
		}
		err := query(ctx, w.deps.Conn, "search dead letters", candidatesSQL, func(rows driver.Rows) error {
			var id, value string
			if err := rows.Scan(&id, &value); err != nil {
				return err
			}
			if place := mentioned([]byte(value), some); place > 0 && !found[id] {
				found[id] = true
				counts[place-1]++
			}
			return nil
		}, append(b.bind(), clickhouse.Named("needles", needles), clickhouse.Named("latest", slices.Max(b.erasedAt)))...)
		if err != nil {
			return nil, err
		}
	}
	ids := []string{}
	for id := range found {
		ids = append(ids, strings.Repeat("0", 32-len(id))+id)
	}
	slices.Sort(ids)
	if len(ids) == 0 {
		return nil, nil
	}
	return ids, w.keepStep(ctx, b, "dead_letters", counts)
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
