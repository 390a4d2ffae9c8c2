package files

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/ingest/mapping"
)

// suggestRows is the number of records that a suggestion looks at.
const suggestRows = 1000

// column is what the first records say of one column.
type column struct {
	name   string
	values []string // that are not empty, at most suggestRows
}

// Suggest guesses a mapping of a file from its columns and its first records,
// as text to be corrected by hand. It can be loaded as it is.
func Suggest(in Input) (string, error) {
	input, columns, err := readShape(in)
	if err != nil {
		return "", fmt.Errorf("suggest a mapping of %s: %w", in.Name, err)
	}
	return render(in.Name, input, columns), nil
}

// readShape finds out how a file is to be read, and reads the first values of its
// columns.
func readShape(in Input) (input mapping.Input, columns []*column, err error) {
	input.Header = true
	err = readPart(in, func(c *content) error {
		b := bufio.NewReaderSize(c, 1<<17)
		head, _ := b.Peek(1 << 16)
		input.Format = detectFormat(in.Name, head)
		if input.Format == formatCSV {
			input.Delimiter = string(guessDelimiter(head))
			whole := head
			if len(head) == 1<<16 {
				whole = head[:len(head)-utf8.UTFMax] // The last rune may be cut.
			}
			if !utf8.Valid(whole) && !bytes.HasPrefix(head, []byte("\xff\xfe")) && !bytes.HasPrefix(head, []byte("\xfe\xff")) {
				input.Encoding = "windows-1252"
			}
		}
		if input.Format == formatCSV {
			input.Columns = withoutHeader(head, input)
			input.Header = input.Columns == nil
		}
		s, err := openSource(b, input, Options{File: in.Name, MaxMessageBytes: DefaultConfig().MaxMessageBytes, Path: in.plainPath()})
		if err != nil {
			return err
		}
		if closer, ok := s.(interface{ close() }); ok {
			defer closer.close()
		}
		columns, err = readColumns(s)
		return err
	})
	if err == nil && len(columns) == 0 {
		err = errors.New("there are no columns")
	}
	return input, columns, err
}

// withoutHeader names the columns of a file whose first line is data already:
// one with a number, a time or nothing in place of a name.
func withoutHeader(head []byte, in mapping.Input) []string {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	text, err := utf8Text(bytes.NewReader(line), in.Encoding)
	if err != nil {
		return nil
	}
	c, err := openCSV(text, in)
	if err != nil {
		return nil
	}
	var names []string
	data := false
	for i, name := range c.columns.Names {
		_, numberErr := strconv.ParseFloat(name, 64)
		data = data || numberErr == nil || mapping.FitsTime("rfc3339", name)
		names = append(names, fmt.Sprintf("column%d", i+1))
	}
	if !data {
		return nil
	}
	return names
}

func readColumns(s source) ([]*column, error) {
	var columns []*column
	add := func(name, value string) {
		i := slices.IndexFunc(columns, func(c *column) bool { return c.name == name })
		if i < 0 && len(columns) < maxColumns {
			i = len(columns)
			columns = append(columns, &column{name: name})
		}
		if i >= 0 && value != "" {
			columns[i].values = append(columns[i].values, value)
		}
	}
	for range suggestRows {
		rec, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch v := rec.value.(type) {
		case *mapping.Row:
			for i, name := range v.Columns.Names {
				add(name, strings.TrimSpace(v.Fields[i]))
			}
		case map[string]any:
			for name, x := range v {
				switch x.(type) {
				case nil:
				case map[string]any, []any: // Nothing of the lists is nested.
				default:
					add(name, fmt.Sprint(x))
				}
			}
		}
	}
	if _, csv := s.(*csvSource); !csv {
		slices.SortFunc(columns, func(a, b *column) int { return strings.Compare(a.name, b.name) })
	}
	return columns, nil
}

// identifierWords are the words of column names by namespace, the surest first.
var identifierWords = []struct{ namespace, words string }{
	{"email", "email,mail,e_mail,emailaddress,email_address"},
	{"phone", "phone,mobile,phone_number,telephone,msisdn,cell"},
	{"loyalty", "loyalty,card_no,cardnumber,card_number,member,membership,loyalty_id"},
	{"user_id", "user_id,userid,user,customer_id,customerid,customer,client_id,clientid,account_id,contact_id,visitor"},
	{"anonymous_id", "anonymous_id,anonymousid,cookie,device_id,session_user"},
}

// roles are the other columns that a suggestion knows.
var roleWords = []struct{ role, words string }{
	{"time", "time,timestamp,date,datetime,created_at,created,occurred_at,order_date,invoicedate,event_time,ts,timestmp"},
	{"name", "event,event_name,eventname,action,activity"},
	{"lat", "lat,latitude"},
	{"lon", "lon,lng,long,longitude"},
	{"score", "nps,nps_score,score,rating,recommend"},
	{"order", "order_id,orderid,order,invoice,invoiceno,transaction_id,order_number"},
	{"amount", "amount,total,revenue,price,order_total,value,total_amount"},
	{"currency", "currency,currency_code"},
	{"comment", "comment,comments,verbatim,feedback,review,text"},
	{"id", "id,event_id,message_id,uuid,row_id"},
}

