package simulate

import (
	"errors"
	"fmt"
	"reflect"
	"time"
)

// Config holds the base rates. Rates are probabilities from 0 to 1 unless the
// unit says otherwise; the tags are what Rates prints.
type Config struct {
	Seed uint64 `unit:"number" about:"seed of every random choice"`

	VisitorsPerCustomer float64 `unit:"people" about:"people who visit and never buy, for each customer"`
	SecondAccount       float64 `unit:"share" about:"customers who are the same person as another customer"`
	Household           float64 `unit:"share" about:"customers who live with another customer"`
	Companion           float64 `unit:"share" about:"customers who live with somebody who only visits"`
	FamilyComputer      float64 `unit:"share" about:"households of two with one computer for both"`
	SharedBrowser       float64 `unit:"share" about:"family computers with one browser, thus one cookie, for both"`
	FamilyEmail         float64 `unit:"share" about:"households of two with one e-mail address for both"`
	SecondEmail         float64 `unit:"share" about:"people with a second e-mail address"`
	SecondDevice        float64 `unit:"share" about:"customers with a second device"`
	ThirdDevice         float64 `unit:"share" about:"customers with a third device"`
	VisitorSecondDevice float64 `unit:"share" about:"visitors with a second device"`
	DeviceExposed       float64 `unit:"share" about:"browsers whose events carry a device id"`
	App                 float64 `unit:"share" about:"customers with the app on a device"`
	Phone               float64 `unit:"share" about:"people whose phone number may become known"`
	LoyaltyCard         float64 `unit:"share" about:"customers with a loyalty card"`
	ReplacedCard        float64 `unit:"share" about:"loyalty cards that were lost and replaced"`

	UsualBrowser       float64 `unit:"share" about:"visits in a person's usual browser; the others are in any"`
	SignOutOther       float64 `unit:"share" about:"visits that begin by logging out the other person of the household"`
	OnlineOrder        float64 `unit:"share" about:"orders made online, in a session before the order"`
	TabletLogin        float64 `unit:"share" about:"orders in the store with a login on the store's tablet"`
	Browse             float64 `unit:"visits" about:"mean number of other web visits of a customer"`
	VisitorVisits      float64 `unit:"visits" about:"mean number of web visits of a visitor, above one"`
	LoginWhileBrowsing float64 `unit:"share" about:"other visits of customers with a login"`
	LoginOnNewDevice   float64 `unit:"share" about:"other visits of customers with a login in a browser that never had one"`
	EmailAtLogin       float64 `unit:"share" about:"logins that send the e-mail address too"`
	PhoneAtLogin       float64 `unit:"share" about:"logins that send the phone number too"`
	CardLinked         float64 `unit:"share" about:"loyalty cards that are entered in the web account later"`
	Logout             float64 `unit:"share" about:"visits with a login that end with a logout"`
	ResetOnLogout      float64 `unit:"share" about:"logouts that make a new anonymous id"`
	CookieLoss         float64 `unit:"share" about:"visits that begin with a new cookie because the old one is gone"`
	PrivateBrowsing    float64 `unit:"share" about:"visits with a cookie of their own and no device id"`
	MaxCookies         int     `unit:"cookies" about:"after which a person's browsers keep theirs"`
	Newsletter         float64 `unit:"share" about:"customers who subscribe to the newsletter"`
	VisitorNewsletter  float64 `unit:"share" about:"visitors who subscribe to the newsletter"`
	TabletSignup       float64 `unit:"share" about:"newsletter subscriptions typed on the store's tablet"`
	NewsletterClicks   float64 `unit:"visits" about:"mean number of visits from newsletter links, for each subscriber"`
	Call               float64 `unit:"share" about:"customers with a phone number who call the call centre"`
	VisitorCall        float64 `unit:"share" about:"visitors with a phone number who call the call centre"`
	StoreTablets       int     `unit:"tablets" about:"shared tablets in the store"`

	Typo         float64 `unit:"share" about:"typed e-mail addresses with a typo"`
	WrongAddress float64 `unit:"share" about:"typed e-mail addresses that belong to somebody else"`
	Placeholder  float64 `unit:"share" about:"visits and calls with a placeholder in place of an identifier"`
	StaffEmail   float64 `unit:"share" about:"calls in which the agent types the shop's own address"`
	Late         float64 `unit:"share" about:"visits whose messages arrive days late"`
	LateDays     float64 `unit:"days" about:"mean lateness of those"`
	Copies       float64 `unit:"share" about:"messages that arrive twice or three times"`
	Bots         int     `unit:"bots" about:"programs that fetch pages, each with a new cookie for each page"`
	BotPages     int     `unit:"pages" about:"pages that each bot fetches"`

	Stores       int     `unit:"stores" about:"stores in town; 0 for no traces beyond web, till and telephone"`
	SensedStores int     `unit:"stores" about:"of them, with readers and cameras"`
	OtherVenues  int     `unit:"venues" about:"other venues in town"`
	Mailed       float64 `unit:"share" about:"campaigns that each subscriber is sent"`
	SocialLinked float64 `unit:"share" about:"customers who link a social account"`
	Posts        float64 `unit:"posts" about:"mean number of posts about the shop of each of those"`
	HelpBot      float64 `unit:"cases" about:"mean number of conversations with the help bot, for each person"`
	Surveyed     float64 `unit:"share" about:"orders after which a survey or a review is answered"`
	Tagged       float64 `unit:"share" about:"loyalty cards with a radio tag"`
	StoreVisits  float64 `unit:"visits" about:"mean number of visits to a store, for each customer"`
	OtherPlaces  float64 `unit:"visits" about:"mean number of other places where the app reports a position"`
	FixNoise     float64 `unit:"metres" about:"mean accuracy of a position, over 8 m"`
	ReadSeconds  float64 `unit:"seconds" about:"time between two attempts to read a tag; a phone takes twice as long"`
	DwellSeconds float64 `unit:"seconds" about:"mean stay in a zone, over 30 s"`
	ReadMissed   float64 `unit:"share" about:"attempts in which the reader of the zone hears nothing"`
	ReadRepeated float64 `unit:"share" about:"readings that are reported twice"`
	GhostRead    float64 `unit:"share" about:"attempts in which a reader next door hears the tag too"`
	LeaveMissed  float64 `unit:"share" about:"leavings that the camera misses"`

	Birthday       float64 `unit:"share" about:"people who tell their account the date of birth"`
	CRM            float64 `unit:"share" about:"customers with an account who are in the shop's old CRM as well"`
	CRMOthers      float64 `unit:"people" about:"people in the CRM whom the web has never met, for each of those"`
	CRMRelatives   float64 `unit:"share" about:"of them, twins, parents of the same name and partners of customers"`
	CRMTwice       float64 `unit:"share" about:"people in the CRM with two records"`
	CRMMoved       float64 `unit:"share" about:"records of the CRM with the address of before a move"`
	CRMEmail       float64 `unit:"share" about:"records with the e-mail address of today"`
	CRMOldEmail    float64 `unit:"share" about:"records with one that nobody else knows"`
	CRMPhone       float64 `unit:"share" about:"records of people with a phone number that have it"`
	CRMNoBirthday  float64 `unit:"share" about:"records without a date of birth"`
	CRMDateSwapped float64 `unit:"share" about:"dates of birth with day and month swapped"`
	CRMTypo        float64 `unit:"share" about:"names, streets and towns in the CRM with a typing error"`
	CRMBlank       float64 `unit:"share" about:"streets, postal codes and towns that are missing"`
	CRMNickname    float64 `unit:"share" about:"first names that have a short form and are in it"`
	CRMSwapped     float64 `unit:"share" about:"records with first and last name swapped"`
	CRMCapitals    float64 `unit:"share" about:"records in capitals"`

	// End is the time of the last possible event: that of the imported data.
	End time.Time `unit:"time" about:"no event is later"`
}

