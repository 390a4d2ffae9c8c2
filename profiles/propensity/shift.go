package propensity

// PriorShift says how probabilities follow a base rate that moves: by the rate
// that rows without answers let guess (Saerens, Latinne and Decaestecker 2002).
// It takes the place of calibration, and only where it told the later half of the
// rows that calibrate better by more than the standard error.
type PriorShift struct {
	// Applied is whether it is used, Gain how much better it was.
	Applied bool       `json:"applied"`
	Gain    Comparison `json:"gain"`
	// From is the base rate of the rows that were trained on, To the one
	// guessed for the rows that were scored; To is 0 where it is not applied.
	From float64 `json:"from_rate"`
	To   float64 `json:"to_rate,omitempty"`
}

// leastShifted is the number of rows below which a base rate is not guessed: a
// few rows that happen to be alike are no new rate.
const leastShifted = 500

// priorShift tries the correction on margins of what the folds hold out, in the
// order of time: the later half of them as each fold's model has it, moved from
// the base rate that it was trained at, beside what calibration by the earlier
// half makes of it.
func (r *training) priorShift(margins []float64, final Calibration, trained float64) *PriorShift {
	half := len(margins) / 2
	if up := positives(r.held[:half]); up == 0 || up == half || half < leastShifted {
		return nil
	}
	past := noCalibration
	if final.Kind != "none" {
		past = calibrator(r.held[:half])(margins[:half], r.held[:half])
	}
	later, moved, end := past.all(margins[half:]), []float64(nil), 0
	for _, f := range r.folds {
		from := max(end, half)
		if end += len(f.test); from >= end {
			continue
		}
		p := noCalibration.all(margins[from:end])
		if len(p) >= leastShifted {
			p, _ = moveTo(p, r.rate(f.train))
		}
		moved = append(moved, p...)
	}
	s := &PriorShift{Gain: Compare(later, moved, r.held[half:]), From: trained}
	s.Applied = s.Gain.Better
	return s
}

// rate is the share of rows with a positive answer, neither 0 nor 1.
func (r *training) rate(rows []int32) float64 {
	up := .5
	for _, row := range rows {
		if r.y[row] {
			up++
		}
	}
	return up / float64(len(rows)+1)
}

// follow returns the probabilities of rows without answers: calibrated ones, or
// where it is worth it the model's own at the base rate that they let guess.
func (m *Model) follow(t *Table, rows []int32) ([]float64, *PriorShift) {
	if m.Shift == nil {
		return m.Predict(t, rows), nil
	}
	done := *m.Shift
	if done.Applied = done.Applied && len(rows) >= leastShifted; !done.Applied {
		return m.Predict(t, rows), &done
	}
	var p []float64
	p, done.To = moveTo(noCalibration.all(m.margins(t, rows)), done.From)
	return p, &done
}

func moveTo(p []float64, from float64) ([]float64, float64) {
	to := EstimatePrior(p, from)
	return ShiftPrior(p, from, to), to
}

// all are the probabilities of many log odds.
func (c *Calibration) all(margins []float64) []float64 {
	out := make([]float64, len(margins))
	for i, z := range margins {
		out[i] = c.probability(z)
	}
	return out
}
