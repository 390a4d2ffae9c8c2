package language

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTrain makes weights.txt from the ratings that the authors of VADER
// published with it (hutto_ICWSM_2014: 18 513 tweets, product reviews and film
// reviews, each rated by twenty people; MIT licence). Their editorials are left
// out: they would teach it the names of politicians. It runs only where
// KINDRED_VADER_GROUNDTRUTH names the folder of their files, which are not part
// of this repository.
func TestTrain(t *testing.T) {
	folder := os.Getenv("KINDRED_VADER_GROUNDTRUTH")
	if folder == "" {
		t.Skip("KINDRED_VADER_GROUNDTRUTH is not set")
	}
	examples, names := readExamples(t, folder)
	bias, scale, weights := train(examples, len(names))
	lines := []string{fmt.Sprintf("%s\t%.0f\n", biasName, 100*bias), fmt.Sprintf("%s\t%.0f\n", vaderName, 100*scale)}
	var listed []string
	for i, w := range weights {
		if math.Abs(w) >= .1 {
			listed = append(listed, fmt.Sprintf("%s\t%.0f\n", names[i], 100*w))
		}
	}
	slices.Sort(listed)
	if err := os.WriteFile("weights.txt", []byte(strings.Join(append(lines, listed...), "")), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d examples, %d features, %d written", len(examples), len(names), len(listed))
}

// example is a rated text.
type example struct {
	features []int
	compound float64
	target   float64 // probability that it is positive
}

// leastTexts is in how many texts a feature must occur to get a weight.
const leastTexts = 6

func readExamples(t *testing.T, folder string) (examples []example, names []string) {
	t.Helper()
	var texts []string
	var found [][]string
	count := map[string]int{}
	for _, name := range []string{"tweets", "amazonReviewSnippets", "movieReviewSnippets"} {
		f, err := os.Open(filepath.Join(folder, name+"_GroundTruth.txt"))
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			part := strings.SplitN(lines.Text(), "\t", 3)
			if len(part) < 3 {
				continue
			}
			rating, err := strconv.ParseFloat(part[1], 64) // -4 to 4
			if err != nil {
				t.Fatal(err)
			}
			// One point of four is as good as sure.
			examples = append(examples, example{target: .5 + .5*math.Tanh(rating)})
			texts, found = append(texts, part[2]), append(found, features(part[2]))
			for _, x := range found[len(found)-1] {
				count[x]++
			}
		}
		_ = f.Close()
	}
	index := map[string]int{}
	for i := range examples {
		examples[i].compound = english().vader.PolarityScores(texts[i]).Compound
		for _, x := range found[i] {
			if count[x] < leastTexts {
				continue
			}
			if _, ok := index[x]; !ok {
				index[x] = len(names)
				names = append(names, x)
			}
			examples[i].features = append(examples[i].features, index[x])
		}
	}
	return examples, names
}

// train fits the logistic model by AdaGrad (Duchi et al. 2011) with a small
// quadratic penalty, in a fixed random order.
func train(examples []example, features int) (bias, scale float64, weights []float64) {
	const rounds, rate, penalty = 15, .2, .01
	weights = make([]float64, features)
	squares := make([]float64, features)
	biasSquares, scaleSquares := 1e-8, 1e-8
	rng := rand.New(rand.NewPCG(1, 1))
	for range rounds {
		for _, i := range rng.Perm(len(examples)) {
			e := &examples[i]
			sum := bias + scale*e.compound
			for _, j := range e.features {
				sum += weights[j]
			}
			miss := 1/(1+math.Exp(-sum)) - e.target
			biasSquares += miss * miss
			bias -= rate * miss / math.Sqrt(biasSquares)
			g := miss * e.compound
			scaleSquares += g * g
			scale -= rate * g / math.Sqrt(scaleSquares)
			for _, j := range e.features {
				g := miss + penalty*weights[j]
				squares[j] += g*g + 1e-12
				weights[j] -= rate * g / math.Sqrt(squares[j])
			}
		}
	}
	return bias, scale, weights
}
