package synthetic

var polishWords = words{
	female: `Anna Maria Katarzyna Małgorzata Agnieszka Barbara Ewa Krystyna Elżbieta Magdalena Joanna Zofia Teresa Monika Danuta Natalia
		Karolina Marta Beata Dorota Jadwiga Janina Alicja Jolanta Grażyna Iwona Irena Paulina Justyna Zuzanna Bożena Wiktoria Urszula
		Julia Hanna Oliwia Aleksandra Renata Helena Patrycja Halina Sylwia Kinga Weronika Izabela Edyta Aneta Lucyna Wanda Genowefa
		Stanisława Kazimiera Wiesława Mirosława Emilia Kamila Ewelina Marzena Bogumiła Maja`,
	male: `Piotr Krzysztof Andrzej Tomasz Paweł Jan Michał Marcin Jakub Adam Łukasz Marek Grzegorz Mateusz Stanisław Wojciech Mariusz
		Dariusz Zbigniew Maciej Rafał Robert Kamil Jerzy Dawid Szymon Kacper Jacek Ryszard Tadeusz Bartosz Artur Jarosław Sebastian
		Henryk Filip Mirosław Roman Dominik Sławomir Przemysław Wiesław Antoni Daniel Patryk Leszek Karol Adrian Józef Waldemar Mikołaj
		Bogdan Edward Kazimierz Władysław Zdzisław Bolesław Czesław Eugeniusz Franciszek`,
	surnames: `Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski Jankowski
		Mazur Kwiatkowski Wojciechowski Krawczyk Kaczmarek Piotrowski Grabowski Zając Pawłowski Michalski Król Nowakowski Wieczorek
		Jabłoński Majewski Olszewski Dudek Stępień Malinowski Jaworski Adamczyk Górski Pawlak Nowicki Sikora Witkowski Walczak Rutkowski
		Baran Michalak Szewczyk Ostrowski Tomaszewski Zalewski Wróblewski Pietrzak Jasiński Marciniak Sadowski Bąk Duda Zawadzki Jakubowski
		Wilk Chmielewski Borkowski Włodarczyk Sokołowski Szczepański Sawicki Lis Kucharski Kalinowski Wysocki Mazurek Kubiak Maciejewski
		Kołodziej Czarnecki Kaźmierczak Sobczak Głowacki Urban Krajewski Cieślak Gajewski Lipiński`,
	stems: `Bar Bor Brze Chmie Czar Dob Gór Gra Jan Kow Kra Kro Les Lip Maj Mar Mic Mod Ole Ostr Pio Pol Rad Rut Sad Sos Sta Szcze Tom
		War Wiś Wro Zab Zie Żur Świ Łub`,
	endings: `czak czyk ecki ewicz ewski ik iński kowski lski mski nek niak nowski owicz owski wiński zek acki ała an`,
	nicknames: `Katarzyna:Kasia Małgorzata:Gosia,Małgosia Agnieszka:Aga Barbara:Basia Elżbieta:Ela Magdalena:Magda Joanna:Asia
		Zofia:Zosia Krystyna:Krysia Aleksandra:Ola Maria:Marysia Anna:Ania Ewa:Ewka Jadwiga:Jadzia Zuzanna:Zuzia Izabela:Iza
		Katarzyna:Kasia Urszula:Ula Hanna:Hania Piotr:Piotrek Krzysztof:Krzysiek,Krzyś Andrzej:Jędrek Tomasz:Tomek Jan:Janek,Jaś
		Michał:Misiek Jakub:Kuba Łukasz:Łukaszek Grzegorz:Grzesiek Stanisław:Staszek,Stach Wojciech:Wojtek Zbigniew:Zbyszek
		Maciej:Maciek Jerzy:Jurek Tadeusz:Tadek Bartosz:Bartek Jarosław:Jarek Sławomir:Sławek Przemysław:Przemek Józef:Józek
		Franciszek:Franek Władysław:Władek Kazimierz:Kazik Antoni:Antek Mirosław:Mirek Paweł:Pawełek`,
	cities: `Warszawa Kraków Łódź Wrocław Poznań Gdańsk Szczecin Bydgoszcz Lublin Białystok Katowice Gdynia Częstochowa Radom Sosnowiec
		Toruń Kielce Rzeszów Gliwice Zabrze Olsztyn Bielsko Bytom Rybnik Opole Tychy Elbląg Płock Tarnów Chorzów`,
	streets: `Polna Leśna Słoneczna Krótka Szkolna Ogrodowa Lipowa Brzozowa Łąkowa Kwiatowa Kościelna Sosnowa Zielona Parkowa Akacjowa
		Kolejowa Mickiewicza Kościuszki Sienkiewicza Słowackiego Piłsudskiego Warszawska Krakowska Wojska Rynek Długa Nowa Spacerowa Dworcowa`,
	kinds:    `ulica aleja plac osiedle`,
	short:    `ulica:ul.,ul aleja:al.,al plac:pl.,pl osiedle:os.,os`,
	leading:  true,
	feminine: true,
	domains:  `gmail.com wp.pl onet.pl o2.pl interia.pl op.pl gazeta.pl poczta.fm outlook.com tlen.pl`,
	postcode: "##-###",
	phone:    "5## ### ###",
	country:  "48",
	states:   `DS KP LU LB LD MA MZ OP PK PD PM SL SK WN WP ZP`,
}
