package clickhouse

import (
	"reflect"
	"sync"

	driver "github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

// rooms keeps the memory of the columns of finished inserts, by table, for the
// next ones. The driver starts each batch with empty columns, and growing them
// text by text copies every byte five times: it was a fifth of the processor
// time of an event. A sync.Pool would not do: under load the collector runs more
// often than a partition inserts, and empties it. Safe for concurrent use.
type rooms struct {
	mu      sync.Mutex
	byTable map[string][]room // Protected by mu.
}

// room is the memory of one batch.
type room struct {
	columns []driver.Interface
	rows    int // of the largest batch that used it
	small   int // batches in a row that used less than an eighth of it
}

const (
	// maxRooms bounds what is kept of a table: as many batches as are stored at
	// a time under a backlog, when they are large.
	maxRooms = 2
	// maxSmall batches after a backlog its memory is given back.
	maxSmall = 64
)

// lend gives the empty columns of a new batch the memory of those of an earlier
// one. A column is a struct of its name, its type and its buffers, so that one
// of the same name and type, emptied, takes the place of a new one as a whole.
func (r *rooms) lend(table string, into []driver.Interface) (lent room) {
	r.mu.Lock()
	if kept := r.byTable[table]; len(kept) > 0 {
		lent = kept[len(kept)-1]
		r.byTable[table] = kept[:len(kept)-1]
	}
	r.mu.Unlock()
	if len(lent.columns) == len(into) {
		for i, c := range lent.columns {
			old, fresh := reflect.ValueOf(c), reflect.ValueOf(into[i])
			if old.Kind() == reflect.Pointer && old.Type() == fresh.Type() && c.Name() == into[i].Name() && c.Type() == into[i].Type() {
				c.Reset()
				fresh.Elem().Set(old.Elem())
			}
		}
	}
	lent.columns = into
	return lent
}

// keep takes back what lend returned, after a batch of so many rows was sent.
func (r *rooms) keep(table string, used room, rows int) {
	used.small++
	if rows*8 >= used.rows {
		used.small = 0
	}
	if used.rows = max(used.rows, rows); used.small > maxSmall {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byTable == nil {
		r.byTable = map[string][]room{}
	}
	if kept := r.byTable[table]; len(kept) < maxRooms {
		r.byTable[table] = append(kept, used)
	}
}
