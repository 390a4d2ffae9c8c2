// Package purchasefile reads a file of purchases, one a line, into the histories
// that the models of lifetime are fitted to.
//
// A line needs a customer and a date, and may have an amount. Lines that cannot
// be used are left out and counted by reason; a file of which more than a tenth
// cannot be used, or more than half has no customer, is refused, with the first
// lines where. The lines of one day are one purchase, and a negative amount is a
// refund: it is taken off the purchases before it.
package purchasefile
