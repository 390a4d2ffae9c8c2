package segments

import (
	"context"
	"fmt"
)

// Estimate is what a definition will read, told before it runs.
type Estimate struct {
	Rows, Bytes uint64 // of everything, scans that leaves share counted once
	// Leaves are what each leaf asks for, in the order of Leaves: a leaf that shares its
	// scan with others has all of it.
	Leaves []LeafEstimate
}

// LeafEstimate is what one leaf asks for. Its place is a JSON pointer into the
// definition as it was written.
type LeafEstimate struct {
	Pointer     string
	Rows, Bytes uint64
}

// Estimator tells what a definition will read. Implementations are safe for concurrent
// use.
type Estimator interface {
	// Estimate returns what d will read, or a *TooLarge where that is more than may be
	// read, with the error of Resolve. self is as in Resolve.
	Estimate(ctx context.Context, workspace string, self ID, d Definition) (*Estimate, error)
}

// TooLarge refuses a definition that would read more rows than one may.
type TooLarge struct {
	Estimate
	Limit uint64 // rows
}

// Largest is the leaf that asks for the most: the rows of one alone may be within the
// limit.
func (e *TooLarge) Largest() LeafEstimate {
	var largest LeafEstimate
	for _, leaf := range e.Leaves {
		if leaf.Rows > largest.Rows || leaf.Rows == largest.Rows && leaf.Bytes > largest.Bytes {
			largest = leaf
		}
	}
	return largest
}

// Error implements error.
func (e *TooLarge) Error() string {
	return fmt.Sprintf("segment definition: would read %d rows, and %d are the limit; the leaf at %q alone asks for %d", e.Rows, e.Limit, e.Largest().Pointer, e.Largest().Rows)
}
