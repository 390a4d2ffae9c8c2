package propensity

import (
	"cmp"
	"math"
	"slices"
)

// manyPositives is from how many positives on the isotonic calibration is
// trusted: below it, it fits noise, and Platt's two numbers are enough.
const manyPositives = 1000

// Calibration turns the log odds of a model into probabilities that come true.
type Calibration struct {
	// Kind is none, platt or isotonic.
	Kind string `json:"kind"`
	// Slope and Intercept are those of Platt's line in log odds.
	Slope     float64 `json:"slope,omitempty"`
	Intercept float64 `json:"intercept,omitempty"`
	// At and To are the corners of the isotonic curve, in log odds.
	At []float64 `json:"at,omitempty"`
	To []float64 `json:"to,omitempty"`
}

// noCalibration leaves probabilities as they are.
var noCalibration = Calibration{Kind: "none"}

// calibrator is the way to calibrate that the number of examples allows.
func calibrator(y []bool) func([]float64, []bool) Calibration {
	if up := positives(y); up >= manyPositives && len(y)-up >= manyPositives {
		return isotonic
	}
	return platt
}

// calibrateForward chooses the calibration of margins that the model had not
// seen and that stand in the order of time: the one of the later half, if that
// of the earlier half told the later one better than none, by more than the
// standard error. Where the base rate moves, the latest examples know it best.
func calibrateForward(margins []float64, y []bool) Calibration {
	half := len(y) / 2
	if up := positives(y[:half]); up == 0 || up == half {
		return noCalibration
	}
	past := calibrator(y[:half])(margins[:half], y[:half])
	var plain, better []float64
	for _, z := range margins[half:] {
		plain, better = append(plain, noCalibration.probability(z)), append(better, past.probability(z))
	}
	if !Compare(plain, better, y[half:]).Better {
		return noCalibration
	}
	return calibrator(y[half:])(margins[half:], y[half:])
}

// calibrate chooses the calibration of margins that the model had not seen: the
// one that their number allows, if it tells answers better that it had not seen
// either, by more than the standard error.
func calibrate(margins []float64, y []bool) Calibration {
	fit := calibrator(y)
	plain, better := make([]float64, len(y)), make([]float64, len(y))
	const parts = 5
	for k := range parts {
		var z []float64
		var answers []bool
		for i, m := range margins {
			if i%parts != k {
				z, answers = append(z, m), append(answers, y[i])
			}
		}
		c := fit(z, answers)
		for i := k; i < len(margins); i += parts {
			plain[i], better[i] = noCalibration.probability(margins[i]), c.probability(margins[i])
		}
	}
	if !Compare(plain, better, y).Better {
		return noCalibration
	}
	return fit(margins, y)
}

func positives(y []bool) (n int) {
	for _, v := range y {
		if v {
			n++
		}
	}
	return n
}

// platt fits slope and intercept by Newton's method with halved steps where a
// whole one goes too far, with a weak pull of the slope towards 1.
func platt(margins []float64, y []bool) Calibration {
	a, b := 1.0, 0.0
	value := plattLoss(margins, y, a, b)
	for range 50 {
		ga, gb := a-1, 0.0
		haa, hab, hbb := 1.0, 0.0, 1e-9
		for i, z := range margins {
			p := logistics(a*z + b)
			d, h := p, p*(1-p)
			if y[i] {
				d--
			}
			ga, gb = ga+d*z, gb+d
			haa, hab, hbb = haa+h*z*z, hab+h*z, hbb+h
		}
		det := haa*hbb - hab*hab
		if !(det > 1e-12) {
			break
		}
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		step, next := 1.0, math.Inf(1)
		for ; step > 1e-6; step /= 2 {
			if next = plattLoss(margins, y, a-step*da, b-step*db); next <= value {
				break
			}
		}
		if !(next <= value) {
			break
		}
		a, b = a-step*da, b-step*db
		if value-next < 1e-12*math.Abs(value) {
			break
		}
		value = next
	}
	if !(a > 0) || math.IsInf(a, 0) || math.IsNaN(b) || math.IsInf(b, 0) {
		return noCalibration
	}
	return Calibration{Kind: "platt", Slope: a, Intercept: b}
}

