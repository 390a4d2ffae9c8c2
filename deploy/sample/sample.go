// Package sample holds the data that the demo loads: the invoices of a real
// shop, as published by the UCI Machine Learning Repository. ATTRIBUTION.md
// names its author and licence.
package sample

import _ "embed" // the data file below

// OnlineRetailName is the file name of OnlineRetail.
const OnlineRetailName = "online_retail_uci.csv.gz"

// OnlineRetailAttribution is the line that accompanies any use of the data.
const OnlineRetailAttribution = "Online Retail, Daqing Chen (2015), UCI Machine Learning Repository, " +
	"https://doi.org/10.24432/C5BW33, CC BY 4.0"

//go:embed online_retail_uci.csv.gz
var onlineRetail string

// OnlineRetail returns the gzip-compressed CSV file: 541 909 invoice lines of
// a gift retailer, December 2010 to December 2011. It is a string because it
// must not change.
func OnlineRetail() string { return onlineRetail }
