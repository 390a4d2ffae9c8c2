package ingest

import (
	"strings"
	"sync"
)

// interner gives equal texts one memory: for names of events, sources and
// workspaces, which are few and would otherwise each keep its record alive
// beyond the batch. Safe for concurrent use.
type interner struct {
	mu  sync.RWMutex
	set map[string]string // Protected by mu.
}

// maxInterned bounds the memory that invented names can take.
const maxInterned = 20_000

// of returns a text equal to s that shares no memory with it.
func (in *interner) of(s string) string {
	in.mu.RLock()
	known, ok := in.set[s]
	in.mu.RUnlock()
	if ok {
		return known
	}
	s = strings.Clone(s)
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.set == nil || len(in.set) >= maxInterned {
		in.set = map[string]string{}
	}
	in.set[s] = s
	return s
}
