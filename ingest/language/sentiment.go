package language

import (
	_ "embed"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/jonreiter/govader"
)

// scoredLanguage is the only language with a model that was tried on labels.
const scoredLanguage = "en"

// Sentiment returns how glad (up to 1) or angry (down to -1) a text in the
// language is, and whether the language is scored at all. A text without a word
// that says either is near 0.
func Sentiment(text, language string) (score float64, scored bool) {
	if base, _, _ := strings.Cut(strings.ToLower(language), "-"); base != scoredLanguage || strings.TrimSpace(text) == "" {
		return 0, false
	}
	return english().score(scanned(text)), true
}

// weightsFile is the lexicon beyond VADER: one line for each word or pair of
// words, a tab, and its weight in hundredths. TestTrain makes it.
//
//go:embed weights.txt
var weightsFile string

// scorer is a logistic model: the compound score of VADER (Hutto and Gilbert
// 2014: a rated lexicon with rules for negation, boosters, capitals and
// emoticons) plus the weight of each word and pair of neighbours that the text
// has. VADER alone finds nothing in a third of the complaints, because "the
// waiter never came back" has no word of emotion; the weights know.
type scorer struct {
	vader            *govader.SentimentIntensityAnalyzer
	bias, vaderScale float64
	weights          map[string]float32
}

// english is read once, when the first text is scored: 9 ms, 3 MB.
var english = sync.OnceValue(func() *scorer {
	s := &scorer{vader: govader.NewSentimentIntensityAnalyzer(), weights: make(map[string]float32, strings.Count(weightsFile, "\n"))}
	for line := range strings.Lines(weightsFile) {
		name, text, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok {
			continue
		}
		hundredths, err := strconv.Atoi(text)
		if err != nil {
			continue // Impossible: TestWeights reads every line.
		}
		switch w := float64(hundredths) / 100; name {
		case biasName:
			s.bias = w
		case vaderName:
			s.vaderScale = w
		default:
			s.weights[name] = float32(w)
		}
	}
	return s
})

// The two lines of the weights that are no words.
const (
	biasName  = "(bias)"
	vaderName = "(vader)"
)

func (s *scorer) score(text string) float64 {
	sum := s.bias + s.vaderScale*s.vader.PolarityScores(text).Compound
	for _, f := range features(text) {
		sum += float64(s.weights[f])
	}
	// Rounded, so that the last bits of other processors do not show.
	return math.Round(1000*math.Tanh(sum/2)) / 1000
}

// negationReach is how many words a negation turns.
const negationReach = 4

// features are the distinct words and pairs of neighbours of a text; words after
// a negation are marked with ~, because "not good" is no good.
func features(text string) []string {
	var out []string
	seen := map[string]bool{}
	add := func(f string) {
		if !seen[f] {
			seen[f] = true
			out = append(out, f)
		}
	}
	reach, before := 0, ""
	for _, w := range words(text) {
		switch {
		case w == "!" || w == "?":
			add(w)
			reach, before = 0, ""
			continue
		case negates(w):
			add(w)
			reach = negationReach
		case reach > 0:
			add("~" + w)
			reach--
		default:
			add(w)
		}
		if before != "" {
			add(before + " " + w)
		}
		before = w
	}
	return out
}

func negates(w string) bool {
	switch w {
	case "not", "no", "never", "cannot", "nothing", "without", "none", "nobody", "hardly", "nor", "neither", "dont", "didnt", "doesnt", "wont", "cant":
		return true
	}
	return strings.HasSuffix(w, "n't")
}
