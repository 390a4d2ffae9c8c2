package graph

// heap gives back the first of what was pushed, by before.
type heap[T any] struct {
	items  []T
	before func(a, b *T) bool
}

func (h *heap[T]) push(item T) {
	h.items = append(h.items, item)
	for i := len(h.items) - 1; i > 0; {
		up := (i - 1) / 2
		if !h.before(&h.items[i], &h.items[up]) {
			return
		}
		h.items[i], h.items[up] = h.items[up], h.items[i]
		i = up
	}
}

func (h *heap[T]) pop() T {
	top, last := h.items[0], len(h.items)-1
	h.items[0] = h.items[last]
	h.items = h.items[:last]
	for i := 0; ; {
		next := 2*i + 1
		if next >= last {
			return top
		}
		if next+1 < last && h.before(&h.items[next+1], &h.items[next]) {
			next++
		}
		if !h.before(&h.items[next], &h.items[i]) {
			return top
		}
		h.items[i], h.items[next] = h.items[next], h.items[i]
		i = next
	}
}
