package synthetic

var frenchWords = words{
	female: `Marie Nathalie Isabelle Sylvie Catherine Françoise Martine Christine Monique Valérie Sandrine Véronique Nicole Stéphanie
		Sophie Anne Céline Chantal Patricia Jacqueline Brigitte Annie Aurélie Christelle Dominique Laurence Julie Émilie Camille Léa Manon
		Chloé Emma Inès Jeanne Louise Alice Clara Sarah Hélène Élodie Delphine Corinne Florence Agnès Mathilde Pauline Charlotte Lucie
		Marguerite Geneviève Thérèse Simone Yvette Odette Solange Colette Noémie Zoé Juliette`,
	male: `Jean Pierre Michel Philippe Alain Nicolas Christophe Patrick Daniel Bernard Thierry Christian Laurent Frédéric Stéphane David
		Pascal Olivier Julien Sébastien François Éric Thomas Alexandre Guillaume Vincent Antoine Maxime Kevin Romain Jérôme Bruno Didier
		Gérard Serge Marc Franck Mathieu Hugo Lucas Louis Gabriel Arthur Jules Raphaël Benjamin Clément Cédric Fabrice Hervé Joël Yves
		Roger Marcel René Henri Étienne Damien Rémi Théo`,
	surnames: `Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel Lefèvre Leroy Roux David Bertrand Morel
		Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau Vincent Muller Faure André Mercier Blanc Guérin Boyer Garnier Chevalier
		François Legrand Gauthier Garcia Perrin Robin Clément Morin Nicolas Henry Roussel Mathieu Gautier Masson Marchand Duval Denis
		Dumont Marie Lemaire Noël Meyer Dufour Meunier Brun Blanchard Giraud Joly Rivière Lucas Brunet Gaillard Barbier Arnaud Martinez
		Gérard Roche Renard Schmitt Roy Leroux Colin Vidal Caron Picard`,
	stems: `Beau Bel Bour Bri Cha Char Cou Dau Des Dou Fa Fon Gai Gau Gi Gran Lam Lau Le Mar Mau Mon Mor Per Pou Ra Ri Rou Sau Ta Tho
		Tri Va Ver Vi Sou Lar Ber`,
	endings: `champ chard court din don fort gnac let lier mont nard nier ral reau rel rier ron sard ssier teau tier val ville vin zet`,
	nicknames: `Catherine:Cathy Isabelle:Isa Françoise:Fanchon Véronique:Véro Stéphanie:Steph,Fanny Nathalie:Nath Valérie:Val
		Christine:Chris Jacqueline:Jacotte Élodie:Élo Marguerite:Margot Geneviève:Ginette Mathilde:Mathou Juliette:Julie
		Philippe:Phil Christophe:Chris Frédéric:Fred Alexandre:Alex Guillaume:Guy Sébastien:Seb Nicolas:Nico Thomas:Tom Vincent:Vinz
		Maxime:Max Benjamin:Ben Mathieu:Mat Stéphane:Steph Antoine:Toine François:Franck Michel:Mich Gabriel:Gaby Raphaël:Raph`,
	cities: `Paris Marseille Lyon Toulouse Nice Nantes Strasbourg Montpellier Bordeaux Lille Rennes Reims Toulon Grenoble Dijon Angers
		Nîmes Villeurbanne Clermont Brest Limoges Tours Amiens Perpignan Metz Besançon Orléans Mulhouse Rouen Caen`,
	streets: `Victor-Hugo Pasteur Jean-Jaurès Gambetta Voltaire Zola Molière République Liberté Gare Église Mairie Moulin Fontaine
		Château Écoles Lilas Tilleuls Acacias Jardins Prés Vignes Marché Foch Clemenceau Verdun Pont Source Chênes Roses`,
	kinds:    `rue avenue boulevard place chemin impasse allée`,
	short:    `rue:r avenue:av,ave boulevard:bd,bld,boul place:pl chemin:ch,che impasse:imp allée:all`,
	leading:  true,
	domains:  `gmail.com orange.fr hotmail.fr free.fr wanadoo.fr sfr.fr yahoo.fr laposte.net outlook.fr live.fr`,
	postcode: "#####",
	phone:    "06 ## ## ## ##",
	country:  "33",
	states:   `ARA BFC BRE CVL COR GES HDF IDF NOR NAQ OCC PDL PAC`,
}
