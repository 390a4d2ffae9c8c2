// Package traitfile reads the file in which an installation declares its traits:
// by which rule contradicting statements become one value, whom to trust, and
// which traits are computed from events.
//
// The file is TOML. A file that leaves something out leaves it as it is by
// default; what it does not know is an error, with the line.
//
//	default = "newest"            # rule of traits that are not named below
//	trust   = ["crm", "shop"]     # sources for source_priority, the most trusted first
//
//	[traits.country]
//	rule = "source_priority"
//
//	[traits.segment]
//	rule    = "source_priority"
//	sources = ["erp"]             # instead of trust
//
//	[computed.orders_90d]
//	compute = "count"             # sum, average, first, last, most_frequent, unique_list, time_since
//	event   = "Order Completed"
//	within  = "90d"
//	where   = [{ property = "revenue", op = "gte", value = 50 }]
//
// All processes that answer must have the same file. cmd reads it once, when it
// starts.
package traitfile
