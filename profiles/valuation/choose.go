package valuation

import (
	"github.com/kindred-cdp/kindred/profiles/lifetime"
)

// maxHistories bounds the histories that choose the models: the differences
// between models do not hide in more.
const maxHistories = 50_000

// histories is an even sample of the purchase histories, every step-th in order
// of profile: at most maxHistories, and the same for the same profiles.
type histories struct {
	kept    [][]lifetime.Purchase
	step, n int
}

func (s *histories) add(purchases []lifetime.Purchase) {
	s.step = max(1, s.step)
	if s.n%s.step == 0 {
		s.kept = append(s.kept, purchases)
	}
	s.n++
	if len(s.kept) <= maxHistories {
		return
	}
	half := s.kept[:0]
	for i := 0; i < len(s.kept); i += 2 {
		half = append(half, s.kept[i])
	}
	clear(s.kept[len(half):])
	s.kept, s.step = half, 2*s.step
}

// models returns the configuration of the fit: with the models that the standing
// scores of this day were made with, else with those that the history chooses.
// Once a day is often enough, and keeps scores from moving with the hour.
func (w *Worker) models(h *history, before publication, s *Summary) (lifetime.Config, error) {
	cfg := w.cfg.Lifetime
	if !w.cfg.Choose {
		return cfg, nil
	}
	if b := before.summary; b.stillChosen(s.asOfDay, h) {
		s.Chosen, s.SpendChosen, s.ChosenBecause = b.Chosen, b.SpendChosen, b.ChosenBecause
		s.ChosenDay, s.ChosenCurrency, s.ChosenCustomers = b.ChosenDay, b.ChosenCurrency, b.ChosenCustomers
	} else {
		choice, err := lifetime.Choose(h.sample.kept, s.asOfDay, cfg)
		if err != nil {
			return cfg, err
		}
		s.Chosen, s.SpendChosen = choice.Model, choice.Spend.Model
		s.ChosenBecause = choice.Reason + "; amounts: " + choice.Spend.Reason
		s.ChosenDay, s.ChosenCurrency, s.ChosenCustomers = s.asOfDay, h.currency, len(h.customers)
	}
	cfg.Model, cfg.Spend = s.Chosen, s.SpendChosen
	return cfg, nil
}

// stillChosen reports whether the choice of a refresh holds for this one: it is
// of the same day and of about as many customers, whose past may be being loaded.
func (s Summary) stillChosen(day int, h *history) bool {
	before, now := s.ChosenCustomers, len(h.customers)
	return s.Chosen != "" && s.ChosenDay == day && s.ChosenCurrency == h.currency && 10*now <= 11*before && 10*now >= 9*before
}
