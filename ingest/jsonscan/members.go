package jsonscan

// Members iterates over the members of an object:
//
//	m := jsonscan.Members{...}
//
// is made by ObjectOf; Next advances until it returns false, and Err says
// whether that was the end of the object.
type Members struct {
	s     scanner
	first bool
	done  bool
	err   error
	// Key is the member's name without quotes, escapes resolved. Value is the
	// text of its value. Both are slices of the input where no escape forbids.
	Key, Value []byte
	// Offset is where Value begins in the input.
	Offset int
}

// ObjectOf returns an iterator over the object that b holds; white space around
// it is allowed, anything else an error.
func ObjectOf(b []byte) Members {
	m := Members{s: scanner{b: b}, first: true}
	m.s.space()
	if m.s.i >= len(b) || b[m.s.i] != '{' {
		m.done, m.err = true, m.s.fail("expected an object")
		return m
	}
	m.s.i++
	return m
}

// Next goes to the next member and reports whether there is one.
func (m *Members) Next() bool {
	if m.done {
		return false
	}
	s := &m.s
	if m.first {
		m.first = false
		s.space()
		if s.i < len(s.b) && s.b[s.i] == '}' {
			s.i++
			return m.finish()
		}
	} else if more, err := s.next('}'); !more {
		if err != nil {
			return m.stop(err)
		}
		return m.finish()
	}
	start := s.i
	if err := s.key(); err != nil {
		return m.stop(err)
	}
	m.Key = keyOf(s.b[start:])
	m.Offset = s.i
	if err := s.value(1); err != nil {
		return m.stop(err)
	}
	m.Value = s.b[m.Offset:s.i]
	return true
}

// Err returns the fault of the text at which the iteration ended, if any.
func (m *Members) Err() error { return m.err }

func (m *Members) stop(err error) bool {
	m.done, m.err = true, err
	return false
}

// finish checks that nothing follows the object.
func (m *Members) finish() bool {
	m.s.space()
	if m.s.i != len(m.s.b) {
		return m.stop(m.s.fail("text after the value"))
	}
	return m.stop(nil)
}

// Elements iterates over the elements of an array, like Members.
type Elements struct {
	s     scanner
	first bool
	done  bool
	err   error
	// Value is the text of the element.
	Value []byte
	// Offset is where Value begins in the input.
	Offset int
}

// ArrayOf returns an iterator over the array that b holds.
func ArrayOf(b []byte) Elements {
	e := Elements{s: scanner{b: b}, first: true}
	e.s.space()
	if e.s.i >= len(b) || b[e.s.i] != '[' {
		e.done, e.err = true, e.s.fail("expected an array")
		return e
	}
	e.s.i++
	return e
}

// Next goes to the next element and reports whether there is one.
func (e *Elements) Next() bool {
	if e.done {
		return false
	}
	s := &e.s
	if e.first {
		e.first = false
		s.space()
		if s.i < len(s.b) && s.b[s.i] == ']' {
			s.i++
			return e.finish()
		}
	} else if more, err := s.next(']'); !more {
		if err != nil {
			return e.stop(err)
		}
		return e.finish()
	}
	e.Offset = s.i
	if err := s.value(1); err != nil {
		return e.stop(err)
	}
	e.Value = s.b[e.Offset:s.i]
	return true
}

// Err returns the fault of the text at which the iteration ended, if any.
func (e *Elements) Err() error { return e.err }

func (e *Elements) stop(err error) bool {
	e.done, e.err = true, err
	return false
}

func (e *Elements) finish() bool {
	e.s.space()
	if e.s.i != len(e.s.b) {
		return e.stop(e.s.fail("text after the value"))
	}
	return e.stop(nil)
}

// Object calls f for each member of the object that b holds. It returns the
// first error of the text or of f.
func Object(b []byte, f func(key, value []byte) error) error {
	m := ObjectOf(b)
	for m.Next() {
		if err := f(m.Key, m.Value); err != nil {
			return err
		}
	}
	return m.Err()
}

// Array calls f for each element of the array that b holds. It returns the
// first error of the text or of f.
func Array(b []byte, f func(index int, value []byte) error) error {
	e := ArrayOf(b)
	for i := 0; e.Next(); i++ {
		if err := f(i, e.Value); err != nil {
			return err
		}
	}
	return e.Err()
}
