package graph

import "unsafe"

// Large returns an empty slice with room for n, which is best for what is read here and
// there: where that is much, the system is asked for pages of two mebibytes, as else
// the processor looks up the address of nearly each line that it reads, which takes it
// longer than to read it. It is memory like any other.
func Large[T any](n int) []T {
	s := make([]T, 0, n)
	if size := uintptr(n) * unsafe.Sizeof(*new(T)); size >= largePage {
		adviseLarge(unsafe.Pointer(unsafe.SliceData(s)), size)
	}
	return s
}

const largePage = 2 << 20 // bytes
