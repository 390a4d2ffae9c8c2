package graph

// roster lists, of every group, those of its members that something rare is
// kept of, so that no one has to read the whole group to find them.
type roster struct {
	first map[ref]ref // by head
	seats map[ref]seat
}

// seat is the place of a member in the list of its head.
type seat struct{ head, next, prev ref }

func newRoster() roster { return roster{first: map[ref]ref{}, seats: map[ref]seat{}} }

// put lists x, new or listed elsewhere, under h.
func (r *roster) put(x, h ref) {
	if s, ok := r.seats[x]; ok {
		if s.head == h {
			return
		}
		r.leave(s)
	}
	s := seat{head: h, next: r.first[h]}
	if s.next != 0 {
		n := r.seats[s.next]
		n.prev = x
		r.seats[s.next] = n
	}
	r.first[h], r.seats[x] = x, s
}

// leave closes the list around s.
func (r *roster) leave(s seat) {
	if s.next != 0 {
		n := r.seats[s.next]
		n.prev = s.prev
		r.seats[s.next] = n
	}
	switch {
	case s.prev != 0:
		p := r.seats[s.prev]
		p.next = s.next
		r.seats[s.prev] = p
	case s.next != 0:
		r.first[s.head] = s.next
	default:
		delete(r.first, s.head)
	}
}

// each calls f for all that are listed under h.
func (r *roster) each(h ref, f func(x ref)) {
	for x := r.first[h]; x != 0; x = r.seats[x].next {
		f(x)
	}
}
