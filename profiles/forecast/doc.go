// Package forecast is the worker that learns how likely something is of every profile,
// and says so: models of propensity, declared by people, trained on what happened, and
// kept in use by what happens.
//
// # Training
//
// A model is trained on the state of profiles at several moments (profiles/features), a
// horizon and a gap apart, with the answers of what each did afterwards. The oldest moments
// train, the last but one calibrates, the last one judges (profiles/propensity). A moment
// is only used when its answers are all in. Below the minimum of positive answers there is
// no model, and no score: the state says what is missing.
//
// # Which version is in use
//
// The champion scores. The first version becomes it when it tells more than the base rate.
// A later one, trained by schedule or by order, is held against the champion on the latest
// answers, which neither has seen, and takes its place only where it is better by more than
// the standard error; people can decide otherwise (promote).
//
// # Scores
//
// The score has the name of the model, and the probability as its value. All eligible
// profiles are scored once a day, and those of which something was stored a few seconds
// after it. A whole run ends with the row of profile 0, which withdraws what it did not
// write (see profiles/valuation on which rows stand); a profile that is no longer eligible
// keeps its score until then.
//
// # Watching
//
// Every whole run compares features and probabilities with those of the training (PSI), and
// compares what was foretold earlier with what happened, once it has.
//
// It holds no state that a restart would lose but who changed since the last look; the
// daily run finds those.
package forecast
