package ingest

import "sync"

// maxLabels bounds the sources that metrics tell apart: producers on Kafka name
// their sources themselves.
const maxLabels = 200

// labels maps sources to label values: the first maxLabels to themselves, all
// others to "other". Safe for concurrent use.
type labels struct {
	mu    sync.Mutex
	known map[string]bool // Protected by mu.
}

func (l *labels) of(source string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.known[source]:
	case len(l.known) >= maxLabels:
		return "other"
	case l.known == nil:
		l.known = map[string]bool{source: true}
	default:
		l.known[source] = true
	}
	return source
}
