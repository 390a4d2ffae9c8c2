package grouping

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/personas"
)

// standing is the model that stands.
type standing struct {
	model      *personas.Model
	computedAt time.Time
	topics     []string
}

const standingSQL = `SELECT computed_at, model FROM persona_models WHERE workspace = {workspace:String} ORDER BY computed_at DESC LIMIT 1`

// stored is a model with the features that it was offered, of which it may use few.
type stored struct {
	*personas.Model
	Offered []string `json:"offered"`
}

// standing reads the model that stands, nil for none. One that cannot be read, of
// another release, is none.
func (w *Worker) standing(ctx context.Context) (*standing, error) {
	var s *standing
	err := w.query(ctx, standingSQL, func(rows driver.Rows) error {
		var at time.Time
		var text string
		if err := rows.Scan(&at, &text); err != nil {
			return err
		}
		var m stored
		if json.Unmarshal([]byte(text), &m) == nil && m.Model != nil {
			s = &standing{m.Model, at.UTC(), topicsOf(m.Offered)}
		}
		return nil
	}, clickhouse.Named("workspace", w.cfg.Workspace))
	if err != nil {
		return nil, fmt.Errorf("read model of personas: %w", err)
	}
	return s, nil
}

// publish stores a model, later than the one before whatever the clock does.
func (w *Worker) publish(ctx context.Context, m *personas.Model, topics []string, asOf time.Time, before *standing) error {
	names, offered := map[string]string{}, []string{}
	for _, p := range m.Personas {
		names[p.ID] = p.Name
	}
	for _, f := range Features(topics) {
		offered = append(offered, f.Name)
	}
	text, err := json.Marshal(stored{m, offered})
	if err != nil {
		return fmt.Errorf("write model of personas: %w", err)
	}
	at := w.deps.Clock().UTC().Truncate(time.Millisecond)
	if before != nil && !at.After(before.computedAt) {
		at = before.computedAt.Add(time.Millisecond)
	}
	err = w.deps.Conn.Exec(ctx, `INSERT INTO persona_models (workspace, computed_at, as_of, version, names, refused, model) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		w.cfg.Workspace, at, asOf, m.Version, names, m.Refused, string(text))
	if err != nil {
		return fmt.Errorf("write model of personas: %w", profilestore.Concise(err))
	}
	return nil
}

// writtenSQL is what the newest row of each id says, with all of whom it says it, those
// that were withdrawn too: the time of a new one must be later. Few different things are
// said of millions, and a row for each of these took the memory of its texts.
const writtenSQL = `SELECT newest.1, newest.2, newest.3, newest.4, newest.5, newest.6, groupArray(profile_id), max(at)
FROM (
    SELECT profile_id, argMax((toString(stage), toString(persona), toString(persona_name), recency, frequency, money), time) AS newest, max(time) AS at
    FROM profile_groups
    WHERE workspace = {workspace:String} AND profile_id != 0
    GROUP BY profile_id
)
GROUP BY newest`

// changes are rows of profile_groups to be.
type changes struct {
	ids    []uint64
	groups []group
}

func (c *changes) add(id uint64, g group) {
	c.ids, c.groups = append(c.ids, id), append(c.groups, g)
}

// write appends what has changed since it was written last, and a row of profile 0
// when there was any.
func (w *Worker) write(ctx context.Context, p *people, groups []group, s *Summary) error {
	var c changes
	latest := time.Time{}
	seen := make([]bool, len(groups))
	err := w.query(ctx, writtenSQL, func(rows driver.Rows) error {
		var ids []uint64
		var g group
		var at time.Time
		if err := rows.Scan(&g.stage, &g.persona, &g.name, &g.grades.Recency, &g.grades.Frequency, &g.grades.Money, &ids, &at); err != nil {
			return err
		}
		if at.After(latest) {
			latest = at
		}
		for _, id := range ids {
			i, ok := p.place[id]
			switch {
			case ok:
				seen[i] = true
				if !g.same(groups[i]) {
					c.add(id, groups[i])
				}
			case g.stage != "":
				c.add(id, group{})
				s.Withdrawn++
			}
		}
		return nil
	}, clickhouse.Named("workspace", w.cfg.Workspace))
	if err != nil {
		return fmt.Errorf("read groups of profiles: %w", err)
	}
	for i, id := range p.ids {
		if !seen[i] {
			c.add(id, groups[i])
		}
	}
	s.Changed = len(c.ids)
	if len(c.ids) == 0 {
		return nil
	}
	at := w.deps.Clock().UTC().Truncate(time.Millisecond)
	if !at.After(latest) {
		at = latest.UTC().Add(time.Millisecond)
	}
	return w.insert(ctx, &c, at, s.Version)
}

// same reports whether two groups say the same. A new version of the model that leaves
// somebody where they were is no change.
func (g group) same(o group) bool {
	g.version, o.version = "", ""
	return g == o
}

// chunk is the number of rows that are inserted at once.
const chunk = 100_000

// insert writes changes in chunks, and then the row that ends them.
func (w *Worker) insert(ctx context.Context, c *changes, at time.Time, version string) error {
	for from := range slices.Chunk(c.ids, chunk) {
		n := len(from)
		if err := w.store(ctx, from, c.groups[:n], at); err != nil {
			return fmt.Errorf("write groups of profiles: %w", profilestore.Concise(err))
		}
		c.groups = c.groups[n:]
	}
	if err := w.store(ctx, []uint64{0}, []group{{version: version}}, at); err != nil {
		return fmt.Errorf("end groups of profiles: %w", profilestore.Concise(err))
	}
	return nil
}

func (w *Worker) store(ctx context.Context, ids []uint64, groups []group, at time.Time) error {
	batch, err := w.deps.Conn.PrepareBatch(ctx, "INSERT INTO profile_groups (workspace, profile_id, time, stage, persona, persona_name, recency, frequency, money, model_version)")
	if err != nil {
		return err
	}
	defer func() { _ = batch.Abort() }() // An error after Send, which says nothing.
	for i, g := range groups {
		if err := batch.Append(w.cfg.Workspace, ids[i], at, g.stage, g.persona, g.name, g.grades.Recency, g.grades.Frequency, g.grades.Money, g.version); err != nil {
			return err
		}
	}
	return batch.Send()
}
