package synthetic

var germanWords = words{
	female: `Maria Ursula Monika Petra Elisabeth Sabine Renate Helga Karin Brigitte Ingrid Andrea Gisela Claudia Susanne Christa Birgit Anna
		Angelika Heike Julia Stefanie Martina Katharina Nicole Anja Christine Barbara Sandra Silke Katrin Laura Lena Hannah Lea Sophie
		Johanna Franziska Melanie Nadine Simone Tanja Ulrike Vera Charlotte Emilia Mia Clara Frieda Greta Käthe Bärbel Margarete
		Theresia Waltraud Yvonne Annette Dagmar Doris`,
	male: `Peter Michael Thomas Wolfgang Klaus Werner Manfred Helmut Hans Jürgen Heinz Andreas Stefan Christian Uwe Günter Dieter Horst
		Bernd Frank Martin Matthias Markus Alexander Sebastian Jan Daniel Tobias Florian Philipp Lukas Felix Maximilian Paul Jonas Leon
		Karl Friedrich Wilhelm Heinrich Otto Ernst Gerhard Walter Rolf Jörg Ralf Holger Sven Dirk Torsten Björn Rüdiger Götz Johannes
		Franz Josef Anton Emil Oskar`,
	surnames: `Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf Schröder
		Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Schmitz Krause Meier Lehmann Schmid Schulze Maier
		Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn Schubert Vogel Friedrich Keller
		Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon Ludwig Böhm Winter Kraus Martin Schumacher
		Krämer Vogt Stein Jäger Otto Sommer Groß Seidel Heinrich`,
	stems: `Acker Alt Bach Berg Birk Brand Busch Dorn Eich Engel Feld Frei Gold Grün Hagen Hart Heid Hirsch Hof Holz Horn Kirch Korn
		Kreuz Linden Loh Mühl Neu Nieder Ober Pfeil Rosen Sand Schön Stern Tal Wald Wein Winkel Zell`,
	endings: `mann ner bach berg hofer meier müller feld stein huber bauer hardt reiter eder egger wald brunner kamp horst thal`,
	nicknames: `Elisabeth:Lisa,Sissi,Elli Katharina:Kathi,Katja,Käthe Johanna:Hanna Margarete:Grete,Gretel Susanne:Susi Stefanie:Steffi
		Christine:Christl,Tina Angelika:Geli Franziska:Franzi Barbara:Bärbel Ursula:Uschi Brigitte:Gitti Maximilian:Max Johannes:Hannes,Hans
		Friedrich:Fritz Wilhelm:Willi Heinrich:Heinz,Heiner Josef:Sepp,Jupp Alexander:Alex Michael:Michi Thomas:Tom Wolfgang:Wolf
		Sebastian:Basti Matthias:Matze Andreas:Andi Stefan:Steffen Christian:Chris Günter:Günni Karl:Kalle Franz:Franzl Anton:Toni
		Philipp:Phil Tobias:Tobi Florian:Flo Charlotte:Lotte Theresia:Resi Ulrike:Ulla`,
	cities: `Berlin Hamburg München Köln Frankfurt Stuttgart Düsseldorf Leipzig Dortmund Essen Bremen Dresden Hannover Nürnberg Duisburg
		Bochum Wuppertal Bielefeld Bonn Münster Karlsruhe Mannheim Augsburg Wiesbaden Kiel Aachen Halle Lübeck Freiburg Erfurt`,
	streets: `Haupt Schul Garten Bahnhof Dorf Berg Birken Linden Kirch Wald Ring Schiller Goethe Jahn Mühlen Wiesen Feld Rosen Ahorn
		Eichen Tannen Blumen Mozart Bach Beethoven Friedrich Kaiser König Markt Post Industrie Hafen Schloss`,
	kinds:    `straße weg gasse allee platz`,
	short:    `straße:str.,strasse,str platz:pl.,plz weg:wg`,
	glued:    true,
	domains:  `gmx.de web.de t-online.de gmail.com freenet.de yahoo.de outlook.de arcor.de hotmail.de posteo.de`,
	postcode: "#####",
	phone:    "0151 #######",
	country:  "49",
	states:   `BW BY BE BB HB HH HE MV NI NW RP SL SN ST SH TH`,
}
