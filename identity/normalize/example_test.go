package normalize_test

import (
	"fmt"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
)

func ExampleIdentifier() {
	for _, raw := range []string{` "Ana.Silva@Example.COM" `, "ana@münchen.de", "null"} {
		id, err := normalize.Identifier(identity.Email, raw)
		fmt.Println(id, err)
	}
	// Output:
	// email:ana.silva@example.com <nil>
	// email:ana@xn--mnchen-3ya.de <nil>
	// : identifier is empty
}

func ExampleNormalizer() {
	n := normalize.Normalizer{Region: "PT"}
	id, _ := n.Identifier(identity.Phone, "912 345 678")
	fmt.Println(id)
	// Output: phone:+351912345678
}

func ExampleNew() {
	n := normalize.New(normalize.Options{ProviderRules: true})
	id, _ := n.Identifier(identity.Email, "Ana.Silva+shop@googlemail.com")
	fmt.Println(id)
	// Output: email:anasilva@gmail.com
}

func ExampleName() {
	for _, raw := range []string{"Dr. Ludwig van Beethoven", "BEETHOVEN, Ludwig van", "Σωτήρης Παπαδόπουλος"} {
		name, err := normalize.Name(raw)
		fmt.Println(name, name.Particles, err)
	}
	// Output:
	// van beethoven, ludwig [van] <nil>
	// van beethoven, ludwig [van] <nil>
	// papadopoulos, sotiris [] <nil>
}

func ExampleSameName() {
	fmt.Println(normalize.SameName("Bob", "Robert"), normalize.SameName("Albert", "Alan"))
	// Output: true false
}

func ExampleDates() {
	fmt.Println(normalize.Date("03/04/1985"))
	european := normalize.Dates{Order: normalize.DayFirst}
	fmt.Println(european.Date("03/04/1985"))
	fmt.Println(european.Date("12 de março de 1985"))
	unknown, _ := european.Date("01/01/1900")
	fmt.Println(unknown, unknown.Placeholder)
	// Output:
	// 0000-00-00 date is ambiguous: declare whether the day or the month comes first
	// 1985-04-03 <nil>
	// 1985-03-12 <nil>
	// 1900-01-01 true
}

func ExampleAddress() {
	for _, raw := range []string{"Flat 3, 12 High St., London SW1A 1AA", "12 High Street Apt 3\nLondon\nsw1a1aa", "Rua Augusta, nº 12, 3.º Esq., 1100-053 Lisboa"} {
		address, err := normalize.Address(raw)
		fmt.Println(address, err)
	}
	// Output:
	// 12 high street, unit 3, london sw1a1aa <nil>
	// 12 high street, unit 3, london sw1a1aa <nil>
	// 12 rua augusta, floor 3 esq, lisboa 1100-053 <nil>
}
