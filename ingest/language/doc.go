// Package language finds the language of short texts, and how glad or angry
// English ones are. It is used for what customers say: posts, comments, support
// messages, reviews.
//
// Both are pure functions of the text and of the release, so that a message
// that is stored again gets the same answer, and both cost some microseconds
// (the language of a text without common words some hundred). There is no state
// but word tables, which are read when they are first needed.
//
// The package never guesses: a language is named when common words or the
// trigrams of package whatlanggo are clear about it, and only English is scored,
// because only for English a model was tried against labels (see TestSentiment…).
// Who calls it stores the absence of an answer as an absence.
package language