func plattLoss(margins []float64, y []bool, a, b float64) float64 {
	sum := (a - 1) * (a - 1) / 2
	for i, z := range margins {
		v := a*z + b
		if y[i] {
			v = -v
		}
		sum += softplus(v)
	}
	return sum
}

// block is a run of examples with one rate.
type block struct{ n, up, at float64 }

func (b block) rate() float64 { return (b.up + .5) / (b.n + 1) }

// isotonic pools neighbours whose rates fall (PAVA), and joins the middles of
// what remains by lines in log odds, so that the order of the margins stays.
func isotonic(margins []float64, y []bool) Calibration {
	order := make([]int32, len(margins))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(margins[a], margins[b]), cmp.Compare(a, b)) })
	var blocks []block
	// Small groups first: a rate of one example is no rate.
	size := max(20, len(order)/400)
	for from := 0; from < len(order); {
		to := min(from+size, len(order))
		if len(order)-to < size {
			to = len(order)
		}
		b := block{n: float64(to - from)}
		for _, i := range order[from:to] {
			if y[i] {
				b.up++
			}
			b.at += margins[i] / b.n
		}
		for blocks = append(blocks, b); len(blocks) > 1; {
			last, before := blocks[len(blocks)-1], blocks[len(blocks)-2]
			if before.rate() < last.rate() {
				break
			}
			n := last.n + before.n
			blocks = append(blocks[:len(blocks)-2], block{n, last.up + before.up, (last.at*last.n + before.at*before.n) / n})
		}
		from = to
	}
	c := Calibration{Kind: "isotonic"}
	for _, b := range blocks {
		p := b.rate()
		c.At, c.To = append(c.At, b.at), append(c.To, math.Log(p/(1-p)))
	}
	return c
}

// probability calibrates one log odds.
func (c *Calibration) probability(z float64) float64 {
	switch c.Kind {
	case "platt":
		z = c.Slope*z + c.Intercept
	case "isotonic":
		z = c.curve(z)
	}
	return math.Min(math.Max(logistics(z), leastProbability), 1-leastProbability)
}

// curve follows the lines between the corners, and beyond the ends runs on in
// parallel to the model's own.
func (c *Calibration) curve(z float64) float64 {
	last := len(c.At) - 1
	if last < 0 {
		return z
	}
	i, _ := slices.BinarySearch(c.At, z)
	switch {
	case i == 0:
		return c.To[0] + (z-c.At[0])/4
	case i > last:
		return c.To[last] + (z-c.At[last])/4
	}
	share := (z - c.At[i-1]) / (c.At[i] - c.At[i-1])
	return c.To[i-1] + share*(c.To[i]-c.To[i-1])
}

// ShiftPrior corrects probabilities of a model that was trained at one base rate
// for use at another (Saerens, Latinne and Decaestecker 2002): the odds of every
// one change by the ratio of the odds of the rates.
func ShiftPrior(p []float64, trained, actual float64) []float64 {
	out := make([]float64, len(p))
	up, down := actual/trained, (1-actual)/(1-trained)
	for i, v := range p {
		out[i] = v * up / (v*up + (1-v)*down)
	}
	return out
}

// EstimatePrior returns the base rate at which the probabilities of unlabelled
// examples agree with themselves: the fixed point of the mean of ShiftPrior.
func EstimatePrior(p []float64, trained float64) float64 {
	rate := trained
	for range 200 {
		sum := 0.0
		for _, v := range ShiftPrior(p, trained, rate) {
			sum += v
		}
		next := math.Min(math.Max(sum/math.Max(1, float64(len(p))), leastProbability), 1-leastProbability)
		if math.Abs(next-rate) < 1e-9 {
			return next
		}
		rate = next
	}
	return rate
}
