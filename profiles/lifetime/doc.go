// Package lifetime estimates what customers who buy without a contract will do
// next and what that is worth: the probability that a customer still buys, the
// purchases expected within a horizon, the expected spend per purchase day and
// the discounted lifetime value, each with an interval.
//
// It is pure: purchase histories in, numbers out. It reads no database, no
// clock and no random source, so the same customers give the same bits, on any
// number of processors. The worker in profiles/valuation feeds it; anything else
// may.
//
// Three models of purchase times (BG/NBD, MBG/NBD, Pareto/NBD), their common
// limit without drop-out (NBD), and a model of spend (Gamma-Gamma; over the
// repeat days as published, over all days, or by moments: SpendKind) are written
// from the papers:
//
//   - Fader, Hardie, Lee (2005), "Counting Your Customers" the Easy Way,
//     Marketing Science 24(2), 275-284: BG/NBD, called F05 below.
//   - Batislam, Denizel, Filiztekin (2007), IJRM 24(3), 201-209: MBG/NBD.
//   - Schmittlein, Morrison, Colombo (1987), Management Science 33(1), 1-24,
//     and Hardie's notes 004, 009, 021 and 025 on brucehardie.com: Pareto/NBD,
//     numerics, P(alive) and Gamma-Gamma.
//   - Fader, Hardie, Shang (2010), Marketing Science 29(6), 1086-1108: BG/BB, for
//     customers who can buy only at given moments (BetaBernoulli, FitMoments). It
//     stands apart: its histories are other ones, and Choose does not try it.
//   - Bühlmann (1967), ASTIN Bulletin 4(3), 199-207: credibility, the past mean
//     shrunken by the variation within and between customers.
//
// Choose takes the models that best told the end of the known past from its
// beginning: of purchase times by log score, of spend by the order of the
// customers by money. Counting the first day too tells apart those who bought
// once, who are most: in CDNOW it ranks by money better than past repeat spend,
// which the published model does not (TestChosenSpendRanks).
//
// # What it refuses
//
// Too few customers give ErrNotEnoughData, never a number. A customer whose
// history contradicts itself is rejected with a Reason and counted. Nothing
// that is NaN or infinite leaves the package.
//
// # Units
//
// Times are in the Unit of the fit (weeks by default); days are calendar days
// in UTC. Money is in whatever currency the caller's purchases have, and stays
// in it. Rates of interest are yearly.
//
// # Intervals
//
// The intervals of expected purchases and of lifetime value are predictive:
// they cover what this one customer will do, at the fitted parameters, with
// the stated probability. The interval of expected spend is the posterior
// interval of the customer's own mean spend. The interval of P(alive), itself a
// probability, is the uncertainty of the fitted parameters (delta method). With
// the minimum number of customers or more, the uncertainty of the parameters is
// small beside the variation between customers and is not added to the others.
package lifetime
