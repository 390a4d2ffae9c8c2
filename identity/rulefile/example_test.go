package rulefile_test

import (
	"fmt"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/rulefile"
)

func ExampleParse() {
	file, err := rulefile.Parse([]byte(`
version = 2
untrusted = ["web"]

[namespaces.email]
limit = 3

[blocked.email]
add = ["*@mailinator.com"]
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range rulefile.Diff(rulefile.Default(), file) {
		fmt.Println(line)
	}
	rules, err := file.Rules()
	fmt.Println(rules.Trusted("web"), rules.Blocked(identity.Identifier{Namespace: "email", Value: "x@mailinator.com"}), err)
	// Output:
	// version: from 1 to 2
	// untrusted: now also web
	// email.limit: from 5 to 3
	// email: 1 more values or patterns are blocked in addition
	// false true <nil>
}

func ExampleParse_faults() {
	_, err := rulefile.Parse([]byte(`
[namespaces.email]
limt = 3
limit_window = "a month"
`))
	fmt.Println(err)
	// Output:
	// line 3: namespaces.email.limt: is not a key of the rules; did you mean limit?
	// line 4: namespaces.email.limit_window: must be a duration in text: a whole number and one of d, h, m, s, as "30d"
}
