// Package nextproduct ranks, for every customer, the products (or categories) that
// they will buy within the next days, each with its probability and a reason, and
// refuses where that tells no more than a simple rule would.
//
// It is pure: baskets in, rankings out; it reads no database, no clock and no random
// source. Products are numbers of the caller's.
//
// # How
//
// Candidates of a customer are what they have bought, what others buy with that or
// after it, and what sells. What is known of a candidate (Features) becomes a
// probability by an L2 logistic regression (profiles/propensity) over candidates of an
// earlier moment and what was bought after it:
//
//   - repeat purchase: how often and how lately the customer bought the product, and
//     whether it is due by their own rhythm;
//   - item to item: for each product j, the sum over what the customer has bought, i, of
//     decay(age of i) n(i,j)/(n(i)+shrinkage), less what it is on average over all i and
//     no less than 0. n(i,j) are the customers who bought j with i or after it, discounted
//     by the days between (after Linden, Smith and York 2003, IEEE Internet Computing
//     7(1), 76-80, with order and decay of time);
//   - popularity: the customers who bought it lately, discounted by age;
//   - how active the customer is, which sets the level.
//
// # Judged by time
//
// Fit learns from what was bought in the horizon before the last, judges by the last,
// which the judged model has not seen, and learns again with it for use. Customers who
// bought something in it count: hit rate at 1, 3 and 10 and NDCG at 10, beside two
// baselines, what sells and what the customer bought last.
package nextproduct
