package simulate

import (
	"fmt"
	"strings"
	"time"
)

// crmDate is how the old CRM writes dates: the day first, unlike the web.
const crmDate = "02/01/2006"

// given is a first name as the one on the telephone gave it.
func (k *clerk) given(name string) string {
	if short := nicknames[name]; len(short) > 0 && chance(k.rng, k.cfg.CRMNickname) {
		return oneOf(k.rng, short)
	}
	return k.typed(name)
}

// typed is text as it was typed, now and then with an error.
func (k *clerk) typed(text string) string {
	if !chance(k.rng, k.cfg.CRMTypo) || len(text) < 3 {
		return text
	}
	i := 1 + k.rng.IntN(len(text)-2)
	switch k.rng.IntN(4) {
	case 0: // swapped
		return text[:i] + text[i+1:i+2] + text[i:i+1] + text[i+2:]
	case 1: // lost
		return text[:i] + text[i+1:]
	case 2: // doubled
		return text[:i] + text[i:i+1] + text[i:]
	}
	return text[:i] + string(rune('a'+k.rng.IntN(26))) + text[i+1:]
}

// blank loses a value now and then.
func (k *clerk) blank(text string) string {
	if chance(k.rng, k.cfg.CRMBlank) {
		return ""
	}
	return text
}

// date is a date of birth: missing, a placeholder for it, with day and month
// swapped, or right.
func (k *clerk) date(born time.Time) string {
	switch {
	case chance(k.rng, k.cfg.CRMNoBirthday):
		if k.rng.IntN(6) == 0 {
			return "01/01/1900"
		}
		return ""
	case chance(k.rng, k.cfg.CRMDateSwapped):
		return born.Format("01/02/2006")
	}
	return born.Format(crmDate)
}

// street is a street with its kind in short, as often as not.
func (k *clerk) street(text string) string {
	text = k.typed(text)
	if k.rng.IntN(2) == 0 {
		return text
	}
	for _, kind := range streetKinds {
		if name, ok := strings.CutSuffix(text, kind.whole); ok {
			return name + kind.short
		}
	}
	return text
}

// code is a postal code, sometimes without its blank.
func (k *clerk) code(text string) string {
	if k.rng.IntN(6) == 0 {
		return strings.ReplaceAll(text, " ", "")
	}
	return text
}

// dial is a phone number in a national spelling, rarely in an international one.
func (k *clerk) dial(e164 string) string {
	area, first, last := e164[2:5], e164[5:8], e164[8:]
	switch k.rng.IntN(8) {
	case 0:
		return "+1 " + area + " " + first + " " + last
	case 1:
		return "1-" + area + "-" + first + "-" + last
	case 2, 3:
		return fmt.Sprintf("(%s) %s-%s", area, first, last)
	case 4:
		return area + "." + first + "." + last
	}
	return area + "-" + first + "-" + last
}
