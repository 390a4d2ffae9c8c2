package synthetic

var englishWords = words{
	female: `Mary Susan Sarah Emma Margaret Elizabeth Laura Karen Helen Claire Jessica Charlotte Rebecca Catherine Jennifer Amy Lucy Hannah
		Alice Joanne Deborah Patricia Barbara Victoria Olivia Sophie Grace Kate Julie Linda Rachel Samantha Georgia Abigail Eleanor Amelia
		Dorothy Frances Isabella Molly Ruby Chloe Christine Diane Gillian Heather Jacqueline Judith Natalie Pamela Rosemary Theresa Wendy
		Zoe Imogen Harriet Beatrice Constance Phoebe Matilda`,
	male: `John David James Michael Andrew Paul William Robert Thomas Daniel Matthew Christopher Richard Stephen Mark Joseph Edward George
		Charles Peter Samuel Benjamin Alexander Jonathan Anthony Nicholas Kenneth Simon Timothy Gary Kevin Ian Jack Harry Oliver Joshua
		Luke Adam Ryan Alan Brian Colin Derek Frederick Gordon Graham Henry Leonard Lewis Martin Neil Patrick Philip Raymond Ronald Stuart
		Trevor Victor Walter Zachary`,
	surnames: `Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts Green Hall Wood
		Jackson Clarke Harris Lewis Young King Baker Turner Hill Scott Cooper Morris Ward Moore Clark Lee Carter Harrison Patel Shaw Khan
		Allen Bell Mitchell Parker Phillips Cook Bailey Murphy Kelly Bennett Cox Griffiths Marshall Simpson Murray Anderson Ellis Richards
		Stevens Wilkinson Webb Reid Fisher Knight Graham Palmer Matthews Mason Hughes MacDonald McCarthy O'Brien O'Neill Campbell Stewart
		Fraser Hamilton Douglas Sinclair Begum Ahmed`,
	stems: `Ash Black Brad Brook Burn Chad Col Crow Dal Dun East Ells Fair Farn Gar Glen Hal Har Hath Haw Holl Kings Lang Lock Mel Mid Nor
		Oak Pem Rad Red Ross Ruth Shel Stan Thorn Wake Wal Whit Win York`,
	endings: `well worth ton ford field ley by wick ham bourne wood man son stead croft dale more land ridge shaw`,
	nicknames: `Mary:Molly,Mae Susan:Sue,Susie Sarah:Sally,Sadie Margaret:Maggie,Peggy,Meg Elizabeth:Liz,Beth,Betty,Lizzie Laura:Laurie
		Catherine:Kate,Cathy,Katie Jennifer:Jenny,Jen Rebecca:Becky,Becca Charlotte:Lottie,Charlie Jessica:Jess,Jessie Patricia:Pat,Trish
		Barbara:Barb,Babs Victoria:Vicky,Tori Deborah:Debbie,Deb Christine:Chris,Chrissie Jacqueline:Jackie Samantha:Sam Rachel:Rach
		Eleanor:Ellie,Nell Abigail:Abby Dorothy:Dot,Dottie Theresa:Tess,Terry John:Jack,Johnny David:Dave,Davey James:Jim,Jimmy,Jamie
		Michael:Mike,Mick Andrew:Andy,Drew William:Bill,Will,Billy Robert:Bob,Rob,Bobby Thomas:Tom,Tommy Daniel:Dan,Danny Matthew:Matt
		Christopher:Chris,Kit Richard:Dick,Rick,Rich Stephen:Steve,Ste Joseph:Joe,Joey Edward:Ted,Ed,Eddie Charles:Charlie,Chuck
		Samuel:Sam Benjamin:Ben Alexander:Alex,Sandy Jonathan:Jon Anthony:Tony Nicholas:Nick Kenneth:Ken Timothy:Tim Frederick:Fred
		Henry:Harry,Hal Leonard:Len,Lenny Philip:Phil Raymond:Ray Ronald:Ron Zachary:Zac Harriet:Hattie Matilda:Tilly Isabella:Bella`,
	cities: `London Birmingham Manchester Leeds Glasgow Sheffield Liverpool Bristol Edinburgh Cardiff Leicester Coventry Nottingham Newcastle
		Sunderland Brighton Hull Plymouth Wolverhampton Derby Swansea Southampton Aberdeen Portsmouth York Oxford Cambridge Norwich Exeter Bath`,
	streets: `High Station Church Park Victoria Green Manor Queens Kings Mill Windsor Grange North South Albert Springfield School George
		Chapel Orchard Elm Oak Poplar Cedar Alexandra Grove Richmond Salisbury Meadow Bridge Castle Harbour Abbey Forest`,
	kinds:    `Street Road Avenue Lane Close Drive Court Crescent Place Way`,
	short:    `Street:St,Str Road:Rd Avenue:Ave,Av Lane:Ln Close:Cl Drive:Dr Court:Ct Crescent:Cres Place:Pl Way:Wy North:N South:S`,
	domains:  `gmail.com hotmail.com yahoo.co.uk outlook.com btinternet.com icloud.com live.co.uk sky.com talktalk.net me.com`,
	postcode: "AB# #CD",
	phone:    "07## ######",
	country:  "44",
	states:   `nsw vic qld wa sa tas act nt`,
}
