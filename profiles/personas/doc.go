// Package personas finds the few kinds of people that a table of numbers about
// many people has, and says in words what each of them is like. Rows and columns
// go in; groups, a model that assigns anybody to one of them, and an account of
// how far they can be trusted come out. RFM grades customers by rank.
//
// It is pure: it reads no database, no clock and no random source but a seed, so
// the same rows and seed give the same bytes, whatever the order of the rows and
// the number of processors.
//
// # How groups are found
//
// Counts and amounts are taken as log(1+x), every column is centred at its median
// and divided by its robust spread, and what lies further out than Config.Clip
// spreads is pulled in. A value that is not known (NaN) counts as the median. On
// a sample of the rows k-means++ is run for every number of groups from 2 to
// Config.MaxPersonas. A number of groups is eligible when
//
//   - its mean silhouette (Rousseeuw 1987) is at least Config.MinSilhouette;
//   - it beats by Config.MinGain the silhouette of the same procedure on rows
//     without groups: uniform in the box of the principal components, the
//     reference of the gap statistic (Tibshirani, Walther and Hastie 2001), and
//     with each column drawn for itself. So what a column does alone, such as a
//     long tail, makes no persona: that is about things that go together;
//   - groups fitted to bootstrap samples agree with it, by a mean adjusted Rand
//     index (Hubert and Arabie 1985) of at least Config.MinStability;
//   - none of its groups has less than Config.MinShare of the rows.
//
// Of the eligible ones that is taken whose silhouette is the furthest above that of
// rows without groups: alone it favours few groups, in any rows. Where none is,
// Model.Refused says "no stable personas" and why: a partition that another
// sample of the same people would not show is no fact about them.
//
// # How a persona keeps its id
//
// The groups of a new model are matched with those of the one before, so that
// the sum of the distances between their centres is least (exactly, not
// greedily); a pair further apart than the group's own radius is no match. A
// matched persona keeps its id, and its name while all that the name says still
// stands out. Any other gets an id that was never used. Ids of personas that are
// gone are remembered for some models, so that one that comes back is known.
package personas