// DefaultConfig returns the base rates of the demo. End is left to the caller.
func DefaultConfig() Config {
	return Config{
		Seed: 1, VisitorsPerCustomer: 1.2, SecondAccount: .002, Household: .02, Companion: .006,
		FamilyComputer: .3, SharedBrowser: .9, FamilyEmail: .06, SecondEmail: .25,
		SecondDevice: .4, ThirdDevice: .1, VisitorSecondDevice: .1, DeviceExposed: .75, App: .25, Phone: .7,
		LoyaltyCard: .35, ReplacedCard: .015,
		UsualBrowser: .75, SignOutOther: .95, OnlineOrder: .55, TabletLogin: .08, Browse: 3.5, VisitorVisits: .7,
		LoginWhileBrowsing: .4, LoginOnNewDevice: .85, EmailAtLogin: .7, PhoneAtLogin: .12, CardLinked: .55,
		Logout: .35, ResetOnLogout: .35, CookieLoss: .02,
		PrivateBrowsing: .002, MaxCookies: 5,
		Newsletter: .45, VisitorNewsletter: .12, TabletSignup: .05, NewsletterClicks: 3, Call: .35, VisitorCall: .03,
		StoreTablets: 1,
		Typo:         .03, WrongAddress: .0004, Placeholder: .01, StaffEmail: .03,
		Late: .02, LateDays: 3, Copies: .015, Bots: 4, BotPages: 600,
		Stores: 12, SensedStores: 2, OtherVenues: 60, Mailed: .5, SocialLinked: .1, Posts: 1.5, HelpBot: .12, Surveyed: .1,
		Tagged: .5, StoreVisits: 1, OtherPlaces: 2, FixNoise: 12, ReadSeconds: 4, DwellSeconds: 75,
		ReadMissed: .3, ReadRepeated: .1, GhostRead: .12, LeaveMissed: .03,
		Birthday: .6, CRM: .45, CRMOthers: .43, CRMRelatives: .12, CRMTwice: .08, CRMMoved: .18, CRMEmail: .15, CRMOldEmail: .2,
		CRMPhone: .55, CRMNoBirthday: .25, CRMDateSwapped: .04, CRMTypo: .06, CRMBlank: .06, CRMNickname: .25, CRMSwapped: .02, CRMCapitals: .12,
	}
}

