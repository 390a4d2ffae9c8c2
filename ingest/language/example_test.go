package language_test

import (
	"fmt"

	"github.com/kindred-cdp/kindred/ingest/language"
)

func ExampleSentiment() {
	for _, text := range []string{"Great quality, thank you!", "Nobody answers and my parcel is lost.", "Merci beaucoup, très bon accueil."} {
		code := language.Detect(text)
		score, scored := language.Sentiment(text, code)
		fmt.Println(code, scored, score > 0)
	}
	// Output:
	// en true true
	// en true false
	// fr false false
}
