package simulate

// The names that people are made of. They are common ones, so that two people
// may well share a name.
var (
	firstNames = []string{
		"Olivia", "Amelia", "Isla", "Ava", "Ivy", "Freya", "Lily", "Florence", "Mia", "Willow", "Rosie", "Sophia",
		"Isabella", "Grace", "Daisy", "Sienna", "Poppy", "Elsie", "Emily", "Ella", "Evelyn", "Phoebe", "Evie", "Charlotte",
		"Harper", "Millie", "Matilda", "Maya", "Sophie", "Alice", "Emilia", "Isabelle", "Ruby", "Luna", "Maisie", "Aria",
		"Noah", "Oliver", "George", "Arthur", "Muhammad", "Leo", "Harry", "Oscar", "Archie", "Henry", "Theodore", "Freddie",
		"Jack", "Charlie", "Alfie", "Jacob", "Thomas", "Finley", "Lucas", "Edward", "James", "William", "Isaac", "Joshua",
		"Alexander", "Max", "Mason", "Elijah", "Logan", "Daniel", "Adam", "Sebastian", "Ana", "Joana", "Marie", "Hanna",
		"Ingrid", "Sofia", "Chloe", "Lena", "Pierre", "Hans", "Lars", "Miguel", "Paolo", "Sven", "Yuki", "Niamh",
	}
	lastNames = []string{
		"Smith", "Jones", "Taylor", "Brown", "Williams", "Wilson", "Johnson", "Davies", "Patel", "Robinson", "Wright", "Thompson",
		"Evans", "Walker", "White", "Roberts", "Green", "Hall", "Thomas", "Clarke", "Jackson", "Wood", "Harris", "Edwards",
		"Turner", "Martin", "Cooper", "Hill", "Ward", "Hughes", "Moore", "Clark", "King", "Harrison", "Lewis", "Baker",
		"Lee", "Allen", "Morris", "Khan", "Scott", "Watson", "Davis", "Parker", "James", "Bennett", "Young", "Phillips",
		"Richardson", "Mitchell", "Bailey", "Carter", "Cook", "Singh", "Shaw", "Bell", "Collins", "Morgan", "Kelly", "Begum",
		"Miller", "Cox", "Hussain", "Marshall", "Simpson", "Price", "Anderson", "Adams", "Wilkinson", "Ahmed", "Foster", "Ellis",
		"Murphy", "Chapman", "Mason", "Gray", "Richards", "Webb", "Rogers", "Hunt", "Mills", "Palmer", "Silva", "Santos",
		"Schmidt", "Meyer", "Dubois", "Bernard", "Rossi", "Jansen", "Nielsen", "Larsen", "Garcia", "Costa", "Tanaka", "Byrne",
	}
	mailDomains = []string{"mail.example", "post.example", "inbox.example", "letters.example", "home.example", "work.example"}
	// areaCodes are North American ones; with 555-01xx they give 8 000 numbers.
	areaCodes = []int{
		201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228,
		229, 231, 234, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302,
		303, 304, 305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323, 325, 330,
		334, 336, 337, 339, 347, 351, 352, 360, 361, 386, 401, 402, 404, 405, 406, 407, 408, 409, 410, 412,
	}
	// placeholders are what programs and people send where an identifier belongs.
	placeholderUsers  = []string{"null", "undefined", "0", "guest", "anonymous", " NULL ", "N/A", "none", "-1", "000000"}
	placeholderMails  = []string{"test@test.com", "none@none.com", "n/a", "TEST@TEST.COM", "null", "noemail@noemail.com", "a@a.com"}
	placeholderPhones = []string{"0000000000", "0000", "n/a", "00000000000", "unknown"}
	placeholderCookie = "00000000-0000-0000-0000-000000000000"
	staffEmail        = "orders@shop.example"
	campaigns         = []string{"spring-letter", "summer-letter", "autumn-letter", "christmas-letter", "new-products"}
	referrers         = []string{"", "", "https://search.example/", "https://social.example/", "https://blog.example/gifts"}
)