// Rate is one line of the printed base rates.
type Rate struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Unit  string `json:"unit"`
	About string `json:"about"`
}

// Rates returns every value of c with its unit and meaning, in a fixed order.
func (c Config) Rates() []Rate {
	v := reflect.ValueOf(c)
	rates := make([]Rate, 0, v.NumField())
	for i := range v.NumField() {
		f := v.Type().Field(i)
		value := fmt.Sprint(v.Field(i).Interface())
		if t, ok := v.Field(i).Interface().(time.Time); ok {
			value = t.UTC().Format(time.RFC3339)
		}
		rates = append(rates, Rate{Name: f.Name, Value: value, Unit: f.Tag.Get("unit"), About: f.Tag.Get("about")})
	}
	return rates
}

// Validate returns every fault of the configuration.
func (c Config) Validate() error {
	var faults []error
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch x := v.Field(i).Interface().(type) {
		case float64:
			if !(x >= 0) || f.Tag.Get("unit") == "share" && x > 1 || x > 1000 {
				faults = append(faults, fmt.Errorf("%s: %v is no number of unit %s", f.Name, x, f.Tag.Get("unit")))
			}
		case int:
			if x < 0 || x > 1_000_000 {
				faults = append(faults, fmt.Errorf("%s: %d is out of range", f.Name, x))
			}
		}
	}
	if c.End.IsZero() {
		faults = append(faults, errors.New("the end of the data (End) is required"))
	}
	if c.StoreTablets < 1 || c.MaxCookies < 1 {
		faults = append(faults, errors.New("StoreTablets and MaxCookies must be at least 1"))
	}
	if c.SensedStores > c.Stores {
		faults = append(faults, errors.New("SensedStores must be no more than Stores"))
	}
	if c.SensedStores > 0 && c.ReadSeconds < .1 {
		faults = append(faults, errors.New("ReadSeconds must be at least 0.1"))
	}
	return errors.Join(faults...)
}
