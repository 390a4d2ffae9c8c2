package language

import (
	"bufio"
	"compress/gzip"
	"os"
	"strconv"
	"strings"
	"testing"
)

type labelled struct {
	source   string
	positive bool
	text     string
}

func readLabelled(tb testing.TB) (all []labelled) {
	tb.Helper()
	f, err := os.Open("testdata/sentiment_labelled_sentences.tsv.gz")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	for lines := bufio.NewScanner(r); lines.Scan(); {
		part := strings.SplitN(lines.Text(), "\t", 3)
		all = append(all, labelled{part[0], part[1] == "1", part[2]})
	}
	return all
}

// accuracy counts right answers by label. A text that got no answer, because
// its language was not found or because the score is 0, is a wrong answer.
type accuracy struct{ right, asked [2]int }

func (a *accuracy) add(l labelled, score float64, scored bool) {
	i := 0
	if l.positive {
		i = 1
	}
	a.asked[i]++
	if scored && (score > 0) == l.positive && score != 0 {
		a.right[i]++
	}
}

func (a *accuracy) balanced() float64 {
	return (float64(a.right[0])/float64(a.asked[0]) + float64(a.right[1])/float64(a.asked[1])) / 2
}

// The bar: balanced accuracy of .70 and more on Sentiment Labelled Sentences,
// as events get it, language found first. What VADER alone reaches is printed
// beside it: without the weights the test fails.
func TestSentimentOnLabelledSentences(t *testing.T) {
	var all, alone accuracy
	by := map[string]*accuracy{"amazon": {}, "imdb": {}, "yelp": {}}
	for _, l := range readLabelled(t) {
		score, scored := Sentiment(l.text, Detect(l.text))
		all.add(l, score, scored)
		by[l.source].add(l, score, scored)
		alone.add(l, english().vader.PolarityScores(l.text).Compound, true)
	}
	for name, a := range by {
		t.Logf("%s: balanced accuracy %.3f of %d", name, a.balanced(), a.asked[0]+a.asked[1])
		if a.balanced() < .70 {
			t.Errorf("%s: balanced accuracy %.3f", name, a.balanced())
		}
	}
	t.Logf("all: balanced accuracy %.3f (VADER alone, every sentence taken for English: %.3f)", all.balanced(), alone.balanced())
	if all.balanced() < .78 {
		t.Errorf("all: balanced accuracy %.3f", all.balanced())
	}
}

func TestSentimentRules(t *testing.T) {
	f := func(text string, low, high float64) {
		t.Helper()
		if s, ok := Sentiment(text, "en-GB"); !ok || s < low || s > high {
			t.Errorf("%q: %v (%t), want %v to %v", text, s, ok, low, high)
		}
	}
	f("I love this shop, everything was great!", .5, 1)
	f("I do not love this shop.", -1, .2)
	f("Terrible. The parcel never came and nobody answers.", -1, -.5)
	f("The parcel is on its way.", -.5, .5)
	f("😍😍😍", .1, 1)
}

// Other languages are unscored, never guessed.
func TestOtherLanguagesAreUnscored(t *testing.T) {
	b, err := os.ReadFile("testdata/french_comments.txt")
	if err != nil {
		t.Fatal(err)
	}
	french, english, n := 0, 0, 0
	for line := range strings.Lines(string(b)) {
		n++
		language := Detect(line)
		switch language {
		case "fr":
			french++
		case "en":
			english++
		}
		if _, scored := Sentiment(line, language); scored != (language == "en") {
			t.Errorf("a text in %q: scored is %t", language, scored)
		}
	}
	t.Logf("of %d French comments %d are found French, %d English", n, french, english)
	if n != 300 || float64(french) < .9*float64(n) || english > 2 {
		t.Errorf("of %d French comments %d are found French, %d English", n, french, english)
	}
	for _, language := range []string{"", "fr", "de", "und", "eng"} {
		if _, scored := Sentiment("great", language); scored {
			t.Errorf("language %q is scored", language)
		}
	}
}

func TestDetect(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := Detect(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	f("", "")
	f("ok", "")
	f("!!!", "")
	f("\xff\xfe", "")
	f("12345", "")
	f("Great product, works very well.", "en")
	f("Muito bom, obrigada! Chegou antes do prazo.", "pt")
	f("Sehr gute Qualität, aber leider zu spät geliefert.", "de")
	f("El pedido no ha llegado y nadie contesta.", "es")
	f("これはとても良い商品です", "ja")
	f(strings.Repeat("the parcel was late and ", 10_000), "en")
}

// Every line of the weights can be read, and there are as many as it says.
func TestWeights(t *testing.T) {
	n := 0
	for line := range strings.Lines(weightsFile) {
		_, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if _, err := strconv.Atoi(value); !ok || err != nil {
			t.Errorf("line %d: %v", n+1, err)
		}
		n++
	}
	if got := len(english().weights); got != n-2 || n < 1000 || english().vaderScale == 0 {
		t.Errorf("%d weights of %d lines", got, n)
	}
}

func FuzzText(f *testing.F) {
	f.Add("I don't like it!")
	f.Add("¿Qué? \x00\xff 😀")
	f.Fuzz(func(t *testing.T, text string) {
		if a, b := Detect(text), Detect(text); a != b {
			t.Errorf("%q and %q", a, b)
		}
		s, _ := Sentiment(text, "en")
		if again, _ := Sentiment(text, "en"); again != s || s < -1 || s > 1 {
			t.Errorf("score %v, then %v", s, again)
		}
	})
}

func BenchmarkDetect(b *testing.B) {
	all := readLabelled(b)
	for i := 0; b.Loop(); i++ {
		Detect(all[i%len(all)].text)
	}
}

func BenchmarkSentiment(b *testing.B) {
	all := readLabelled(b)
	for i := 0; b.Loop(); i++ {
		Sentiment(all[i%len(all)].text, "en")
	}
}
