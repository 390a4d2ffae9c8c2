// Package valuation is the worker that values customers: it reads the purchase
// history of every profile from ClickHouse, fits the models of
// profiles/lifetime to it and writes what they say of each profile to the table
// scores. It is the only writer of the scores named in scores.go, and holds no
// state that a restart would lose.
//
// # What counts as a purchase
//
// An order of an attributed profile with a value above zero that is not
// cancelled. Its value is the sum of quantity times price over its lines whose
// quantity and price are both positive; an order that came without lines counts
// by its amount. Several messages about one order are one order, of which the
// newest message tells the state and the oldest the time. Orders of one calendar
// day (UTC) are one purchase, as the models assume. Subscriptions and stock
// adjustments are no purchases.
//
// # Models
//
// Once a day the history chooses the models of purchase times and of spend
// (lifetime.Choose), again when the customers have become a tenth more or fewer.
// The choice stands in the Summary of the population row, with its reason.
//
// # Refunds
//
// A refund takes its amount off the customer's latest purchase days at or before
// it, the newest first (lifetime.NetOfRefunds). The day stays a purchase day:
// the customer came to buy, and only the money is gone. So the frequency is that
// of buying, and the spend is net of what was sent back.
//
// # Margins
//
// Where costs are known there are margins beside the revenue: the unit cost of an
// order's line, or else that of the present catalogue, the discount of the order,
// and what the file of Costs declares of an order, a refund and a contact of
// support. Tax and shipping are not revenue here, and what is charged for shipping
// is taken to cover it, unless per_order says otherwise. A line without cost is
// revenue of unknown cost, never of none: it is told as the share that is known
// (known_share), and where less than Config.MinKnown of all revenue is known the
// scores of margins do not exist and MarginUnknown says so. The margin of a
// customer is his own, shrunken to that of all (lifetime.Margins).
//
// # Currency
//
// Amounts of different currencies are never added. One currency is valued: the
// configured one, else the one with the most orders. Orders in others are
// counted in the Summary and left out.
//
// # Size
//
// A refresh reads the days on which anybody bought or sent back, and keeps some hundred
// bytes of each customer; scores are made and written block by block. Of a million
// customers with 2.4 million orders it takes 93 s on two cores, 599 MiB here and 990 MiB
// in the engine, whose groups go on on disk beyond half a GiB (kindred bench scores).
//
// # Updates
//
// The first refresh of a day scores everybody: each is a day older, and the models are
// chosen and fitted anew. For the rest of the day the models stand, and an update writes
// rows for the customers whose purchases, refunds or costs have changed, merged people
// among them, under a later computed_at (Worker.Update); the population rows stay. It is
// a refresh again when a tenth has changed, when a score is to be withdrawn, and after a
// restart.
//
// # Which rows stand
//
// A refresh writes its rows under one computed_at and, when all of them are
// there, the rows of the population in one block: profile 0, one per score with
// the mean over all profiles, and one called "lifetime" with the model. A row
// stands when its computed_at is not before that of the newest population row of
// its score; of those the newest per profile and score is read (CurrentScores). So a
// profile that lost its orders, was merged away or erased is gone with the next
// refresh, also one that finds too little data and writes the population rows
// alone; readers never see a gap while rows are being written; and a refresh that
// was cut short leaves rows that are right in themselves. Between refreshes
// CurrentScores hides ids that the present reading gives to another profile, so
// that nobody is counted twice. A reader of a single profile takes, per score,
// the newest row of all the profile's ids and of profile 0, the former before
// the latter at the same computed_at: if that is of profile 0, there is no score.
package valuation
