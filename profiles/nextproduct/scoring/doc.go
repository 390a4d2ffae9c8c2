// Package scoring is the worker that tells of every customer what they will buy next
// (profiles/nextproduct): the score next_product, whose value is the probability of the
// first product within 30 days and whose detail has the ranking, with reasons. It is the
// only writer of that score, and holds no state that a restart would lose.
//
// Once a day it reads what was bought in two years, learns, and is judged by the last 30
// days. Where the ranking is not better than what sells, and than what each customer
// bought last, by more than the standard error, or where there is too little to tell, no
// score stands; the row of profile 0 says why (see profiles/valuation on which rows
// stand). People whose processing is restricted are left out.
package scoring
