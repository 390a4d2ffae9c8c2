package ledger

// cache remembers at least the last limit/2 entries that were used, and at most
// limit: two generations, of which the older one is dropped whole. It needs no
// list and no clock, and forgetting is always safe for its callers.
type cache[K comparable, V any] struct {
	young, old map[K]V
	half       int
}

func newCache[K comparable, V any](limit int) *cache[K, V] {
	return &cache[K, V]{young: map[K]V{}, old: map[K]V{}, half: max(1, limit/2)}
}

// get returns the value of k and keeps it young.
func (c *cache[K, V]) get(k K) (V, bool) {
	if v, ok := c.young[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	if ok {
		c.put(k, v)
	}
	return v, ok
}

// put sets the value of k.
func (c *cache[K, V]) put(k K, v V) {
	if _, ok := c.young[k]; !ok && len(c.young) >= c.half {
		c.old, c.young = c.young, make(map[K]V)
	}
	c.young[k] = v
}
