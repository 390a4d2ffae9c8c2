package ledger

import "maps"

// cache remembers the entries that were used since the last two times that it
// aged, which it does when it is half full: two generations, of which the older
// one is dropped whole. It holds at most limit entries more than what is put
// between two calls of age. It needs no list and no clock, and forgetting is
// always safe for its callers, but for when they say so.
type cache[K comparable, V any] struct {
	young, old map[K]V
	half       int
}

func newCache[K comparable, V any](limit int) *cache[K, V] {
	return &cache[K, V]{young: map[K]V{}, old: map[K]V{}, half: max(1, limit/2)}
}

// age forgets what was not used since it last forgot, if young is full.
func (c *cache[K, V]) age() {
	if len(c.young) < c.half {
		return
	}
	c.old, c.young = c.young, c.old
	clear(c.young) // Keeps its room, which it will need.
}

// get returns the value of k and keeps it young.
func (c *cache[K, V]) get(k K) (V, bool) {
	if v, ok := c.young[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	if ok {
		c.young[k] = v
	}
	return v, ok
}

// drop forgets k.
func (c *cache[K, V]) drop(k K) {
	delete(c.young, k)
	delete(c.old, k)
}

// dropAll forgets every key that goes holds for.
func (c *cache[K, V]) dropAll(goes func(K) bool) {
	for _, m := range [2]map[K]V{c.young, c.old} {
		maps.DeleteFunc(m, func(k K, _ V) bool { return goes(k) })
	}
}

// put sets the value of k.
func (c *cache[K, V]) put(k K, v V) { c.young[k] = v }
