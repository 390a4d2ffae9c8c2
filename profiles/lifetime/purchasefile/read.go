package purchasefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/identity/linkage/tablefile"
	"github.com/kindred-cdp/kindred/profiles/cells"
	"github.com/kindred-cdp/kindred/profiles/lifetime"
)

// Config says what to read.
type Config struct {
	// Path of the file: CSV or TSV, plain or gzip.
	Path string
	// ID, Time and Amount are names of columns; Amount may be "".
	ID, Time, Amount string
	// Cost is the name of the column of what the line cost, "" for none. It needs
	// Amount; an empty cell is an unknown cost.
	Cost string
	// Dates says in which order day and month stand; Auto finds it.
	Dates cells.Order
	// Until is the last day (since 1970-01-01) that counts; 0 for all.
	Until int
	// Split is the last day that a fit may know of, 0 for all: refunds after it
	// are taken off purchases after it alone, so that what was known on that day
	// does not change with what came later.
	Split int
	// Progress is told the bytes done, of how many; it may be nil.
	Progress func(done, total int64)
}

// The reasons why lines are left out.
const (
	NoID         = "no_id"
	NoDate       = "no_date"
	BadDate      = "date_unreadable"
	NoAmount     = "no_amount"
	BadAmount    = "amount_unreadable"
	BadCost      = "cost_unreadable"
	AfterEnd     = "after_the_end"
	OnlyRefunds  = "customer_without_purchase" // lines of customers who only sent back
	hugeAmount   = 1e12
	worstRefused = 10 // at most one line in so many may be unreadable
)

// Log is what was read: the purchases of each customer, merged by day.
type Log struct {
	// IDs are the customers, in the order in which they stand in the file.
	IDs []string
	// Histories are their purchase days in order, net of refunds.
	Histories [][]lifetime.Purchase
	// Earnings are what they left after costs, up to the split; nil without costs.
	Earnings []lifetime.Earnings
	// Lines is the number of lines, Excluded that of those left out by reason.
	Lines    int
	Excluded map[string]int
	// Refunds counts the lines with a negative amount, UnmatchedRefunds is their
	// money that no purchase before it could be found for. Zeros counts those of amount
	// zero, which are purchases that say nothing of spend.
	Refunds          int
	UnmatchedRefunds float64
	Zeros            int
	// First and Last are the first and the last purchase day.
	First, Last int
	// Order is how the dates were read.
	Order    cells.Order
	Warnings []tablefile.Warning
}

// Read reads the file. Where what stands in its lines is the reason of an error, there
// is a Log of them nonetheless, with their counts and without histories.
func Read(ctx context.Context, cfg Config) (*Log, error) {
	rows, err := tablefile.OpenRows(cfg.Path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	r := &reader{cfg: cfg, days: map[string]int32{}, customers: map[string]int32{}, bad: map[string][]int{}}
	if err := r.columns(rows.Header()); err != nil {
		return nil, fmt.Errorf("%s has %w", cfg.Path, err)
	}
	r.log = &Log{Excluded: map[string]int{}}
	for {
		fields, line, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			r.log.IDs = nil
			return r.log, err
		}
		r.add(fields, line)
		if r.log.Lines&0x3fff == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if cfg.Progress != nil {
				cfg.Progress(rows.Progress())
			}
		}
	}
	r.log.Warnings = rows.Warnings()
	if err := r.finish(); err != nil {
		r.log.IDs, r.log.Histories = nil, nil
		return r.log, err
	}
	return r.log, nil
}

// line is one that may be used: its date waits until all dates are known.
type line struct {
	customer, date int32
	number         int32
	amount, cost   float64
	costKnown      bool
}

type reader struct {
	cfg              Config
	log              *Log
	id, time, amount int
	cost             int
	days             map[string]int32 // texts of dates
	texts            []string
	customers        map[string]int32
	lines            []line
	bad              map[string][]int // first lines by reason
}

func (r *reader) columns(header []string) (err error) {
	seen := map[string]bool{}
	find := func(name, flag string) (int, error) {
		if name == "" {
			return -1, fmt.Errorf("no column named for %s", flag)
		}
		i, err := tablefile.Find(header, name)
		if err == nil && slices.Index(header[i+1:], header[i]) >= 0 {
			return -1, fmt.Errorf("several columns named %q: give each a name of its own", name)
		}
		if err == nil && seen[header[i]] {
			return -1, fmt.Errorf("one column %q for two things", name)
		}
		if err == nil {
			seen[header[i]] = true
		}
		return i, err
	}
	if r.id, err = find(r.cfg.ID, "the customer"); err != nil {
		return err
	}
	if r.time, err = find(r.cfg.Time, "the time"); err != nil {
		return err
	}
	if r.amount = -1; r.cfg.Amount != "" {
		if r.amount, err = find(r.cfg.Amount, "the amount"); err != nil {
			return err
		}
	}
	if r.cost = -1; r.cfg.Cost != "" {
		r.cost, err = find(r.cfg.Cost, "the cost")
	}
	return err
}

// exclude leaves a line out.
func (r *reader) exclude(reason string, number int) {
	r.log.Excluded[reason]++
	if lines := r.bad[reason]; len(lines) < 5 {
		r.bad[reason] = append(lines, number)
	}
}

