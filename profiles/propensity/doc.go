// Package propensity learns from examples how likely something is: that a
// customer buys, leaves, comes back, answers. Examples go in, a model, its
// probabilities and an account of how good they are come out.
//
// It is pure: it reads no database, no clock and no random source but a seed, so
// the same examples and seed give the same bits, whatever the number of
// processors.
//
// # What it does
//
// Evaluate checks the examples, stops at features that give the answer away
// (leak gates), trains on the past and measures on what came later, beside two
// baselines: the base rate, and the best single feature. Without a time it
// measures by cross-validation, and says that this flatters.
//
// Train fits two models: logistic regression with an L2 penalty, and boosted
// trees on histograms. Which one is kept is decided inside the training rows:
// the trees, only where they are better by more than the standard error of the
// difference. Probabilities are then calibrated on examples that the model had
// not seen, where that helps.
//
// # What it refuses
//
// Fewer than Config.MinPositives examples of either answer, one answer only, and
// a table without a usable feature. What of a table cannot be used is left out
// with a reason, in the result itself.
package propensity
