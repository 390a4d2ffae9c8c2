package webhook

import "sync"

// memory knows the latest keys, at least half and at most all of its bound: of
// two generations the older is forgotten when the younger is full.
type memory struct {
	mu         sync.Mutex // Protects the fields below.
	young, old map[[32]byte]struct{}
	half       int
}

func newMemory(bound int) *memory {
	return &memory{young: map[[32]byte]struct{}{}, half: (bound + 1) / 2}
}

func (m *memory) has(key [32]byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, young := m.young[key]
	_, old := m.old[key]
	return young || old
}

func (m *memory) add(key [32]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.young) >= m.half {
		m.old, m.young = m.young, make(map[[32]byte]struct{}, m.half)
	}
	m.young[key] = struct{}{}
}
