package simulate

// The towns and streets of postal addresses, invented; the first towns are the
// largest.
var (
	towns = []struct{ name, area string }{
		{"Kingsport", "KP"},
		{"Northam", "NM"},
		{"Ashbourne", "AB"},
		{"Wexley", "WX"},
		{"Millbrook", "ML"},
		{"Castleford", "CF"},
		{"Harrowgate", "HG"},
		{"Stonebridge", "SB"},
		{"Eastwick", "EW"},
		{"Oakhampton", "OK"},
		{"Redhill", "RH"},
		{"Fairford", "FF"},
		{"Whitchurch", "WC"},
		{"Langley", "LG"},
		{"Bexhill", "BX"},
		{"Marlow", "MR"},
		{"Thornbury", "TB"},
		{"Penrith", "PN"},
		{"Selby", "SY"},
		{"Wickford", "WF"},
		{"Hatfield", "HF"},
		{"Longridge", "LR"},
		{"Ravenscar", "RV"},
		{"Brackley", "BK"},
		{"Cranfield", "CR"},
		{"Denholme", "DH"},
		{"Elmstead", "EL"},
		{"Farnworth", "FW"},
		{"Glenfield", "GF"},
		{"Holmfirth", "HO"},
		{"Ivybridge", "IV"},
		{"Kelvedon", "KV"},
		{"Leyburn", "LB"},
		{"Mereworth", "MW"},
		{"Newbridge", "NB"},
		{"Overton", "OV"},
		{"Pickering", "PK"},
		{"Quorn", "QN"},
		{"Rothley", "RL"},
		{"Saltburn", "SA"},
		{"Tarleton", "TR"},
		{"Upwood", "UW"},
	}
	streetNames = []string{
		"High", "Church", "Station", "Mill", "Victoria", "Green", "Park", "Queens", "Kings", "Albert", "Grange", "Manor",
		"Chapel", "School", "Orchard", "Meadow", "Bridge", "Castle", "Garden", "West", "North", "Elm", "Oak", "Maple",
		"Willow", "Chestnut", "Springfield", "Highfield", "Woodland", "Riverside", "Alexandra", "Windsor", "Clarence", "Nelson",
		"Wellington", "Cromwell", "Stanley", "Priory", "Abbey", "Rectory", "Vicarage", "Bakers", "Coopers", "Weavers", "Market",
		"Harbour", "Beech", "Hawthorn", "Larch", "Rowan", "Poplar", "Sycamore", "Laurel", "Holly", "Ivy", "Juniper", "Lime", "Ash",
		"Cedar", "Hazel",
	}
	streetKinds = []struct{ whole, short string }{
		{"Road", "Rd"}, {"Street", "St"}, {"Lane", "Ln"}, {"Avenue", "Ave"}, {"Close", "Cl"}, {"Drive", "Dr"}, {"Gardens", "Gdns"}, {"Terrace", "Terr"},
	}
	postLetters = []byte("ABDEFGHJLNPQRSTUWXYZ")
	// nicknames are what people are called who have one.
	nicknames = map[string][]string{
		"Isabella": {"Bella", "Izzy"}, "Isabelle": {"Belle", "Izzy"}, "Charlotte": {"Lottie", "Charlie"}, "Matilda": {"Tilly"},
		"Sophie": {"Soph"}, "Sophia": {"Sophie"}, "Evelyn": {"Evie"}, "Emily": {"Em", "Emmy"}, "Florence": {"Flo", "Florrie"},
		"Amelia": {"Amy", "Millie"}, "Olivia": {"Liv", "Livvy"}, "Alice": {"Ali"}, "George": {"Georgie"}, "Arthur": {"Art"},
		"Harry": {"Haz"}, "Henry": {"Harry", "Hal"}, "Theodore": {"Theo", "Ted"}, "Jack": {"Jackie"}, "Charlie": {"Chas"},
		"Jacob": {"Jake"}, "Thomas": {"Tom", "Tommy"}, "Edward": {"Ted", "Ed", "Ned"}, "James": {"Jim", "Jamie"},
		"William": {"Bill", "Will", "Billy"}, "Joshua": {"Josh"}, "Alexander": {"Alex", "Sandy"}, "Max": {"Maxie"},
		"Daniel": {"Dan", "Danny"}, "Sebastian": {"Seb"}, "Oliver": {"Ollie"}, "Archie": {"Arch"}, "Freddie": {"Fred"},
		"Finley": {"Fin"}, "Lucas": {"Luke"}, "Isaac": {"Ike"}, "Grace": {"Gracie"}, "Phoebe": {"Bea"}, "Daisy": {"Day"},
		"Miguel": {"Mike"}, "Joana": {"Jo"}, "Sofia": {"Sofie"}, "Muhammad": {"Mo"},
	}
)