func (r *reader) add(fields [][]byte, number int) {
	r.log.Lines++
	l := line{number: int32(number)}
	if cells.Missing(string(fields[r.id])) {
		r.exclude(NoID, number)
		return
	}
	if cells.Missing(string(fields[r.time])) {
		r.exclude(NoDate, number)
		return
	}
	if r.amount >= 0 {
		cell := string(fields[r.amount])
		v, ok := cells.Number(cell)
		switch {
		case cells.Missing(cell):
			r.exclude(NoAmount, number)
			return
		case !ok || v > hugeAmount || v < -hugeAmount:
			r.exclude(BadAmount, number)
			return
		}
		l.amount = v
	}
	if !r.readCost(&l, fields) {
		r.exclude(BadCost, number)
		return
	}
	l.customer, l.date = code(r.customers, fields[r.id], &r.log.IDs), code(r.days, fields[r.time], &r.texts)
	r.lines = append(r.lines, l)
}

// code numbers the texts in order of appearance.
func code(known map[string]int32, text []byte, all *[]string) int32 {
	if c, ok := known[string(text)]; ok {
		return c
	}
	s, c := string(text), int32(len(*all))
	known[s], *all = c, append(*all, s)
	return c
}

// finish reads the dates and makes the histories.
func (r *reader) finish() error {
	if r.log.Lines == 0 {
		return fmt.Errorf("%s has a header and no line of a purchase", r.cfg.Path)
	}
	r.log.Order = r.cfg.Dates
	if r.cfg.Dates == cells.Auto || r.cfg.Dates == "" {
		order, err := cells.OrderOf(r.texts)
		if err != nil {
			return fmt.Errorf("%s: column %q: %w; say which it is with --dates dmy or --dates mdy", r.cfg.Path, r.cfg.Time, err)
		}
		r.log.Order = order
	}
	const unreadable = -1 << 31
	days := make([]int, len(r.texts))
	for i, text := range r.texts {
		days[i] = unreadable
		if t, ok := cells.Date(text, r.log.Order); ok {
			days[i] = lifetime.DayOf(t)
		}
	}
	bought, returned := make([][]lifetime.Purchase, len(r.log.IDs)), make([][]lifetime.Purchase, len(r.log.IDs))
	var costs []cost
	for _, l := range r.lines {
		day := days[l.date]
		switch {
		case day == unreadable:
			r.exclude(BadDate, int(l.number))
		case r.cfg.Until != 0 && day > r.cfg.Until:
			r.log.Excluded[AfterEnd]++
		case l.amount < 0:
			r.log.Refunds++
			returned[l.customer] = append(returned[l.customer], lifetime.Purchase{Day: day, Amount: -l.amount})
		default:
			r.zero(l)
			bought[l.customer] = append(bought[l.customer], lifetime.Purchase{Day: day, Amount: l.amount})
			if r.cost >= 0 {
				costs = append(costs, cost{day, int(l.customer), l.amount, l.cost, l.costKnown})
			}
		}
	}
	if err := r.refuse(); err != nil {
		return err
	}
	return r.histories(bought, returned, costs)
}

// zero counts a purchase for nothing.
func (r *reader) zero(l line) {
	if r.amount >= 0 && l.amount == 0 {
		r.log.Zeros++
	}
}

// refuse stops at a file of which much cannot be read.
func (r *reader) refuse() error {
	var faults []string
	count := 0
	for _, reason := range []string{NoID, NoDate, BadDate, NoAmount, BadAmount, BadCost} {
		if n := r.log.Excluded[reason]; n > 0 {
			count += n
			faults = append(faults, fmt.Sprintf("%d %s (lines %s)", n, strings.ReplaceAll(reason, "_", " "), strings.Trim(strings.ReplaceAll(fmt.Sprint(r.bad[reason]), " ", ", "), "[]")))
		}
	}
	// Guests have no id: they may be many, but not most.
	if guests := r.log.Excluded[NoID]; guests*2 <= r.log.Lines {
		count -= guests
	}
	if count*worstRefused > r.log.Lines {
		return fmt.Errorf("%s: %d of %d lines cannot be used: %s; name other columns, or mend the file", r.cfg.Path, count, r.log.Lines, strings.Join(faults, ", "))
	}
	return nil
}

// net takes the refunds off the purchases, those after the split apart.
func (r *reader) net(days, refunds []lifetime.Purchase) (unmatched float64) {
	if r.cfg.Split == 0 {
		return lifetime.NetOfRefunds(days, refunds)
	}
	var known, later []lifetime.Purchase
	for _, p := range refunds {
		if p.Day <= r.cfg.Split {
			known = append(known, p)
		} else {
			later = append(later, p)
		}
	}
	after := slices.IndexFunc(days, func(p lifetime.Purchase) bool { return p.Day > r.cfg.Split })
	if after < 0 {
		after = len(days)
	}
	return lifetime.NetOfRefunds(days, known) + lifetime.NetOfRefunds(days[after:], later)
}

// histories nets refunds and leaves out who never bought.
func (r *reader) histories(bought, returned [][]lifetime.Purchase, costs []cost) error {
	log, ids := r.log, r.log.IDs
	log.IDs = nil
	var customers []int // of the file, by place in the log
	for i, id := range ids {
		if len(bought[i]) == 0 {
			if n := len(returned[i]); n > 0 {
				log.Excluded[OnlyRefunds] += n
			}
			continue
		}
		days := lifetime.MergeDays(bought[i])
		log.UnmatchedRefunds += r.net(days, returned[i])
		if len(log.IDs) == 0 {
			log.First, log.Last = days[0].Day, days[len(days)-1].Day
		}
		log.First, log.Last = min(log.First, days[0].Day), max(log.Last, days[len(days)-1].Day)
		log.IDs, log.Histories = append(log.IDs, id), append(log.Histories, days)
		customers = append(customers, i)
	}
	if len(log.IDs) == 0 {
		return fmt.Errorf("%s has no purchase up to the end asked for", r.cfg.Path)
	}
	log.Earnings = r.earnings(costs, customers)
	return nil
}
