package synthetic

var portugueseWords = words{
	female: `Maria Ana Joana Catarina Sofia Mariana Inês Beatriz Carolina Marta Sara Rita Teresa Cláudia Sandra Isabel Patrícia Paula
		Helena Margarida Mónica Susana Sónia Vera Andreia Fátima Filipa Francisca Matilde Leonor Madalena Alice Lara Diana Bruna Daniela
		Cristina Graça Conceição Lurdes Fernanda Manuela Luísa Rosa Lúcia Amélia Graciela Glória Natália Célia Cátia Vânia Tânia Raquel
		Juliana Gabriela Vitória Letícia Camila Aline`,
	male: `João José António Manuel Pedro Paulo Luís Carlos Rui Nuno Ricardo Miguel Jorge Francisco Tiago Fernando André Bruno Joaquim
		Sérgio Hugo Vítor Diogo Daniel Gonçalo Rafael Filipe Marco Hélder Duarte Tomás Afonso Rodrigo Martim Santiago Guilherme Gabriel
		Simão Gustavo Salvador Domingos Armando Alberto Mário Álvaro Américo Artur Augusto César Eduardo Jaime Leandro Lucas Mateus
		Nelson Óscar Renato Samuel Vasco Henrique`,
	surnames: `Silva Santos Ferreira Pereira Oliveira Costa Rodrigues Martins Sousa Fernandes Gonçalves Gomes Lopes Marques Alves Almeida
		Ribeiro Pinto Carvalho Teixeira Moreira Correia Mendes Nunes Soares Vieira Monteiro Cardoso Rocha Neves Coelho Cruz Cunha Pires
		Ramos Reis Simões Antunes Matos Fonseca Machado Araújo Barbosa Tavares Lourenço Castro Figueiredo Azevedo Freitas Magalhães
		Henriques Lima Guerreiro Batista Pinheiro Faria Miranda Barros Morais Nogueira Esteves Anjos Baptista Campos Mota Andrade Brito
		Sá Nascimento Leite Abreu Borges Melo Vaz Pinho Vicente Gaspar Assunção Maia Moura`,
	stems: `Al An Bar Bra Cal Car Cas Cor Fer Fon Gon Gui Lou Mag Mar Mei Mon Mor Nog Pal Per Pin Que Ram Rib Sal San Tav Tei Val Vas
		Vei Vil Zam Ser`,
	endings: `ada aes ana ares aria eda eira eiro osa oso onte andes inho im ães ela ado aldo uga ires elos inha ital ém`,
	nicknames: `Maria:Mia,Mimi Catarina:Cati,Kika Joana:Joaninha Margarida:Guida,Magui Teresa:Teresinha,Té Francisca:Kika,Chica
		Beatriz:Bia Carolina:Carol Mariana:Mari Patrícia:Pati Susana:Su Isabel:Belinha,Bela Gabriela:Gabi Conceição:São
		Manuela:Nela Fernanda:Nanda João:Joca,Joãozinho José:Zé,Zeca António:Tó,Toni Manuel:Manel,Nelo Francisco:Chico,Kiko
		Joaquim:Quim Luís:Lulu Carlos:Carlitos,Cacá Eduardo:Edu Gonçalo:Gonça Rafael:Rafa Miguel:Migas Guilherme:Gui Fernando:Nando
		Ricardo:Rick Rodrigo:Digo Alberto:Beto Henrique:Quico Salvador:Salva Domingos:Mingos`,
	cities: `Lisboa Porto Braga Coimbra Faro Setúbal Aveiro Funchal Amadora Almada Évora Viseu Leiria Guimarães Barreiro Gondomar Matosinhos
		Loures Oeiras Sintra Cascais Santarém Beja Bragança Guarda Portalegre Covilhã Torres-Vedras Viana Tomar`,
	streets: `Flores Liberdade República Camões Igreja Fonte Escola Estação Mercado Combatentes Bombeiros Moinho Outeiro Cruz Pinheiros
		Oliveiras Rosas Sol Mar Praia Castelo Forte Carmo Misericórdia Direita Nova Alegria Paz Esperança Palmeiras Lagoa`,
	kinds:    `Rua Avenida Travessa Praça Largo Estrada`,
	short:    `Rua:R.,R Avenida:Av.,Av Travessa:Tv.,Trav. Praça:Pç.,Pr. Largo:Lg.,L. Estrada:Est.`,
	leading:  true,
	domains:  `gmail.com sapo.pt hotmail.com iol.pt clix.pt outlook.pt yahoo.com netcabo.pt live.com.pt mail.telepac.pt`,
	postcode: "####-###",
	phone:    "91# ### ###",
	country:  "351",
	states:   `LX PT BR CB FR ST AV FN EV VS LR`,
}