// folded is a column's name as the lists above have it.
func folded(name string) string {
	var b strings.Builder
	for i, r := range name {
		switch {
		case unicode.IsUpper(r) && i > 0 && b.Len() > 0 && unicode.IsLower(rune(name[i-1])):
			b.WriteByte('_')
			b.WriteRune(unicode.ToLower(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	return strings.Trim(b.String(), "_")
}

func find(columns []*column, words string) *column {
	for _, w := range strings.Split(words, ",") {
		for _, c := range columns {
			if f := folded(c.name); f == w || strings.ReplaceAll(f, "_", "") == strings.ReplaceAll(w, "_", "") {
				return c
			}
		}
	}
	return nil
}

// timeFormats are tried on the values of a column of times.
var timeFormats = []string{
	"rfc3339", "yyyy-MM-dd HH:mm:ss Z", "dd/MM/yyyy HH:mm:ss", "dd/MM/yyyy HH:mm", "dd/MM/yyyy", "MM/dd/yyyy HH:mm:ss", "MM/dd/yyyy HH:mm", "MM/dd/yyyy",
	"d/M/yyyy", "M/d/yyyy H:mm", "dd.MM.yyyy HH:mm", "dd.MM.yyyy", "yyyyMMdd", "yyyy/MM/dd", "unix", "unix_ms",
}

// timeFormat returns the first format that all values of a column have.
func timeFormat(c *column) string {
	for _, f := range timeFormats {
		if f == "unix" && len(c.values) > 0 && len(strings.Split(c.values[0], ".")[0]) > 11 {
			continue // Milliseconds of our days have thirteen digits.
		}
		if len(c.values) > 0 && !slices.ContainsFunc(c.values, func(v string) bool { return !mapping.FitsTime(f, v) }) {
			return f
		}
	}
	return ""
}

func placeholder(name string) string {
	if strings.ContainsAny(name, ".[]|{}#@$^") || name != strings.TrimSpace(name) {
		return "${[\"" + name + "\"]}"
	}
	return "${" + name + "}"
}

func quoted(text string) string {
	if !strings.Contains(text, "'") {
		return "'" + text + "'"
	}
	return "\"" + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + "\""
}

// sourceName makes the name of a source of that of a file.
func sourceName(file string) string {
	base, _, _ := strings.Cut(path.Base(file), ".")
	if name := strings.ReplaceAll(folded(base), "_", "-"); name != "" {
		return name
	}
	return "import"
}

func render(file string, in mapping.Input, columns []*column) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# A guess from the columns and the first records of the file. Look at it with")
	line("# --preview 10, correct it, then import.")
	line("source = %s\n", quoted(sourceName(file)))
	renderInput(line, in)
	role := map[string]*column{}
	for _, r := range roleWords {
		role[r.role] = find(columns, r.words)
	}
	kind := "behaviour"
	switch {
	case role["lat"] != nil && role["lon"] != nil:
		kind = "location"
	case role["order"] != nil && role["amount"] != nil:
		kind = "transaction"
	case role["score"] != nil:
		kind = "feedback"
	}
	line("\n[[events]]\nkind = %q", kind)
	if c := role["name"]; c != nil {
		line("name = { from = %s, default = \"Imported\" }", quoted(placeholder(c.name)))
	} else {
		line("name = %q", map[string]string{"behaviour": "Imported", "location": "Located", "transaction": "Order Completed", "feedback": "Feedback Given"}[kind])
	}
	if c := role["id"]; c != nil {
		line("id = %s", quoted(placeholder(c.name)))
	} else {
		line("# id: that of the file and the line, so that the same file is stored once")
	}
	renderTime(line, role["time"])
	var ids []string
	for _, i := range identifierWords {
		if c := find(columns, i.words); c != nil {
			ids = append(ids, fmt.Sprintf("  { namespace = %q, from = %s },", i.namespace, quoted(placeholder(c.name))))
		}
	}
	if len(ids) > 0 {
		line("identifiers = [\n%s\n]", strings.Join(ids, "\n"))
	} else {
		line("# identifiers: no column looks like one; without any the events belong to nobody")
	}
	line("properties = \"rest inferred\"")
	renderPart(line, kind, role)
	return b.String()
}

func renderInput(line func(string, ...any), in mapping.Input) {
	line("[input]\nformat = %q", in.Format)
	if in.Format != formatCSV {
		return
	}
	line("delimiter = %q", in.Delimiter)
	if !in.Header {
		line("header = false   # the first line is data; name the columns")
		line("columns = [\"%s\"]", strings.Join(in.Columns, "\", \""))
	}
	if in.Encoding != "" {
		line("encoding = %q   # not UTF-8; latin-1 is another candidate", in.Encoding)
	}
}

func renderTime(line func(string, ...any), c *column) {
	switch {
	case c == nil:
		line("# time: no column looks like one; the events count as of the import")
	case timeFormat(c) == "":
		line("# time: column %s has values of no known format; see the package's doc on formats", c.name)
	default:
		line("time = { from = %s, format = %q }   # zone = \"Europe/Lisbon\" unless UTC", quoted(placeholder(c.name)), timeFormat(c))
	}
}

func renderPart(line func(string, ...any), kind string, role map[string]*column) {
	field := func(name string, c *column) {
		if c != nil {
			line("%s = %s", name, quoted(placeholder(c.name)))
		}
	}
	switch kind {
	case "location":
		line("\n[events.location]")
		field("lat", role["lat"])
		field("lon", role["lon"])
	case "transaction":
		line("\n[events.transaction]\ntype = \"order\"\nstatus = \"completed\"")
		field("order_id", role["order"])
		field("amount", role["amount"])
		if c := role["currency"]; c != nil {
			field("currency", c)
		} else {
			line("currency = \"EUR\"   # no column names it")
		}
	case "feedback":
		line("\n[events.feedback]\ninstrument = \"nps\"   # or csat, ces, review, free")
		field("score", role["score"])
		field("comment", role["comment"])
	}
}
