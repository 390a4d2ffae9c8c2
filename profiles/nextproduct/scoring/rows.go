package scoring

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/nextproduct"
	"github.com/kindred-cdp/kindred/profiles/valuation"
)

// basketsSQL is what each profile bought on each day of two years.
var basketsSQL = `SELECT profile_id, toInt32(toDate32(placed)) AS day, arraySort(groupUniqArrayArray(products)) AS bought
FROM (` + valuation.OrderedProducts() + `)
WHERE type = 'order' AND placed > parseDateTime64BestEffort({as_of:String}, 3, 'UTC') - INTERVAL 730 DAY
GROUP BY profile_id, day
HAVING notEmpty(bought)
ORDER BY profile_id, day`

// namesSQL is how products are called.
const namesSQL = `SELECT item_id, name, arrayStringConcat(category, ' / ') AS categories FROM catalogue
WHERE workspace = {workspace:String} AND type = 'product'`

// history is what all profiles bought.
type history struct {
	profiles []uint64
	baskets  [][]nextproduct.Basket
	ids      []string
	names    map[string][2]string // name and category by id
	spare    []int32
}

// room is memory for n products, taken from a greater piece: shops have millions of
// baskets.
func (h *history) room(n int) []int32 {
	if len(h.spare) < n {
		h.spare = make([]int32, max(n, 1<<16))
	}
	own := h.spare[:0:n]
	h.spare = h.spare[n:]
	return own
}

func (w *Worker) read(ctx context.Context, asOf time.Time) (*history, error) {
	h := &history{names: map[string][2]string{}}
	numbers := map[string]int32{}
	found, err := w.deps.Conn.Query(profilestore.Spilling(ctx), basketsSQL, clickhouse.Named("workspace", w.cfg.Workspace), clickhouse.Named("as_of", asOf.Format("2006-01-02 15:04:05.000")))
	if err != nil {
		return nil, fmt.Errorf("read baskets: %w", profilestore.Concise(err))
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		var profile uint64
		var day int32
		var bought []string
		if err := found.Scan(&profile, &day, &bought); err != nil {
			return nil, fmt.Errorf("read baskets: %w", profilestore.Concise(err))
		}
		b := nextproduct.Basket{Day: int(day), Products: h.room(len(bought))}
		for _, id := range bought {
			n, known := numbers[id]
			if !known {
				n = int32(len(h.ids))
				numbers[id], h.ids = n, append(h.ids, id)
			}
			b.Products = append(b.Products, n)
		}
		if last := len(h.profiles); last == 0 || h.profiles[last-1] != profile {
			h.profiles, h.baskets = append(h.profiles, profile), append(h.baskets, nil)
		}
		h.baskets[len(h.baskets)-1] = append(h.baskets[len(h.baskets)-1], b)
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("read baskets: %w", profilestore.Concise(err))
	}
	return h, w.readNames(ctx, h, numbers)
}

func (w *Worker) readNames(ctx context.Context, h *history, numbers map[string]int32) error {
	found, err := w.deps.Conn.Query(ctx, namesSQL, clickhouse.Named("workspace", w.cfg.Workspace))
	if err != nil {
		return fmt.Errorf("read names of products: %w", profilestore.Concise(err))
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		var id, name, category string
		if err := found.Scan(&id, &name, &category); err != nil {
			return fmt.Errorf("read names of products: %w", profilestore.Concise(err))
		}
		if _, bought := numbers[id]; bought {
			h.names[id] = [2]string{name, category}
		}
	}
	return profilestore.Concise(found.Err())
}

// told is a product in the detail of a score.
type told struct {
	ProductID   string             `json:"product_id"`
	Name        string             `json:"name,omitempty"`
	Category    string             `json:"category,omitempty"`
	Probability float64            `json:"probability"`
	Why         nextproduct.Reason `json:"why"`
	// Times and DaysAgo are of what was bought before, With of what goes together.
	Times   int    `json:"times,omitempty"`
	DaysAgo int    `json:"days_ago,omitempty"`
	With    string `json:"with,omitempty"`
}

func (h *history) tell(p nextproduct.Product) told {
	id := h.ids[p.Product]
	t := told{ProductID: id, Name: h.names[id][0], Category: h.names[id][1], Probability: p.Probability, Why: p.Why, Times: p.Times, DaysAgo: p.Days}
	if p.With >= 0 {
		t.With = h.ids[p.With]
	}
	return t
}

// detail is that of a score.
type detail struct {
	Unit    string `json:"unit"`
	Horizon int    `json:"horizon_days"`
	// Products are the ranking, the likeliest first.
	Products []told `json:"products"`
}

// rows are rows of the table scores of this score.
type rows struct {
	profile []uint64
	value   []float64
	detail  []string
}

func (r *rows) add(profile uint64, value float64, detail string) {
	r.profile, r.value, r.detail = append(r.profile, profile), append(r.value, value), append(r.detail, detail)
}

// chunk is the number of rows that are inserted at once.
const chunk = 20_000

func (w *Worker) write(ctx context.Context, h *history, m *nextproduct.Model, asOf, computed time.Time) (scored int, err error) {
	var r rows
	err = m.RankInOrder(ctx, h.baskets, w.cfg.Top, func(i int, next []nextproduct.Product) error {
		if len(next) == 0 {
			return nil
		}
		d := detail{Unit: "probability", Horizon: w.cfg.Model.Horizon}
		for _, p := range next {
			d.Products = append(d.Products, h.tell(p))
		}
		text, err := json.Marshal(d)
		if err != nil {
			return err
		}
		r.add(h.profiles[i], next[0].Probability, string(text))
		if scored++; len(r.profile) < chunk {
			return nil
		}
		err = w.insert(ctx, &r, asOf, computed)
		r = rows{r.profile[:0], r.value[:0], r.detail[:0]}
		return err
	})
	if err != nil {
		return scored, err
	}
	return scored, w.insert(ctx, &r, asOf, computed)
}

const insertSQL = "INSERT INTO scores (workspace, profile_id, score, model_version, as_of, computed_at, value, lower, upper, detail)"

// insert writes rows as one native block.
func (w *Worker) insert(ctx context.Context, r *rows, asOf, computed time.Time) error {
	if len(r.profile) == 0 {
		return nil
	}
	batch, err := w.deps.Conn.PrepareBatch(ctx, insertSQL)
	if err != nil {
		return err
	}
	defer func() { _ = batch.Abort() }() // An error after Send, which says nothing.
	n, version := len(r.profile), "next-"+asOf.Format("20060102")
	for i, values := range []any{
		slices.Repeat([]string{w.cfg.Workspace}, n), r.profile, slices.Repeat([]string{Score}, n), slices.Repeat([]string{version}, n),
		slices.Repeat([]time.Time{asOf}, n), slices.Repeat([]time.Time{computed}, n), r.value, r.value, r.value, r.detail,
	} {
		if err := batch.Column(i).Append(values); err != nil {
			return err
		}
	}
	return batch.Send()
}
